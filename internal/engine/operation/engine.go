package operation

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/google/uuid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/base/jobs"
)

// Wake is the job that looks at an operation; harmless when doubled, never unique.
type Wake struct {
	OperationID string `json:"operation"`
}

// Kind is River's name for the job.
func (Wake) Kind() string { return "operation_wake" }

// Options of an engine. Lease is how long a silent runner is believed alive (30 s in production); Sweep is how often
// unfinished work is looked for.
type Options struct {
	DB    *db.DB
	Jobs  *jobs.Jobs
	Clock clock.Clock
	Log   *slog.Logger
	Lease time.Duration
	Sweep time.Duration
}

// Engine starts, runs and tells of operations.
type Engine struct {
	db       *db.DB
	jobs     *jobs.Jobs
	clock    clock.Clock
	log      *slog.Logger
	lease    time.Duration
	sweep    time.Duration
	owner    string
	handlers map[string]Handler
	areas    lines
}

// NewEngine makes an engine. Handlers are added before it runs.
func NewEngine(o Options) *Engine {
	e := &Engine{db: o.DB, jobs: o.Jobs, clock: o.Clock, log: o.Log, lease: o.Lease, sweep: o.Sweep,
		owner: uuid.NewString(), handlers: map[string]Handler{}}
	jobs.Register(o.Jobs, func(ctx context.Context, w Wake) error { return e.run(ctx, w.OperationID) })
	return e
}

// Handle says who does operations of a kind.
func (e *Engine) Handle(kind string, h Handler) { e.handlers[kind] = h }

// Start writes an operation and its wake into the caller's transaction. Where an unfinished one has the same subject, it
// answers that one's id and existing true, and nothing is written.
func (e *Engine) Start(ctx context.Context, tx db.Tx, n New) (id string, existing bool, err error) {
	if n.Subject != "" {
		if err := e.db.Lock(ctx, tx, "operation:"+n.Subject); err != nil {
			return "", false, err
		}
		err := tx.QueryRowContext(ctx, `SELECT id FROM operation WHERE subject = $1 AND finished_at IS NULL`, n.Subject).Scan(&id)
		if err == nil {
			return id, true, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return "", false, fmt.Errorf("looking for a running operation: %w", err)
		}
	}
	input, err := json.Marshal(n.Input)
	if err != nil {
		return "", false, fmt.Errorf("encoding the input of %s: %w", n.Kind, err)
	}
	uid, err := uuid.NewV7()
	if err != nil {
		return "", false, fmt.Errorf("making an operation id: %w", err)
	}
	id = uid.String()
	now, state := e.clock.Now(), Queued
	if !n.DueAt.IsZero() {
		state = Waiting
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO operation (id, kind, title, partner_id, customer_id, service_id, subject, state, done, total,
		failed_lines, input, memo, due_at, due_why, attempts, cancel_asked, undo_of, actor, actor_id, fence, correlation_id, created_at, version)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,0,$9,0,$10,'{}',$11,$12,0,$13,$14,$15,$16,0,$17,$18,1)`,
		id, n.Kind, n.Title, db.Null(n.PartnerID), db.Null(n.CustomerID), db.Null(n.ServiceID), db.Null(n.Subject), state, n.Total,
		string(input), db.Micros(n.DueAt), db.Null(n.DueWhy), false, db.Null(n.UndoOf), n.Actor.Name, n.Actor.Kind+":"+n.Actor.ID,
		uuid.NewString(), db.Micros(now))
	if err != nil {
		return "", false, fmt.Errorf("writing operation %s: %w", n.Kind, err)
	}
	for i, name := range n.Steps {
		if _, err := tx.ExecContext(ctx, `INSERT INTO operation_step (operation_id, ordinal, name, state, detail) VALUES ($1, $2, $3, 'planned', '')`, id, i+1, name); err != nil {
			return "", false, fmt.Errorf("writing the steps of %s: %w", n.Kind, err)
		}
	}
	if err := e.announce(ctx, tx, id, n.PartnerID, n.CustomerID); err != nil {
		return "", false, err
	}
	if state == Waiting {
		return id, false, nil
	}
	return id, false, e.jobs.Insert(ctx, tx, Wake{id})
}

func (e *Engine) announce(ctx context.Context, tx db.Tx, id, partner, customer string) error {
	return feed.Append(ctx, tx, feed.Line{At: e.clock.Now(), Topic: "operation", Ref: id, PartnerID: partner, CustomerID: customer})
}

// Sweep wakes what is unfinished and unleased, or due, until the context ends; it looks once at the start.
func (e *Engine) Sweep(ctx context.Context) error {
	tick := time.NewTicker(e.sweep)
	defer tick.Stop()
	woken := map[string]wake{}
	for {
		if n, err := e.sweepOnce(ctx, woken); err != nil && ctx.Err() == nil {
			e.log.Error("sweeping operations", "error", err)
		} else if n > 0 {
			e.log.Debug("woke operations", "count", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweepOnce wakes each at once when it is first found, or was run since, and otherwise again after the length of a lease: where
// there is more to do than workers, a wake at each look would bury the store in jobs that find nothing to do.
func (e *Engine) sweepOnce(ctx context.Context, woken map[string]wake) (int, error) {
	host := time.Now()
	rows, err := e.db.R.QueryContext(ctx, `SELECT id, fence FROM operation WHERE finished_at IS NULL AND (lease_until IS NULL OR lease_until < $1)
		AND (state = 'running' OR state = 'queued' OR (state = 'waiting' AND (due_at <= $2 OR cancel_asked))) ORDER BY id LIMIT 500`,
		host.UnixMicro(), e.clock.Now().UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("looking for unfinished operations: %w", err)
	}
	defer rows.Close()
	var ids []string
	now := map[string]wake{}
	for rows.Next() {
		var id string
		var fence int64
		if err := rows.Scan(&id, &fence); err != nil {
			return 0, fmt.Errorf("reading an operation id: %w", err)
		}
		was, known := woken[id]
		if !known || was.fence != fence || host.Sub(was.at) >= e.lease {
			was = wake{fence, host}
			ids = append(ids, id)
		}
		now[id] = was
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if len(ids) > 0 {
		if err := e.Wake(ctx, ids...); err != nil {
			return 0, err
		}
	}
	clear(woken)
	maps.Copy(woken, now)
	return len(ids), nil
}

// wake is when the sweeper last woke an operation, and the fence it had then: one that was run since has another.
type wake struct {
	fence int64
	at    time.Time
}

// Wake has operations looked at now.
func (e *Engine) Wake(ctx context.Context, ids ...string) error {
	return e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, id := range ids {
			if err := e.jobs.Insert(ctx, tx, Wake{id}); err != nil {
				return err
			}
		}
		return nil
	})
}

// CheckNow makes a waiting operation due at once.
func (e *Engine) CheckNow(ctx context.Context, tx db.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `UPDATE operation SET due_at = $1, version = version + 1 WHERE id = $2 AND state = 'waiting'`,
		db.Micros(e.clock.Now()), id)
	if err != nil {
		return fmt.Errorf("making %s due: %w", id, err)
	}
	return e.jobs.Insert(ctx, tx, Wake{id})
}

// Act is what a person asks of an operation: cancel, retry or check-now.
func (e *Engine) Act(ctx context.Context, a access.Actor, id, action string) error {
	if err := access.Can(a, access.Assign); err != nil {
		return err
	}
	o, err := e.Get(ctx, a.Scope, id)
	if err != nil {
		return err
	}
	return e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := e.act(ctx, tx, o, action); err != nil {
			return err
		}
		return audit.Append(ctx, e.db, tx, audit.What{At: e.clock.Now(), Actor: a, Action: "operation." + action, PartnerID: o.PartnerID,
			CustomerID: o.CustomerID, TargetKind: "operation", TargetID: id, OperationID: id})
	})
}

func (e *Engine) act(ctx context.Context, tx db.Tx, o Row, action string) error {
	finished := fault.New(fault.Conflict, "operation-finished", "This operation has already ended (%s).", o.State)
	switch action {
	case "check-now":
		if o.State != Waiting {
			return fault.New(fault.Conflict, "not-waiting", "This operation is not waiting for anything.")
		}
		return e.CheckNow(ctx, tx, o.ID)
	case "cancel":
		if o.State.Final() {
			return finished
		}
		res, err := tx.ExecContext(ctx, `UPDATE operation SET cancel_asked = $1, version = version + 1 WHERE id = $2 AND finished_at IS NULL`, true, o.ID)
		if err := db.Changed(res, err, finished); err != nil {
			return err
		}
		return e.jobs.Insert(ctx, tx, Wake{o.ID})
	case "retry":
		if o.State != Waiting || o.WaitingFor != ForRetry {
			return fault.New(fault.Conflict, "nothing-to-retry", "Only an operation that waits for another try can be retried.").
				WithRemedy("Start it again from where you started it.")
		}
		return e.CheckNow(ctx, tx, o.ID)
	}
	return fault.New(fault.Invalid, "unknown-action", "An operation has no action %q.", action).
		WithRemedy("Known here: cancel, retry, check-now.")
}
