// Package diff tells a change key by key: what is different, from what, to what, in words that need no JSON.
package diff

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tcap.cloud/internal/door/portal/frame"
)

// Line is one thing that is different. Before or After is empty where there was or is none.
type Line struct {
	Key    string
	Before string
	After  string
}

// maxText is how much of one value is shown, in characters.
const maxText = 200

// Lines compares two JSON values. Two objects are compared by their members, however deep; anything else as a whole. What is
// equal is left out. null is nothing, and so is what cannot be read.
func Lines(before, after json.RawMessage) []Line {
	was, is := flat(before), flat(after)
	var out []Line
	for _, key := range keys(was, is) {
		if was[key] != is[key] {
			out = append(out, Line{Words(key), was[key], is[key]})
		}
	}
	return out
}

// Detail reads an audit entry's detail: its before and after, and beside them what else it says.
func Detail(detail json.RawMessage) []Line {
	var d map[string]json.RawMessage
	if json.Unmarshal(detail, &d) != nil {
		return nil
	}
	lines := Lines(d["before"], d["after"])
	for _, key := range slices.Sorted(maps.Keys(d)) {
		if key == "before" || key == "after" || told(key) || hidden(key) {
			continue
		}
		said := flat(d[key])
		for _, inner := range slices.Sorted(maps.Keys(said)) {
			if said[inner] == "no" { // a mark that was not set
				continue
			}
			lines = append(lines, Line{Key: Words(join(key, inner)), After: said[inner]})
		}
	}
	return lines
}

// told are members that an entry's title and link tell already.
func told(key string) bool {
	switch key {
	case "title", "kind", "key", "action":
		return true
	}
	return false
}

// hidden are members that say nothing to people: an id of ours, a version that counts up with every change, and what stands
// beside the entry already (who, where).
func hidden(key string) bool {
	switch key {
	case "id", "version", "updatedAt", "createdAt", "createdBy", "hint", "partnerId", "customerId", "serviceId", "user":
		return true
	}
	return false
}

func keys(a, b map[string]string) []string {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// flat maps the path of each leaf to its text.
func flat(raw json.RawMessage) map[string]string {
	out := map[string]string{}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		walk(out, "", v)
	}
	return out
}

func walk(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if !hidden(k) {
				walk(out, join(path, k), inner)
			}
		}
	case []any:
		parts := make([]string, 0, len(v))
		for _, inner := range v {
			parts = append(parts, text(inner))
		}
		set(out, path, strings.Join(parts, ", "))
	default:
		set(out, path, text(v))
	}
}

func set(out map[string]string, path, value string) {
	if value != "" {
		out[path] = value
	}
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		return spoken(v)
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return short(string(raw))
	}
}

// spoken says a moment as people write it, and Microsoft's codes by the names it gives them on its pages.
func spoken(s string) string {
	switch s {
	case "DirectRouting", "direct-routing":
		return "Direct Routing"
	case "OperatorConnect", "operator-connect":
		return "Operator Connect"
	case "CallingPlan":
		return "Calling Plan"
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at.UTC().Format("2 Jan 2006, 15:04 UTC")
	}
	return short(frame.Spell(s))
}

func short(s string) string {
	if runes := []rune(s); len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return s
}

func join(path, key string) string {
	switch {
	case path == "":
		return key
	case key == "":
		return path
	default:
		return path + "." + key
	}
}

// Words turns a member's path into words: voicePolicy becomes Voice policy, brand.accent Brand, accent.
func Words(path string) string {
	if path == "scope.level" {
		return "Scope"
	}
	var b strings.Builder
	prev := ' '
	for i, r := range path {
		switch {
		case r == '.':
			b.WriteString(", ")
		case i == 0:
			b.WriteRune(unicode.ToUpper(r))
		case unicode.IsUpper(r) && !unicode.IsUpper(prev):
			b.WriteRune(' ')
			b.WriteRune(unicode.ToLower(r))
		case unicode.IsUpper(r):
			b.WriteRune(unicode.ToLower(r))
		case r == '-' || r == '_':
			b.WriteRune(' ')
		default:
			b.WriteRune(r)
		}
		prev = r
	}
	return b.String()
}
