package entra

import (
	"encoding/json"
	"net/http"

	"tcap.cloud/m365sim/internal/world"
)

// service is the login service over one world.
type service struct {
	w     *world.World
	pages *pages
}

// New returns the login service of the world. Paths are without the /login prefix; the pages' style sheet and script are
// served with and without it, because their address is the same on Microsoft's hosts and on ours.
func New(w *world.World) http.Handler {
	s := &service{w: w, pages: newPages()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.metadata)
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", s.keys)
	mux.HandleFunc("GET /common/discovery/instance", s.instances)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", s.authorize)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/authorize", s.authorize)
	mux.HandleFunc("GET /{tenant}/v2.0/adminconsent", s.adminConsentV2)
	mux.HandleFunc("POST /{tenant}/v2.0/adminconsent", s.adminConsentV2)
	mux.HandleFunc("GET /{tenant}/adminconsent", s.adminConsentV1)
	mux.HandleFunc("POST /{tenant}/adminconsent", s.adminConsentV1)
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", s.token)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/logout", s.logout)
	mux.HandleFunc("GET /error", s.errorCode)
	for _, prefix := range []string{"", "/login"} {
		mux.HandleFunc("GET "+prefix+"/_static/post.js", s.pages.script)
		mux.HandleFunc("GET "+prefix+"/_static/page.css", s.pages.style)
	}
	mux.HandleFunc("/", notModelled)
	return mux
}

// notModelled fails loudly: a client that needs the route must not mistake its absence for an answer of Microsoft's.
func notModelled(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusNotImplemented)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{
		"code": "NotModelled", "message": "The simulated login service has no route " + r.Method + " " + r.URL.Path,
	}})
}

// base is the address of the login service as the caller sees it, without a trailing slash.
func base(r *http.Request) string {
	if b := world.CallFrom(r.Context()).Issuer; b != "" {
		return b
	}
	return "https://" + r.Host
}
