package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver
)

type postgresDialect struct{}

// openPostgres opens a pool for writing and one for reading; READ COMMITTED, so every state change is a compare-and-swap or
// stands under a unique index. Two pools, as who writes may have to read beside its transaction: with one, as many writers
// as there are connections would wait for one another for ever.
func openPostgres(ctx context.Context, url string) (*DB, error) {
	w, err := openPool(ctx, url)
	if err != nil {
		return nil, err
	}
	r, err := openPool(ctx, url)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return &DB{R: r, w: w, dialect: postgresDialect{}, url: url}, nil
}

func openPool(ctx context.Context, url string) (*sql.DB, error) {
	p, err := sql.Open("pgx", url)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	p.SetMaxOpenConns(20)
	p.SetMaxIdleConns(10)
	if err := p.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reaching the store: %w", err), p.Close())
	}
	return p, nil
}

func (postgresDialect) name() string { return "postgres" }

func (postgresDialect) unique(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}

func (postgresDialect) retryable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

func (postgresDialect) lock(ctx context.Context, tx Tx, key string) error {
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, key)
	if err != nil {
		return fmt.Errorf("waiting for the lock %s: %w", key, err)
	}
	return nil
}

func (postgresDialect) tokens() map[string]string {
	return map[string]string{
		"pk": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "int": "BIGINT", "bool": "BOOLEAN", "blob": "BYTEA",
		"sorted": `TEXT COLLATE "C"`, "strict": "",
	}
}

// migrationLock makes the second of two migrating processes wait.
func (postgresDialect) migrationLock(ctx context.Context, pool *sql.DB) (func(), error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("reaching the store: %w", err)
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(7102203)`); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for the migration lock: %w", err), conn.Close())
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(7102203)`)
		_ = conn.Close()
	}, nil
}
