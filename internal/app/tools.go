package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/base/seal"
)

// Version is the release; a build from a checkout carries its commit as well.
const Version = "0.1.0"

// Migrate brings a store's schema up to date.
func Migrate(ctx context.Context, url string) error {
	d, err := db.Open(ctx, url)
	if err != nil {
		return err
	}
	err = d.Migrate(ctx, func(ctx context.Context) error { return jobs.Migrate(ctx, d) })
	return errors.Join(err, d.Close())
}

// Pending says how many migrations a store lacks.
func Pending(ctx context.Context, url string) (int, error) {
	d, err := db.Open(ctx, url)
	if err != nil {
		return 0, err
	}
	n, err := d.Pending(ctx)
	return n, errors.Join(err, d.Close())
}

// NewIdentity writes a fresh sealing identity and answers its recipient; it never overwrites a file.
func NewIdentity(path string) (string, error) {
	id, err := seal.NewIdentity()
	if err != nil {
		return "", fmt.Errorf("making an identity: %w", err)
	}
	if err := seal.WriteIdentity(path, id); err != nil {
		return "", fmt.Errorf("writing the identity: %w", err)
	}
	return id.Recipients().String(), nil
}

// Recipients answers the public side of an identity.
func Recipients(path string) (string, error) {
	id, err := seal.LoadIdentity(path)
	if err != nil {
		return "", fmt.Errorf("reading the identity: %w", err)
	}
	return id.Recipients().String(), nil
}

// VerifyAudit walks the audit chains of a store.
func VerifyAudit(ctx context.Context, url string) (int64, []audit.Broken, error) {
	d, err := db.Open(ctx, url)
	if err != nil {
		return 0, nil, err
	}
	n, broken, err := audit.Verify(ctx, d.R)
	return n, broken, errors.Join(err, d.Close())
}

// build is what this program is.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

func thisBuild() build {
	b := build{Version: Version, Commit: "unknown", Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Commit = s.Value
			}
		}
	}
	return b
}

// PrintVersion prints version, commit and Go.
func PrintVersion(w io.Writer, asJSON bool) error {
	b := thisBuild()
	if asJSON {
		return json.NewEncoder(w).Encode(b)
	}
	_, err := fmt.Fprintf(w, "tcap %s (%s, %s)\n", b.Version, b.Commit, b.Go)
	return err
}
