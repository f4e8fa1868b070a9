package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is what the two stores do not share. The number of its methods is counted by a test: it must not grow unseen.
type dialect interface {
	name() string
	unique(error) bool
	retryable(error) bool
	lock(ctx context.Context, tx Tx, key string) error
	migrationLock(ctx context.Context, pool *sql.DB) (release func(), err error)
	tokens() map[string]string
}

type sqliteDialect struct{}

// openSQLite opens one writing connection (a write begins IMMEDIATE, so two never deadlock upgrading) and several readers.
func openSQLite(ctx context.Context, path, raw string) (*DB, error) {
	pragmas := "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)"
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas
	w, err := sql.Open("sqlite", dsn+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	w.SetMaxOpenConns(1)
	r, err := sql.Open("sqlite", dsn+"&_pragma=query_only(1)")
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("opening %s for reading: %w", path, err)
	}
	r.SetMaxOpenConns(8)
	d := &DB{R: r, w: w, dialect: sqliteDialect{}, url: raw}
	if err := w.PingContext(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return d, nil
}

func (sqliteDialect) name() string { return "sqlite" }

func (sqliteDialect) unique(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

func (sqliteDialect) retryable(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_BUSY || e.Code()&0xff == sqlite3.SQLITE_LOCKED)
}

func (sqliteDialect) lock(context.Context, Tx, string) error { return nil }

// migrationLock is not needed: there is one writer, and the loser of a race is tried again.
func (sqliteDialect) migrationLock(context.Context, *sql.DB) (func(), error) { return func() {}, nil }

func (sqliteDialect) tokens() map[string]string {
	return map[string]string{
		"pk": "INTEGER PRIMARY KEY AUTOINCREMENT", "int": "INTEGER", "bool": "INTEGER", "blob": "BLOB",
		"sorted": "TEXT", "strict": "STRICT",
	}
}
