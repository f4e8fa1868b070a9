package web

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/fault"
)

// Callbacks are the two paths where Microsoft sends an administrator back: by a link, or by a form that Microsoft's own page
// posts across sites. They alone are exempt from the cross-origin check, and they believe nothing but a state of ours that
// is unused (S1.2: the second spelling stands in older guides).
func Callbacks() []string { return []string{"/api/v1/mstenantconsent", "/api/v1/msttenantconsent"} }

// SameOrigin refuses what a page of another origin makes a browser send (Fetch metadata, then Origin; net/http's
// CrossOriginProtection), except at the callbacks. trusted are further origins, scheme and host, that may post.
func SameOrigin(next http.Handler, refuse http.Handler, trusted ...string) (http.Handler, error) {
	p := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := p.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trusting the origin %q: %w", origin, err)
		}
	}
	for _, path := range Callbacks() {
		p.AddInsecureBypassPattern("POST " + path)
	}
	p.SetDenyHandler(refuse)
	return p.Handler(next), nil
}

// CrossOrigin is the refusal of SameOrigin as a problem, for doors without pages.
func CrossOrigin(w http.ResponseWriter, r *http.Request) {
	WriteProblem(w, Of(fault.New(fault.Forbidden, "cross-origin", "A page of another site may not send this.").
		WithRemedy("Open the portal itself and try again."), Correlation(r.Context())))
}

// Policy says what a page may do.
type Policy struct {
	// FormAction are further sources a form may lead to, for example https://login.microsoftonline.com: Chromium applies
	// form-action to where the answer to a form redirects, so the hosts that ask for consent must be named.
	FormAction []string
	// HTTPS is whether browsers shall come back by https only.
	HTTPS bool
}

// Pages sets the headers of a page and a fresh script nonce for it, which templ components find in their context
// (templ.GetNonce). No page is kept by a cache: the next person at the same browser may be another.
func (p Policy) Pages(next http.Handler) http.Handler {
	formAction := strings.Join(append([]string{"'self'"}, p.FormAction...), " ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := rand.Text()
		p.common(w.Header())
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self'; "+
			"img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action "+formAction+"; frame-ancestors 'none'; base-uri 'none'")
		next.ServeHTTP(w, r.WithContext(templ.WithNonce(r.Context(), nonce)))
	})
}

// Data sets the headers of what is no page: nothing of it may run, be framed or be kept.
func (p Policy) Data(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.common(w.Header())
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		next.ServeHTTP(w, r)
	})
}

func (p Policy) common(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	if p.HTTPS {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}
