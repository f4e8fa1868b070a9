package operation_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/engine/operation"
)

// Nobody works here: whatever is queued stays so, as where there is more to do than workers.
func TestTheSweeperDoesNotBuryABacklogInWakes(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	j, err := jobs.New(t.Context(), d, jobs.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	e := operation.NewEngine(operation.Options{DB: d, Jobs: j, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Lease: time.Hour, Sweep: time.Millisecond})
	const queued = 20
	err = d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for range queued {
			if _, _, err := e.Start(ctx, tx, operation.New{Kind: "k", Title: "Work", Actor: access.System("test")}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := e.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := d.R.QueryRowContext(t.Context(), `SELECT count(*) FROM river_job`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != 2*queued {
		t.Errorf("%d jobs for %d operations: one from the start and one from the first look are enough", n, queued)
	}
}

func TestAListingDoesNotReadWhatOperationsWereStartedWith(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	p := start(t, d, "", clock.System{}, nil)
	id := p.begin(t, operation.New{Kind: "k", Title: "Import", Input: map[string]string{"lines": strings.Repeat("x", 1<<20)}, DueAt: time.Now().Add(time.Hour)})
	list, err := p.List(t.Context(), everything, operation.Query{Limit: 10})
	if err != nil || len(list) != 1 || list[0].ID != id || len(list[0].Input) > 2 {
		t.Fatalf("%d operations, the first with %d bytes of input, %v", len(list), len(list[0].Input), err)
	}
	if one, err := p.Get(t.Context(), everything, id); err != nil || len(one.Input) < 1<<20 {
		t.Fatalf("the operation itself has %d bytes of input, %v", len(one.Input), err)
	}
}
