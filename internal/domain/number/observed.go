package number

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
)

// Seen is a person as a sync saw him in the tenant; Number is E.164, empty for none.
type Seen struct {
	UserID string
	Name   string
	Number string
}

// batch is how many values one condition names: well below what either store allows.
const batch = 200

// Observed compares the inventory with a page of people as they were seen, in the transaction that keeps the page: it
// settles what an operation had to leave open, marks what somebody else gave as foreign, and frees what is gone. A number
// that an operation has in hand, or that moved less than the visibility time ago, is left for the next sync.
func (s *Numbers) Observed(ctx context.Context, tx db.Tx, customerID string, seen []Seen) error {
	byUser, byNumber := map[string]Seen{}, map[string]Seen{}
	users, numbers := make([]string, 0, len(seen)), []string{}
	for _, p := range seen {
		p.Number, _, _ = strings.Cut(p.Number, ";") // an extension is not part of the number
		byUser[p.UserID] = p
		users = append(users, p.UserID)
		if p.Number != "" {
			byNumber[p.Number] = p
			numbers = append(numbers, p.Number)
		}
	}
	rows, err := s.touched(ctx, tx, customerID, users, numbers)
	if err != nil {
		return err
	}
	now := s.o.Clock.Now()
	for _, n := range rows {
		on, isSeen := byNumber[n.Number]
		holder, holderSeen := byUser[n.holderID()]
		st, ok := reconcile(n, pick(on, isSeen), pick(holder, holderSeen), now, s.o.Visible)
		if !ok {
			continue
		}
		st.by = access.System("sync")
		if _, err := s.move(ctx, tx, n, st); err != nil {
			return fmt.Errorf("settling %s: %w", n.Number, err)
		}
	}
	return nil
}

func pick(p Seen, ok bool) *Seen {
	if !ok {
		return nil
	}
	return &p
}

// touched reads the numbers of the customer that were seen, or whose holder was.
func (s *Numbers) touched(ctx context.Context, tx db.Tx, customerID string, users, numbers []string) ([]Number, error) {
	var out []Number
	known := map[string]bool{}
	for _, part := range []struct {
		column string
		values []string
	}{{"holder_id", users}, {"e164", numbers}} {
		for from := 0; from < len(part.values); from += batch {
			values := part.values[from:min(from+batch, len(part.values))]
			args, marks := []any{customerID}, make([]string, 0, len(values))
			for _, v := range values {
				args = append(args, v)
				marks = append(marks, fmt.Sprintf("$%d", len(args)))
			}
			found, err := some(ctx, tx, `customer_id = $1 AND `+part.column+` IN (`+strings.Join(marks, ", ")+`)`, args...)
			if err != nil {
				return nil, err
			}
			for _, n := range found {
				if !known[n.Number] {
					known[n.Number] = true
					out = append(out, n)
				}
			}
		}
	}
	return out, nil
}

// reconcile decides what an observation means for a number: pure. on is who was seen with the number, holder the holder as
// he was seen; nil where the page has nobody such.
func reconcile(n Number, on, holder *Seen, now time.Time, visible time.Duration) (step, bool) {
	if n.OperationID != "" || now.Sub(n.UpdatedAt) < visible {
		return step{}, false
	}
	if on != nil {
		return seenOn(n, *on)
	}
	if holder == nil || holder.Number == n.Number {
		return step{}, false
	}
	switch n.State {
	case Reserved:
		return step{event: Refused, detail: "Not seen on " + n.holderName() + "."}, true
	case Releasing:
		return step{event: Freed, detail: "No longer seen on " + n.holderName() + "."}, true
	case Assigned:
		return step{event: TakenElsewhere, detail: "Taken from " + n.holderName() + " in the tenant, not here."}, true
	case Foreign:
		return step{event: ForeignGone, detail: "No longer seen on " + n.holderName() + "."}, true
	}
	return step{}, false
}

func seenOn(n Number, on Seen) (step, bool) {
	foreign := step{event: FoundForeign, holder: &Holder{Kind: "user", ID: on.UserID, Name: on.Name}, detail: "Seen on " + on.Name + ", who was not given it here."}
	switch {
	case n.State == Free:
		return foreign, true
	case !n.heldBy(on.UserID) && n.State == Foreign:
		foreign.event = PassedOn
		return foreign, true
	case !n.heldBy(on.UserID):
		return foreign, HasHolder(n.State)
	case n.State == Reserved:
		return step{event: Confirmed, keep: true, detail: "Seen on " + on.Name + "."}, true
	case n.State == Releasing:
		return step{event: Kept, keep: true, detail: "Still seen on " + on.Name + "."}, true
	}
	return step{}, false
}
