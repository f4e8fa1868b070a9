package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// fuzzTime names the variable that holds how long each target is run, as a Go duration.
const fuzzTime = "TCAP_FUZZ_TIME"

// fuzz runs each fuzz target for a moment: five seconds in CI, one elsewhere, or as TCAP_FUZZ_TIME says. A failing input is
// left in the package's testdata/fuzz by the Go tool, to be committed with the fix.
func fuzz(ctx context.Context, h *house, into *tally) error {
	length := time.Second
	if h.noSkip {
		length = 5 * time.Second
	}
	if s := os.Getenv(fuzzTime); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			return fmt.Errorf("reading %s: %w", fuzzTime, err)
		}
	}
	for _, p := range h.packages {
		for _, target := range fuzzTargets(p) {
			began := time.Now()
			out, err := h.command(ctx, nil, "go", "test", "-run=^$", "-fuzz=^"+target+"$", "-fuzztime="+length.String(), p.ImportPath)
			into.slow[p.ImportPath+" "+target] = time.Since(began)
			if ctx.Err() != nil {
				return fmt.Errorf("given up: %w", context.Cause(ctx))
			}
			if err != nil {
				into.fail(p.ImportPath, target, out)
			} else {
				into.pass(p.ImportPath, target)
			}
		}
	}
	return nil
}

// fuzzTargets answers the names of `func FuzzX(f *testing.F)` in the package's tests.
func fuzzTargets(p pkg) []string {
	var out []string
	for _, name := range append(p.TestGoFiles, p.XTestGoFiles...) {
		src, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			continue // unit says so
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Fuzz") && len(f.Type.Params.List) == 1 {
				out = append(out, f.Name.Name)
			}
		}
	}
	return out
}
