package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/jobs"
)

type ring struct {
	N int `json:"n"`
}

func (ring) Kind() string { return "ring" }

func each(t *testing.T, test func(t *testing.T, d *db.DB, url string)) {
	t.Helper()
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			url := dbtest.URL(t, kind)
			test(t, dbtest.Open(t, url), url)
		})
	}
}

func client(t *testing.T, d *db.DB, url string, work bool) *jobs.Jobs {
	t.Helper()
	j, err := jobs.New(context.Background(), d, jobs.Options{Work: work, Concurrency: 2, URL: url, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func stop(t *testing.T, j *jobs.Jobs) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := j.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// worker works rings into a channel until the test ends.
func worker(t *testing.T, d *db.DB, url string) (*jobs.Jobs, <-chan int) {
	t.Helper()
	j := client(t, d, url, true)
	rung := make(chan int, 100)
	jobs.Register(j, func(_ context.Context, r ring) error {
		rung <- r.N
		return nil
	})
	if err := j.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, j) })
	return j, rung
}

func insert(j *jobs.Jobs, d *db.DB, n int, then error) error {
	return d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		if err := j.Insert(ctx, tx, ring{n}); err != nil {
			return err
		}
		return then
	})
}

func await(t *testing.T, rung <-chan int) int {
	t.Helper()
	select {
	case n := <-rung:
		return n
	case <-time.After(20 * time.Second):
		t.Fatal("nothing rang")
		return 0
	}
}

func TestACommittedJobIsWorkedAndARolledBackOneIsNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		j, rung := worker(t, d, url)
		boom := errors.New("boom")
		if err := insert(j, d, 1, boom); !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if err := insert(j, d, 2, nil); err != nil {
			t.Fatal(err)
		}
		if n := await(t, rung); n != 2 {
			t.Fatalf("%d rang", n)
		}
		var left int
		if err := d.R.QueryRowContext(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'ring'`).Scan(&left); err != nil || left != 1 {
			t.Fatalf("%d jobs in the store, %v", left, err)
		}
	})
}

func TestAProcessThatDoesNotWorkInsertsForOneThatDoes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		web := client(t, d, url, false)
		if err := web.Start(context.Background()); err == nil {
			t.Fatal("a process without the worker role began to work")
		}
		for n := range 5 {
			if err := insert(web, d, n, nil); err != nil {
				t.Fatal(err)
			}
		}
		stop(t, web)
		_, rung := worker(t, d, url)
		seen := map[int]bool{}
		for range 5 {
			seen[await(t, rung)] = true
		}
		if len(seen) != 5 {
			t.Fatalf("rang %v", seen)
		}
	})
}

func TestAJobThatFailsIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		j := client(t, d, url, true)
		rung := make(chan int, 10)
		jobs.Register(j, func(_ context.Context, r ring) error {
			rung <- r.N
			if r.N == 1 {
				return errors.New("broken")
			}
			panic("broken worse")
		})
		if err := j.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 2; n++ {
			if err := insert(j, d, n, nil); err != nil {
				t.Fatal(err)
			}
			await(t, rung)
		}
		stop(t, j) // waits until both are written down
		var discarded int
		if err := d.R.QueryRowContext(t.Context(), `SELECT count(*) FROM river_job WHERE state = 'discarded'`).Scan(&discarded); err != nil || discarded != 2 || len(rung) != 0 {
			t.Fatalf("%d discarded, %d more rang, %v", discarded, len(rung), err)
		}
	})
}

func TestStopLetsARunningJobEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		j := client(t, d, url, true)
		began, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		jobs.Register(j, func(ctx context.Context, _ ring) error {
			close(began)
			<-goOn
			ended <- ctx.Err()
			return nil
		})
		if err := j.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := insert(j, d, 1, nil); err != nil {
			t.Fatal(err)
		}
		<-began
		stopped := make(chan struct{})
		go func() { defer close(stopped); stop(t, j) }()
		select {
		case <-stopped:
			t.Error("stopped while a job ran")
		case <-time.After(50 * time.Millisecond): // a wrong Stop would return at once
		}
		close(goOn)
		<-stopped
		if err := <-ended; err != nil {
			t.Errorf("the job was cut off: %v", err)
		}
	})
}

func TestStopCancelsAJobThatDoesNotEndInTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB, url string) {
		j := client(t, d, url, true)
		began := make(chan struct{})
		jobs.Register(j, func(ctx context.Context, _ ring) error {
			close(began)
			<-ctx.Done()
			return ctx.Err()
		})
		if err := j.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := insert(j, d, 1, nil); err != nil {
			t.Fatal(err)
		}
		<-began
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // the time is over
		if err := j.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := jobs.Migrate(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		var version int
		if err := d.R.QueryRowContext(t.Context(), `SELECT max(version) FROM river_migration`).Scan(&version); err != nil || version != 8 {
			t.Fatalf("version %d, %v; the job tables are pinned to 8", version, err)
		}
	})
}
