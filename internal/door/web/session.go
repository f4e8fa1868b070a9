package web

import (
	"context"
	"net/http"
	"time"

	"tcap.cloud/internal/base/access"
)

// SessionStore is what a cookie's token is asked of; domain/org is one. ActorOfSession answers a 401 fault for a session
// that ended, expired or never was.
type SessionStore interface {
	NewSession(ctx context.Context, actor access.Actor, ttl time.Duration) (string, error)
	ActorOfSession(ctx context.Context, token string) (access.Actor, error)
	EndSession(ctx context.Context, token string) error
}

// Sessions keeps a browser signed in by a cookie.
type Sessions struct {
	// Store keeps the sessions.
	Store SessionStore
	// TLS is whether the portal is served over https; only then may the cookie have the __Host- name.
	TLS bool
	// TTL is how long a session lasts.
	TTL time.Duration
}

// name binds the cookie to the host where the connection is safe (RFC 6265bis, 4.1.3.2). Browsers refuse that name over
// http, which is used on loopback alone.
func (s Sessions) name() string {
	if s.TLS {
		return "__Host-tcap"
	}
	return "tcap"
}

// cookie is SameSite=Lax and not Strict: an administrator comes back from Microsoft by a redirect and has to be known then.
func (s Sessions) cookie(token string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: s.name(), Value: token, Path: "/", MaxAge: maxAge, Secure: s.TLS, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// Begin signs a browser in as somebody whom the door has just seen prove who he is. A session of before is ended, so that
// none is handed on.
func (s Sessions) Begin(w http.ResponseWriter, r *http.Request, actor access.Actor) error {
	token, err := s.Store.NewSession(r.Context(), actor, s.TTL)
	if err != nil {
		return err
	}
	if err := s.end(r); err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(token, int(s.TTL/time.Second)))
	return nil
}

// End signs a browser out.
func (s Sessions) End(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, s.cookie("", -1))
	return s.end(r)
}

func (s Sessions) end(r *http.Request) error {
	if token := s.Token(r); token != "" {
		return s.Store.EndSession(r.Context(), token)
	}
	return nil
}

// Token is what the browser presents, or "".
func (s Sessions) Token(r *http.Request) string {
	c, err := r.Cookie(s.name())
	if err != nil {
		return ""
	}
	return c.Value
}

// Actor answers who the browser is signed in as: the store's 401 fault where it is not.
func (s Sessions) Actor(r *http.Request) (access.Actor, error) {
	return s.Store.ActorOfSession(r.Context(), s.Token(r))
}
