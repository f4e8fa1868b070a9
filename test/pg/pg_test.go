package pg

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Set in the process that TestServerEndsWithAKilledProcess starts and kills.
const victim = "TCAP_PG_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victim) != "" {
		server, err := Launch(context.Background())
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(server.PID, server.Dir)
		select {} // until killed
	}
	os.Exit(m.Run())
}

func TestEachStartIsAFreshDatabaseThatTakesWrites(t *testing.T) {
	t.Parallel()
	first, second := connect(t, Start(t)), connect(t, Start(t))
	for _, db := range []*sql.DB{first, second} {
		// The same table twice would fail if both were one database.
		if _, err := db.Exec("CREATE TABLE line (id bigint PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := first.Exec("INSERT INTO line VALUES ($1)", 1); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := second.QueryRow("SELECT count(*) FROM line").Scan(&n); err != nil || n != 0 {
		t.Fatalf("the second database has %d rows (%v), want none", n, err)
	}
}

func TestDatabaseIsDroppedWhenTheTestEnds(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("inner", func(t *testing.T) {
		u, err := url.Parse(Start(t))
		if err != nil {
			t.Fatal(err)
		}
		name = strings.TrimPrefix(u.Path, "/")
		// A connection left open must not keep the database alive.
		db, err := sql.Open("pgx", u.String())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
	})
	if name == "" {
		t.Skip("the inner test was skipped")
	}
	admin, err := adminURL()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := connect(t, admin).QueryRow("SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&n); err != nil || n != 0 {
		t.Fatalf("database %s is still there (%v)", name, err)
	}
}

func TestSettingsSuitTests(t *testing.T) {
	t.Parallel()
	if os.Getenv(Env) != "" && os.Getenv("TCAP_TEST_RUN") == "" { // test/run's server is ours too
		t.Skipf("%s names a server that is not ours", Env)
	}
	db := connect(t, Start(t))
	for setting, want := range map[string]string{"fsync": "off", "max_connections": "200", "listen_addresses": "127.0.0.1", "server_encoding": "UTF8"} {
		var got string
		if err := db.QueryRow("SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", setting, got, err, want)
		}
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	server := running(t)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if !gone(server.PID) {
		t.Errorf("process %d still runs", server.PID)
	}
	if _, err := os.Stat(server.Dir); err == nil {
		t.Errorf("%s is still there", server.Dir)
	}
}

func TestServerEndsWithAKilledProcess(t *testing.T) {
	t.Parallel()
	if _, err := binaries(); err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victim+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	if _, err := fmt.Sscan(line, &pid, &dir); err != nil {
		t.Fatalf("the process said %q: %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	deadline := time.After(30 * time.Second)
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if _, err := os.Stat(dir); os.IsNotExist(err) && gone(pid) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("30 s after its owner was killed, process %d or %s is still there", pid, dir)
		}
	}
}

func TestAServerThatIsNotAURLIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	_, err := inDatabase("host=db password=hunter2", "x")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v, want a refusal that keeps the password to itself", err)
	}
}

func running(t *testing.T) *Server {
	t.Helper()
	if _, err := binaries(); err != nil {
		t.Skip(err)
	}
	server, err := Launch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func connect(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
