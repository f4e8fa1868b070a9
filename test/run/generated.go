package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// generated generates everything again, in place, and fails on any file that is other than before. On a clean clone that is
// what `git diff` would say; in a tree with work in progress it complains of stale files only.
func generated(ctx context.Context, h *house, into *tally) error {
	before, err := h.digests(ctx)
	if err != nil {
		return err
	}
	if out, err := h.command(ctx, nil, "make", "-s", "generate"); err != nil {
		return fmt.Errorf("make generate: %w\n%s", err, out)
	}
	after, err := h.digests(ctx)
	if err != nil {
		return err
	}
	if stale := differing(before, after); len(stale) > 0 {
		into.fail("", "fresh", "stale; now generated anew, commit them:\n"+strings.Join(stale, "\n")+"\n")
	} else {
		into.pass("", "fresh")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		into.skip("", "stylesheet", "no npm on this machine: web/ was not built")
	}
	return nil
}

func (h *house) digests(ctx context.Context) (map[string][32]byte, error) {
	files, err := h.files(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][32]byte{}
	for _, f := range files {
		if b, err := os.ReadFile(filepath.Join(h.root, f)); err == nil {
			out[f] = sha256.Sum256(b)
		}
	}
	return out, nil
}

func differing(before, after map[string][32]byte) []string {
	both := map[string]bool{}
	for _, m := range []map[string][32]byte{before, after} {
		for f := range m {
			both[f] = true
		}
	}
	maps.DeleteFunc(both, func(f string, _ bool) bool {
		a, inA := before[f]
		b, inB := after[f]
		return inA == inB && a == b
	})
	return slices.Sorted(maps.Keys(both))
}
