// Package signin is how people come into the portal: by password, passkey, one-time link or API key, and how they leave.
package signin

import (
	"net/http"
	"net/url"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/passkey"
)

type pages struct{ *frame.Frame }

// Register adds the pages and forms of signing in and out.
func Register(f *frame.Frame) {
	p := pages{f}
	f.OpenGet("/sign-in", p.show)
	f.OpenPost("/sign-in", p.password)
	f.OpenPost("/sign-in/key", p.key)
	f.OpenPost("/sign-in/passkey/begin", p.passkeyBegin)
	f.OpenPost("/sign-in/passkey", p.passkey)
	f.OpenGet("/sign-in/link", p.link)
	f.OpenPost("/sign-in/link", p.useLink)
	f.OpenPost("/sign-in/demo/{role}", p.demo)
	f.OpenPost("/sign-out", p.signOut)
	f.OpenPost("/theme", p.theme)
	f.OpenGet("/brand/{id}/{file}", p.brand)
}

// view is what the sign-in page draws.
type view struct {
	password frame.Form
	key      frame.Form
	returnTo string
	demo     bool
	passkeys bool
}

func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	if frame.Actor(r).Kind != "" {
		return frame.Redirect(w, r, frame.Local(r.URL.Query().Get("return_to")))
	}
	return p.draw(w, r, http.StatusOK, view{password: frame.NewForm(), key: frame.NewForm(), returnTo: r.URL.Query().Get("return_to")})
}

func (p pages) draw(w http.ResponseWriter, r *http.Request, status int, v view) error {
	page := p.Page(r, "Sign in", "")
	page.Viewer = nil
	page.Path = "/sign-in"
	if v.returnTo != "" {
		v.returnTo = frame.Local(v.returnTo)
		page.Path += "?return_to=" + url.QueryEscape(v.returnTo)
	}
	v.demo, v.passkeys = p.Demo != nil, passkey.Offered(p.Frame)
	return p.Render(w, r, status, page, signInPage(v))
}

// again shows the sign-in page with what was refused: 401 and 429 stand on the form here, for there is nothing else to do.
func (p pages) again(w http.ResponseWriter, r *http.Request, v *view, which *frame.Form, err error) error {
	switch fault.KindOf(err) {
	case fault.Unauthenticated, fault.Limited, fault.Invalid, fault.Malformed:
	default:
		return err
	}
	problem := frame.ProblemOf(err)
	problem.Means = ""
	which.Problem = &problem
	return p.draw(w, r, frame.StatusOf(err), *v)
}
