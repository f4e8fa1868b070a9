package teams_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tcap.cloud/m365sim/internal/teams"
	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

const appID = "11111111-1111-4111-8111-111111111111"

// lab is a tenant with a service principal that is Teams Administrator, served over HTTP.
type lab struct {
	t           *testing.T
	w           *world.World
	tenant, url string
	sp          string
	admin, user world.User
	domain      string
}

func newLab(t *testing.T, o teams.Options) *lab {
	t.Helper()
	l := &lab{t: t}
	var err error
	if l.w, err = world.New(world.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.w.Close() })
	made, err := l.w.CreateTenant(t.Context(), world.NewTenant{Name: "Fabrikam", Users: 25, Seed: 3, LicensedShare: 1})
	if err != nil {
		t.Fatal(err)
	}
	l.tenant, l.domain = made.TenantID, made.Domain
	if err := l.w.PutApp(t.Context(), world.App{AppID: appID, Name: "Voice", MultiTenant: true}); err != nil {
		t.Fatal(err)
	}
	sp, err := l.w.EnsureServicePrincipal(t.Context(), l.tenant, appID)
	if err != nil {
		t.Fatal(err)
	}
	l.sp = sp.ID
	l.change(func(tn *world.Tenant) {
		l.admin, _ = tn.UserByName(made.GlobalAdmin.UPN)
		l.user, _ = tn.UserByName(made.User.UPN)
		tn.RoleAssignments.Put("ours", world.RoleAssignment{ID: "ours", PrincipalID: l.sp, RoleDefinitionID: world.RoleTeamsAdministrator, DirectoryScopeID: "/"})
	})
	handler := teams.NewWith(l.w, o)
	srv := httptest.NewUnstartedServer(nil)
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := &world.Call{Service: "teams", Base: srv.URL}
		handler.ServeHTTP(w, r.WithContext(world.WithCall(r.Context(), call)))
	})
	srv.Start()
	t.Cleanup(srv.Close)
	l.url = srv.URL
	return l
}

func (l *lab) change(fn func(*world.Tenant)) {
	l.t.Helper()
	if err := l.w.Update(l.t.Context(), l.tenant, func(t *world.Tenant) error { fn(t); return nil }); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) mint(c token.Claims) string {
	l.t.Helper()
	c.Tenant, c.Issuer, c.AppID = l.tenant, token.AccessIssuer(l.tenant), appID
	if c.Audience == "" {
		c.Audience = world.TeamsAdminAppID
	}
	raw, err := token.Mint(l.w, c)
	if err != nil {
		l.t.Fatal(err)
	}
	return raw
}

func (l *lab) app() string {
	return l.mint(token.Claims{ObjectID: l.sp, AppOnly: true, RoleIDs: []string{world.RoleTeamsAdministrator}})
}

type reply struct {
	status int
	text   string
	body   map[string]any
	list   []map[string]any
}

func (r reply) message() string {
	e, _ := r.body["error"].(map[string]any)
	s, _ := e["message"].(string)
	return s
}

func (l *lab) do(method, path, body string) reply {
	l.t.Helper()
	return l.as(l.app(), method, path, body)
}

func (l *lab) as(bearer, method, path, body string) reply {
	l.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = l.url + path
	}
	r, err := http.NewRequestWithContext(l.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	out := reply{status: res.StatusCode, text: string(raw)}
	_ = json.Unmarshal(raw, &out.body) // an object, or
	_ = json.Unmarshal(raw, &out.list) // an array, or neither
	return out
}

// want checks the status and, for a refusal, a part of its message.
func (l *lab) want(r reply, status int, part string) {
	l.t.Helper()
	if r.status != status || !strings.Contains(r.message(), part) {
		l.t.Fatalf("want %d %q, have %d: %s", status, part, r.status, r.text)
	}
}

func (l *lab) seen(user string) map[string]any {
	l.t.Helper()
	r := l.do("GET", "/Teams.User/users/"+user, "")
	l.want(r, 200, "")
	return r.body
}
