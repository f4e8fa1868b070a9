package control

import (
	"encoding/json"
	"net/url"
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/m365sim/internal/world"
)

func TestAGlobMatchesWholePathsWhateverTheCase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		glob, path string
		want       bool
	}{
		{"", "/anything", true},
		{"*", "/anything", true},
		{"/v1.0/users", "/v1.0/users", true},
		{"/v1.0/users", "/v1.0/users/1", false},
		{"/v1.0/Users*", "/v1.0/users/1/assignLicense", true},
		{"*/token", "/t/oauth2/v2.0/token", true},
		{"/v1.0/users/?", "/v1.0/users/1", true},
		{"/v1.0/users/?", "/v1.0/users/12", false},
		{"*a*b", "/xaxxbxb", true},
		{"*a*b", "/xaxxbxc", false},
	} {
		if got := Matches(world.Match{Path: c.glob}, "GET", "/graph"+c.path+"#", c.path); got != c.want {
			t.Errorf("%q on %q: %v", c.glob, c.path, got)
		}
	}
	if Matches(world.Match{Method: "POST"}, "GET", "/") || !Matches(world.Match{Method: "get"}, "GET", "/") {
		t.Error("the method")
	}
}

// Without slashes and classes our globs are those of package path.
func TestGlobsAgreeWithPackagePath(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune("ab*?")), 0, 8, -1).Draw(rt, "pattern")
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab")), 0, 10, -1).Draw(rt, "text")
		want, err := path.Match(pattern, text)
		if err != nil || glob(pattern, text) != want {
			rt.Fatalf("%q on %q: want %v (%v)", pattern, text, want, err)
		}
	})
}

func TestFaultsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"kind":"explode"}`:                              "kind",
		`{}`:                                              "kind",
		`{"kind":"status"}`:                               "status",
		`{"kind":"status","status":99}`:                   "status",
		`{"kind":"delay"}`:                                "delayMs",
		`{"kind":"cut","phase":"during"}`:                 "phase",
		`{"kind":"cut","times":0}`:                        "times",
		`{"kind":"cut","probability":0}`:                  "probability",
		`{"kind":"cut","probability":1.1}`:                "probability",
		`{"kind":"lost-response","phase":"before"}`:       "phase",
		`{"kind":"truncate","phase":"before"}`:            "phase",
		`{"kind":"stale-read","phase":"after"}`:           "phase",
		`{"kind":"stale-read","match":{"method":"POST"}}`: "GET",
	} {
		var n newFault
		if err := json.Unmarshal([]byte(body), &n); err != nil {
			t.Fatal(err)
		}
		if _, err := n.fault(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

func TestFaultsHaveTheContractsDefaults(t *testing.T) {
	t.Parallel()
	f, err := newFault{Kind: KindHold}.fault()
	if err != nil || f.Phase != Before || f.Times != 0 || f.Probability != 1 {
		t.Errorf("%+v %v", f, err)
	}
	if f, err = (newFault{Kind: KindLostResponse}).fault(); err != nil || f.Phase != After {
		t.Errorf("%+v %v", f, err)
	}
}

func TestAFormIsReadAsABrowserDoes(t *testing.T) {
	t.Parallel()
	at, _ := url.Parse("https://login.example/t/authorize?client_id=1")
	p, err := parsePage(strings.NewReader(`<main data-code="50126"><script>no()</script><p id=error-text>Wrong <b>password</b></p>
		<form method=POST action="?"><input type=hidden name=flow value="a&amp;b"><input name=upn value=x><button name=decision value=accept>ok</button></form></main>`), at)
	if err != nil {
		t.Fatal(err)
	}
	f := p.form
	if p.code() != "AADSTS50126" || p.text() != "Wrong password" || f.method != "POST" || f.action != "https://login.example/t/authorize" {
		t.Errorf("%+v %+v", p, f)
	}
	if h := f.hidden(); len(h) != 1 || h["flow"] != "a&b" || !f.has("upn") || !f.offers("decision", "accept") || f.offers("decision", "cancel") {
		t.Errorf("%+v", f)
	}
}

func FuzzParsePage(f *testing.F) {
	f.Add(`<form action="/x"><input name=a></form>`)
	at, _ := url.Parse("https://login.example/")
	f.Fuzz(func(_ *testing.T, text string) {
		if p, err := parsePage(strings.NewReader(text), at); err == nil {
			_ = p.text() + p.code()
		}
	})
}
