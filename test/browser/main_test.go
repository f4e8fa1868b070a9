// Package browser looks at the portal as people do: the real binary's demo, in Chromium.
//
// Every page that the router knows is opened in both themes and at three widths: axe-core finds nothing, the console is
// silent, the Content-Security-Policy refuses nothing, nothing fails to load and nothing sticks out. Walks do what a person
// does with keyboard and mouse. With TCAP_SCREENSHOTS=DIR a picture of each page is kept there.
//
// It runs with TCAP_BROWSER=1 (test/run sets it) where a Chromium is installed.
package browser

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

const (
	wanted      = "TCAP_BROWSER"     // anything but empty: look into the browser
	screenshots = "TCAP_SCREENSHOTS" // a folder to keep pictures in
)

// sideBySide is how many tabs are open at a time: they wait for the server about as long as they compute.
const sideBySide = 4

var shared struct {
	once  sync.Once
	stage *stage
	err   error
}

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(sideBySide)); err != nil {
		fmt.Println("setting how many tests run together:", err)
		os.Exit(1)
	}
	code := m.Run()
	if shared.stage != nil {
		shared.stage.close()
	}
	os.Exit(code)
}

// open answers the demo and the browser, started once for all tests.
func open(t *testing.T) *stage {
	t.Helper()
	if os.Getenv(wanted) == "" {
		t.Skipf("it opens a browser; %s=1 or `make test-browser` runs it", wanted)
	}
	chromium := installed()
	if chromium == "" {
		t.Skip("no Chromium on this machine (apt-get install chromium)")
	}
	shared.once.Do(func() { shared.stage, shared.err = newStage(context.Background(), chromium) })
	if shared.err != nil {
		t.Fatalf("setting the stage: %v", shared.err)
	}
	return shared.stage
}

func installed() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// eventually looks again and again until done; told says how it stood at last.
func eventually(ctx context.Context, limit time.Duration, look func() (done bool, told string, err error)) error {
	ticker := time.NewTicker(25 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(limit)
	for {
		done, told, err := look()
		if done || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return fmt.Errorf("not within %s; at last: %s", limit, told)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
