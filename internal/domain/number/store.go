package number

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
)

const columns = `e164, partner_id, customer_id, service_id, number_type, state, country, type, holder_kind, holder_id, holder_name,
	operation_id, voice_policy, caller_id, usage, trunk_id, location_id, tags, quarantine_until, created_at, updated_at, version`

func scan(row interface{ Scan(...any) error }) (Number, error) {
	var n Number
	var customer, service, kind, id, name, op, policy, caller, usage, trunk, location sql.NullString
	var quarantine, created, updated sql.NullInt64
	var tags string
	err := row.Scan(&n.Number, &n.PartnerID, &customer, &service, &n.NumberType, &n.State, &n.Country, &n.Type, &kind, &id, &name,
		&op, &policy, &caller, &usage, &trunk, &location, &tags, &quarantine, &created, &updated, &n.Version)
	if err != nil {
		return Number{}, err
	}
	if err := json.Unmarshal([]byte(tags), &n.Tags); err != nil {
		return Number{}, fmt.Errorf("reading the tags of %s: %w", n.Number, err)
	}
	n.CustomerID, n.ServiceID, n.OperationID, n.VoicePolicy = customer.String, service.String, op.String, policy.String
	n.CallerID, n.Usage, n.TrunkID, n.LocationID = caller.String, usage.String, trunk.String, location.String
	n.QuarantineUntil, n.CreatedAt, n.UpdatedAt = db.Time(quarantine), db.Time(created), db.Time(updated)
	if id.Valid {
		n.Holder = &Holder{Kind: kind.String, ID: id.String, Name: name.String}
	}
	return n, nil
}

// find reads a number without a scope; false where there is none.
func find(ctx context.Context, q db.Querier, e164 string) (Number, bool, error) {
	n, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM number WHERE e164 = $1`, e164))
	if errors.Is(err, sql.ErrNoRows) {
		return Number{}, false, nil
	}
	if err != nil {
		return Number{}, false, fmt.Errorf("reading number %s: %w", e164, err)
	}
	return n, true, nil
}

// findIn reads a number inside the scope, or answers 404.
func findIn(ctx context.Context, q db.Querier, s access.Scope, e164 string) (Number, error) {
	n, ok, err := find(ctx, q, e164)
	if err != nil {
		return Number{}, err
	}
	if !ok || !s.Sees(n.PartnerID, n.CustomerID) {
		return Number{}, fault.Missing("number")
	}
	return n, nil
}

// some reads the numbers that a condition on the table picks.
func some(ctx context.Context, q db.Querier, cond string, args ...any) ([]Number, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM number WHERE `+cond, args...)
	if err != nil {
		return nil, fmt.Errorf("reading numbers: %w", err)
	}
	defer rows.Close()
	var out []Number
	for rows.Next() {
		n, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading a number: %w", err)
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// heldBy reads what a person holds of the inventory.
func heldBy(ctx context.Context, q db.Querier, customerID, userID string) ([]Number, error) {
	return some(ctx, q, `customer_id = $1 AND holder_id = $2 ORDER BY e164`, customerID, userID)
}

// step is one move of a number and what its history says of it.
type step struct {
	event     Event
	holder    *Holder // of the number afterwards; left out where the new state has none
	keep      bool    // the holder stays
	operation string  // of the number afterwards
	by        access.Actor
	because   string // id of the operation that did it, for the history
	detail    string
}

// move takes a number to its next state: the one place where states change. Whoever was overtaken gets a stale-version
// fault, and nothing was written.
func (s *Numbers) move(ctx context.Context, tx db.Tx, n Number, st step) (Number, error) {
	to, ok := Next(n.State, st.event)
	if !ok {
		return n, fault.New(fault.Conflict, "number-state", "%s is %s; that cannot be done to it now.", n.Number, n.State)
	}
	after := n
	after.State, after.OperationID = to, st.operation
	if !st.keep {
		after.Holder = st.holder
	}
	if !HasHolder(to) {
		after.Holder = nil
	}
	who := after
	if who.Holder == nil { // the history names whom it was taken from
		who.Holder = n.Holder
	}
	after, err := s.save(ctx, tx, after)
	if err != nil {
		return n, err
	}
	return after, s.tell(ctx, tx, n.State, who, st)
}

// save writes a number over the version that was read.
func (s *Numbers) save(ctx context.Context, tx db.Tx, n Number) (Number, error) {
	tags, err := encodeTags(n.Tags)
	if err != nil {
		return n, err
	}
	var kind, id, name any
	if n.Holder != nil {
		kind, id, name = n.Holder.Kind, n.Holder.ID, n.Holder.Name
	}
	n.UpdatedAt = s.o.Clock.Now()
	res, err := tx.ExecContext(ctx, `UPDATE number SET customer_id = $1, service_id = $2, number_type = $3, state = $4, type = $5, holder_kind = $6,
		holder_id = $7, holder_name = $8, operation_id = $9, voice_policy = $10, caller_id = $11, usage = $12, trunk_id = $13, location_id = $14,
		tags = $15, quarantine_until = $16, updated_at = $17, version = version + 1 WHERE e164 = $18 AND version = $19`,
		db.Null(n.CustomerID), db.Null(n.ServiceID), n.NumberType, string(n.State), n.Type, kind, id, name, db.Null(n.OperationID), db.Null(n.VoicePolicy),
		db.Null(n.CallerID), db.Null(n.Usage), db.Null(n.TrunkID), db.Null(n.LocationID), tags, db.Micros(n.QuarantineUntil), db.Micros(n.UpdatedAt),
		n.Number, n.Version)
	if err := db.Changed(res, err, fault.StaleVersion("number")); err != nil {
		return n, fmt.Errorf("writing number %s: %w", n.Number, err)
	}
	n.Version++
	return n, nil
}

func encodeTags(tags []string) (string, error) {
	if tags == nil {
		tags = []string{}
	}
	raw, err := json.Marshal(tags)
	if err != nil {
		return "", fmt.Errorf("encoding tags: %w", err)
	}
	return string(raw), nil
}

// tell writes a line of the number's history and one of the feed. n is the number afterwards, with its last holder.
func (s *Numbers) tell(ctx context.Context, tx db.Tx, from State, n Number, st step) error {
	if err := s.history(ctx, tx, from, n, st); err != nil {
		return err
	}
	return feed.Append(ctx, tx, feed.Line{At: s.o.Clock.Now(), Topic: "number", Ref: n.Number, PartnerID: n.PartnerID, CustomerID: n.CustomerID})
}

func (s *Numbers) history(ctx context.Context, tx db.Tx, from State, n Number, st step) error {
	to, _ := Next(from, st.event)
	if to == "" {
		to = State(Removed)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO number_event (e164, at, event, from_state, to_state, customer_id, holder_id, holder_name, operation_id,
		actor, detail) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)`, n.Number, db.Micros(s.o.Clock.Now()), string(st.event), db.Null(string(from)),
		string(to), db.Null(n.CustomerID), db.Null(n.holderID()), db.Null(n.holderName()), db.Null(st.because), st.by.Name, st.detail)
	if err != nil {
		return fmt.Errorf("writing the history of %s: %w", n.Number, err)
	}
	return nil
}
