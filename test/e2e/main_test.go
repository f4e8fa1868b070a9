// Package e2e proves what the whole program promises: the real binary, its simulator in a process of its own, both
// databases, and nothing but HTTP and signals. Nothing of the program is imported.
//
// Waits are bounded and end with what is waited for. Ports are free ones below the range that the system hands out, so that
// a process that was killed finds its own again. What was random is printed with its seed.
package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Full in the environment runs everything; test/run sets its own variable. Without either, `go test ./...` runs what is
// quick and says SKIP for the rest.
const (
	full    = "TCAP_E2E"
	testRun = "TCAP_TEST_RUN"
)

// tcap is the path of the binary under test, built once for this process.
var tcap string

// sideBySide is how many tests run together: they wait for other processes far more than they compute.
const sideBySide = 8

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(sideBySide)); err != nil {
		fmt.Println("setting how many tests run together:", err)
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "tcap-e2e-")
	if err == nil {
		tcap = filepath.Join(dir, "tcap")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", tcap, "tcap.cloud/cmd/tcap").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Println("building the program:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// long skips a test that takes tens of seconds where the quick ones alone were asked for.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv(full) == "" && os.Getenv(testRun) == "" {
		t.Skipf("it takes long; %s=1 or `make test-e2e` runs it", full)
	}
}

// each runs a test with both databases.
func each(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			test(t, database)
		})
	}
}

var ports struct {
	sync.Mutex
	given map[int]bool
}

// address is a free loopback address that is given to nobody else in this process.
func address(t *testing.T) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.given == nil {
		ports.given = map[int]bool{}
	}
	for range 200 {
		port := 15000 + rand.IntN(17000)
		if ports.given[port] {
			continue
		}
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		l, err := net.Listen("tcp", at)
		if err != nil {
			continue
		}
		_ = l.Close()
		ports.given[port] = true
		return at
	}
	t.Fatal("no free port was found")
	return ""
}

// dice is a source of chance whose seed is printed. TCAP_E2E_SEED gives it again.
func dice(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("TCAP_E2E_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("reading TCAP_E2E_SEED: %v", err)
		}
	}
	t.Logf("seed %d (TCAP_E2E_SEED)", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// tick is how often something is looked at; there is no signal to wait for but the answer itself.
const tick = 20 * time.Millisecond

// eventually looks again and again until done answers true. An error ends the wait at once; told says how it stood at last.
func eventually(t *testing.T, what string, limit time.Duration, look func() (done bool, told string, err error)) {
	t.Helper()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	deadline := time.After(limit)
	for {
		done, told, err := look()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if done {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("%s: not within %s; at last: %s", what, limit, told)
		}
	}
}
