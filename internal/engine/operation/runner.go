package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/remote/tenant"
)

// run takes the lease and does the operation; without the lease it does nothing, for somebody else has it.
func (e *Engine) run(ctx context.Context, id string) error {
	o, ok, err := e.take(ctx, id)
	if err != nil || !ok {
		return err
	}
	h := e.handlers[o.Kind]
	if h == nil {
		return e.finish(ctx, o, HandlerFunc(nil), fault.New(fault.Internal, "unknown-kind", "This program does not know how to do %q.", o.Kind))
	}
	r := &Run{Op: o, e: e}
	work, cancel := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		r.keep(work, cancel)
	}()
	if o.CancelAsked {
		err = errCancelled
	} else {
		err = r.safely(work, h)
	}
	if cause := context.Cause(work); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	cancel(nil)
	<-kept
	defer e.areas.leave(r.areas) // after the lease on them is let go
	return e.conclude(ctx, r, h, err)
}

var errCancelled = errors.New("cancelled")

// safely turns a panic of a handler into an error: one wrong operation must not take the others down.
func (r *Run) safely(ctx context.Context, h Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in %s: %v", r.Op.Kind, p)
		}
	}()
	return h.Run(ctx, r)
}

// take gets the lease by one conditional update that raises the fence.
func (e *Engine) take(ctx context.Context, id string) (Row, bool, error) {
	var o Row
	got := false
	err := e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		host, now := time.Now(), e.clock.Now()
		res, err := tx.ExecContext(ctx, `UPDATE operation SET lease_owner = $1, lease_until = $2, fence = fence + 1, state = 'running',
			started_at = coalesce(started_at, $3), waiting_for = NULL, due_at = NULL, due_why = NULL, version = version + 1
			WHERE id = $4 AND finished_at IS NULL AND (lease_until IS NULL OR lease_until < $5)
			AND (state <> 'waiting' OR due_at <= $3 OR cancel_asked)`,
			e.owner, host.Add(e.lease).UnixMicro(), now.UnixMicro(), id, host.UnixMicro())
		if err != nil {
			return fmt.Errorf("taking the lease of %s: %w", id, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			got = false
			return err
		}
		got = true
		if o, err = scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM operation WHERE id = $1`, id)); err != nil {
			return fmt.Errorf("reading operation %s: %w", id, err)
		}
		return e.announce(ctx, tx, id, o.PartnerID, o.CustomerID)
	})
	return o, got, err
}

// keep renews the lease three times within its length; losing it ends the work.
func (r *Run) keep(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(r.e.lease / 3)
	defer tick.Stop()
	until := time.Now().Add(r.e.lease)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		next := time.Now().Add(r.e.lease)
		err := r.e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			res, err := tx.ExecContext(ctx, `UPDATE operation SET lease_until = $1 WHERE id = $2 AND fence = $3 AND finished_at IS NULL`,
				next.UnixMicro(), r.Op.ID, r.Op.Fence)
			if err := db.Changed(res, err, errLost{r.Op.ID}); err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE area_lease SET until = $1 WHERE operation_id = $2 AND fence = $3`, next.UnixMicro(), r.Op.ID, r.Op.Fence)
			return err
		})
		var lost errLost
		switch {
		case err == nil:
			until = next
		case errors.As(err, &lost), time.Now().After(until):
			cancel(errLost{r.Op.ID})
			return
		}
	}
}

// retryAfter is how long a transient failure waits before the next try; the last value repeats, maxAttempts ends it.
var retryAfter = []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

const maxAttempts = 12

// conclude writes how a run ended: done, failed, waiting, or nothing where the lease is lost or the process stops.
func (e *Engine) conclude(ctx context.Context, r *Run, h Handler, err error) error {
	var wait Wait
	var lost errLost
	refusal := tenant.AsRefusal(err)
	f, isFault := fault.Of(err)
	switch {
	case err == nil:
		return e.finish(ctx, r.Op, h, nil)
	case errors.As(err, &lost):
		e.log.Warn("lease lost", "operation", r.Op.ID)
		return nil
	case errors.Is(err, errCancelled):
		return e.finish(ctx, r.Op, h, fault.New(fault.Conflict, "cancelled", "Cancelled before it was done."))
	case errors.As(err, &wait):
		return e.wait(ctx, r.Op, wait, 0)
	case ctx.Err() != nil:
		return e.release(context.WithoutCancel(ctx), r.Op)
	case isFault && f.Kind != fault.Internal && f.Kind != fault.Unavailable:
		return e.finish(ctx, r.Op, h, f)
	case refusal != nil && refusal.Class.Permanent():
		return e.finish(ctx, r.Op, h, FaultOf(refusal))
	case refusal != nil:
		return e.again(ctx, r.Op, h, err, refusal.RetryAfter)
	}
	return e.again(ctx, r.Op, h, err, 0)
}

// FaultOf says a tenant's refusal in the words of a fault; its message holds nothing of the tenant's.
func FaultOf(r *tenant.Refusal) *fault.Fault {
	kind := fault.Unavailable
	if r.Class.Permanent() {
		kind = fault.Conflict
	}
	f := fault.New(kind, r.Code, "%s", r.Message).Because(r)
	if r.Remedy != "" {
		f.Remedy = &fault.Remedy{Text: r.Remedy}
	}
	return f
}

// again waits and tries once more; after maxAttempts the operation fails with what is safe to say.
func (e *Engine) again(ctx context.Context, o Row, h Handler, err error, atLeast time.Duration) error {
	e.log.Warn("operation will be tried again", "operation", o.ID, "kind", o.Kind, "customer", o.CustomerID, "correlation", o.CorrelationID, "attempt", o.Attempts+1, "error", err)
	if o.Attempts+1 >= maxAttempts {
		f, ok := fault.Of(err)
		if r := tenant.AsRefusal(err); !ok && r != nil {
			f, ok = FaultOf(r), true
		}
		if !ok {
			f = fault.New(fault.Internal, "gave-up", "It did not succeed after %d tries.", maxAttempts).
				WithRemedy("Look at the log with correlation id %s, then start it again.", o.CorrelationID).Because(err)
		}
		return e.finish(ctx, o, h, f)
	}
	after := max(retryAfter[min(o.Attempts, len(retryAfter)-1)], atLeast)
	why := "An error on our side or on the way to Microsoft; trying again."
	if f, ok := fault.Of(err); ok {
		why = f.Detail
	} else if r := tenant.AsRefusal(err); r != nil {
		why = r.Message + " Trying again."
	}
	return e.wait(ctx, o, Wait{Until: e.clock.Now().Add(after), Why: why, For: ForRetry}, 1)
}

// wait writes the due time and lets the lease go. A short wait is woken by this process, the sweeper covers the rest.
func (e *Engine) wait(ctx context.Context, o Row, w Wait, attempts int) error {
	err := e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE operation SET state = 'waiting', waiting_for = $1, due_at = $2, due_why = $3, attempts = attempts + $4,
			lease_owner = NULL, lease_until = NULL, version = version + 1 WHERE id = $5 AND fence = $6 AND finished_at IS NULL`,
			string(w.For), db.Micros(w.Until), db.Null(w.Why), attempts, o.ID, o.Fence)
		if err := db.Changed(res, err, errLost{o.ID}); err != nil {
			return err
		}
		if err := dropAreas(ctx, tx, o); err != nil {
			return err
		}
		return e.announce(ctx, tx, o.ID, o.PartnerID, o.CustomerID)
	})
	if err != nil {
		return ignoreLost(err)
	}
	if d := w.Until.Sub(e.clock.Now()); !w.Until.IsZero() && d < e.sweep {
		time.AfterFunc(max(d, 0)+time.Millisecond, func() {
			if err := e.Wake(context.WithoutCancel(ctx), o.ID); err != nil {
				e.log.Debug("waking after a short wait; the sweeper will", "operation", o.ID, "error", err)
			}
		})
	}
	return nil
}

func ignoreLost(err error) error {
	var lost errLost
	if errors.As(err, &lost) {
		return nil
	}
	return err
}

// release lets the lease go without another change: the process is stopping, somebody else goes on at once.
func (e *Engine) release(ctx context.Context, o Row) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE operation SET lease_owner = NULL, lease_until = NULL, version = version + 1
			WHERE id = $1 AND fence = $2 AND finished_at IS NULL`, o.ID, o.Fence)
		if err != nil {
			return fmt.Errorf("letting the lease of %s go: %w", o.ID, err)
		}
		return dropAreas(ctx, tx, o)
	})
}

func dropAreas(ctx context.Context, tx db.Tx, o Row) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM area_lease WHERE operation_id = $1 AND fence = $2`, o.ID, o.Fence); err != nil {
		return fmt.Errorf("letting areas go: %w", err)
	}
	return nil
}

// finish ends the operation and lets the owner move its rows, in one transaction.
func (e *Engine) finish(ctx context.Context, o Row, h Handler, f *fault.Fault) error {
	state, action := Succeeded, "operation.succeeded"
	var problem []byte
	detail := map[string]any{"kind": o.Kind, "title": o.Title}
	if f != nil {
		state, action = Failed, "operation.failed"
		if f.Code == "cancelled" {
			state, action = Cancelled, "operation.cancelled"
		}
		var err error
		if problem, err = json.Marshal(Problem{f.Code, f.Detail, f.Remedy}); err != nil {
			return fmt.Errorf("encoding why %s failed: %w", o.ID, err)
		}
		detail["code"], detail["why"] = f.Code, f.Detail
		e.log.Warn("operation failed", "operation", o.ID, "kind", o.Kind, "customer", o.CustomerID, "correlation", o.CorrelationID, "error", f)
	}
	err := e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		now := e.clock.Now()
		res, err := tx.ExecContext(ctx, `UPDATE operation SET state = $1, error = $2, finished_at = $3, lease_owner = NULL, lease_until = NULL,
			waiting_for = NULL, due_at = NULL, due_why = NULL, done = CASE WHEN $1 = 'succeeded' AND total > 0 THEN total ELSE done END,
			version = version + 1 WHERE id = $4 AND fence = $5 AND finished_at IS NULL`,
			string(state), nullBytes(problem), db.Micros(now), o.ID, o.Fence)
		if err := db.Changed(res, err, errLost{o.ID}); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE operation_step SET state = 'failed', finished_at = $1 WHERE operation_id = $2 AND state IN ('running', 'waiting')`, db.Micros(now), o.ID); err != nil {
			return fmt.Errorf("closing the steps of %s: %w", o.ID, err)
		}
		if err := h.Finish(ctx, tx, o, f); err != nil {
			return fmt.Errorf("finishing %s: %w", o.ID, err)
		}
		if err := dropAreas(ctx, tx, o); err != nil {
			return err
		}
		if err := audit.Append(ctx, e.db, tx, audit.What{At: now, Actor: o.actor(), Action: action, PartnerID: o.PartnerID, CustomerID: o.CustomerID,
			TargetKind: "operation", TargetID: o.ID, OperationID: o.ID, Detail: detail}); err != nil {
			return err
		}
		return e.announce(ctx, tx, o.ID, o.PartnerID, o.CustomerID)
	})
	return ignoreLost(err)
}

func nullBytes(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}

// actor is who asked for the operation, as audit entries made on the way name it.
func (o Row) actor() access.Actor { return access.Actor{Kind: "operation", ID: o.ID, Name: o.Actor} }
