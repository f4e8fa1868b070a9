// Package config lets a setting be a flag, an environment variable or a key of a YAML file, in that order of precedence; a
// key that no flag has is an error, for a misspelt setting must not be silently ignored.
package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// EnvPrefix begins every environment variable: --database-url is TCAP_DATABASE_URL.
const EnvPrefix = "TCAP"

// File is a YAML file of settings.
type File struct {
	path   string
	values map[string]any
}

// Load reads a file; its keys are the names of flags.
func Load(path string) (*File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	f := &File{path: path}
	if err := yaml.Unmarshal(raw, &f.values); err != nil {
		return nil, fmt.Errorf("reading settings from %s: %w", path, err)
	}
	return f, nil
}

// Validate refuses keys that no command has.
func (f *File) Validate(app *kong.Application) error {
	known := map[string]bool{}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		for _, flag := range n.Flags {
			known[flag.Name] = true
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(app.Node)
	var unknown []string
	for key := range f.values {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("%s: unknown settings: %s", f.path, strings.Join(unknown, ", "))
	}
	return nil
}

// Resolve answers a flag's value from the file, unless the environment has it.
func (f *File) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	v, ok := f.values[flag.Name]
	if !ok {
		return nil, nil
	}
	if list, isList := v.([]any); isList {
		words := make([]string, len(list))
		for i, w := range list {
			words[i] = fmt.Sprint(w)
		}
		return strings.Join(words, ","), nil
	}
	return fmt.Sprint(v), nil
}

// Path finds the file named by --config or TCAP_CONFIG before the rest is parsed.
func Path(args []string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv(EnvPrefix + "_CONFIG")
}
