// Package arch holds the rules of the house that a program can check: which package may import which, who writes a table,
// who may write to a tenant, and what must not stand in the tree at all. Its test runs them over the module; each rule has
// a negative control in testdata, a small tree that breaks it and must be reported.
//
// A rule that has to be broken is broken in the open: `//arch:allow <rule> <reason>` on the line or the line above it. The
// test logs every such exemption.
package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Module is the import path of the tree's root.
const Module = "tcap.cloud"

// Violation is one place where a rule is broken.
type Violation struct {
	Rule string // its short name, as in //arch:allow
	File string // relative to the root, slashes
	Line int
	Text string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", v.File, v.Line, v.Rule, v.Text)
}

// Tree is a module's Go files, parsed. A file that does not parse is there as far as it was understood: telling of syntax
// errors is the compiler's part, and a half-built tree must be checkable.
type Tree struct {
	Root  string
	Files []*File
}

// File is one Go file.
type File struct {
	Path      string // relative to the root, slashes
	Dir       string
	Test      bool // *_test.go
	Generated bool
	Lines     int
	AST       *ast.File
	Imports   []Import

	fset   *token.FileSet
	allows map[int]allow // by the line it stands on
}

// Import is one import of a file. Path is as written; Local is the folder in this module, or "".
type Import struct {
	Path, Local string
	Line        int
}

type allow struct {
	rule, reason string
}

var allowComment = regexp.MustCompile(`^//arch:allow\s+(\S+)\s*(.*)$`)

// Load reads every Go file below root, but not those in testdata, vendor, node_modules and hidden folders.
func Load(root string) (*Tree, error) {
	t := &Tree{Root: root}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != root && hidden(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := load(root, p)
		if err == nil {
			t.Files = append(t.Files, f)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the tree: %w", err)
	}
	return t, nil
}

func hidden(name string) bool {
	return name == "testdata" || name == "vendor" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// support is a package that tests stand on (dbtest, kindtest): like a test, it may reach where the product may not.
func support(rel string) bool {
	dir := path.Base(path.Dir(rel))
	return strings.HasPrefix(rel, "internal/") && strings.HasSuffix(dir, "test")
}

func load(root, p string) (*File, error) {
	src, err := os.ReadFile(p)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(root, p)
	if err != nil {
		return nil, err
	}
	rel = filepath.ToSlash(rel)
	f := &File{Path: rel, Dir: path.Dir(rel), Test: strings.HasSuffix(rel, "_test.go") || support(rel), Lines: strings.Count(string(src), "\n"),
		fset: token.NewFileSet(), allows: map[int]allow{}}
	// The error is dropped on purpose, see Tree. What was understood is there all the same.
	f.AST, _ = parser.ParseFile(f.fset, rel, src, parser.ParseComments|parser.SkipObjectResolution)
	if f.AST == nil {
		f.AST = &ast.File{Name: ast.NewIdent("unreadable")}
		return f, nil
	}
	f.Generated = ast.IsGenerated(f.AST)
	for _, spec := range f.AST.Imports {
		if to, err := strconv.Unquote(spec.Path.Value); err == nil {
			local := ""
			if to == Module || strings.HasPrefix(to, Module+"/") {
				local = strings.TrimPrefix(strings.TrimPrefix(to, Module), "/")
			}
			f.Imports = append(f.Imports, Import{Path: to, Local: local, Line: f.line(spec.Pos())})
		}
	}
	for _, group := range f.AST.Comments {
		for _, c := range group.List {
			if m := allowComment.FindStringSubmatch(c.Text); m != nil {
				f.allows[f.line(c.Pos())] = allow{rule: m[1], reason: strings.TrimSpace(m[2])}
			}
		}
	}
	return f, nil
}

func (f *File) line(pos token.Pos) int { return f.fset.Position(pos).Line }

// in reports whether the file lies at or below one of the folders.
func (f *File) in(folders ...string) bool { return below(f.Dir, folders...) }

func below(dir string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return dir == folder || strings.HasPrefix(dir, folder+"/") })
}

// product reports whether the file is part of what is shipped, apart from the simulator.
func (f *File) product() bool { return !f.Test && f.in("internal", "cmd") }

// at makes a violation.
func (f *File) at(rule string, pos token.Pos, format string, args ...any) Violation {
	return Violation{Rule: rule, File: f.Path, Line: f.line(pos), Text: fmt.Sprintf(format, args...)}
}

// Rule is one rule of the house.
type Rule struct {
	Name  string
	About string
	Check func(*Tree) []Violation
}

// Rules lists them all.
func Rules() []Rule {
	return []Rule{
		{"floors", "base < remote < engine < domain < door < app: imports point downwards only", floors},
		{"rooms", "a room of the domain imports those before it; siblings and read models are left alone", rooms},
		{"doors", "the two doors do not know each other, and nobody knows the API's wire types", doors},
		{"simulator", "the simulator and the product do not share code", simulator},
		{"leaves", "a leaf of base stands on the standard library and the one library it is about", leaves},
		{"writer", "only the engine takes a tenant session's Writer", writer},
		{"tables", "a table is written by one package", tables},
		{"dialect", "SQL that only one database understands stands in base/db/dialect_*.go", dialect},
		{"doorsql", "there is no SQL in a door", doorSQL},
		{"panic", "nothing panics after start-up", panics},
		{"names", "a package is named after what it is about", names},
		{"binary", "the binary's own folder stays small", binary},
		{"words", "nothing in the tree tells of the place where it was made", words},
	}
}

// Check runs a rule, takes out what is allowed with a reason, and answers both: what is wrong, and what was allowed. An
// exemption without a reason is itself wrong.
func Check(t *Tree, r Rule) (wrong, allowed []Violation) {
	byPath := map[string]*File{}
	for _, f := range t.Files {
		byPath[f.Path] = f
	}
	for _, v := range r.Check(t) {
		a, ok := byPath[v.File].allowed(v)
		switch {
		case !ok:
			wrong = append(wrong, v)
		case a.reason == "":
			v.Text += " (allowed without a reason)"
			wrong = append(wrong, v)
		default:
			v.Text += " (allowed: " + a.reason + ")"
			allowed = append(allowed, v)
		}
	}
	return wrong, allowed
}

func (f *File) allowed(v Violation) (allow, bool) {
	if f == nil {
		return allow{}, false
	}
	for _, line := range []int{v.Line, v.Line - 1} {
		if a, ok := f.allows[line]; ok && a.rule == v.Rule {
			return a, true
		}
	}
	return allow{}, false
}
