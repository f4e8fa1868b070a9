package frame

import (
	"log/slog"
	"net/http"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/door/web"
)

// Handler is a page or a form. An error it answers is shown by Fail, with the status of its kind; a handler that wants the
// form again with its messages renders that itself, with status 422.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Route is one address of the portal, for the tests that visit all of them.
type Route struct {
	Method  string
	Pattern string // as http.ServeMux reads it, without the method: /customers/{id}
	Open    bool   // answered without a sign-in
}

// Frame holds the routes and what all pages share. It is made once and not changed after the folders have registered.
type Frame struct {
	Options
	mux    *http.ServeMux
	routes []Route
	cross  *http.CrossOriginProtection
	pages  http.Handler
}

// New makes a frame without pages.
func New(o Options) *Frame {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if len(o.SignInOrigins) == 0 {
		o.SignInOrigins = publicSignIn()
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	f := &Frame{Options: o, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection()}
	f.pages = f.policy().Pages(http.HandlerFunc(f.serve))
	return f
}

func (f *Frame) policy() web.Policy {
	return web.Policy{FormAction: f.SignInOrigins, HTTPS: f.Secure()}
}

// Get registers a page for people who are signed in.
func (f *Frame) Get(pattern string, h Handler) { f.add(http.MethodGet, pattern, false, h) }

// Post registers a form for people who are signed in.
func (f *Frame) Post(pattern string, h Handler) { f.add(http.MethodPost, pattern, false, h) }

// OpenGet registers a page that needs no sign-in. A session, where there is one, is known there too.
func (f *Frame) OpenGet(pattern string, h Handler) { f.add(http.MethodGet, pattern, true, h) }

// OpenPost registers a form that needs no sign-in.
func (f *Frame) OpenPost(pattern string, h Handler) { f.add(http.MethodPost, pattern, true, h) }

// Routes lists every registered address, in the order of registration.
func (f *Frame) Routes() []Route { return append([]Route(nil), f.routes...) }

func (f *Frame) add(method, pattern string, open bool, h Handler) {
	f.routes = append(f.routes, Route{method, pattern, open})
	f.mux.HandleFunc(method+" "+exact(pattern), func(w http.ResponseWriter, r *http.Request) {
		if !open && access.From(r.Context()).Kind == "" {
			f.toSignIn(w, r)
			return
		}
		if err := h(w, r); err != nil {
			f.Fail(w, r, err)
		}
	})
}

// exact keeps a pattern that ends with a slash from answering everything below it.
func exact(pattern string) string {
	if strings.HasSuffix(pattern, "/") {
		return pattern + "{$}"
	}
	return pattern
}

// ServeHTTP answers a request: headers and nonce, then the session, then cross-origin protection, then the page.
func (f *Frame) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.pages.ServeHTTP(w, r) }

func (f *Frame) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "HX-Request")
	r, err := f.withSession(r)
	if err != nil {
		f.Fail(w, r, err)
		return
	}
	if err := f.cross.Check(r); err != nil {
		f.Fail(w, r, crossOrigin(err))
		return
	}
	if _, pattern := f.mux.Handler(r); pattern == "" {
		f.unrouted(w, r)
		return
	}
	f.mux.ServeHTTP(w, r)
}

// unrouted answers a path or a method that no page has, in the portal's own looks.
func (f *Frame) unrouted(w http.ResponseWriter, r *http.Request) {
	other := http.MethodGet
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		other = http.MethodPost
	}
	probe := r.Clone(r.Context())
	probe.Method = other
	if _, pattern := f.mux.Handler(probe); pattern != "" {
		w.Header().Set("Allow", other)
		f.fail(w, r, http.StatusMethodNotAllowed, wrongMethod())
		return
	}
	f.Fail(w, r, noPage())
}
