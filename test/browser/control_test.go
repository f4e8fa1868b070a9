package browser

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// bad are pages with one fault each, and what must be said of it: a check that finds nothing proves nothing otherwise.
var bad = map[string]struct{ html, policy, said string }{
	"a field without a label": {html: `<input type="text" name="q">`, said: "axe: label "},
	"targets of ten pixels": {html: `<p><button style="width:10px;height:10px;padding:0;border:0;font-size:4px">a</button><button style="width:10px;height:10px;padding:0;border:0;font-size:4px">b</button></p>`,
		said: "axe: target-size "},
	"grey on grey":                  {html: `<p style="color:#aaa;background:#999">Hardly to be read</p>`, said: "axe: color-contrast "},
	"a picture that is not there":   {html: `<img src="/none.png" alt="">`, said: "/none.png answered 404"},
	"a warning on the console":      {html: `<script>console.warn("beware")</script>`, said: "console.warning: beware"},
	"a script that throws":          {html: `<script>null.length</script>`, said: "exception: "},
	"a style that the policy bans":  {html: `<p style="color:red">Red</p>`, policy: "default-src 'self'", said: "refused by the policy: style-src"},
	"something wider than the page": {html: `<div style="width:2000px">Wide</div>`, said: "sticks out: 2008 px in 1280"},
}

func TestABadPageIsReported(t *testing.T) {
	s := open(t)
	t.Parallel()
	v := s.visitor(t)
	for name, page := range bad {
		t.Run(name, func(t *testing.T) {
			b := v.tab(t)
			b.visit(serve(t, page.html, page.policy))
			found := b.faults(true)
			if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, page.said) }) {
				t.Errorf("it is not reported with %q, only: %q", page.said, found)
			}
		})
	}
	t.Run("and a good one is not", func(t *testing.T) {
		b := v.tab(t)
		b.visit(serve(t, `<p>Nothing is wrong here.</p>`, "default-src 'self'"))
		if found := b.faults(true); len(found) > 0 {
			t.Errorf("it is reported: %q", found)
		}
	})
}

func TestARouteThatNobodyCanFillIsReported(t *testing.T) {
	t.Parallel()
	w := world{wingtip: "1"}
	if path, err := w.fill("/customers/{id}/settings"); err != nil || path != "/customers/1/settings" {
		t.Errorf("a known one becomes %q: %v", path, err)
	}
	for _, pattern := range []string{"/gadgets/{id}", "/customers/{id}/gadgets/{gid}", "/services/{id}"} {
		if path, err := w.fill(pattern); err == nil {
			t.Errorf("%s becomes %q, although nothing is known of it", pattern, path)
		}
	}
}

// serve answers a page of its own.
func serve(t *testing.T, body, policy string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if r.URL.Path != "/page" {
			http.NotFound(w, r)
			return
		}
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><head><title>A page</title></head><body><main><h1>A page</h1>` + body + `</main></body></html>`))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/page"
}
