package arch

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// literal is a string in the source; neighbours joined by + are one.
type literal struct {
	pos  token.Pos
	text string
}

func literals(f *File) []literal {
	var out []literal
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.Field: // an import's path; a struct's tag
			if field, ok := n.(*ast.Field); ok && field.Tag == nil {
				return true
			}
			return false
		case *ast.BasicLit, *ast.BinaryExpr:
			if text, ok := joined(n.(ast.Expr)); ok {
				out = append(out, literal{n.Pos(), text})
				return false
			}
		}
		return true
	})
	return out
}

// joined answers the text of a literal, or of literals and other strings added up; what is not a literal is "{?}".
func joined(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, err := strconv.Unquote(e.Value)
			return s, err == nil
		}
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		left, okLeft := joined(e.X)
		right, okRight := joined(e.Y)
		if !okLeft && !okRight {
			return "", false
		}
		if !okLeft {
			left = unknown
		}
		if !okRight {
			right = unknown
		}
		return left + right, true
	case *ast.ParenExpr:
		return joined(e.X)
	}
	return "", false
}

const unknown = "{?}"

// A write names its table. Upper case anywhere, or a text that begins like a statement: prose such as "delete from the
// list" is neither. A name may be quoted; a name that is put in at run time is %s or {?}.
const table = `"?([A-Za-z_][A-Za-z0-9_]*|%\w|\{\?\})"?`

var (
	writes = []*regexp.Regexp{
		regexp.MustCompile(`\b(?:INSERT(?:\s+OR\s+\w+)?|MERGE|REPLACE)\s+INTO\s+` + table),
		regexp.MustCompile(`\bUPDATE\s+(?:ONLY\s+)?` + table + `(?:\s+(?:AS\s+)?[A-Za-z_]\w*)?\s+SET\b`),
		regexp.MustCompile(`\bDELETE\s+FROM\s+(?:ONLY\s+)?` + table),
		regexp.MustCompile(`\bTRUNCATE\s+(?:TABLE\s+)?` + table),
	}
	statement = regexp.MustCompile(`(?i)^\s*(select|insert|update|delete|with|merge)\s`)
	keywords  = regexp.MustCompile(`(?i)\b(insert|or|into|merge|replace|update|only|set|delete|from|truncate|table|as)\b`)
)

// written answers the tables that a text writes to, in lower case; "" for a name not known before run time.
func written(text string) []string {
	if statement.MatchString(text) {
		text = keywords.ReplaceAllStringFunc(text, strings.ToUpper)
	}
	var out []string
	for _, w := range writes {
		for _, m := range w.FindAllStringSubmatch(text, -1) {
			name := strings.ToLower(m[1])
			if name[0] == '%' || name == unknown {
				name = ""
			}
			if name != "set" && !slices.Contains(out, name) { // ON CONFLICT … DO UPDATE SET a = …
				out = append(out, name)
			}
		}
	}
	return out
}

// tables learns who owns a table from the code: who writes to it. Two packages that do are reported, each at its first
// place. A table named at run time hides its owner, which only base/db may do (backup and restore copy every table).
func tables(t *Tree) []Violation {
	type place struct {
		f   *File
		pos token.Pos
	}
	owners := map[string]map[string]place{}
	var out []Violation
	for _, f := range t.Files {
		if !f.product() {
			continue
		}
		for _, l := range literals(f) {
			for _, name := range written(l.text) {
				if name == "" {
					if !f.in("internal/base/db") {
						out = append(out, f.at("tables", l.pos, "writes to a table that is named at run time: its owner cannot be checked"))
					}
					continue
				}
				if owners[name] == nil {
					owners[name] = map[string]place{}
				}
				if _, seen := owners[name][f.Dir]; !seen {
					owners[name][f.Dir] = place{f, l.pos}
				}
			}
		}
	}
	for name, by := range owners {
		if len(by) < 2 {
			continue
		}
		var dirs []string
		for dir := range by {
			dirs = append(dirs, dir)
		}
		slices.Sort(dirs)
		for _, p := range by {
			out = append(out, p.f.at("tables", p.pos, "table %s is written by %s", name, strings.Join(dirs, " and ")))
		}
	}
	sortViolations(out)
	return out
}

// What only one of the two databases understands (facts of both manuals; the list grows with what was met).
var (
	dialectAlways = regexp.MustCompile(`\bSKIP LOCKED\b|\bFOR (?:NO KEY )?UPDATE\b|\bjson_(?:extract|each|tree|array_length)\(|\bjsonb_\w+\(|\bILIKE\b|\bAUTOINCREMENT\b` +
		`|\bpg_(?:try_)?advisory|\bpg_(?:stat|class|database|current|snapshot)|\bPRAGMA\b|\bVACUUM INTO\b|\bINSERT OR (?:IGNORE|REPLACE)\b|\bsqlite_master\b` +
		`|\binformation_schema\b|\bMERGE INTO\b|\bCOPY \w+ FROM STDIN\b|\bUSING fts5\b|\bgin_trgm_ops\b|\bBIGSERIAL\b|\bTIMESTAMPTZ\b`)
	dialectInSQL = regexp.MustCompile(`(?i)\bnow\(\)|\bcurrent_timestamp\b|\bANY\s?\(\$|\w::(?:text|jsonb?|bigint|int|uuid|bytea|boolean)\b|@>|\bstrftime\(|\bdatetime\('now|\bto_timestamp\(|\bARRAY\[|\bDISTINCT ON\b|\bLIMIT ALL\b|\browid\b|\bGLOB '`)
	looksSQL     = regexp.MustCompile(`\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE|WHERE|RETURNING|ORDER BY|VALUES)\b`)
)

func dialect(t *Tree) []Violation {
	var out []Violation
	for _, f := range t.Files {
		if !f.product() || f.Dir == "internal/base/db" && strings.HasPrefix(path.Base(f.Path), "dialect_") {
			continue
		}
		for _, l := range literals(f) {
			found := dialectAlways.FindString(l.text)
			if found == "" && (looksSQL.MatchString(l.text) || statement.MatchString(l.text)) {
				found = dialectInSQL.FindString(l.text)
			}
			if found != "" {
				out = append(out, f.at("dialect", l.pos, "%q works on one database only: it belongs into internal/base/db/dialect_*.go", found))
			}
		}
	}
	return out
}

var query = regexp.MustCompile(`(?s)^\s*(SELECT\s.+\sFROM\s|INSERT INTO\s|UPDATE\s+\S+\s+SET\s|DELETE FROM\s|CREATE TABLE\s)`)

// doorSQL: the portal and the API ask services. (door/web keeps browser sessions, in its own tables.)
func doorSQL(t *Tree) []Violation {
	var out []Violation
	for _, f := range t.Files {
		if f.Test || !f.in("internal/door/portal", "internal/door/api") {
			continue
		}
		for _, l := range literals(f) {
			if query.MatchString(l.text) {
				out = append(out, f.at("doorsql", l.pos, "SQL in a door: ask a service of the domain"))
			}
		}
	}
	return out
}

func sortViolations(v []Violation) {
	slices.SortFunc(v, func(a, b Violation) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
}
