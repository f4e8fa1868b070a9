// Package portal is the web pages for operators, partners, customers and their administrators.
//
// Each noun has a folder with pages and a function
//
//	func Register(f *frame.Frame)
//
// that registers its routes (f.Get, f.Post; f.OpenGet and f.OpenPost where no sign-in is needed) with handlers of the type
// frame.Handler: func(w, r) error. An error that is answered is shown as a page with the status of its kind; a form that can
// be mended is rendered again by its handler with status 422 (frame.Again, frame.ProblemOf, frame.FieldErrors). A page is
// drawn by
//
//	page := f.Page(r, "Numbers", ui.SectionNumbers)   // or f.CustomerPage(r, title, customer)
//	return f.Render(w, r, http.StatusOK, page, body)  // f.Fragment for a part that htmx swaps
//
// and a form that was saved ends with frame.Redirect or f.Done (303, with one message of success).
package portal

import (
	"net/http"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/portal/activity"
	"tcap.cloud/internal/door/portal/assets"
	"tcap.cloud/internal/door/portal/customer"
	"tcap.cloud/internal/door/portal/customers"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/grant"
	"tcap.cloud/internal/door/portal/home"
	"tcap.cloud/internal/door/portal/numbers"
	"tcap.cloud/internal/door/portal/operations"
	"tcap.cloud/internal/door/portal/search"
	"tcap.cloud/internal/door/portal/settings"
	"tcap.cloud/internal/door/portal/signin"
	"tcap.cloud/internal/door/portal/users"
)

// Options are what the portal is given by the wiring.
type Options = frame.Options

// Demo answers the actors behind the role buttons of the demo.
type Demo = frame.Demo

// Route is one address of the portal.
type Route = frame.Route

// Portal answers every page, and the static files under assets.Prefix.
type Portal struct {
	frame  *frame.Frame
	static http.Handler
}

// New makes the portal with all its pages.
func New(o Options) *Portal {
	f := frame.New(o)
	for _, register := range folders() {
		register(f)
	}
	return &Portal{frame: f, static: assets.Handler()}
}

// folders are the nouns, in the order of the navigation.
func folders() []func(*frame.Frame) {
	return []func(*frame.Frame){home.Register, customers.Register, customer.Register, grant.Register, operations.Register, users.Register, numbers.Register, activity.Register,
		settings.Register, search.Register, signin.Register}
}

// Routes lists every page and form, for the tests that visit all of them.
func (p *Portal) Routes() []Route { return p.frame.Routes() }

// RefusalPage shows an administrator whom Microsoft sent back why nothing came of it; the API's callback uses it.
func (p *Portal) RefusalPage(w http.ResponseWriter, r *http.Request, refusal *fault.Fault) {
	grant.RefusalPage(p.frame)(w, r, refusal)
}

// ServeHTTP answers a request.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(r.URL.Path) >= len(assets.Prefix) && r.URL.Path[:len(assets.Prefix)] == assets.Prefix {
		p.static.ServeHTTP(w, r)
		return
	}
	p.frame.ServeHTTP(w, r)
}
