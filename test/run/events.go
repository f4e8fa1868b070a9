package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// event is one line of `go test -json` (see `go doc test2json`).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of a build
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

// reader turns events into a tally. Only leaves are counted: a test with subtests is what its subtests are, unless it fails
// without one of them failing.
type reader struct {
	into   *tally
	output map[key][]string // of what still runs
	build  map[string][]string
	parent map[key]bool
	bad    map[key]bool // has a failing subtest
	broken map[string]bool
}

func readEvents(r io.Reader, into *tally) error {
	rd := &reader{into: into, output: map[key][]string{}, build: map[string][]string{}, parent: map[key]bool{}, bad: map[key]bool{}, broken: map[string]bool{}}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if strings.TrimSpace(line) != "" {
			rd.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the results: %w", err)
		}
	}
}

func (r *reader) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		return // a test that writes to standard output past the testing package
	}
	k := key{e.Package, e.Test}
	switch e.Action {
	case "run":
		if p, ok := parentOf(k); ok {
			r.parent[p] = true
		}
	case "output":
		if !noise(e.Output) {
			r.output[k] = append(r.output[k], e.Output)
		}
	case "build-output":
		r.build[e.ImportPath] = append(r.build[e.ImportPath], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(k, e.Action)
		}
	}
}

func (r *reader) endTest(k key, action string) {
	p, nested := parentOf(k)
	switch {
	case action == "fail":
		if nested {
			r.bad[p] = true
		}
		r.broken[k.pkg] = true
		// A parent whose subtest failed is the same failure, but may have said something of its own.
		if !r.bad[k] {
			r.into.fail(k.pkg, k.test, strings.Join(r.output[k], ""))
		}
	case action == "skip":
		r.into.skip(k.pkg, k.test, reason(r.output[k]))
	case r.parent[k]:
		r.into.ran[k] = true
	default:
		r.into.pass(k.pkg, k.test)
	}
	delete(r.output, k)
}

// endPackage notices what no test event tells: a package that does not build, a panic, os.Exit, a timeout. Tests that
// never ended are named.
func (r *reader) endPackage(e event) {
	r.into.slow[e.Package] = time.Duration(e.Elapsed * float64(time.Second))
	if e.Action != "fail" {
		return
	}
	if e.FailedBuild != "" {
		r.into.fail(e.Package, "(does not build)", strings.Join(r.build[e.FailedBuild], ""))
		return
	}
	unended := false
	for k, out := range r.output {
		if k.pkg == e.Package && k.test != "" && !r.parent[k] {
			r.into.fail(k.pkg, k.test, strings.Join(out, "")+"(did not end)\n")
			unended = true
		}
	}
	if !r.broken[e.Package] && !unended {
		r.into.fail(e.Package, "(package)", strings.Join(r.output[key{e.Package, ""}], ""))
	}
}

func parentOf(k key) (key, bool) {
	i := strings.LastIndexByte(k.test, '/')
	if i < 0 {
		return key{}, false
	}
	return key{k.pkg, k.test[:i]}, true
}

// noise is what the testing package writes about the course of a test.
func noise(line string) bool {
	l := strings.TrimSpace(line)
	for _, p := range []string{"=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "--- PASS", "--- FAIL", "--- SKIP"} {
		if strings.HasPrefix(l, p) {
			return true
		}
	}
	return false
}

// reason is what t.Skip was given, without the place in the source.
func reason(output []string) string {
	said := strings.TrimSpace(strings.Join(output, ""))
	if place, rest, ok := strings.Cut(said, ": "); ok && strings.Contains(place, ".go:") {
		said = rest
	}
	if said == "" {
		return "no reason given"
	}
	return strings.Join(strings.Fields(said), " ")
}
