package entra

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// Which page a request came to.
const (
	askAuthorize = "authorize"
	askAdminV1   = "adminconsent-v1"
	askAdminV2   = "adminconsent-v2"
)

// request is what an application asked for when it sent the browser here.
type request struct {
	Kind, Segment, Tenant                                                                string // Tenant "" at an alias
	ClientID, RedirectURI, ResponseType, ResponseMode, Scope, State, Nonce, Prompt, Hint string
	Challenge, Method                                                                    string
}

// flow is a request on its way through the pages, kept as a ticket; the page carries its id.
type flow struct {
	ID      string
	Request request
	Who     signedIn // zero until somebody has signed in
}

func (f flow) admin() bool { return f.Request.Kind != askAuthorize }

func (f flow) place() place { return place{segment: f.Request.Segment, tenant: f.Request.Tenant} }

// exchange is one HTTP call that belongs to a flow.
type exchange struct {
	s *service
	w http.ResponseWriter
	r *http.Request
	t trace
}

func (s *service) exchange(w http.ResponseWriter, r *http.Request) exchange {
	return exchange{s: s, w: w, r: r, t: startTrace(w, r)}
}

func readRequest(r *http.Request, kind string, p place) request {
	f := r.Form
	return request{
		Kind: kind, Segment: p.segment, Tenant: p.tenant, ClientID: f.Get("client_id"), RedirectURI: f.Get("redirect_uri"),
		ResponseType: f.Get("response_type"), ResponseMode: f.Get("response_mode"), Scope: f.Get("scope"),
		State: f.Get("state"), Nonce: f.Get("nonce"), Prompt: f.Get("prompt"), Hint: f.Get("login_hint"),
		Challenge: f.Get("code_challenge"), Method: f.Get("code_challenge_method"),
	}
}

// enter is every call of the three pages: a form of ours that names its flow, or a new request of an application.
func (s *service) enter(w http.ResponseWriter, r *http.Request, kind string) {
	x := s.exchange(w, r)
	p, no := s.findPlace(r)
	if no != nil {
		x.dead(no)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		x.dead(refuse(9002313, "The request is malformed."))
		return
	}
	if id := r.PostForm.Get("flow"); id != "" {
		x.resume(id)
		return
	}
	x.begin(readRequest(r, kind, p))
}

func (x exchange) begin(q request) {
	world.CallFrom(x.r.Context()).AppID = strings.ToLower(q.ClientID)
	if no := x.s.checkClient(q); no != nil {
		x.dead(no)
		return
	}
	f := flow{ID: opaque("f."), Request: q}
	if no := checkRequest(x.r, x.s.app(q.ClientID), x.s.cloud(q.Tenant), q); no != nil {
		x.sendError(f, no)
		return
	}
	who, known := x.session(q)
	switch {
	case known:
		f.Who = who
		x.proceed(f)
	case q.Prompt == "none":
		x.sendError(f, refuse(50058, "A silent sign-in request was sent but no user is signed in."))
	case x.keep(f):
		x.signInPage(f, nil)
	}
}

// resume continues with what the person filled in.
func (x exchange) resume(id string) {
	var f flow
	ok, err := x.s.w.PeekTicket(kindFlow, id, &f)
	switch {
	case err != nil:
		x.dead(internal(err))
		return
	case !ok:
		x.dead(refuse(50089, "The sign-in has expired. Go back to the application and start again."))
		return
	}
	call := world.CallFrom(x.r.Context())
	call.AppID, call.Tenant = strings.ToLower(f.Request.ClientID), f.Who.Tenant
	if f.Who.User == "" {
		x.signInStep(f)
		return
	}
	x.decide(f, x.r.PostForm.Get("decision"))
}

// keep stores the flow; on failure it answers and says so.
func (x exchange) keep(f flow) bool {
	if err := x.s.w.PutTicket(x.r.Context(), kindFlow, f.ID, f, flowLife); err != nil {
		x.dead(internal(err))
		return false
	}
	return true
}

// close ends the flow: of two answers to the same page, one counts.
func (x exchange) close(f flow) bool {
	if x.r.PostForm.Get("flow") == "" {
		return true // never kept: the session answered at once
	}
	ok, err := x.s.w.TakeTicket(x.r.Context(), kindFlow, f.ID, nil)
	if err != nil {
		x.dead(internal(err))
		return false
	}
	if !ok {
		x.dead(refuse(50089, "The sign-in has expired. Go back to the application and start again."))
	}
	return ok
}

func (s *service) app(id string) world.App {
	a, _ := s.w.App(id)
	return a
}

// proceed goes on with a person who has signed in: refusals that need the tenant, then consent, then the answer.
func (x exchange) proceed(f flow) {
	world.CallFrom(x.r.Context()).Tenant = f.Who.Tenant
	app := x.s.app(f.Request.ClientID)
	if no := x.s.admit(f, app); no != nil {
		x.dead(no)
		return
	}
	need, no := x.s.consentNeeded(x.r, f, app)
	switch {
	case no != nil:
		x.sendError(f, no)
	case need.adminMissing:
		x.sendError(f, refuse(90094, "%s needs permission to access resources in your organization that only an administrator can grant.", app.Name))
	case !need.ask:
		x.finish(f)
	case f.Request.Prompt == "none":
		no := refuse(65001, "The user or administrator has not consented to use the application with ID '%s' named '%s'.", app.AppID, app.Name)
		no.kind = "consent_required"
		x.sendError(f, no)
	case x.keep(f):
		x.consentPage(f, app, need)
	}
}

// admit refuses, on a page of its own, an application that may not be used in the person's tenant (700016, 7000112) and a
// person kept out (53003).
func (s *service) admit(f flow, app world.App) (no *refusal) {
	if !app.MultiTenant && app.HomeTenant != f.Who.Tenant {
		return appNotFound(app.AppID, f.Who.Tenant)
	}
	err := s.w.View(f.Who.Tenant, func(t *world.Tenant) error {
		if sp, found, _ := servicePrincipal(t, app.AppID); app.Disabled || found && !sp.Enabled {
			no = appDisabled(app)
			return nil
		}
		_, no = stillWelcome(t, app, f.Who)
		return nil
	})
	switch {
	case errors.Is(err, world.ErrNoTenant):
		return tenantNotFound(f.Who.Tenant)
	case err != nil:
		return internal(err)
	}
	return no
}

// ensure makes the application's service principal in the person's tenant.
func (s *service) ensure(ctx context.Context, f flow) (world.ServicePrincipal, error) {
	return s.w.EnsureServicePrincipal(ctx, f.Who.Tenant, f.Request.ClientID)
}
