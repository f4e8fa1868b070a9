// Package pg gives tests a throw-away PostgreSQL: one server for a test process, a fresh database for each test.
//
// Where TCAP_TEST_POSTGRES names a server (postgres://…, a role that may create databases), that one is used and nothing
// is started; test/run does so, to pay for one server in a whole run. `off` skips instead. Otherwise the binaries of /usr/lib/postgresql/*/bin
// (or of the PATH) are started on a data directory under the temporary directory, on loopback, with durability off.
package pg

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Env names the variable that points at a server which is already there, or says Off.
const Env = "TCAP_TEST_POSTGRES"

// Off in the environment skips every test that asks for PostgreSQL: test/run runs them in a part of their own.
const Off = "off"

// ErrMissing says that this machine has no PostgreSQL server to start.
var ErrMissing = errors.New("PostgreSQL is not installed (apt-get install postgresql)")

// shared is the one server of this process. It is package state on purpose: test functions share nothing else, and a
// server for each of them would cost a second each. It ends with the process (see guardian in server.go).
var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// Start returns the URL of a fresh, empty database that is dropped when the test ends. It skips the test where
// PostgreSQL is missing, and fails it where the server does not start.
func Start(t testing.TB) string {
	t.Helper()
	if os.Getenv(Env) == Off {
		t.Skipf("%s=%s", Env, Off)
	}
	admin, err := adminURL()
	if errors.Is(err, ErrMissing) {
		t.Skipf("%v", err)
	}
	if err != nil {
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	name, err := create(ctx, admin)
	if err != nil {
		t.Fatalf("creating a database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := drop(ctx, admin, name); err != nil {
			t.Errorf("dropping database %s: %v", name, err)
		}
	})
	u, err := inDatabase(admin, name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// adminURL answers the server's own database: the one of the environment, or the one this process has started.
func adminURL() (string, error) {
	if u := os.Getenv(Env); u != "" {
		return u, nil
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = Launch(context.Background())
	}
	if shared.err != nil {
		return "", shared.err
	}
	return shared.server.URL, nil
}

func create(ctx context.Context, admin string) (string, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("naming it: %w", err)
	}
	name := "t_" + hex.EncodeToString(b[:])
	// template0 has no connections of its own, so that tests may create databases side by side.
	return name, execSQL(ctx, admin, "CREATE DATABASE "+name+" TEMPLATE template0")
}

func drop(ctx context.Context, admin, name string) error {
	return execSQL(ctx, admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

func execSQL(ctx context.Context, dsn, statement string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return fmt.Errorf("opening the server's own database: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func inDatabase(admin, name string) (string, error) {
	u, err := url.Parse(admin)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("%s is not a postgres:// URL", Env) // the value may hold a password
	}
	u.Path = "/" + name
	return u.String(), nil
}
