package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// The floors of internal/, lowest first: each may import itself and what is below it.
var floorOrder = []string{"base", "remote", "engine", "domain", "door", "app"}

// The rooms of internal/domain in their order: each may import those before it.
var roomOrder = []string{"org", "capability", "trunk", "pairing", "directory", "number",
	"directrouting", "operatorconnect", "callflow", "billing", "admission", "servicecard"}

// Three ways to give a customer calling: they never import one another.
var siblings = []string{"directrouting", "operatorconnect", "callflow"}

// Read models: nobody imports them but the doors and the app, not even each other.
var readModels = []string{"billing", "admission", "servicecard"}

// The leaves of internal/base, and what each may import beside the standard library.
var leafLibraries = map[string][]string{
	"access": {Module + "/internal/base/fault"}, // a refusal is a fault with a code; fault itself imports nothing
	"fault":  nil,
	"e164":   {"github.com/nyaruka/phonenumbers"},
	"clock":  nil,
	"config": {"github.com/alecthomas/kong", "gopkg.in/yaml.v3"},
	"telemetry": {"github.com/prometheus/client_golang", "github.com/prometheus/client_model", "github.com/prometheus/common",
		"go.opentelemetry.io/otel", "go.opentelemetry.io/contrib"},
	"seal": {"golang.org/x/crypto", "github.com/Azure/azure-sdk-for-go/sdk"}, // an identity may live in a KMS
}

// part answers the nth element of a folder: part("internal/domain/org", 2) is "org".
func part(dir string, n int) string {
	parts := strings.Split(dir, "/")
	if n >= len(parts) {
		return ""
	}
	return parts[n]
}

// eachImport calls check for every import of our own packages, and collects the objections.
func eachImport(t *Tree, rule string, tests bool, check func(f *File, to string) string) []Violation {
	var out []Violation
	for _, f := range t.Files {
		if f.Test && !tests {
			continue
		}
		for _, i := range f.Imports {
			if i.Local == "" {
				continue
			}
			if text := check(f, i.Local); text != "" {
				out = append(out, Violation{Rule: rule, File: f.Path, Line: i.Line, Text: text})
			}
		}
	}
	return out
}

// floors holds for the tests of a package too, where they stand below internal/: a test that needs the whole house
// belongs to test/.
func floors(t *Tree) []Violation {
	out := eachImport(t, "floors", true, func(f *File, to string) string {
		if part(f.Dir, 0) != "internal" {
			return ""
		}
		if below(to, "cmd") {
			return "internal imports " + to
		}
		from, floor := slices.Index(floorOrder, part(f.Dir, 1)), slices.Index(floorOrder, part(to, 1))
		if part(to, 0) == "internal" && from >= 0 && floor > from {
			return fmt.Sprintf("%s imports upwards: %s", floorOrder[from], to)
		}
		return ""
	})
	for _, f := range t.Files {
		if f.in("internal") && !slices.Contains(floorOrder, part(f.Dir, 1)) {
			out = append(out, f.at("floors", f.AST.Package, "internal/%s is no floor of the house", part(f.Dir, 1)))
		}
	}
	return out
}

func rooms(t *Tree) []Violation {
	out := eachImport(t, "rooms", false, func(f *File, to string) string {
		from, target := "", part(to, 2)
		if f.in("internal/domain") {
			from = part(f.Dir, 2)
		}
		if !below(to, "internal/domain") || from == target {
			return ""
		}
		if slices.Contains(readModels, target) && !f.in("internal/door", "internal/app", "test", "bench", "cmd") {
			return fmt.Sprintf("%s is a read model: only the doors and the app may import it", target)
		}
		if from == "" {
			return ""
		}
		if slices.Contains(siblings, from) && slices.Contains(siblings, target) {
			return fmt.Sprintf("%s and %s never import one another", from, target)
		}
		if slices.Index(roomOrder, target) > slices.Index(roomOrder, from) {
			return fmt.Sprintf("%s imports %s, which stands after it", from, target)
		}
		return ""
	})
	for _, f := range t.Files {
		if f.in("internal/domain") && f.Dir != "internal/domain" && !slices.Contains(roomOrder, part(f.Dir, 2)) {
			out = append(out, f.at("rooms", f.AST.Package, "%s has no place in the order of the rooms", part(f.Dir, 2)))
		}
	}
	return out
}

func doors(t *Tree) []Violation {
	return eachImport(t, "doors", false, func(f *File, to string) string {
		door := part(to, 2)
		switch {
		case !below(to, "internal/door"), f.in("internal/door/" + door):
			return ""
		case door == "api" && !f.in("internal/app", "cmd", "test", "bench"):
			return "the API's wire types are its own: only the app may import " + to
		case door == "portal" && f.in("internal/door"):
			return "no door imports the portal"
		}
		return ""
	})
}

// simulator: tests may use it, and so may those who start it. A simulator that shared the client's types would share its
// mistakes.
func simulator(t *Tree) []Violation {
	return eachImport(t, "simulator", true, func(f *File, to string) string {
		switch {
		case f.in("m365sim") && below(to, "internal"):
			return "the simulator imports " + to
		case below(to, "m365sim") && f.in("internal") && !f.in("internal/app") && !f.Test:
			return "the product imports the simulator"
		}
		return ""
	})
}

func leaves(t *Tree) []Violation {
	var out []Violation
	for _, f := range t.Files {
		libraries, leaf := leafLibraries[part(f.Dir, 2)]
		if !f.in("internal/base") || !leaf || f.Test {
			continue
		}
		for _, i := range f.Imports {
			standard := !strings.Contains(strings.Split(i.Path, "/")[0], ".")
			own := i.Local != "" && below(i.Local, "internal/base/"+part(f.Dir, 2))
			if !standard && !own && !below(i.Path, libraries...) {
				out = append(out, Violation{Rule: "leaves", File: f.Path, Line: i.Line, Text: fmt.Sprintf("%s is a leaf and imports %s", part(f.Dir, 2), i.Path)})
			}
		}
	}
	return out
}

// writer looks at calls by name: a file that knows remote/tenant and calls .Writer() on anything has to be the engine's.
func writer(t *Tree) []Violation {
	var out []Violation
	for _, f := range t.Files {
		knows := slices.ContainsFunc(f.Imports, func(i Import) bool { return i.Local == "internal/remote/tenant" })
		if !knows || f.Test || f.in("internal/engine", "internal/remote") {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Writer" && !isPackage(f, s.X) {
				out = append(out, f.at("writer", s.Pos(), "takes a Writer: only internal/engine may write to a tenant"))
			}
			return true
		})
	}
	return out
}

// isPackage tells io.Writer (a type of a package) from session.Writer (a method).
func isPackage(f *File, x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	if !ok {
		return false
	}
	return slices.ContainsFunc(f.AST.Imports, func(s *ast.ImportSpec) bool {
		if s.Name != nil {
			return s.Name.Name == id.Name
		}
		p := strings.Trim(s.Path.Value, `"`)
		return p[strings.LastIndexByte(p, '/')+1:] == id.Name
	})
}
