package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// Run is an operation being done under a lease. Whatever a handler records goes through Write.
type Run struct {
	Op    Row
	e     *Engine
	areas []string // held in this process's line
}

// Clock is what deciding asks for the time.
func (r *Run) Clock() clock.Clock { return r.e.clock }

// Actor is who asked, for audit entries made on the way.
func (r *Run) Actor() access.Actor { return r.Op.actor() }

// Input decodes what the operation was started with.
func (r *Run) Input(into any) error {
	if err := json.Unmarshal(r.Op.Input, into); err != nil {
		return fmt.Errorf("reading the input of %s: %w", r.Op.ID, err)
	}
	return nil
}

// Memo decodes what an earlier run noted.
func (r *Run) Memo(into any) error {
	if err := json.Unmarshal(r.Op.Memo, into); err != nil {
		return fmt.Errorf("reading the notes of %s: %w", r.Op.ID, err)
	}
	return nil
}

// Write runs fn in a transaction that holds only while this run has the lease.
func (r *Run) Write(ctx context.Context, fn func(ctx context.Context, tx db.Tx) error) error {
	return r.e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE operation SET version = version + 1 WHERE id = $1 AND fence = $2 AND finished_at IS NULL`, r.Op.ID, r.Op.Fence)
		if err := db.Changed(res, err, errLost{r.Op.ID}); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

// Note keeps a value for later runs, in the caller's transaction.
func (r *Run) Note(ctx context.Context, tx db.Tx, v any) error {
	memo, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding notes: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE operation SET memo = $1 WHERE id = $2 AND fence = $3`, string(memo), r.Op.ID, r.Op.Fence); err != nil {
		return fmt.Errorf("keeping notes of %s: %w", r.Op.ID, err)
	}
	r.Op.Memo = memo
	return nil
}

// Result keeps what came of it, shown with the operation.
func (r *Run) Result(ctx context.Context, tx db.Tx, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a result: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE operation SET result = $1 WHERE id = $2 AND fence = $3`, string(raw), r.Op.ID, r.Op.Fence); err != nil {
		return fmt.Errorf("keeping the result of %s: %w", r.Op.ID, err)
	}
	return nil
}

// Step shows fn as a named step: running, then done with the detail it answers, waiting or failed. A step that is done is
// not done again.
func (r *Run) Step(ctx context.Context, name string, fn func(ctx context.Context) (detail string, err error)) error {
	var state string
	if err := r.Write(ctx, func(ctx context.Context, tx db.Tx) error { return r.beginStep(ctx, tx, name, &state) }); err != nil {
		return err
	}
	if state == "done" {
		return nil
	}
	detail, err := fn(ctx)
	to := "done"
	var wait Wait
	var lost errLost
	switch {
	case err == nil:
	case errors.As(err, &lost), ctx.Err() != nil:
		return err
	case errors.As(err, &wait):
		to, detail = "waiting", wait.Why
	default:
		to = "failed"
		if f, ok := fault.Of(err); ok {
			detail = f.Detail
		} else {
			to, detail = "waiting", "An error on the way; it will be tried again."
		}
	}
	return errors.Join(err, r.Write(ctx, func(ctx context.Context, tx db.Tx) error { return r.endStep(ctx, tx, name, to, detail) }))
}

func (r *Run) beginStep(ctx context.Context, tx db.Tx, name string, state *string) error {
	now := db.Micros(r.e.clock.Now())
	_, err := tx.ExecContext(ctx, `INSERT INTO operation_step (operation_id, ordinal, name, state, detail)
		SELECT $1, coalesce(max(ordinal), 0) + 1, $2, 'planned', '' FROM operation_step WHERE operation_id = $1
		ON CONFLICT (operation_id, name) DO NOTHING`, r.Op.ID, name)
	if err != nil {
		return fmt.Errorf("adding the step %q: %w", name, err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE operation_step SET state = 'running', started_at = coalesce(started_at, $1) WHERE operation_id = $2 AND name = $3 AND state <> 'done'`, now, r.Op.ID, name)
	if err != nil {
		return fmt.Errorf("beginning the step %q: %w", name, err)
	}
	if err := tx.QueryRowContext(ctx, `SELECT state FROM operation_step WHERE operation_id = $1 AND name = $2`, r.Op.ID, name).Scan(state); err != nil {
		return fmt.Errorf("reading the step %q: %w", name, err)
	}
	return r.announce(ctx, tx)
}

func (r *Run) endStep(ctx context.Context, tx db.Tx, name, state, detail string) error {
	var finished any
	if state != "waiting" {
		finished = db.Micros(r.e.clock.Now())
	}
	_, err := tx.ExecContext(ctx, `UPDATE operation_step SET state = $1, detail = $2, finished_at = $3 WHERE operation_id = $4 AND name = $5`,
		state, detail, finished, r.Op.ID, name)
	if err != nil {
		return fmt.Errorf("ending the step %q: %w", name, err)
	}
	return r.announce(ctx, tx)
}

// announce tells watchers that this operation changed.
func (r *Run) announce(ctx context.Context, tx db.Tx) error {
	return r.e.announce(ctx, tx, r.Op.ID, r.Op.PartnerID, r.Op.CustomerID)
}

// Progress shows how far it is, in the caller's transaction. A total of 0 is not known yet.
func (r *Run) Progress(ctx context.Context, tx db.Tx, done, total int) error {
	_, err := tx.ExecContext(ctx, `UPDATE operation SET done = $1, total = $2 WHERE id = $3 AND fence = $4`, done, total, r.Op.ID, r.Op.Fence)
	if err != nil {
		return fmt.Errorf("showing progress of %s: %w", r.Op.ID, err)
	}
	r.Op.Done, r.Op.Total = done, total
	return r.announce(ctx, tx)
}

// RecordLines keeps the outcomes of lines of a batch, in the caller's transaction; a nil problem is a line that went well.
// The failed ones are counted once for all of them: counting after each makes a large batch quadratic.
func (r *Run) RecordLines(ctx context.Context, tx db.Tx, lines ...Line) error {
	for _, l := range lines {
		if err := r.recordLine(ctx, tx, l); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE operation SET failed_lines = (SELECT count(*) FROM operation_line WHERE operation_id = $1 AND error IS NOT NULL)
		WHERE id = $1`, r.Op.ID)
	if err != nil {
		return fmt.Errorf("counting failed lines: %w", err)
	}
	return nil
}

func (r *Run) recordLine(ctx context.Context, tx db.Tx, l Line) error {
	var problem any
	if l.Error != nil {
		raw, err := json.Marshal(l.Error)
		if err != nil {
			return fmt.Errorf("encoding why line %d failed: %w", l.Line, err)
		}
		problem = string(raw)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO operation_line (operation_id, line, input, outcome, error) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (operation_id, line) DO UPDATE SET outcome = excluded.outcome, error = excluded.error`,
		r.Op.ID, l.Line, l.Input, l.Outcome, problem)
	if err != nil {
		return fmt.Errorf("keeping the outcome of line %d: %w", l.Line, err)
	}
	return nil
}

// areaPatience is how long a run stands in line for an area, keeping its worker, before it lets others go first.
const areaPatience = 5 * time.Second

// Area takes the one right to write to a part of a tenant ("<tenant>|voice") until the run ends. Runs of this process stand
// in line; where another process has it, or the line is long, the answer is a short Wait. Areas are asked for in one order
// by everybody, so that no two runs wait for each other.
func (r *Run) Area(ctx context.Context, area string) error {
	other := Wait{Until: r.e.clock.Now().Add(500 * time.Millisecond), Why: "Other work in this tenant goes first.", For: ForRetry}
	if slices.Contains(r.areas, area) {
		return nil
	}
	if !r.e.areas.enter(ctx, area, areaPatience) {
		return other
	}
	r.areas = append(r.areas, area)
	return r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		host := time.Now()
		res, err := tx.ExecContext(ctx, `INSERT INTO area_lease (area, operation_id, fence, until) VALUES ($1, $2, $3, $4)
			ON CONFLICT (area) DO UPDATE SET operation_id = excluded.operation_id, fence = excluded.fence, until = excluded.until
			WHERE area_lease.until < $5 OR area_lease.operation_id = excluded.operation_id`,
			area, r.Op.ID, r.Op.Fence, host.Add(r.e.lease).UnixMicro(), host.UnixMicro())
		return db.Changed(res, err, other)
	})
}

// lines is where the runs of one process stand in line for areas.
type lines struct {
	mu     sync.Mutex
	places map[string]chan struct{}
}

func (l *lines) of(area string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.places == nil {
		l.places = map[string]chan struct{}{}
	}
	if l.places[area] == nil {
		l.places[area] = make(chan struct{}, 1)
	}
	return l.places[area]
}

// enter answers false where the context or the patience ends first.
func (l *lines) enter(ctx context.Context, area string, patience time.Duration) bool {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case l.of(area) <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-t.C:
	}
	return false
}

// leave lets the next one in.
func (l *lines) leave(areas []string) {
	for _, area := range areas {
		<-l.of(area)
	}
}

// Cancelled says whether a person has asked to stop; a handler asks between steps.
func (r *Run) Cancelled(ctx context.Context) (bool, error) {
	var asked bool
	err := r.e.db.R.QueryRowContext(ctx, `SELECT cancel_asked FROM operation WHERE id = $1`, r.Op.ID).Scan(&asked)
	if err != nil {
		return false, fmt.Errorf("asking whether %s was cancelled: %w", r.Op.ID, err)
	}
	return asked, nil
}

// Cancel is what a handler returns to end as cancelled.
func Cancel() error { return errCancelled }
