package number

import (
	"context"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/e164"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
)

// Patch changes what is not nil; an empty text takes the value away.
type Patch struct {
	CallerID   *string
	Usage      *string
	TrunkID    *string
	LocationID *string
	Tags       *[]string
}

const (
	maxTags = 20
	maxText = 200
)

// Update changes what a number is used for. ifVersion 0 changes whatever is there.
func (s *Numbers) Update(ctx context.Context, actor access.Actor, number string, p Patch, ifVersion int64) (Number, error) {
	if err := access.Can(actor, access.Assign); err != nil {
		return Number{}, err
	}
	var after Number
	err := s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, err := findIn(ctx, tx, actor.Scope, number)
		if err != nil {
			return err
		}
		if ifVersion != 0 && ifVersion != before.Version {
			return fault.StaleVersion("number")
		}
		changed, err := p.apply(before)
		if err != nil {
			return err
		}
		if after, err = s.save(ctx, tx, changed); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, before.State, after, step{event: Changed, by: actor}); err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "number.update", after, "", map[string]any{"before": before, "after": after})
	})
	return after, err
}

func (p Patch) apply(n Number) (Number, error) {
	var bad []fault.Field
	text := func(path string, from *string, to *string) {
		if from == nil {
			return
		}
		*to = strings.TrimSpace(*from)
		if len(*to) > maxText || strings.ContainsFunc(*to, func(r rune) bool { return r < ' ' }) {
			bad = append(bad, fault.Field{Path: path, Code: "too-long", Detail: "At most 200 characters, without control characters."})
		}
	}
	text("usage", p.Usage, &n.Usage)
	text("trunkId", p.TrunkID, &n.TrunkID)
	text("locationId", p.LocationID, &n.LocationID)
	text("callerId", p.CallerID, &n.CallerID)
	if n.CallerID != "" && p.CallerID != nil {
		if _, err := e164.Parse(n.CallerID, n.Country); err != nil {
			bad = append(bad, fault.Field{Path: "callerId", Code: string(e164.ReasonOf(err)), Detail: err.Error()})
		}
	}
	if p.Tags != nil {
		var f *fault.Field
		if n.Tags, f = cleanTags(*p.Tags); f != nil {
			bad = append(bad, *f)
		}
	}
	if len(bad) > 0 {
		return n, fault.New(fault.Invalid, "invalid-number", "The number cannot be changed so.").WithFields(bad...)
	}
	return n, nil
}

// cleanTags trims, drops what is empty or doubled, and refuses what a spreadsheet would run as a formula.
func cleanTags(tags []string) ([]string, *fault.Field) {
	out, seen := []string{}, map[string]bool{}
	for _, t := range tags {
		t = strings.TrimSpace(t)
		if t == "" || seen[t] {
			continue
		}
		if strings.ContainsRune("=+-@", rune(t[0])) {
			return nil, &fault.Field{Path: "tags", Code: "formula", Detail: "A tag may not begin as a spreadsheet formula does."}
		}
		if len(t) > maxText || strings.ContainsFunc(t, func(r rune) bool { return r < ' ' }) {
			return nil, &fault.Field{Path: "tags", Code: "too-long", Detail: "A tag has at most 200 characters, without control characters."}
		}
		seen[t] = true
		out = append(out, t)
	}
	if len(out) > maxTags {
		return nil, &fault.Field{Path: "tags", Code: "too-many", Detail: "A number has at most 20 tags."}
	}
	return out, nil
}

// Release takes a free number from its customer into quarantine, after which it is in the partner's stock; one that is in
// the stock already is removed from the inventory. Anything but a free number is refused with 409.
func (s *Numbers) Release(ctx context.Context, actor access.Actor, number string, ifVersion int64) error {
	if err := access.Can(actor, access.Assign); err != nil {
		return err
	}
	return s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		n, err := findIn(ctx, tx, actor.Scope, number)
		if err != nil {
			return err
		}
		if ifVersion != 0 && ifVersion != n.Version {
			return fault.StaleVersion("number")
		}
		if n.State != Free {
			return notFree(n)
		}
		if n.CustomerID == "" {
			return s.remove(ctx, tx, actor, n)
		}
		return s.quarantine(ctx, tx, actor, n)
	})
}

func notFree(n Number) *fault.Fault {
	if n.State == Quarantined {
		return fault.New(fault.Conflict, "number-quarantined", "%s is released already and rests until %s.", n.Number, n.QuarantineUntil.Format("2006-01-02"))
	}
	return fault.New(fault.Conflict, "number-held", "%s is %s, held by %s; only a free number is released.", n.Number, n.State, n.holderName()).
		WithRemedy("Take the number from %s first.", n.holderName())
}

func (s *Numbers) quarantine(ctx context.Context, tx db.Tx, actor access.Actor, n Number) error {
	before := n
	n.QuarantineUntil = s.o.Clock.Now().Add(s.o.Quarantine)
	n.CustomerID, n.ServiceID, n.CallerID, n.VoicePolicy, n.LocationID, n.Tags = "", "", "", "", "", nil
	if _, err := s.move(ctx, tx, n, step{event: Released, by: actor, detail: "Rests until " + n.QuarantineUntil.Format(time.RFC3339) + "."}); err != nil {
		return err
	}
	// The customer that had it is told too: the number's own line names no customer any more.
	if err := feed.Append(ctx, tx, feed.Line{At: s.o.Clock.Now(), Topic: "number", Ref: n.Number, PartnerID: n.PartnerID, CustomerID: before.CustomerID}); err != nil {
		return err
	}
	return s.audit(ctx, tx, actor, "number.release", before, "", map[string]any{"until": n.QuarantineUntil})
}

func (s *Numbers) remove(ctx context.Context, tx db.Tx, actor access.Actor, n Number) error {
	res, err := tx.ExecContext(ctx, `DELETE FROM number WHERE e164 = $1 AND version = $2`, n.Number, n.Version)
	if err := db.Changed(res, err, fault.StaleVersion("number")); err != nil {
		return err
	}
	if err := s.tell(ctx, tx, n.State, n, step{event: Removed, by: actor}); err != nil {
		return err
	}
	return s.audit(ctx, tx, actor, "number.remove", n, "", nil)
}

// EndQuarantines frees what has rested long enough, at most 500 numbers at a time; it answers how many.
func (s *Numbers) EndQuarantines(ctx context.Context) (int, error) {
	count := 0
	err := s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		count = 0
		due, err := some(ctx, tx, `state = 'quarantined' AND quarantine_until <= $1 ORDER BY e164 LIMIT 500`, db.Micros(s.o.Clock.Now()))
		if err != nil {
			return err
		}
		for _, n := range due {
			n.QuarantineUntil = time.Time{}
			if _, err := s.move(ctx, tx, n, step{event: QuarantineEnded, by: access.System("quarantine")}); err != nil {
				return err
			}
			count++
		}
		return nil
	})
	return count, err
}

// audit writes what was done to a number into the audit, in the transaction that does it.
func (s *Numbers) audit(ctx context.Context, tx db.Tx, actor access.Actor, action string, n Number, operationID string, detail any) error {
	return audit.Append(ctx, s.o.DB, tx, audit.What{At: s.o.Clock.Now(), Actor: actor, Action: action, PartnerID: n.PartnerID, CustomerID: n.CustomerID,
		TargetKind: "number", TargetID: n.Number, OperationID: operationID, Detail: detail})
}
