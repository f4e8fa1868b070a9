// Package db is the store: one SQL text for SQLite and PostgreSQL, one way to write. What the two do not share lives in
// dialect_*.go. Times are Unix microseconds (Micros, Time), JSON is TEXT, sorted text compares by code point.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// DB is an open store. Reading goes through R and may run side by side; writing goes through Write.
type DB struct {
	R       *sql.DB
	w       *sql.DB
	dialect dialect
	url     string
}

// Tx is a write transaction. It is made by Write alone.
type Tx struct{ *sql.Tx }

// Querier is what reading needs; DB.R and Tx both are one.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Open opens sqlite:PATH or postgres://…; it does not migrate.
func Open(ctx context.Context, url string) (*DB, error) {
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		return openSQLite(ctx, strings.TrimPrefix(url, "sqlite:"), url)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return openPostgres(ctx, url)
	}
	return nil, fmt.Errorf("opening the store: %q is neither sqlite:PATH nor postgres://…", redact(url))
}

// redact keeps a password out of an error.
func redact(url string) string {
	if at := strings.LastIndex(url, "@"); at > 0 {
		scheme, _, found := strings.Cut(url[:at], "://")
		if !found {
			return "…" + url[at:]
		}
		return scheme + "://…" + url[at:]
	}
	return url
}

// Close closes both pools.
func (d *DB) Close() error { return errors.Join(d.R.Close(), d.w.Close()) }

// Name is sqlite or postgres.
func (d *DB) Name() string { return d.dialect.name() }

// Writer is the pool that writes, for the job library, which must share it.
func (d *DB) Writer() *sql.DB { return d.w }

type inWrite struct{}

// ErrNested is a write inside a write: the inner one would wait for the outer for ever on SQLite.
var ErrNested = errors.New("a write transaction was begun inside another")

// Write runs fn in one transaction: rows, wake, feed line and audit entry together or not at all. It holds at most about
// 1,000 rows and does no decoding, hashing or network. A serialisation failure or deadlock is tried again, so fn must
// have no effect outside the transaction.
func (d *DB) Write(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	if ctx.Value(inWrite{}) != nil {
		return ErrNested
	}
	ctx = context.WithValue(ctx, inWrite{}, true)
	var err error
	for range 5 {
		if err = d.writeOnce(ctx, fn); err == nil || !d.dialect.retryable(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (d *DB) writeOnce(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	tx, err := d.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a write: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit this answers ErrTxDone, and that is right
	if err := fn(ctx, Tx{tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing a write: %w", err)
	}
	return nil
}

// IsUnique says whether an error is a violated unique or primary key.
func (d *DB) IsUnique(err error) bool { return d.dialect.unique(err) }

// Lock serialises a chain of records (audit) until the transaction ends. On SQLite a write is alone anyway.
func (d *DB) Lock(ctx context.Context, tx Tx, key string) error { return d.dialect.lock(ctx, tx, key) }

// Changed turns the row count of a compare-and-swap into an error: stale when not exactly one row changed.
func Changed(res sql.Result, err error, stale error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("counting changed rows: %w", err)
	}
	if n != 1 {
		return stale
	}
	return nil
}

// Micros is a time as the store keeps it; the zero time is NULL.
func Micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// Time reads what Micros wrote.
func Time(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return time.UnixMicro(v.Int64).UTC()
}

// Null is a text as the store keeps it where empty means none.
func Null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Like is a prefix or substring pattern with the wildcards of the text escaped; use with ESCAPE '\'.
func Like(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s) + "%"
}
