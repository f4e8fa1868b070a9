package signin

import (
	"net/http"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/portal/frame"
)

// link shows one button. Opening the address uses nothing up: programs that look into mail open links too.
func (p pages) link(w http.ResponseWriter, r *http.Request) error {
	page := p.Page(r, "Sign in by link", "")
	page.Viewer = nil
	page.Path = "/sign-in"
	q := r.URL.Query()
	if q.Get("token") == "" {
		return fault.New(fault.Malformed, "link-incomplete", "This link is incomplete.").WithRemedy("Copy the whole address from the message, or ask for a new link.")
	}
	return p.Render(w, r, http.StatusOK, page, linkPage(q.Get("token"), frame.Local(q.Get("return_to"))))
}

// useLink uses the link up and signs in.
func (p pages) useLink(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	who, err := p.Org.UseLink(r.Context(), form.Get("token"))
	if err != nil {
		return err
	}
	return p.SignIn(w, r, who, form.Get("return_to"))
}

// signOut ends the session.
func (p pages) signOut(w http.ResponseWriter, r *http.Request) error { return p.SignOut(w, r) }

// demo signs in as one of the demo's roles; outside the demo there is no such page.
func (p pages) demo(w http.ResponseWriter, r *http.Request) error {
	if p.Demo == nil {
		return fault.Missing("page")
	}
	who, err := p.Demo.Actor(r.Context(), r.PathValue("role"))
	if err != nil {
		return err
	}
	return p.SignIn(w, r, who, r.PostFormValue("return_to"))
}
