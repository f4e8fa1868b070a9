package frame

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/web"
)

// flashCookie carries one message of success over a redirect.
const flashCookie = "tcap-flash"

// Actor is who asks; on open pages the zero Actor where nobody is signed in.
func Actor(r *http.Request) access.Actor { return access.From(r.Context()) }

// Secure says whether the portal is served over TLS, by its public address.
func (f *Frame) Secure() bool { return strings.HasPrefix(f.PublicURL, "https:") }

// sessions are kept by cookies as the door's common manners have it.
func (f *Frame) sessions() web.Sessions {
	return web.Sessions{Store: f.Org, TLS: f.Secure(), TTL: SessionLife}
}

// Cookie answers a cookie with the portal's manners: this host, this path, Lax, not readable by scripts.
func (f *Frame) Cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second), HttpOnly: true, Secure: f.Secure(), SameSite: http.SameSiteLaxMode}
}

// withSession puts the actor of the session cookie into the request. A session that has ended is no session; a store that
// cannot be asked is an error.
func (f *Frame) withSession(r *http.Request) (*http.Request, error) {
	if f.sessions().Token(r) == "" {
		return r, nil
	}
	who, err := f.sessions().Actor(r)
	if fault.KindOf(err) == fault.Unauthenticated {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	return r.WithContext(access.With(r.Context(), who)), nil
}

// SignIn begins a session for an actor who has just been recognised, and leads to an address of this portal.
func (f *Frame) SignIn(w http.ResponseWriter, r *http.Request, who access.Actor, to string) error {
	if err := f.sessions().Begin(w, r, who); err != nil {
		return err
	}
	return Redirect(w, r, Local(to))
}

// SignOut ends the session of a request.
func (f *Frame) SignOut(w http.ResponseWriter, r *http.Request) error {
	if err := f.sessions().End(w, r); err != nil {
		return err
	}
	return Redirect(w, r, "/sign-in")
}

// toSignIn leads to the sign-in page and back again; a fragment tells htmx to do so, a form that was posted starts anew.
func (f *Frame) toSignIn(w http.ResponseWriter, r *http.Request) {
	to := "/sign-in"
	if r.Method == http.MethodGet && r.URL.Path != "/" && !IsFragment(r) {
		to += "?return_to=" + url.QueryEscape(r.URL.RequestURI())
	}
	if IsFragment(r) {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// IsFragment says whether htmx asks for a part of a page.
func IsFragment(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// Local answers an address of this portal, and / for any other: what comes from a form may lead nowhere else.
func Local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}

// Redirect answers 303, so that a reload posts nothing twice.
func Redirect(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// Done is Redirect with one short message of success, shown on the page it leads to.
func (f *Frame) Done(w http.ResponseWriter, r *http.Request, to, message string) error {
	http.SetCookie(w, f.Cookie(flashCookie, base64.RawURLEncoding.EncodeToString([]byte(message)), time.Minute))
	return Redirect(w, r, to)
}

// flash takes the message that Done left.
func (f *Frame) flash(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(flashCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(w, f.Cookie(flashCookie, "", -time.Second))
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(raw) > 300 {
		return ""
	}
	return string(raw)
}
