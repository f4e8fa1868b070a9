package assets_test

import (
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"tcap.cloud/internal/door/portal/assets"
)

// vendored pins the files that come from the npm package htmx.org 4.0.1. A new
// version is a deliberate act: read its changes, then change the sums here.
var vendored = map[string]string{
	"htmx.min.js":   "Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn",
	"hx-csp.min.js": "l1UlMMjlxqJ9heYFHycJZCe5JK5ercIbf4mufiyK4B5B/8Hk3xk05wPOiWNv2OUX",
	"hx-sse.min.js": "v8HvucQ+ohQhMg0arboXc5049yNR46QKMjphs7YDch+Wm7zpfK5XVS01f26mQDJV",
}

func TestTheVendoredScriptsAreTheOnesThatWereRead(t *testing.T) {
	t.Parallel()
	for name, want := range vendored {
		body, err := os.ReadFile("static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum384(body)
		if got := base64.StdEncoding.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: sha384-%s, want sha384-%s", name, got, want)
		}
	}
}

func get(t *testing.T, method, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	assets.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w.Result()
}

func TestAFileIsServedUnderItsHashForEver(t *testing.T) {
	t.Parallel()
	types := map[string]string{"app.css": "text/css", "app.js": "text/javascript", "htmx.min.js": "text/javascript", "icon.svg": "image/svg+xml"}
	for name, want := range types {
		res := get(t, http.MethodGet, assets.URL(name))
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s answered %d", name, res.StatusCode)
		}
		if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
		if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s has Cache-Control %q", name, got)
		}
		if res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", name)
		}
	}
}

func TestAnythingElseIsRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/static/", "/static/app.css", "/static/0000000000000000/app.css", assets.URL("nothing.css"),
		assets.Prefix + "../assets.go", assets.URL("app.css") + "/",
	} {
		if res := get(t, http.MethodGet, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s answered %d, want 404", path, res.StatusCode)
		}
	}
	if res := get(t, http.MethodPost, assets.URL("app.css")); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST answered %d, want 405", res.StatusCode)
	}
}

// TestTheOwnFilesKeepTheContentSecurityPolicy finds what script-src 'self' and
// style-src 'self' would refuse at run time, and addresses outside our origin.
func TestTheOwnFilesKeepTheContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	forbidden := map[string]*regexp.Regexp{
		"app.js":  regexp.MustCompile(`\beval\(|new Function|innerHTML|\.style\b|setAttribute\("(style|on)|https?://`),
		"app.css": regexp.MustCompile(`@import|url\(["']?(https?:)?//|expression\(`),
	}
	for name, re := range forbidden {
		body, err := os.ReadFile("static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if found := re.Find(body); found != nil {
			t.Errorf("%s holds %q", name, found)
		}
	}
}
