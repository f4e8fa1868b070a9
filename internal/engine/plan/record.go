package plan

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/operation"
)

// State of a change on its way into a tenant.
type State string

// The states. Intended is written down before anything is sent, sent before the call is made, applied after it was
// answered, verified after it was read back. Unknown: sent, and no answer was read. Withheld: an earlier change failed.
const (
	Intended State = "intended"
	Sent     State = "sent"
	Unknown  State = "unknown"
	Applied  State = "applied"
	Verified State = "verified"
	Failed   State = "failed"
	Withheld State = "withheld"
)

// Final says whether nothing more will happen to the change.
func (s State) Final() bool { return s == Verified || s == Failed || s == Withheld }

// Record is a change as it is kept.
type Record struct {
	Change
	OperationID string
	CustomerID  string
	State       State
	RequestID   string
	Error       *operation.Problem
	IntendedAt  time.Time
	SentAt      time.Time
	AppliedAt   time.Time
	FinishedAt  time.Time
}

// Records answers the changes of an operation in order; titles are told by this program's kinds.
func (e *Engine) Records(ctx context.Context, operationID string) ([]Record, error) {
	rows, err := e.db.R.QueryContext(ctx, `SELECT ordinal, customer_id, kind, key, action, before_value, after_value, state, request_id, error,
		intended_at, sent_at, applied_at, finished_at FROM change WHERE operation_id = $1 ORDER BY ordinal`, operationID)
	if err != nil {
		return nil, fmt.Errorf("reading the changes of %s: %w", operationID, err)
	}
	defer rows.Close()
	var out []Record
	for rows.Next() {
		rec, err := e.scan(rows, operationID)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, rows.Err()
}

func (e *Engine) scan(rows *sql.Rows, operationID string) (Record, error) {
	rec := Record{OperationID: operationID}
	var before, after, request, problem sql.NullString
	var intended, sent, applied, finished sql.NullInt64
	if err := rows.Scan(&rec.Ordinal, &rec.CustomerID, &rec.Kind, &rec.Key, &rec.Action, &before, &after, &rec.State, &request, &problem,
		&intended, &sent, &applied, &finished); err != nil {
		return rec, fmt.Errorf("reading a change: %w", err)
	}
	rec.Before, rec.After, rec.RequestID = raw(before), raw(after), request.String
	rec.IntendedAt, rec.SentAt, rec.AppliedAt, rec.FinishedAt = db.Time(intended), db.Time(sent), db.Time(applied), db.Time(finished)
	if problem.Valid {
		rec.Error = &operation.Problem{}
		if err := json.Unmarshal([]byte(problem.String), rec.Error); err != nil {
			return rec, fmt.Errorf("reading why a change failed: %w", err)
		}
	}
	rec.Title = rec.Kind
	if k := e.kinds[rec.Kind]; k != nil {
		rec.Title = k.Title(rec.Action, rec.Key, orNil(rec.Before), orNil(rec.After))
	}
	return rec, nil
}

func raw(s sql.NullString) json.RawMessage {
	if !s.Valid {
		return json.RawMessage("null")
	}
	return json.RawMessage(s.String)
}

func text(raw json.RawMessage) any {
	if raw = orNil(raw); raw == nil {
		return nil
	}
	return string(raw)
}

// intend writes a plan down, before anything of it is sent.
func (e *Engine) intend(ctx context.Context, r *operation.Run, p Plan) error {
	return r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		now := e.clock.Now()
		for _, c := range p.Changes {
			_, err := tx.ExecContext(ctx, `INSERT INTO change (operation_id, ordinal, customer_id, kind, kind_version, key, action, before_value,
				after_value, state, planned_at, intended_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,'intended',$10,$10)`,
				r.Op.ID, c.Ordinal, r.Op.CustomerID, c.Kind, e.kinds[c.Kind].Version(), c.Key, string(c.Action), text(c.Before), text(c.After), db.Micros(now))
			if err != nil {
				return fmt.Errorf("writing down change %d: %w", c.Ordinal, err)
			}
			if err := e.tell(ctx, tx, r, c, "change.intended", nil); err != nil {
				return err
			}
		}
		return r.Progress(ctx, tx, 0, len(p.Changes))
	})
}

// tell audits a change: what, from what, to what, and why it failed where it did.
func (e *Engine) tell(ctx context.Context, tx db.Tx, r *operation.Run, c Change, action string, problem *operation.Problem) error {
	detail := map[string]any{"kind": c.Kind, "key": c.Key, "action": c.Action, "title": c.Title, "before": c.Before, "after": c.After}
	if problem != nil {
		detail["error"] = problem
	}
	return audit.Append(ctx, e.db, tx, audit.What{At: e.clock.Now(), Actor: r.Actor(), Action: action, PartnerID: r.Op.PartnerID,
		CustomerID: r.Op.CustomerID, TargetKind: c.Kind, TargetID: c.Key, OperationID: r.Op.ID, Detail: detail})
}

// move takes a change to its next state; column is the time that state is known by. The caller's record follows only after
// the transaction, which may be tried twice.
func (e *Engine) move(ctx context.Context, tx db.Tx, rec Record, to State, column, requestID string, at time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE change SET state = $1, `+column+` = $2, request_id = coalesce($3, request_id)
		WHERE operation_id = $4 AND ordinal = $5 AND state = $6`, string(to), db.Micros(at), db.Null(requestID), rec.OperationID, rec.Ordinal, string(rec.State))
	if err := db.Changed(res, err, fmt.Errorf("change %d of %s is no longer %s", rec.Ordinal, rec.OperationID, rec.State)); err != nil {
		return fmt.Errorf("moving change %d to %s: %w", rec.Ordinal, to, err)
	}
	return nil
}

// advance is move in a transaction of its own.
func (e *Engine) advance(ctx context.Context, r *operation.Run, rec *Record, to State, column, requestID string) error {
	now := e.clock.Now()
	err := r.Write(ctx, func(ctx context.Context, tx db.Tx) error { return e.move(ctx, tx, *rec, to, column, requestID, now) })
	if err != nil {
		return err
	}
	rec.State = to
	if to == Applied {
		rec.AppliedAt = now
	}
	return nil
}

// verified ends a change well: recorded, remembered as ours, settled by its owner, all at once. Where somebody edits the
// owner's row at that very moment it is read and settled anew: the tenant has the change, so being overtaken is no refusal.
func (e *Engine) verified(ctx context.Context, r *operation.Run, rec *Record, settle Settle) error {
	var err error
	for range 5 {
		if err = e.verifiedOnce(ctx, r, rec, settle); fault.KindOf(err) != fault.Stale {
			return err
		}
	}
	return fmt.Errorf("overtaken again and again: %s", err) // no fault any more: it is tried again later
}

func (e *Engine) verifiedOnce(ctx context.Context, r *operation.Run, rec *Record, settle Settle) error {
	done := r.Op.Done + 1
	err := r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := e.move(ctx, tx, *rec, Verified, "finished_at", "", e.clock.Now()); err != nil {
			return err
		}
		if err := e.remember(ctx, tx, r, rec.Change); err != nil {
			return err
		}
		if settle != nil {
			if err := settle(ctx, tx, *rec); err != nil {
				return fmt.Errorf("settling %s %s: %w", rec.Kind, rec.Key, err)
			}
		}
		if err := e.tell(ctx, tx, r, rec.Change, "change.verified", nil); err != nil {
			return err
		}
		return r.Progress(ctx, tx, done, r.Op.Total)
	})
	if err == nil {
		rec.State = Verified
	}
	return err
}

// remember keeps what we made or adopted; what was there before us and was changed with leave is adopted.
func (e *Engine) remember(ctx context.Context, tx db.Tx, r *operation.Run, c Change) error {
	if c.Action == Delete {
		if _, err := tx.ExecContext(ctx, `DELETE FROM managed WHERE customer_id = $1 AND kind = $2 AND key = $3`, r.Op.CustomerID, c.Kind, c.Key); err != nil {
			return fmt.Errorf("forgetting %s %s: %w", c.Kind, c.Key, err)
		}
		return nil
	}
	origin := "made"
	if c.Action == Update {
		origin = "adopted"
	}
	now := db.Micros(e.clock.Now())
	_, err := tx.ExecContext(ctx, `INSERT INTO managed (customer_id, kind, key, origin, last_applied, applied_at, last_observed, observed_at, operation_id)
		VALUES ($1, $2, $3, $4, $5, $6, $5, $6, $7) ON CONFLICT (customer_id, kind, key) DO UPDATE SET last_applied = excluded.last_applied,
		applied_at = excluded.applied_at, last_observed = excluded.last_observed, observed_at = excluded.observed_at, operation_id = excluded.operation_id`,
		r.Op.CustomerID, c.Kind, c.Key, origin, text(c.After), now, r.Op.ID)
	if err != nil {
		return fmt.Errorf("remembering %s %s: %w", c.Kind, c.Key, err)
	}
	return nil
}

// fail ends a change badly and withholds what came after it.
func (e *Engine) fail(ctx context.Context, r *operation.Run, rec *Record, f *fault.Fault) error {
	problem := &operation.Problem{Code: f.Code, Detail: f.Detail, Remedy: f.Remedy}
	encoded, err := json.Marshal(problem)
	if err != nil {
		return fmt.Errorf("encoding why a change failed: %w", err)
	}
	err = r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		now := db.Micros(e.clock.Now())
		if _, err := tx.ExecContext(ctx, `UPDATE change SET state = 'failed', error = $1, finished_at = $2 WHERE operation_id = $3 AND ordinal = $4`,
			string(encoded), now, rec.OperationID, rec.Ordinal); err != nil {
			return fmt.Errorf("failing change %d: %w", rec.Ordinal, err)
		}
		if err := e.Withhold(ctx, tx, rec.OperationID); err != nil {
			return err
		}
		return e.tell(ctx, tx, r, rec.Change, "change.failed", problem)
	})
	if err == nil {
		rec.State, rec.Error = Failed, problem
	}
	return err
}

// Managed names ("kind/key") what we made or adopted at a customer, of the given kinds and keys.
func (e *Engine) Managed(ctx context.Context, customerID string, items []Item) (map[string]bool, error) {
	out := map[string]bool{}
	for _, it := range items {
		var n int
		err := e.db.R.QueryRowContext(ctx, `SELECT count(*) FROM managed WHERE customer_id = $1 AND kind = $2 AND key = $3`, customerID, it.Kind.Name(), it.Key).Scan(&n)
		if err != nil {
			return nil, fmt.Errorf("asking whether %s %s is ours: %w", it.Kind.Name(), it.Key, err)
		}
		if n > 0 {
			out[it.Kind.Name()+"/"+it.Key] = true
		}
	}
	return out, nil
}
