package e2e

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

// Exit codes of contracts/cli.md: 2 is usage. Nothing may have been opened or made then.
func TestWrongUsageExitsWith2(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text)
		return path
	}
	unmade := "sqlite:" + filepath.Join(dir, "unmade.db")
	for name, c := range map[string]struct {
		env  []string
		args []string
		says string
	}{
		"no command":                     {args: nil, says: "expected one of"},
		"an unknown command":             {args: []string{"fly"}, says: "fly"},
		"an unknown flag":                {args: []string{"serve", "--databse-url", unmade}, says: "databse-url"},
		"a duration that is none":        {args: []string{"serve", "--database-url", unmade, "--lease", "soon"}, says: "lease"},
		"a level that is none":           {args: []string{"serve", "--database-url", unmade, "--log-level", "loud"}, says: "log-level"},
		"an environment that is none":    {env: []string{"TCAP_SYNC_INTERVAL=often"}, args: []string{"serve", "--database-url", unmade}, says: "sync-interval"},
		"an unknown key in the file":     {args: []string{"--config", file("key.yaml", "database-url: "+unmade+"\nleese: 30s\n"), "serve"}, says: "leese"},
		"a value in the file":            {args: []string{"--config", file("value.yaml", "database-url: "+unmade+"\nlease: soon\n"), "serve"}, says: "lease"},
		"a file that is no YAML":         {args: []string{"--config", file("bad.yaml", "a: [1\n"), "serve"}, says: "bad.yaml"},
		"a file that is not there":       {args: []string{"--config", filepath.Join(dir, "missing.yaml"), "serve"}, says: "missing.yaml"},
		"a key without its file":         {args: []string{"key", "new"}, says: "seal-identity-file"},
		"a format that is none":          {args: []string{"version", "-o", "xml"}, says: "xml"},
		"further words":                  {args: []string{"version", "please"}, says: "please"},
		"migrate without saying whether": {args: []string{"migrate"}, says: "expected one of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := run(t, c.env, c.args...)
			if o.code != 2 {
				t.Errorf("exit %d, want 2: %s", o.code, o.err)
			}
			if !strings.Contains(o.err, c.says) {
				t.Errorf("the message does not say %q: %q", c.says, o.err)
			}
		})
	}
	t.Cleanup(func() {
		if exists(strings.TrimPrefix(unmade, "sqlite:")) {
			t.Error("a wrong start made a database")
		}
	})
}

func TestServeRefusesAnOlderSchema(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		dir, dbURL := t.TempDir(), databaseURL(t, database)
		identity := filepath.Join(dir, "identity")
		if o := run(t, nil, "key", "new", "--seal-identity-file", identity); o.code != 0 {
			t.Fatalf("making an identity: %s", o.err)
		}
		serve := []string{"serve", "--database-url", dbURL, "--listen", address(t), "--seal-identity-file", identity}
		refused := func(what string) {
			t.Helper()
			o := run(t, nil, serve...)
			if o.code != 1 || !strings.Contains(o.err, "migrate up") || !strings.Contains(o.err, "--migrate") {
				t.Errorf("%s: exit %d, want 1 and what to do: %s", what, o.code, o.err)
			}
			if strings.Contains(o.out, "token=") {
				t.Errorf("%s: a sign-in link was printed", what)
			}
		}
		refused("an empty database")
		if n := pending(t, dbURL); n == 0 {
			t.Error("the refusal migrated the database")
		}
		if o := run(t, []string{"TCAP_DATABASE_URL=" + dbURL}, "migrate", "up"); o.code != 0 {
			t.Fatalf("migrating: exit %d: %s", o.code, o.err)
		}
		if n := pending(t, dbURL); n != 0 {
			t.Fatalf("after migrating %d migrations are missing", n)
		}
		forgetLast(t, dbURL)
		if n := pending(t, dbURL); n != 1 {
			t.Fatalf("%d migrations are missing, want 1", n)
		}
		refused("a database that lacks one migration")
		if o := run(t, nil, "audit", "verify", "--database-url", dbURL); o.code != 0 {
			t.Errorf("the audit does not hold: %s", o.err)
		}
	})
}

// pending asks `tcap migrate status`.
func pending(t *testing.T, dbURL string) int {
	t.Helper()
	o := run(t, nil, "migrate", "status", "-o", "json", "--database-url", dbURL)
	var got struct{ Pending *int }
	if err := json.Unmarshal([]byte(o.out), &got); o.code != 0 || err != nil || got.Pending == nil {
		t.Fatalf("asking what is missing: exit %d, %v: %s%s", o.code, err, o.out, o.err)
	}
	return *got.Pending
}

// forgetLast makes the database one of before the last migration, as far as its own record goes.
func forgetLast(t *testing.T, dbURL string) {
	t.Helper()
	driver, dsn := "pgx", dbURL
	if path, ok := strings.CutPrefix(dbURL, "sqlite:"); ok {
		driver, dsn = "sqlite", path
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	res, err := db.Exec(`DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	if err != nil {
		t.Fatalf("forgetting a migration: %v", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("forgot %d migrations (%v), want 1", n, err)
	}
}
