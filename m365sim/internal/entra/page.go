package entra

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"tcap.cloud/m365sim/internal/world"
)

//go:embed static
var static embed.FS

// pages holds what the people's pages are made of.
type pages struct{ layout *template.Template }

func newPages() *pages {
	return &pages{layout: template.Must(template.ParseFS(static, "static/*.html"))}
}

func (p *pages) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, static, "static/page.css")
}

func (p *pages) script(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, static, "static/post.js")
}

// view is what a page shows.
type view struct {
	Page, Title, Text, Code    string
	Flow, UPN, App, Publisher  string
	Organisation, Who          string
	CanAcceptForAll, AdminPage bool
	Delegated, Application     []permission
	Action                     string
	Fields                     []field
	Trace, Correlation, Stamp  string
	Problem                    string
}

type field struct{ Name, Value string }

// page writes a page with its own Content-Security-Policy. Forms may go to this service and to the given addresses: a
// browser applies form-action to the redirect that follows a form as well.
func (x exchange) page(name string, status int, v view, formTo ...string) {
	v.Page = name
	h := x.w.Header()
	action := "'self'"
	for _, to := range formTo {
		if u, err := url.Parse(to); err == nil && u.Host != "" {
			action += " " + u.Scheme + "://" + u.Host
		}
	}
	script := "'none'"
	if name == "reply" {
		script = "'self'"
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src "+script+"; base-uri 'none'; frame-ancestors 'none'; form-action "+action)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	x.w.WriteHeader(status)
	_ = x.s.pages.layout.ExecuteTemplate(x.w, "page.html", v) // the browser has gone
}

// dead is a page without a way on: Microsoft keeps the person there.
func (x exchange) dead(no *refusal) {
	x.page("error", no.status(), view{
		Title: "Sorry, but we’re having trouble signing you in", Code: strconv.Itoa(no.code), Text: no.Error(),
		Trace: x.t.id, Correlation: x.t.correlation, Stamp: stamp(x.s.w.Now()),
	})
}

func (x exchange) signInPage(f flow, no *refusal) {
	app := x.s.app(f.Request.ClientID)
	v := view{Title: "Sign in", Flow: f.ID, App: app.Name, UPN: f.Request.Hint}
	if typed := x.r.PostForm.Get("upn"); typed != "" {
		v.UPN = typed
	}
	if no != nil {
		v.Code, v.Problem = strconv.Itoa(no.code), no.Error()
	}
	x.page("sign-in", http.StatusOK, v, f.Request.RedirectURI)
}

func (x exchange) consentPage(f flow, app world.App, n need) {
	v := view{
		Title: "Permissions requested", Flow: f.ID, App: app.Name, Publisher: app.Publisher,
		CanAcceptForAll: n.admin, AdminPage: f.admin(),
	}
	_ = x.s.w.View(f.Who.Tenant, func(t *world.Tenant) error {
		u, _ := t.Users.Get(f.Who.User)
		v.Organisation, v.Who = t.Name, u.UserPrincipalName
		return nil
	})
	for _, name := range n.delegated {
		v.Delegated = append(v.Delegated, describePermission(name, false))
	}
	if n.admin {
		for _, name := range n.application {
			v.Application = append(v.Application, describePermission(name, true))
		}
	}
	x.page("consent", http.StatusOK, v, f.Request.RedirectURI)
}

// replyPage posts the answer to the application (response_mode=form_post): by a script, or by the person's own hand.
func (x exchange) replyPage(f flow, fields url.Values) {
	v := view{Title: "Working…", App: x.s.app(f.Request.ClientID).Name, Action: f.Request.RedirectURI}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		v.Fields = append(v.Fields, field{Name: name, Value: fields.Get(name)})
	}
	x.page("reply", http.StatusOK, v, f.Request.RedirectURI)
}

// errorCode is the page error_uri names.
func (s *service) errorCode(w http.ResponseWriter, r *http.Request) {
	x := s.exchange(w, r)
	code, err := strconv.Atoi(r.URL.Query().Get("code"))
	if err != nil {
		x.dead(missing("code"))
		return
	}
	x.page("code", http.StatusOK, view{Title: fmt.Sprintf("Error code AADSTS%d", code), Text: "Microsoft describes it in its list of authentication and authorization error codes."})
}
