package operation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/engine/operation"
)

var everything = access.Scope{Level: access.Operator}

// process is one process of the product: jobs, engine and sweeper on a shared store.
type process struct {
	*operation.Engine
	db *db.DB
}

func start(t *testing.T, d *db.DB, url string, c clock.Clock, handlers map[string]operation.Handler) process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	j, err := jobs.New(ctx, d, jobs.Options{Work: true, Concurrency: 10, URL: url, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	e := operation.NewEngine(operation.Options{DB: d, Jobs: j, Clock: c, Log: slog.New(slog.DiscardHandler), Lease: 2 * time.Second, Sweep: 50 * time.Millisecond})
	for kind, h := range handlers {
		e.Handle(kind, h)
	}
	if err := j.Start(ctx); err != nil {
		t.Fatal(err)
	}
	swept := make(chan struct{})
	go func() { defer close(swept); _ = e.Sweep(ctx) }()
	t.Cleanup(func() {
		stop, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		_ = j.Stop(stop)
		cancel()
		<-swept
	})
	return process{e, d}
}

func (p process) begin(t *testing.T, n operation.New) string {
	t.Helper()
	n.Actor = access.System("test")
	var id string
	err := p.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		var err error
		id, _, err = p.Start(ctx, tx, n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// until waits for a state, bounded; the sweeper and the job library need real time.
func (p process) until(t *testing.T, id string, want operation.State) operation.Row {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		o, err := p.Get(context.Background(), everything, id)
		if err != nil {
			t.Fatal(err)
		}
		if o.State == want {
			return o
		}
		if o.State.Final() || time.Now().After(deadline) {
			t.Fatalf("operation is %s (%+v, due %v %s), want %s", o.State, o.Error, o.DueAt, o.DueWhy, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func each(t *testing.T, test func(t *testing.T, d *db.DB, url string)) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			url := dbtest.URL(t, kind)
			test(t, dbtest.Open(t, url), url)
		})
	}
}

func TestAnOperationShowsItsStepsAndItsEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		p := start(t, d, url, clock.System{}, map[string]operation.Handler{"demo": operation.HandlerFunc(func(ctx context.Context, r *operation.Run) error {
			return r.Step(ctx, "First", func(context.Context) (string, error) { return "went well", nil })
		})})
		id := p.begin(t, operation.New{Kind: "demo", Title: "Demo", Steps: []string{"First"}})
		p.until(t, id, operation.Succeeded)
		steps, err := p.Steps(context.Background(), id)
		if err != nil || len(steps) != 1 || steps[0].State != "done" || steps[0].Detail != "went well" {
			t.Fatalf("steps %+v, %v", steps, err)
		}
		entries, err := audit.List(context.Background(), d.R, audit.Query{Scope: everything, OperationID: id, Limit: 10})
		if err != nil || len(entries) != 1 || entries[0].Action != "operation.succeeded" {
			t.Fatalf("audit %+v, %v", entries, err)
		}
	})
}

func TestARunnerThatLostItsLeaseWritesNothingMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		var runs atomic.Int32
		held, lost := make(chan struct{}), make(chan error, 1)
		p := start(t, d, url, clock.System{}, map[string]operation.Handler{"slow": operation.HandlerFunc(func(ctx context.Context, r *operation.Run) error {
			if runs.Add(1) > 1 {
				return nil
			}
			// Somebody believes this runner dead: its lease is over and the row is another's.
			_, err := d.Writer().ExecContext(ctx, `UPDATE operation SET lease_until = 1 WHERE id = $1`, r.Op.ID)
			if err != nil {
				return err
			}
			close(held)
			for range 2000 {
				if err = r.Write(ctx, func(context.Context, db.Tx) error { return nil }); err != nil {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			lost <- err
			return err
		})})
		id := p.begin(t, operation.New{Kind: "slow", Title: "Slow"})
		<-held
		p.until(t, id, operation.Succeeded)
		if err := <-lost; err == nil {
			t.Fatal("the first runner could still write")
		}
		if n := runs.Load(); n != 2 {
			t.Fatalf("%d runs", n)
		}
	})
}

func TestOfManyStartsWithOneSubjectOneOperationExists(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		p := start(t, d, url, clock.System{}, map[string]operation.Handler{"never": operation.HandlerFunc(func(context.Context, *operation.Run) error {
			return operation.Wait{For: operation.ForPerson, Why: "a person"}
		})})
		var wg sync.WaitGroup
		ids := make([]string, 20)
		for i := range ids {
			wg.Go(func() { ids[i] = p.begin(t, operation.New{Kind: "never", Title: "Never", Subject: "sync:1"}) })
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("several operations: %v", ids)
			}
		}
	})
}

func TestWaitingEndsWhenTheClockReachesTheDueTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		c := clock.NewFake(time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC))
		due := c.Now().Add(24 * time.Hour)
		p := start(t, d, url, c, map[string]operation.Handler{"patient": operation.HandlerFunc(func(ctx context.Context, r *operation.Run) error {
			if r.Clock().Now().Before(due) {
				return operation.Wait{Until: due, Why: "Microsoft is spreading the domain", For: operation.ForMicrosoft}
			}
			return nil
		})})
		id := p.begin(t, operation.New{Kind: "patient", Title: "Patient"})
		o := p.until(t, id, operation.Waiting)
		if o.WaitingFor != operation.ForMicrosoft || !o.DueAt.Equal(due) {
			t.Fatalf("waits for %q until %v", o.WaitingFor, o.DueAt)
		}
		c.Advance(25 * time.Hour)
		p.until(t, id, operation.Succeeded)
	})
}

func TestAFailureWithoutAKnownCauseIsTriedAgainAndGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		c := clock.NewFake(time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC))
		var runs atomic.Int32
		p := start(t, d, url, c, map[string]operation.Handler{"broken": operation.HandlerFunc(func(context.Context, *operation.Run) error {
			runs.Add(1)
			c.Advance(time.Hour) // whatever it waits for is over when it waits
			return errors.New("secret text of a library")
		})})
		id := p.begin(t, operation.New{Kind: "broken", Title: "Broken"})
		deadline := time.Now().Add(20 * time.Second)
		for {
			o, err := p.Get(context.Background(), everything, id)
			if err != nil {
				t.Fatal(err)
			}
			if o.State == operation.Failed {
				if o.Error.Code != "gave-up" || fmt.Sprint(*o.Error) == "" {
					t.Fatalf("%+v", o.Error)
				}
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("still %s after %d runs", o.State, runs.Load())
			}
			c.Advance(time.Hour)
			time.Sleep(5 * time.Millisecond)
		}
		if n := runs.Load(); n != 12 {
			t.Fatalf("%d runs", n)
		}
	})
}

func TestAKnownRefusalEndsTheOperationAtOnceAndTheOwnerMovesItsRowsWithIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		h := &owner{failed: make(chan *fault.Fault, 1)}
		p := start(t, d, url, clock.System{}, map[string]operation.Handler{"refused": h})
		id := p.begin(t, operation.New{Kind: "refused", Title: "Refused"})
		o := p.until(t, id, operation.Failed)
		if o.Error.Code != "number-held" || (<-h.failed).Code != "number-held" {
			t.Fatalf("%+v", o.Error)
		}
	})
}

type owner struct{ failed chan *fault.Fault }

func (o *owner) Run(context.Context, *operation.Run) error {
	return fault.New(fault.Conflict, "number-held", "Ana has it.")
}

func (o *owner) Finish(_ context.Context, _ db.Tx, _ operation.Row, f *fault.Fault) error {
	o.failed <- f
	return nil
}

func TestTwoOperationsNeverWriteToOneAreaAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		var inside, most atomic.Int32
		p := start(t, d, url, clock.System{}, map[string]operation.Handler{"writer": operation.HandlerFunc(func(ctx context.Context, r *operation.Run) error {
			if err := r.Area(ctx, "tenant|voice"); err != nil {
				return err
			}
			n := inside.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(20 * time.Millisecond)
			inside.Add(-1)
			return nil
		})})
		var ids []string
		for range 5 {
			ids = append(ids, p.begin(t, operation.New{Kind: "writer", Title: "Writer"}))
		}
		for _, id := range ids {
			deadline := time.Now().Add(30 * time.Second)
			for {
				o, err := p.Get(context.Background(), everything, id)
				if err != nil {
					t.Fatal(err)
				}
				if o.State == operation.Succeeded {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%s is %s", id, o.State)
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		if most.Load() != 1 {
			t.Fatalf("%d at once", most.Load())
		}
	})
}

func TestCancellingEndsAWaitingOperation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		p := start(t, d, url, clock.System{}, map[string]operation.Handler{"never": operation.HandlerFunc(func(context.Context, *operation.Run) error {
			return operation.Wait{For: operation.ForPerson, Why: "a person"}
		})})
		id := p.begin(t, operation.New{Kind: "never", Title: "Never"})
		p.until(t, id, operation.Waiting)
		if err := p.Act(context.Background(), access.System("test"), id, "cancel"); err != nil {
			t.Fatal(err)
		}
		p.until(t, id, operation.Cancelled)
		if err := p.Act(context.Background(), access.System("test"), id, "cancel"); !fault.Is(err, "operation-finished") {
			t.Fatalf("got %v", err)
		}
	})
}
