package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"tcap.cloud/test/pg"
)

const module = "tcap.cloud"

// house is the tree under test, and how commands are run in it.
type house struct {
	root     string
	noSkip   bool
	packages []pkg
	postgres *pg.Server // started for the first part that wants it, stopped by close
}

// pkg is what is asked of `go list` about a package.
type pkg struct {
	ImportPath, Dir           string
	TestGoFiles, XTestGoFiles []string
}

func (p pkg) tested() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

// within reports whether the package lies at or below that folder of the tree.
func (p pkg) within(folder string) bool {
	return strings.HasPrefix(p.ImportPath+"/", module+"/"+folder+"/")
}

func newHouse(ctx context.Context) (*house, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("asking go for the module: %w", err)
	}
	h := &house{root: strings.TrimSuffix(strings.TrimSpace(string(mod)), "/go.mod"), noSkip: os.Getenv("CI") == "true" || os.Getenv("TCAP_NO_SKIP") == "1"}
	if out, err := h.command(ctx, nil, "sh", "test/install.sh"); err != nil {
		return nil, fmt.Errorf("installing what the tests need: %w\n%s", err, out)
	}
	// -e: a package that does not build is reported by the parts, with its name.
	list, err := h.output(ctx, "go", "list", "-e", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles", "./...")
	if err != nil {
		return nil, err
	}
	h.packages, err = decodePackages(list)
	return h, err
}

func decodePackages(list []byte) ([]pkg, error) {
	var out []pkg
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading the list of packages: %w", err)
		}
		out = append(out, p)
	}
}

// database answers the environment that points tests at this run's PostgreSQL, which it starts if need be. Without one
// the error is pg.ErrMissing.
func (h *house) database(ctx context.Context) (string, error) {
	if h.postgres == nil {
		server, err := pg.Launch(ctx)
		if err != nil {
			return "", err
		}
		h.postgres = server
	}
	return pg.Env + "=" + h.postgres.URL, nil
}

func (h *house) close() error {
	if h.postgres == nil {
		return nil
	}
	return h.postgres.Stop()
}

// command runs a program at the root and answers all that it printed.
func (h *house) command(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := h.prepare(ctx, env, name, args...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// output runs a program at the root and answers its standard output; what it printed else is in the error.
func (h *house) output(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := h.prepare(ctx, nil, name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, args[0], err, stderr.String())
	}
	return out, nil
}

// prepare makes a command that ends with all its children when the run is given up.
func (h *house) prepare(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = h.root
	cmd.Env = append(append(os.Environ(), "TCAP_TEST_RUN=1"), env...)
	cmd.WaitDelay = 10 * time.Second
	inOwnGroup(cmd)
	return cmd
}
