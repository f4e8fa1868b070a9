package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// shownLines bounds what one failing test may print: its beginning and its end say most.
const shownLines = 150

type outcome int

const (
	passed outcome = iota + 1
	failed
	skipped
)

// key names one test: a Go package and a test in it, or a check of ours with no package.
type key struct{ pkg, test string }

func (k key) String() string {
	return strings.TrimPrefix(strings.TrimPrefix(k.pkg, module+"/")+" "+k.test, " ")
}

// tally is what one part has found.
type tally struct {
	part    string
	took    time.Duration
	tests   map[key]outcome
	ran     map[key]bool     // passed or failed, tests with subtests too
	reasons map[key]string   // why it was skipped
	output  map[key][]string // what a failed one said
	slow    map[string]time.Duration
}

func newTally(part string) *tally {
	return &tally{part: part, tests: map[key]outcome{}, ran: map[key]bool{}, reasons: map[key]string{}, output: map[key][]string{}, slow: map[string]time.Duration{}}
}

func (t *tally) pass(pkg, test string) {
	t.tests[key{pkg, test}] = passed
	t.ran[key{pkg, test}] = true
}

func (t *tally) fail(pkg, test, output string) {
	k := key{pkg, test}
	t.tests[k] = failed
	t.ran[k] = true
	t.output[k] = strings.SplitAfter(output, "\n")
}

func (t *tally) skip(pkg, test, reason string) {
	k := key{pkg, test}
	t.tests[k] = skipped
	t.reasons[k] = reason
}

// count answers how many tests ended so.
func (t *tally) count(o outcome) int {
	n := 0
	for _, got := range t.tests {
		if got == o {
			n++
		}
	}
	return n
}

func (t *tally) names(o outcome) []key {
	var out []key
	for k, got := range t.tests {
		if got == o {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b key) int { return strings.Compare(a.String(), b.String()) })
	return out
}

func (t *tally) writeFailures(w io.Writer) {
	for _, k := range t.names(failed) {
		fmt.Fprintf(w, "--- FAILED %s\n", k)
		lines := t.output[k]
		if cut := len(lines) - shownLines; cut > 0 {
			lines = slices.Concat(lines[:shownLines/3], []string{fmt.Sprintf("    … %d lines left out …\n", cut)}, lines[len(lines)-shownLines*2/3:])
		}
		for _, l := range lines {
			if l != "" {
				fmt.Fprintln(w, "   ", strings.TrimRight(l, "\n"))
			}
		}
	}
}

// forgive takes back the skips of tests that passed in another part: they did run.
func forgive(all []*tally) {
	ran := map[key]bool{}
	for _, t := range all {
		maps.Copy(ran, t.ran)
	}
	for _, t := range all {
		maps.DeleteFunc(t.tests, func(k key, o outcome) bool { return o == skipped && ran[k] })
	}
}

// summarise prints the closing lines and reports whether the run is good. A test skipped in several parts counts once.
func summarise(w io.Writer, all []*tally, noSkip bool) bool {
	forgive(all)
	once := map[key]bool{}
	var sum struct{ passed, failed, skipped int }
	var total time.Duration
	var table strings.Builder
	for _, t := range all {
		for _, k := range t.names(skipped) {
			if once[k] {
				delete(t.tests, k)
				continue
			}
			once[k] = true
			fmt.Fprintf(w, "SKIPPED %s: %s\n", k, t.reasons[k])
		}
		p, f, s := t.count(passed), t.count(failed), t.count(skipped)
		sum.passed, sum.failed, sum.skipped = sum.passed+p, sum.failed+f, sum.skipped+s
		total += t.took
		fmt.Fprintf(&table, "%-10s %8s  %5d passed %4d failed %4d skipped%s\n", t.part, t.took.Round(100*time.Millisecond), p, f, s, t.slowest(3))
	}
	good := sum.failed == 0
	if noSkip && sum.skipped > 0 {
		good = false
		fmt.Fprintf(w, "FAILED: %d skipped, and this run allows none (CI=true or TCAP_NO_SKIP=1)\n", sum.skipped)
	}
	fmt.Fprintf(w, "\n%s%-10s %8s\n", table.String(), "total", total.Round(100*time.Millisecond))
	for _, t := range all {
		for _, k := range t.names(failed) {
			fmt.Fprintf(w, "FAILED %s: %s\n", t.part, k)
		}
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", sum.passed, sum.failed, sum.skipped)
	return good
}

// slowest names what took longest, where that was over five seconds.
func (t *tally) slowest(n int) string {
	names := slices.SortedFunc(maps.Keys(t.slow), func(a, b string) int { return int(t.slow[b] - t.slow[a]) })
	var out []string
	for _, name := range names[:min(n, len(names))] {
		if t.slow[name] >= 5*time.Second {
			out = append(out, fmt.Sprintf("%s %s", strings.TrimPrefix(name, module+"/"), t.slow[name].Round(time.Second)))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "  (" + strings.Join(out, ", ") + ")"
}
