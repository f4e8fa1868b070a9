package upgrade

import (
	"compress/gzip"
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/test/pg"
)

// kept lists the versions whose databases are kept.
func kept(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("v*")
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) == 0 {
		t.Fatal("no database is kept")
	}
	return dirs
}

func unpack(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestADatabaseOfEachVersionIsOpenedAndKeepsWhatItHeld(t *testing.T) {
	t.Parallel()
	for _, version := range kept(t) {
		t.Run(version+"/sqlite", func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "tcap.db")
			if err := os.WriteFile(path, unpack(t, filepath.Join(version, "sqlite.db.gz")), 0o600); err != nil {
				t.Fatal(err)
			}
			holds(t, dbtest.Open(t, "sqlite:"+path))
		})
		t.Run(version+"/postgres", func(t *testing.T) {
			t.Parallel()
			url := pg.Start(t)
			restore(t, url, string(unpack(t, filepath.Join(version, "postgres.sql.gz"))))
			holds(t, dbtest.Open(t, url))
		})
	}
}

// restore runs a plain dump. Lines that speak to psql itself are left out; the dump empties the search path of its
// connection, which is therefore not used again.
func restore(t *testing.T, url, dump string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(dump) {
		if !strings.HasPrefix(line, `\`) {
			lines = append(lines, line)
		}
	}
	pool, err := sql.Open("pgx", url+sep(url)+"default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.ExecContext(context.Background(), strings.Join(lines, "")); err != nil {
		t.Fatal(err)
	}
}

func sep(url string) string {
	if strings.Contains(url, "?") {
		return "&"
	}
	return "?"
}

// holds proves that nothing is pending, the audit chains hold, and the demo's customers, people and numbers are there.
func holds(t *testing.T, d *db.DB) {
	t.Helper()
	ctx := context.Background()
	if n, err := d.Pending(ctx); err != nil || n != 0 {
		t.Fatalf("%d migrations pending, %v", n, err)
	}
	n, broken, err := audit.Verify(ctx, d.R)
	if err != nil || n == 0 || len(broken) > 0 {
		t.Fatalf("%d entries, broken %v, %v", n, broken, err)
	}
	o := org.New(d, clock.System{})
	t.Cleanup(o.Close)
	page, err := o.Customers(ctx, access.System("upgrade"), org.CustomerQuery{Limit: 50})
	if err != nil || page.Total < 3 {
		t.Fatalf("%d customers, %v", page.Total, err)
	}
	for table, least := range map[string]int{"tenant_user": 250, "number": 60, "number_event": 60, "operation": 10, "managed": 10} {
		var have int
		if err := d.R.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&have); err != nil || have < least {
			t.Errorf("%s holds %d, %v", table, have, err)
		}
	}
}
