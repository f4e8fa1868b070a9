package graph_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tcap.cloud/m365sim/internal/graph"
	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

const (
	hostedApp = "11111111-1111-4111-8111-111111111111"
	customApp = "22222222-2222-4222-8222-222222222222"
)

// lab is a world with one tenant, an application of a publisher and one of the tenant's own, served over HTTP.
type lab struct {
	t      *testing.T
	w      *world.World
	tenant string
	url    string
	hosted string // service principal of the multi-tenant application
	custom string // of the single-tenant one
	admin  world.User
	user   world.User
	domain string
}

func newLab(t *testing.T, users int, opts ...func(*world.NewTenant)) *lab {
	t.Helper()
	return newLabWith(t, users, graph.Options{}, opts...)
}

func newLabWith(t *testing.T, users int, o graph.Options, opts ...func(*world.NewTenant)) *lab {
	t.Helper()
	l := &lab{t: t}
	var err error
	if l.w, err = world.New(world.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.w.Close() })
	n := world.NewTenant{Name: "Contoso", Users: users, Seed: 7, LicensedShare: 0.5}
	for _, f := range opts {
		f(&n)
	}
	made, err := l.w.CreateTenant(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	l.tenant, l.domain = made.TenantID, made.Domain
	for app, multi := range map[string]bool{hostedApp: true, customApp: false} {
		if err := l.w.PutApp(t.Context(), world.App{AppID: app, Name: "App " + app[:4], HomeTenant: l.tenant, MultiTenant: multi}); err != nil {
			t.Fatal(err)
		}
	}
	l.hosted, l.custom = l.principal(hostedApp), l.principal(customApp)
	l.view(func(tn *world.Tenant) {
		l.admin, _ = tn.UserByName(made.GlobalAdmin.UPN)
		l.user, _ = tn.UserByName(made.User.UPN)
	})
	handler := graph.NewWith(l.w, o)
	srv := httptest.NewUnstartedServer(nil)
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := &world.Call{Service: "graph", Base: srv.URL}
		handler.ServeHTTP(w, r.WithContext(world.WithCall(r.Context(), call)))
	})
	srv.Start()
	t.Cleanup(srv.Close)
	l.url = srv.URL
	return l
}

func (l *lab) principal(app string) string {
	l.t.Helper()
	sp, err := l.w.EnsureServicePrincipal(l.t.Context(), l.tenant, app)
	if err != nil {
		l.t.Fatal(err)
	}
	return sp.ID
}

func (l *lab) view(fn func(*world.Tenant)) {
	l.t.Helper()
	if err := l.w.View(l.tenant, func(t *world.Tenant) error { fn(t); return nil }); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) change(fn func(*world.Tenant)) {
	l.t.Helper()
	if err := l.w.Update(l.t.Context(), l.tenant, func(t *world.Tenant) error { fn(t); return nil }); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) giveRole(principal, role string) {
	l.change(func(t *world.Tenant) {
		t.RoleAssignments.Put(principal+role, world.RoleAssignment{ID: principal + role, PrincipalID: principal, RoleDefinitionID: role, DirectoryScopeID: "/"})
	})
}

// app mints an application token of the hosted application with these application permissions.
func (l *lab) app(permissions ...string) string { return l.appOf(hostedApp, l.hosted, permissions...) }

func (l *lab) appOf(app, principal string, permissions ...string) string {
	return l.mint(token.Claims{AppID: app, ObjectID: principal, Roles: permissions, AppOnly: true})
}

// person mints a delegated token.
func (l *lab) person(u world.User, scopes ...string) string {
	return l.mint(token.Claims{AppID: hostedApp, ObjectID: u.ID, UPN: u.UserPrincipalName, Scopes: scopes})
}

func (l *lab) mint(c token.Claims) string {
	l.t.Helper()
	c.Tenant, c.Issuer = l.tenant, token.AccessIssuer(l.tenant)
	if c.Audience == "" {
		c.Audience = "https://graph.microsoft.com"
	}
	raw, err := token.Mint(l.w, c)
	if err != nil {
		l.t.Fatal(err)
	}
	return raw
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func (r reply) code() string {
	e, _ := r.body["error"].(map[string]any)
	s, _ := e["code"].(string)
	return s
}

func (r reply) message() string {
	e, _ := r.body["error"].(map[string]any)
	s, _ := e["message"].(string)
	return s
}

func (r reply) items() []map[string]any {
	list, _ := r.body["value"].([]any)
	var all []map[string]any
	for _, v := range list {
		all = append(all, v.(map[string]any))
	}
	return all
}

func (r reply) text1(name string) string { s, _ := r.body[name].(string); return s }

// do sends a request; path is below /v1.0, or an absolute link.
func (l *lab) do(method, path, bearer, body string, headers ...string) reply {
	l.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = l.url + "/v1.0" + path
	}
	r, err := http.NewRequestWithContext(l.t.Context(), method, strings.ReplaceAll(path, " ", "%20"), strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	out := reply{status: res.StatusCode, header: res.Header, text: string(raw)}
	_ = json.Unmarshal(raw, &out.body) // not every answer is JSON
	return out
}

func (l *lab) get(path, bearer string, headers ...string) reply {
	l.t.Helper()
	return l.do(http.MethodGet, path, bearer, "", headers...)
}

func (l *lab) want(r reply, status int, code string) {
	l.t.Helper()
	if r.status != status || (code != "" && r.code() != code) {
		l.t.Fatalf("want %d %s, have %d %s: %s", status, code, r.status, r.code(), r.text)
	}
}

// follow reads every page and gives all items and the last reply.
func (l *lab) follow(first, bearer string, headers ...string) ([]map[string]any, reply) {
	l.t.Helper()
	var all []map[string]any
	for link := first; ; {
		r := l.get(link, bearer, headers...)
		l.want(r, 200, "")
		all = append(all, r.items()...)
		if link = r.text1("@odata.nextLink"); link == "" {
			return all, r
		}
	}
}

const week = 7 * 24 * time.Hour
