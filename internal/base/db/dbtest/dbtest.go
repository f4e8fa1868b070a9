// Package dbtest opens fresh, migrated stores for tests: SQLite always, PostgreSQL where the machine has one.
package dbtest

import (
	"context"
	"path/filepath"
	"testing"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/test/pg"
)

// Each runs a test on every database.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Open(t, pg.Start(t)))
	})
}

// SQLite opens a fresh store in a file of its own.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, "sqlite:"+filepath.Join(t.TempDir(), "tcap.db"))
}

// Open opens and migrates a store, and closes it at the end of the test.
func Open(t testing.TB, url string) *db.DB {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Migrate(ctx, func(ctx context.Context) error { return jobs.Migrate(ctx, d) }); err != nil {
		t.Fatal(err)
	}
	return d
}

// URL of a fresh database for tests that start the real program: sqlite in a folder of its own, or PostgreSQL.
func URL(t testing.TB, kind string) string {
	t.Helper()
	if kind == "postgres" {
		return pg.Start(t)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "tcap.db")
}
