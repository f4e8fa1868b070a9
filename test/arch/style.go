package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// binaryLines is how much may stand in cmd/tcap, tests apart: it hands over to internal/app.
const binaryLines = 150

// Names that say nothing about what is inside.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "model", "models", "misc", "shared", "lib"}

// panics allows what runs before anything is served: cmd, internal/app, and functions that say so by their name (MustX);
// and http.ErrAbortHandler, which is how net/http is told to drop a connection.
func panics(t *Tree) []Violation {
	var out []Violation
	for _, f := range t.Files {
		if f.Test || f.Generated || !f.in("internal", "m365sim") || f.in("internal/app") {
			continue
		}
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(strings.ToLower(fn.Name.Name), "must") {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "panic" && !dropsConnection(call) {
					out = append(out, f.at("panic", call.Pos(), "panics: return an error"))
				}
				return true
			})
		}
	}
	return out
}

func dropsConnection(call *ast.CallExpr) bool {
	if len(call.Args) != 1 {
		return false
	}
	s, ok := call.Args[0].(*ast.SelectorExpr)
	return ok && s.Sel.Name == "ErrAbortHandler"
}

func names(t *Tree) []Violation {
	var out []Violation
	seen := map[string]bool{}
	for _, f := range t.Files {
		name := strings.TrimSuffix(f.AST.Name.Name, "_test")
		if slices.Contains(emptyNames, name) && !seen[f.Dir] {
			seen[f.Dir] = true
			out = append(out, f.at("names", f.AST.Package, "a package named %s says nothing about what is inside", name))
		}
	}
	return out
}

func binary(t *Tree) []Violation {
	lines := 0
	var last *File
	for _, f := range t.Files {
		if f.Dir == "cmd/tcap" && !f.Test {
			lines, last = lines+f.Lines, f
		}
	}
	if lines < binaryLines {
		return nil
	}
	return []Violation{last.at("binary", last.AST.Package, "cmd/tcap has %d lines, under %d are allowed: the rest belongs into internal/app", lines, binaryLines)}
}

// forbidden is what must not stand in any text of the tree: where and by what it was made, and where its packages were
// fetched from. The brackets keep the expressions from finding themselves.
var forbidden = regexp.MustCompile(strings.Join([]string{
	`(?i)(?:^|[^\w.])/wor[k]/(?:main|shared|\.library)\b`,
	`/roo[t]/(?:go|\.)`,
	`/tm[p]/(?:brief|bash_jobs)`,
	`\bproxy\.golan[g]\.org\b`,
	`\bregistry\.npmj[s]\.org\b`,
	`\b(?:deb|security)\.debia[n]\.org\b`,
	`\bsub-?agen[t]s?\b`,
	`\blanguage[ -]mode[l]s?\b`,
	`\bL[L]Ms?\b`,
	`\b(?:previous|earlier|last|next) (?:coding |work )?sessio[n]s?'?s? (?:wrote|built|left|did|made|should|will|must)\b`,
	`\bprevious sessio[n]\b`,
	`\bcoding (?:agen[t]|assistan[t])`,
	`\bclaud[e]\b|\banthropi[c]\b|\bopena[i]\b|\bchatgp[t]\b|\bAI[- ]generate[d]\b`,
}, "|"))

// words reads every text file that git tracks or would track; outside a repository, every file.
func words(t *Tree) []Violation {
	var out []Violation
	for _, name := range tracked(t.Root) {
		text, err := os.ReadFile(filepath.Join(t.Root, name))
		if err != nil || bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 || !utf8.Valid(text) {
			continue // deleted, or not a text
		}
		if !forbidden.Match(text) {
			continue
		}
		for i, line := range strings.Split(string(text), "\n") {
			if m := forbidden.FindString(line); m != "" {
				out = append(out, Violation{Rule: "words", File: name, Line: i + 1, Text: fmt.Sprintf("%q does not belong into the tree", strings.TrimSpace(m))})
			}
		}
	}
	return out
}

func tracked(root string) []string {
	cmd := exec.Command("git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z")
	if list, err := cmd.Output(); err == nil && len(list) > 0 {
		return strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 })
	}
	var out []string
	_ = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if rel, err := filepath.Rel(root, p); err == nil && !d.IsDir() {
			out = append(out, filepath.ToSlash(rel))
		}
		return nil
	})
	return out
}
