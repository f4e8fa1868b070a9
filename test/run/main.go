// Command run runs every test of the house in order and says what it cost: `go run ./test/run`, or only some parts:
// `go run ./test/run lint unit`. `make test` and CI call it.
//
// Nothing is skipped silently. Each skipped test is listed with its reason, and with CI=true (or TCAP_NO_SKIP=1) it fails
// the run; a test that is skipped in one part and passes in another (the browser's, say) has not been skipped. The output
// of passing tests is not shown. The last line is `N passed, N failed, N skipped`, and the exit code 0 or 1.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// runLimit ends a run that hangs; what has not run by then has failed.
const runLimit = 35 * time.Minute

// part is one kind of test. Its function adds what it finds to the tally; it returns an error where it could not run.
type part struct {
	name, about string
	run         func(ctx context.Context, h *house, into *tally) error
}

func parts() []part {
	return []part{
		{"lint", "build, gofmt, vet, staticcheck, architecture", lint},
		{"generated", "what is generated is fresh", generated},
		{"unit", "every package, on SQLite", unit},
		{"postgres", "what keeps data, once more on PostgreSQL", postgres},
		{"browser", "the portal in Chromium", browser},
		{"e2e", "the real binary through its front doors, kill -9", endToEnd},
		{"fuzz", "each fuzz target for a moment", fuzz},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	chosen, err := choose(parts(), os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(2)
	}
	if !runAll(ctx, os.Stdout, chosen) {
		os.Exit(1)
	}
}

func choose(all []part, names []string) ([]part, error) {
	if len(names) == 0 {
		return all, nil
	}
	var out []part
	for _, p := range all {
		if slices.Contains(names, p.name) {
			out = append(out, p)
		}
	}
	if len(out) != len(names) {
		return nil, fmt.Errorf("a part is one of lint generated unit postgres browser e2e fuzz, not %q", names)
	}
	return out, nil
}

// runAll runs the parts and prints the summary. It reports whether the run is good.
func runAll(ctx context.Context, w io.Writer, chosen []part) bool {
	h, err := newHouse(ctx)
	if err != nil {
		fmt.Fprintln(w, "run:", err)
		fmt.Fprintln(w, "0 passed, 1 failed, 0 skipped")
		return false
	}
	var tallies []*tally
	for _, p := range chosen {
		fmt.Fprintf(w, "== %s: %s\n", p.name, p.about)
		t := newTally(p.name)
		began := time.Now()
		if err := p.run(ctx, h, t); err != nil {
			t.fail("", p.name, err.Error()+"\n")
		}
		t.took = time.Since(began)
		t.writeFailures(w)
		tallies = append(tallies, t)
	}
	if err := h.close(); err != nil {
		t := newTally("ending")
		t.fail("", "PostgreSQL", err.Error()+"\n")
		t.writeFailures(w)
		tallies = append(tallies, t)
	}
	return summarise(w, tallies, h.noSkip)
}
