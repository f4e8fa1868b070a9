package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheHouseKeepsItsRules(t *testing.T) {
	t.Parallel()
	house := tree(t, filepath.Join("..", ".."))
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			wrong, allowed := Check(house, r)
			for _, v := range allowed {
				t.Log(v)
			}
			for _, v := range wrong {
				t.Error(v)
			}
			if t.Failed() {
				t.Logf("the rule: %s", r.About)
			}
		})
	}
}

// Each file in testdata is a small tree that breaks one rule, in parts headed `-- path --`, and `-- want --` with every
// violation that must be reported, as file:line and a part of its text. Nothing else may be.
func TestEachRuleReportsItsNegativeControl(t *testing.T) {
	t.Parallel()
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			root, want := unpack(t, r.Name)
			wrong, _ := Check(tree(t, root), r)
			slices.SortFunc(wrong, func(a, b Violation) int { return strings.Compare(a.String(), b.String()) })
			for _, w := range want {
				place, text, _ := strings.Cut(w, " ")
				i := slices.IndexFunc(wrong, func(v Violation) bool {
					return fmt.Sprintf("%s:%d", v.File, v.Line) == place && strings.Contains(v.Text, text)
				})
				if i < 0 {
					t.Errorf("not reported: %s", w)
					continue
				}
				wrong = slices.Delete(wrong, i, i+1)
			}
			for _, v := range wrong {
				t.Errorf("reported, though nothing is wrong: %s", v)
			}
			if len(want) == 0 {
				t.Error("the control breaks nothing")
			}
		})
	}
}

func TestAnExemptionNeedsItsRuleAndAReason(t *testing.T) {
	t.Parallel()
	root := write(t, map[string]string{"internal/base/x/x.go": `package x

func a() {
	panic("a") //arch:allow panic the process cannot go on without it
}

func b() {
	//arch:allow panic
	panic("b")
}

func c() {
	//arch:allow names of another rule
	panic("c")
}
`})
	rule := Rules()[slices.IndexFunc(Rules(), func(r Rule) bool { return r.Name == "panic" })]
	wrong, allowed := Check(tree(t, root), rule)
	if len(allowed) != 1 || allowed[0].Line != 4 {
		t.Errorf("allowed: %v, want line 4", allowed)
	}
	if len(wrong) != 2 || wrong[0].Line != 9 || wrong[1].Line != 14 {
		t.Errorf("wrong: %v, want lines 9 and 14", wrong)
	}
}

func TestAnEmptyOrHalfBuiltTreeBreaksNothing(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"empty":       {},
		"half-built":  {"internal/domain/org/org.go": "package org\n\nfunc half( {\n", "cmd/tcap/main.go": "package main\n"},
		"only spaces": {"internal/base/db/db.go": "  \n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			house := tree(t, write(t, files))
			for _, r := range Rules() {
				if wrong, _ := Check(house, r); len(wrong) > 0 {
					t.Errorf("%s: %v", r.Name, wrong)
				}
			}
		})
	}
}

func TestWrittenTables(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"INSERT INTO number (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1":  {"number"},
		"UPDATE number AS n SET a = 1 FROM customer c":                            {"number"},
		"\n\t\tupdate trunk set a = 1":                                            {"trunk"},
		"WITH gone AS (DELETE FROM a RETURNING id) INSERT INTO b SELECT * FROM c": {"b", "a"},
		`DELETE FROM "Number" WHERE id = $1`:                                      {"number"},
		"SELECT * FROM number FOR UPDATE":                                         nil,
		"delete from the list what is not wanted":                                 {"the"}, // begins like a statement: say it otherwise
		"we update customer data and set a flag":                                  nil,
		"UPDATE %s SET a = 1":                                                     {""},
	} {
		if got := written(text); !slices.Equal(got, want) {
			t.Errorf("%q writes %q, want %q", text, got, want)
		}
	}
}

func tree(t *testing.T, root string) *Tree {
	t.Helper()
	tree, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// unpack lays out testdata/<name>.txt in a temporary folder. «a|b» in it is written as ab, so that the control for
// forbidden words does not itself hold them.
func unpack(t *testing.T, name string) (root string, want []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatalf("the rule has no negative control: %v", err)
	}
	files, current := map[string]string{}, ""
	for line := range strings.Lines(strings.NewReplacer("«", "", "|", "", "»", "").Replace(string(text))) {
		if head, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(head, " --") {
			current = strings.TrimSuffix(head, " --")
			continue
		}
		if current == "want" {
			if w := strings.TrimSpace(line); w != "" {
				want = append(want, w)
			}
		} else if current != "" {
			files[current] += line
		}
	}
	return write(t, files), want
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		p := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
