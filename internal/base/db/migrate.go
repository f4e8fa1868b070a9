package db

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

var token = regexp.MustCompile(`\{\{(\w+)\}\}`)

// tokenFS serves the migration files with {{pk}} and its like replaced by what the dialect calls it.
type tokenFS struct {
	fs.FS
	tokens map[string]string
}

// ReadFile replaces the tokens; an unknown one is an error, not an empty text.
func (t tokenFS) ReadFile(name string) ([]byte, error) {
	raw, err := fs.ReadFile(t.FS, name)
	if err != nil {
		return nil, err
	}
	var unknown error
	out := token.ReplaceAllFunc(raw, func(m []byte) []byte {
		v, ok := t.tokens[string(m[2:len(m)-2])]
		if !ok {
			unknown = fmt.Errorf("%s: unknown token %s", name, m)
		}
		return []byte(v)
	})
	return out, unknown
}

type tokenFile struct {
	*bytes.Reader
	fs.File
}

func (f tokenFile) Read(p []byte) (int, error) { return f.Reader.Read(p) }

// Open serves the same replaced text to readers that open files.
func (t tokenFS) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return f, err
	}
	raw, err := t.ReadFile(name)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return tokenFile{bytes.NewReader(raw), f}, nil
}

func (d *DB) goose() (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	g := goose.DialectSQLite3
	if d.Name() == "postgres" {
		g = goose.DialectPostgres
	}
	p, err := goose.NewProvider(g, d.w, tokenFS{sub, d.dialect.tokens()})
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return p, nil
}

// Migrate brings the schema up to this program's version and runs after (the job library's own tables). Two processes
// may call it at once: on PostgreSQL an advisory lock makes one wait, SQLite has one writer.
func (d *DB) Migrate(ctx context.Context, after func(context.Context) error) error {
	release, err := d.dialect.migrationLock(ctx, d.w)
	if err != nil {
		return err
	}
	defer release()
	p, err := d.goose()
	if err != nil {
		return err
	}
	if err := d.up(ctx, p); err != nil {
		return fmt.Errorf("migrating the store: %w", err)
	}
	if after != nil {
		return after(ctx)
	}
	return nil
}

// up applies what is missing. On SQLite two processes may both begin: the loser finds the tables there, and that fewer are
// missing than before.
func (d *DB) up(ctx context.Context, p *goose.Provider) error {
	for try, before := 0, -1; ; try++ {
		_, err := p.Up(ctx)
		if err == nil || try == 50 || ctx.Err() != nil {
			return err
		}
		missing, asked := d.Pending(ctx)
		if asked != nil || (!d.dialect.retryable(err) && missing == before) {
			return errors.Join(err, asked)
		}
		before = missing
		time.Sleep(50 * time.Millisecond)
	}
}

// Pending says how many migrations this store lacks: serve refuses to start on an older schema.
func (d *DB) Pending(ctx context.Context) (int, error) {
	p, err := d.goose()
	if err != nil {
		return 0, err
	}
	st, err := p.Status(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	}
	n := 0
	for _, s := range st {
		if s.State == goose.StatePending {
			n++
		}
	}
	return n, nil
}
