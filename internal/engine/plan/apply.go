package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/remote/tenant"
)

// Engine makes plans true.
type Engine struct {
	db    *db.DB
	clock clock.Clock
	kinds map[string]Kind
}

// New makes an engine that knows these kinds.
func New(d *db.DB, c clock.Clock, kinds ...Kind) *Engine {
	e := &Engine{db: d, clock: c, kinds: make(map[string]Kind, len(kinds))}
	for _, k := range kinds {
		e.kinds[k.Name()] = k
	}
	return e
}

// Settle moves the owner's rows in the transaction that records a change as verified.
type Settle func(ctx context.Context, tx db.Tx, rec Record) error

// Job is what Apply is asked to make true. PlanHash, where given, is the hash of the plan a person saw.
type Job struct {
	Session  *tenant.Session
	TenantID string
	Items    []Item
	PlanHash string
	Settle   Settle
}

// poll is how long to wait before reading again what Microsoft does not show yet.
const poll = 3 * time.Second

// Apply makes the items true under the run's lease: once planned and written down, each change is sent, answered and read
// back, and a run that finds changes of an earlier one goes on with those. It answers nil when all are verified, an
// operation.Wait when Microsoft has not shown a write yet, a fault when a change was refused.
func (e *Engine) Apply(ctx context.Context, r *operation.Run, j Job) error {
	for _, area := range areas(j.Items) {
		if err := r.Area(ctx, j.TenantID+"|"+string(area)); err != nil {
			return err
		}
	}
	recs, err := e.Records(ctx, r.Op.ID)
	if err != nil {
		return err
	}
	resumed := len(recs) > 0
	if !resumed {
		if recs, err = e.begin(ctx, r, j); err != nil {
			return err
		}
	}
	var refused *fault.Fault
	for i := range recs {
		err := e.one(ctx, r, j, &recs[i], resumed)
		if err == nil {
			continue
		}
		if f, ok := fault.Of(err); !ok || recs[i].State != Failed {
			return err
		} else {
			refused = f
		}
		break // what follows is withheld
	}
	// What Microsoft has accepted comes to an end of its own, also where another change was refused.
	if err := e.confirm(ctx, r, j, recs); err != nil {
		return err
	}
	if refused != nil {
		return refused
	}
	return nil
}

// areas lists the parts of the tenant that the items live in, sorted: everybody asks for them in one order.
func areas(items []Item) []tenant.Area {
	var out []tenant.Area
	for _, it := range items {
		if !slices.Contains(out, it.Kind.Area()) {
			out = append(out, it.Kind.Area())
		}
	}
	slices.Sort(out)
	return out
}

// begin reads the tenant, decides, and writes the plan down.
func (e *Engine) begin(ctx context.Context, r *operation.Run, j Job) ([]Record, error) {
	seen, err := Observe(ctx, j.Session, j.Items)
	if err != nil {
		return nil, err
	}
	managed, err := e.Managed(ctx, r.Op.CustomerID, j.Items)
	if err != nil {
		return nil, err
	}
	p, err := Decide(j.Items, seen, managed)
	if err != nil {
		return nil, err
	}
	if j.PlanHash != "" && j.PlanHash != p.Hash {
		return nil, Stale()
	}
	if p.Nothing() {
		return nil, nil
	}
	if err := e.intend(ctx, r, p); err != nil {
		return nil, err
	}
	return e.Records(ctx, r.Op.ID)
}

// one brings a single change as far as it goes now. A change that an earlier run may have sent is looked for first.
func (e *Engine) one(ctx context.Context, r *operation.Run, j Job, rec *Record, resumed bool) error {
	if rec.State.Final() {
		if rec.State == Failed {
			f := fault.New(fault.Conflict, rec.Error.Code, "%s", rec.Error.Detail)
			f.Remedy = rec.Error.Remedy
			return f
		}
		return nil
	}
	if rec.State == Applied {
		return nil
	}
	asked, err := r.Cancelled(ctx)
	if err != nil {
		return err
	}
	if asked && rec.State == Intended {
		return operation.Cancel()
	}
	kind := e.kinds[rec.Kind]
	if kind == nil {
		return unknownKind(rec.Kind)
	}
	if resumed && rec.State != Intended {
		now, err := kind.observe(ctx, j.Session, rec.Key)
		if err != nil {
			return fmt.Errorf("looking whether %s was done: %w", rec.Kind, err)
		}
		if same(now, orNil(rec.After)) {
			return e.verified(ctx, r, rec, j.Settle)
		}
	}
	if err := e.send(ctx, r, j, kind, rec); err != nil {
		return err
	}
	return e.readBack(ctx, r, j, kind, rec, false)
}

// send makes the call. What may have been carried out is unknown, and looked for before it is sent again.
func (e *Engine) send(ctx context.Context, r *operation.Run, j Job, kind Kind, rec *Record) error {
	if rec.State != Sent {
		if err := e.advance(ctx, r, rec, Sent, "sent_at", ""); err != nil {
			return err
		}
	}
	w, err := kind.write(ctx, j.Session.Writer(), rec.Action, rec.Key, orNil(rec.Before), orNil(rec.After))
	refusal := tenant.AsRefusal(err)
	switch {
	case err == nil:
		return e.advance(ctx, r, rec, Applied, "applied_at", w.RequestID)
	case refusal != nil && (refusal.Maybe || !refusal.Class.Permanent()):
		return errors.Join(err, e.advance(ctx, r, rec, Unknown, "sent_at", refusal.RequestID))
	case refusal != nil:
		f := operation.FaultOf(refusal)
		return errors.Join(e.fail(ctx, r, rec, f), f)
	}
	if f, ok := fault.Of(err); ok {
		return errors.Join(e.fail(ctx, r, rec, f), f)
	}
	return fmt.Errorf("writing %s: %w", rec.Kind, err)
}

// readBack verifies an applied change. last says that there is no later look in this run, so that an old value means waiting.
func (e *Engine) readBack(ctx context.Context, r *operation.Run, j Job, kind Kind, rec *Record, last bool) error {
	now, err := kind.observe(ctx, j.Session, rec.Key)
	if err != nil {
		return fmt.Errorf("reading back %s: %w", rec.Kind, err)
	}
	if same(now, orNil(rec.After)) {
		return e.verified(ctx, r, rec, j.Settle)
	}
	if !last {
		return nil
	}
	until := rec.AppliedAt.Add(kind.Visible())
	if e.clock.Now().Before(until) {
		return operation.Wait{Until: e.clock.Now().Add(poll), For: operation.ForMicrosoft,
			Why: "Microsoft has accepted the change and does not show it yet: " + rec.Title + "."}
	}
	f := fault.New(fault.Conflict, "not-confirmed", "Microsoft accepted the change and still does not show it: %s.", rec.Title).
		WithRemedy("Look at this in Teams admin center, then start it again; nothing is done twice.")
	return errors.Join(e.fail(ctx, r, rec, f), f)
}

// confirm looks at what was applied and not shown at once. All are looked at before the run waits or gives up.
func (e *Engine) confirm(ctx context.Context, r *operation.Run, j Job, recs []Record) error {
	var wait, gone error
	for i := range recs {
		if recs[i].State != Applied {
			continue
		}
		kind := e.kinds[recs[i].Kind]
		if kind == nil {
			return unknownKind(recs[i].Kind)
		}
		err := e.readBack(ctx, r, j, kind, &recs[i], true)
		var w operation.Wait
		switch {
		case err == nil:
		case errors.As(err, &w):
			wait = err
		case recs[i].State == Failed:
			gone = err
		default:
			return err
		}
	}
	if wait != nil {
		return wait
	}
	return gone
}

func unknownKind(name string) *fault.Fault {
	return fault.New(fault.Internal, "unknown-kind", "This program does not know the kind %q.", name)
}

// Withhold ends, in the transaction that ends an operation, the changes of it that were written down and never sent.
func (e *Engine) Withhold(ctx context.Context, tx db.Tx, operationID string) error {
	_, err := tx.ExecContext(ctx, `UPDATE change SET state = 'withheld', finished_at = $1 WHERE operation_id = $2 AND state = 'intended'`,
		db.Micros(e.clock.Now()), operationID)
	if err != nil {
		return fmt.Errorf("withholding what was not sent of %s: %w", operationID, err)
	}
	return nil
}
