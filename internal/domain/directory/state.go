package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tcap.cloud/internal/base/db"
)

// place is where an unfinished pass stands. It outlives the operation: the next one goes on from it. It is kept as JSON in
// sync_state.resume_token.
type place struct {
	Full      bool   `json:"full,omitempty"`
	Link      string `json:"link,omitempty"`  // the next page; empty at the beginning
	Delta     string `json:"delta,omitempty"` // where the next sync begins, known at the last page
	UsersRead bool   `json:"usersRead,omitempty"`
	Seen      int    `json:"seen,omitempty"`
	Changed   int    `json:"changed,omitempty"`
	Held      bool   `json:"held,omitempty"`     // the removal waits for a person
	Released  string `json:"released,omitempty"` // the operation whose removal a person allowed
}

// state is the row of sync_state.
type state struct {
	generation int64
	delta      string
	place      *place
	lastFull   time.Time
	lastBegan  time.Time
	lastDone   time.Time
	users      int
	changed    int
	operation  string
	nextAt     time.Time
}

func readState(ctx context.Context, q db.Querier, customerID string) (s state, found bool, err error) {
	var delta, resume, op sql.NullString
	var full, began, done, next sql.NullInt64
	err = q.QueryRowContext(ctx, `SELECT generation, delta_token, resume_token, last_full_at, last_began_at, last_done_at, users, changed,
		operation_id, next_at FROM sync_state WHERE customer_id = $1`, customerID).
		Scan(&s.generation, &delta, &resume, &full, &began, &done, &s.users, &s.changed, &op, &next)
	if errors.Is(err, sql.ErrNoRows) {
		return state{}, false, nil
	}
	if err != nil {
		return state{}, false, fmt.Errorf("reading how far the sync is: %w", err)
	}
	s.delta, s.operation = delta.String, op.String
	s.lastFull, s.lastBegan, s.lastDone, s.nextAt = db.Time(full), db.Time(began), db.Time(done), db.Time(next)
	if resume.Valid {
		s.place = &place{}
		if err := json.Unmarshal([]byte(resume.String), s.place); err != nil {
			return state{}, false, fmt.Errorf("reading where the sync goes on: %w", err)
		}
	}
	return s, true, nil
}

// putPlace keeps where to go on; nil is nowhere.
func putPlace(ctx context.Context, tx db.Tx, customerID string, p *place) error {
	var text any
	if p != nil {
		raw, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("encoding where the sync goes on: %w", err)
		}
		text = string(raw)
	}
	_, err := tx.ExecContext(ctx, `UPDATE sync_state SET resume_token = $1, version = version + 1 WHERE customer_id = $2`, text, customerID)
	if err != nil {
		return fmt.Errorf("keeping where the sync goes on: %w", err)
	}
	return nil
}

// openPass begins a pass: a new generation from the beginning, or from the delta.
func openPass(ctx context.Context, tx db.Tx, customerID string, generation int64, now time.Time, p *place) error {
	_, err := tx.ExecContext(ctx, `UPDATE sync_state SET generation = $1, last_began_at = $2 WHERE customer_id = $3`,
		generation, db.Micros(now), customerID)
	if err != nil {
		return fmt.Errorf("beginning a pass: %w", err)
	}
	return putPlace(ctx, tx, customerID, p)
}

// closePass ends a pass that is complete: the next one begins from its delta.
func closePass(ctx context.Context, tx db.Tx, customerID string, now time.Time, p place, users int) error {
	full := "last_full_at"
	if p.Full {
		full = "$2"
	}
	_, err := tx.ExecContext(ctx, `UPDATE sync_state SET delta_token = $1, last_done_at = $2, last_full_at = `+full+`, users = $3, changed = $4
		WHERE customer_id = $5`, db.Null(p.Delta), db.Micros(now), users, p.Changed, customerID)
	if err != nil {
		return fmt.Errorf("ending a pass: %w", err)
	}
	return putPlace(ctx, tx, customerID, nil)
}

// claimSync notes the operation that syncs the customer and when the next one is due.
func claimSync(ctx context.Context, tx db.Tx, customerID, operationID string, next time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sync_state (customer_id, generation, users, changed, operation_id, next_at, version)
		VALUES ($1, 0, 0, 0, $2, $3, 1) ON CONFLICT (customer_id) DO UPDATE SET operation_id = excluded.operation_id,
		next_at = excluded.next_at, version = sync_state.version + 1`, customerID, operationID, db.Micros(next))
	if err != nil {
		return fmt.Errorf("noting a sync: %w", err)
	}
	return nil
}

// letSyncGo notes that the operation has ended. anew forgets pass and delta: the next sync reads everybody.
func letSyncGo(ctx context.Context, tx db.Tx, customerID, operationID string, next time.Time, anew bool) error {
	forget := ""
	if anew {
		forget = ", delta_token = NULL, resume_token = NULL"
	}
	_, err := tx.ExecContext(ctx, `UPDATE sync_state SET operation_id = NULL, next_at = $1, version = version + 1`+forget+`
		WHERE customer_id = $2 AND operation_id = $3`, db.Micros(next), customerID, operationID)
	if err != nil {
		return fmt.Errorf("ending a sync: %w", err)
	}
	return nil
}
