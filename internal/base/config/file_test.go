package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"tcap.cloud/internal/base/config"
)

type settings struct {
	Config      string
	DatabaseURL string `name:"database-url" default:"sqlite:tcap.db"`
	Roles       []string
}

func parse(t *testing.T, file string, args ...string) (settings, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tcap.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var s settings
	p, err := kong.New(&s, kong.DefaultEnvars(config.EnvPrefix), kong.Resolvers(f))
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Parse(args)
	return s, err
}

func TestPrecedenceIsFlagThenEnvironmentThenFileThenDefault(t *testing.T) {
	if s, err := parse(t, "{}"); err != nil || s.DatabaseURL != "sqlite:tcap.db" {
		t.Fatalf("default: %q, %v", s.DatabaseURL, err)
	}
	if s, err := parse(t, "database-url: sqlite:file.db\nroles: [web, worker]"); err != nil || s.DatabaseURL != "sqlite:file.db" || len(s.Roles) != 2 {
		t.Fatalf("file: %+v, %v", s, err)
	}
	t.Setenv("TCAP_DATABASE_URL", "sqlite:env.db")
	if s, err := parse(t, "database-url: sqlite:file.db"); err != nil || s.DatabaseURL != "sqlite:env.db" {
		t.Fatalf("environment: %q, %v", s.DatabaseURL, err)
	}
	if s, err := parse(t, "database-url: sqlite:file.db", "--database-url", "sqlite:flag.db"); err != nil || s.DatabaseURL != "sqlite:flag.db" {
		t.Fatalf("flag: %q, %v", s.DatabaseURL, err)
	}
}

func TestAnUnknownKeyIsRefusedByName(t *testing.T) {
	_, err := parse(t, "databse-url: sqlite:file.db")
	if err == nil || !strings.Contains(err.Error(), "databse-url") {
		t.Fatalf("got %v", err)
	}
}
