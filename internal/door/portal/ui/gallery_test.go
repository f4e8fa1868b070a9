package ui_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"tcap.cloud/internal/door/portal/assets"
	"tcap.cloud/internal/door/portal/ui"
)

// policy is the strictest policy that the portal is served with.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// gallery is the test server: the two gallery pages and the static files.
func gallery() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(assets.Prefix, assets.Handler())
	page := func(draw func(ui.Theme) templ.Component) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", policy)
			theme := ui.ParseTheme(r.URL.Query().Get("theme"))
			templ.Handler(draw(theme)).ServeHTTP(w, r)
		}
	}
	mux.Handle("GET /{$}", page(ui.Gallery))
	mux.Handle("GET /bare", page(ui.GalleryBare))
	mux.HandleFunc("GET /nonce", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", strings.Replace(policy, "script-src 'self'", "script-src 'self' 'nonce-bm9uY2U'", 1))
		r = r.WithContext(templ.WithNonce(r.Context(), "bm9uY2U"))
		templ.Handler(ui.Gallery(ui.ParseTheme(r.URL.Query().Get("theme")))).ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /search", func(w http.ResponseWriter, r *http.Request) {
		found := []ui.PaletteResult{{Icon: ui.IconBuilding, Text: "Wingtip Toys", Note: "Customer", Href: "/customers/wingtip"}}
		templ.Handler(ui.PaletteResults(found)).ServeHTTP(w, r)
	})
	return mux
}

// TestGalleryServer stays up for a person when TCAP_GALLERY names an address
// such as 127.0.0.1:8099; otherwise it checks that every address that the
// pages load answers.
func TestGalleryServer(t *testing.T) {
	if addr := os.Getenv("TCAP_GALLERY"); addr != "" {
		t.Logf("gallery on http://%s/ until interrupted", addr)
		server := &http.Server{Addr: addr, Handler: gallery()} //nolint:gosec // a person's own machine, no time limits wanted
		t.Fatal(server.ListenAndServe())
	}
	t.Parallel()
	server := httptest.NewServer(gallery())
	t.Cleanup(server.Close)
	for _, path := range []string{"/", "/bare?theme=dark"} {
		for _, address := range append(loaded(t, server.URL+path), path) {
			res, err := http.Get(server.URL + address)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s loads %s, which answers %d", path, address, res.StatusCode)
			}
		}
	}
}
