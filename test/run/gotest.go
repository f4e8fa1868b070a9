package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"tcap.cloud/test/pg"
)

// Folders below test/ and bench/ that have a part of their own, or none in this run.
var (
	ours    = []string{"test/run", "test/pg"}
	apart   = []string{"test/soak", "bench"} // make soak, make bench
	windows = "test/browser"
	rules   = "test/arch"
)

// where answers the part in which a package's tests run: unit, browser, e2e, lint, or "" for none.
func where(p pkg) string {
	in := func(folder string) bool { return p.within(folder) }
	switch {
	case !p.tested() || slices.ContainsFunc(apart, in):
		return ""
	case in(windows):
		return "browser"
	case in(rules):
		return "lint"
	case in("test") && !slices.ContainsFunc(ours, in):
		return "e2e"
	}
	return "unit"
}

func (h *house) of(part string) []string {
	var out []string
	for _, p := range h.packages {
		if where(p) == part {
			out = append(out, p.ImportPath)
		}
	}
	return out
}

// goTest runs `go test` on packages (and flags before them) and reads its events.
func (h *house) goTest(ctx context.Context, into *tally, env []string, packages ...string) error {
	if len(packages) == 0 {
		return nil
	}
	args := append([]string{"test", "-json", "-count=1", "-timeout=10m"}, packages...)
	cmd := h.prepare(ctx, env, "go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting go test: %w", err)
	}
	readErr := readEvents(out, into)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("given up: %w", context.Cause(ctx))
	case readErr != nil:
		return readErr
	case err != nil && into.count(failed) == 0:
		return fmt.Errorf("go test: %w\n%s", err, stderr.String())
	case len(into.tests) == 0:
		return errors.New("no test ran")
	}
	return nil
}

func unit(ctx context.Context, h *house, into *tally) error {
	return h.goTest(ctx, into, []string{pg.Env + "=" + pg.Off}, h.of("unit")...)
}

// postgres runs the packages whose tests reach a database, with one server for all of them, and without the subtests named
// sqlite (dbtest.Each), which unit has run.
func postgres(ctx context.Context, h *house, into *tally) error {
	packages, err := h.withDatabase(ctx)
	if err != nil || len(packages) == 0 {
		return err
	}
	env, err := h.database(ctx)
	if errors.Is(err, pg.ErrMissing) {
		into.skip("", "(the whole part)", err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	return h.goTest(ctx, into, []string{env}, append([]string{"-skip=/^sqlite$"}, packages...)...)
}

// withDatabase answers the unit-tested packages that test/pg is compiled into, or base/db's own helper for tests.
func (h *house) withDatabase(ctx context.Context) ([]string, error) {
	units := h.of("unit")
	if len(units) == 0 {
		return nil, nil
	}
	args := append([]string{"list", "-e", "-test", "-f", `{{.ImportPath}} {{join .Deps " "}}`}, units...)
	list, err := h.output(ctx, "go", args...)
	if err != nil {
		return nil, err
	}
	return reaching(string(list), module+"/internal/base/db/dbtest", module+"/test/pg"), nil
}

// reaching reads lines of `package deps…` and answers the packages whose test binary (package.test) has one of the deps.
func reaching(list string, deps ...string) []string {
	var out []string
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if len(fields) == 0 || !strings.HasSuffix(fields[0], ".test") {
			continue
		}
		uses := func(dep string) bool {
			// A dependency recompiled for a test is listed as "path [binary.test]".
			return slices.Contains(fields[1:], dep)
		}
		if slices.ContainsFunc(deps, uses) {
			out = append(out, strings.TrimSuffix(fields[0], ".test"))
		}
	}
	return out
}

func browser(ctx context.Context, h *house, into *tally) error {
	packages := h.of("browser")
	if len(packages) > 0 && !hasBrowser() {
		into.skip("", "(the whole part)", "no Chromium on this machine (apt-get install chromium)")
		return nil
	}
	return h.whole(ctx, into, packages)
}

func hasBrowser() bool {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

func endToEnd(ctx context.Context, h *house, into *tally) error {
	return h.whole(ctx, into, h.of("e2e"))
}

// whole runs tests of the whole house, with a browser and PostgreSQL at hand; without the latter they skip themselves.
func (h *house) whole(ctx context.Context, into *tally, packages []string) error {
	if len(packages) == 0 {
		return nil
	}
	env := []string{"TCAP_BROWSER=1"}
	if database, err := h.database(ctx); err == nil {
		env = append(env, database)
	} else if !errors.Is(err, pg.ErrMissing) {
		return err
	}
	return h.goTest(ctx, into, env, packages...)
}
