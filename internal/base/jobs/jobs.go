// Package jobs runs what happens later: River, on the same store and in the same transactions as everything else. For an
// operation a job is only a wake; the operation's row is the memory (engine/operation).
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"tcap.cloud/internal/base/db"
)

// schemaVersion pins River's own tables to this program's migrations: a newer library does not change the schema unseen.
const schemaVersion = 8

// Jobs inserts jobs, and works them where Start was called.
type Jobs struct {
	client  *river.Client[*sql.Tx]
	workers *river.Workers
	db      *db.DB
	log     *slog.Logger
	pool    *pgxpool.Pool
	working bool
}

// Options: with Work the process may work jobs, at most Concurrency side by side.
type Options struct {
	Work        bool
	Concurrency int
	URL         string // the store's URL; PostgreSQL's notifications need a connection of their own
	Log         *slog.Logger
}

// Migrate makes River's tables, at the pinned version.
func Migrate(ctx context.Context, d *db.DB) error {
	m, err := rivermigrate.New(plainDriver(d), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("reading the job library's migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: schemaVersion}); err != nil {
		return fmt.Errorf("migrating the job tables: %w", err)
	}
	return nil
}

func plainDriver(d *db.DB) riverdriver.Driver[*sql.Tx] {
	if d.Name() == "postgres" {
		return riverdatabasesql.New(d.Writer())
	}
	return riversqlite.New(d.Writer())
}

// New makes the client. Register before Start.
func New(ctx context.Context, d *db.DB, o Options) (*Jobs, error) {
	j := &Jobs{workers: river.NewWorkers(), db: d, log: o.Log, working: o.Work}
	driver := plainDriver(d)
	if o.Work && d.Name() == "postgres" {
		pool, err := pgxpool.New(ctx, o.URL)
		if err != nil {
			return nil, fmt.Errorf("opening the notification connection: %w", err)
		}
		j.pool, driver = pool, riverdatabasesql.NewWithPgxListener(d.Writer(), pool)
	}
	cfg := &river.Config{Logger: quiet(o.Log), JobTimeout: -1, MaxAttempts: 1}
	if o.Work {
		cfg.Workers = j.workers
		cfg.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: max(o.Concurrency, 1)}}
		cfg.FetchPollInterval = time.Second
		cfg.FetchCooldown = 20 * time.Millisecond
	}
	client, err := river.NewClient(driver, cfg)
	if err != nil {
		return nil, fmt.Errorf("making the job client: %w", err)
	}
	j.client = client
	return j, nil
}

// quiet passes on warnings and worse: the library tells of every start and leader election otherwise.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(level{log.Handler()})
}

type level struct{ slog.Handler }

func (l level) Enabled(ctx context.Context, v slog.Level) bool {
	return v >= slog.LevelWarn && l.Handler.Enabled(ctx, v)
}

// Register says what works jobs with these arguments.
func Register[T river.JobArgs](j *Jobs, work func(context.Context, T) error) {
	river.AddWorker(j.workers, river.WorkFunc(func(ctx context.Context, job *river.Job[T]) error { return work(ctx, job.Args) }))
}

// Insert adds a job in the caller's transaction.
func (j *Jobs) Insert(ctx context.Context, tx db.Tx, args river.JobArgs) error {
	if _, err := j.client.InsertTx(ctx, tx.Tx, args, nil); err != nil {
		return fmt.Errorf("adding a job: %w", err)
	}
	return nil
}

// Start begins to work jobs; it returns at once.
func (j *Jobs) Start(ctx context.Context) error {
	if !j.working {
		return errors.New("starting jobs in a process without the worker role")
	}
	if err := j.client.Start(ctx); err != nil {
		return fmt.Errorf("starting jobs: %w", err)
	}
	return nil
}

// Stop lets running jobs end until the context does, then cancels them.
func (j *Jobs) Stop(ctx context.Context) error {
	defer func() {
		if j.pool != nil {
			j.pool.Close()
		}
	}()
	if !j.working {
		return nil
	}
	err := j.client.Stop(ctx)
	if err != nil {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = j.client.StopAndCancel(stop)
	}
	if err != nil {
		return fmt.Errorf("stopping jobs: %w", err)
	}
	return nil
}
