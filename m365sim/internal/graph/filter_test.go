package graph

import "testing"

func TestFiltersReadAsWritten(t *testing.T) {
	t.Parallel()
	o := func(name string) (any, bool) {
		v, ok := map[string]any{"name": "O'Neil", "on": true, "tags": []string{"a", "b"}, "none": nil}[name]
		return v, ok
	}
	for text, want := range map[string]bool{
		"":                                 true,
		"name eq 'O''Neil'":                true,
		"name eq 'o''neil' and on eq true": true,
		"name ne 'O''Neil' or on eq false": false,
		"not (on eq true)":                 false,
		"on eq false or on eq true and name eq 'x'":   false,
		"(on eq true or on eq false) and name ge 'O'": true,
		"startswith(name,'o')":                        true,
		"endswith(name, 'IL')":                        true,
		"tags/any(t:t eq 'b')":                        true,
		"tags/any(t:t eq 'c')":                        false,
		"name in ('x', 'O''Neil')":                    true,
		"none eq null":                                true,
		"name lt 'O' or name gt 'P'":                  false,
		"name le 'O''NEIL'":                           true,
	} {
		f, err := parseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f(o); got != want {
			t.Errorf("%s: have %t", text, got)
		}
	}
	for _, bad := range []string{"name", "name eq", "name eq 'x' and", "(name eq 'x'", "name like 'x'", "startswith(name 'x')", "tags/any(t:u eq 'x')", "name in 'x'", "name eq 'x' 'y'", "not"} {
		if _, err := parseFilter(bad); err == nil {
			t.Errorf("%s must not be read", bad)
		}
	}
}

func FuzzParseFilterNeverPanics(f *testing.F) {
	for _, seed := range []string{"a eq 'b'", "not(a in ('x','y'))", "a/any(x:x eq 'y') or startswith(a,'", "(((", "'''"} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		if read, err := parseFilter(text); err == nil {
			read(func(string) (any, bool) { return "v", true })
		}
	})
}
