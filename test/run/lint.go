package main

import (
	"bytes"
	"context"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"strings"
)

// lint runs what needs no test: each check counts as one.
func lint(ctx context.Context, h *house, into *tally) error {
	for _, c := range []struct {
		name string
		args []string
	}{
		{"build", []string{"build", "./..."}},
		{"vet", []string{"vet", "./..."}},
		{"staticcheck", []string{"tool", "staticcheck", "./..."}},
	} {
		if out, err := h.command(ctx, nil, "go", c.args...); err != nil {
			into.fail("", c.name, fmt.Sprintf("%s(%v)\n", out, err))
		} else {
			into.pass("", c.name)
		}
	}
	if err := h.gofmt(ctx, into); err != nil {
		return err
	}
	return h.goTest(ctx, into, nil, h.of("lint")...)
}

// gofmt compares each Go file with what gofmt would make of it; templ formats its own.
func (h *house) gofmt(ctx context.Context, into *tally) error {
	files, err := h.files(ctx)
	if err != nil {
		return err
	}
	var bad strings.Builder
	for _, f := range files {
		if !strings.HasSuffix(f, ".go") || strings.HasSuffix(f, "_templ.go") {
			continue
		}
		src, err := os.ReadFile(filepath.Join(h.root, f))
		if err != nil {
			continue // deleted, and not yet so in the index
		}
		if want, err := format.Source(src); err != nil {
			fmt.Fprintf(&bad, "%s: %v\n", f, err)
		} else if !bytes.Equal(src, want) {
			fmt.Fprintf(&bad, "%s: not as gofmt writes it\n", f)
		}
	}
	if bad.Len() > 0 {
		into.fail("", "gofmt", bad.String())
	} else {
		into.pass("", "gofmt")
	}
	return nil
}

// files lists the files of the tree, tracked or new, without what is ignored.
func (h *house) files(ctx context.Context) ([]string, error) {
	list, err := h.output(ctx, "git", "ls-files", "-co", "--exclude-standard", "-z")
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 }), nil
}
