package msgraph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/remote/msgraph"
	"tcap.cloud/internal/remote/tenant"
)

// graph plays Graph as contracts/README.md has it: answers by "METHOD /path", in turn, the last one for ever.
type graph struct {
	server *httptest.Server
	door   *tenant.Door

	mu     sync.Mutex
	routes map[string][]http.HandlerFunc
	calls  []string
	bodies []string
	heads  []http.Header
}

func (g *graph) App(context.Context, tenant.Ref) (tenant.Credential, error) {
	return tenant.Credential{AppID: "app", Secret: tenant.NewSecret("s")}, nil
}

func (g *graph) AppToken(context.Context, tenant.Ref, tenant.Credential, tenant.Resource, bool) (tenant.Token, error) {
	return tenant.Token{Value: tenant.NewSecret("t")}, nil
}

func (g *graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	call := r.Method + " " + r.URL.Path
	g.calls, g.bodies, g.heads = append(g.calls, r.Method+" "+r.URL.RequestURI()), append(g.bodies, string(body)), append(g.heads, r.Header)
	list := g.routes[call]
	if len(list) > 1 {
		g.routes[call] = list[1:]
	}
	g.mu.Unlock()
	if len(list) == 0 {
		http.Error(w, "no route "+call, http.StatusNotImplemented)
		return
	}
	list[0](w, r)
}

func (g *graph) on(call string, list ...http.HandlerFunc) { g.routes[call] = list }

func newGraph(t *testing.T) *graph {
	t.Helper()
	g := &graph{routes: map[string][]http.HandlerFunc{}}
	g.server = httptest.NewTLSServer(g)
	t.Cleanup(g.server.Close)
	door, err := tenant.New(tenant.Options{
		Directory:   tenant.Directory{tenant.Global: {Authority: g.server.URL, Graph: g.server.URL, Teams: g.server.URL}},
		Credentials: g, Tokens: g, HTTP: g.server.Client(), Wait: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	g.door = door
	return g
}

func (g *graph) reader() *msgraph.Reader {
	return msgraph.NewReader(g.door.Session(tenant.Ref{TenantID: "contoso", Cloud: tenant.Global}))
}

func (g *graph) writer() *msgraph.Writer {
	return msgraph.NewWriter(g.door.Session(tenant.Ref{TenantID: "contoso", Cloud: tenant.Global}).Writer())
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func refuse(status int, code, message string) http.HandlerFunc {
	return answer(status, fmt.Sprintf(`{"error":{"code":%q,"message":%q,"innerError":{"date":"2026-01-31T12:51:51","request-id":"r"}}}`, code, message))
}

func TestTheOrganisation(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("GET /v1.0/organization", answer(200, `{"@odata.context":"x","value":[{"id":"o","displayName":"Contoso","countryLetterCode":"AU","verifiedDomains":[{"name":"contoso.example","isDefault":true,"isInitial":false,"type":"Managed"}]}]}`),
		answer(200, `{"value":[]}`), answer(200, `<html>`))
	got, err := g.reader().Organization(t.Context())
	if err != nil || got.DisplayName != "Contoso" || !got.VerifiedDomains[0].IsDefault {
		t.Errorf("%+v, %v", got, err)
	}
	for _, what := range []string{"an empty list", "a page that is no JSON"} {
		if _, err := g.reader().Organization(t.Context()); err == nil || strings.Contains(err.Error(), "<") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestUsersComePageByPageUntilTheDeltaLink(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	next := g.server.URL + "/v1.0/users/delta?$skiptoken=a+b%2Bc"
	delta := g.server.URL + "/v1.0/users/delta?$deltatoken=d"
	g.on("GET /v1.0/users/delta",
		answer(200, `{"value":[{"id":"1","displayName":null,"unknown":{"a":[1]},"assignedPlans":[{"servicePlanId":"p","capabilityStatus":"Enabled"}]},{"id":"2"}],"@odata.nextLink":"`+next+`"}`),
		answer(200, `{"value":[],"@odata.nextLink":"`+next+`2"}`),
		answer(200, `{"value":[{"id":"3","@removed":{"reason":"changed"}}],"@odata.deltaLink":"`+delta+`"}`))
	var users []msgraph.User
	var last msgraph.Page
	for page, err := range g.reader().DeltaUsers(t.Context(), "", nil) {
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			u, err := row.User()
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(row.Raw) || !strings.HasPrefix(string(row.Raw), `{"id":"`+u.ID) {
				t.Errorf("raw %s", row.Raw)
			}
			users = append(users, u)
		}
		last = page
	}
	if len(users) != 3 || users[0].AssignedPlans[0].CapabilityStatus != "Enabled" || users[2].Removed.Reason != "changed" || last.Delta != delta || last.Next != "" {
		t.Errorf("%+v, last %+v", users, last)
	}
	if g.calls[1] != "GET /v1.0/users/delta?$skiptoken=a+b%2Bc" || !strings.HasPrefix(g.calls[0], "GET /v1.0/users/delta?$select=id%2C") || len(g.calls) != 3 {
		t.Errorf("asked %v", g.calls)
	}
	if g.heads[2].Get("Prefer") != "odata.maxpagesize=999" {
		t.Errorf("headers %v", g.heads[2])
	}
}

func TestADeltaGoesOnFromItsLinkOrStartsWithTheLatest(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("GET /v1.0/users/delta", answer(200, `{"value":[]}`))
	for _, token := range []string{g.server.URL + "/v1.0/users/delta?$deltatoken=d", msgraph.DeltaLatest} {
		for _, err := range g.reader().DeltaUsers(t.Context(), token, []string{"id"}) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.Equal(g.calls, []string{"GET /v1.0/users/delta?$deltatoken=d", "GET /v1.0/users/delta?$deltatoken=latest&$select=id"}) {
		t.Errorf("asked %v", g.calls)
	}
}

func TestAForgottenPlaceIsAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"410": refuse(410, "syncStateNotFound", "gone"), "bare 410": answer(410, ""), "400": refuse(400, "Directory_ExpiredPageToken", ""),
	} {
		g := newGraph(t)
		g.on("GET /v1.0/users/delta", h)
		pages := 0
		for _, err := range g.reader().DeltaUsers(t.Context(), g.server.URL+"/v1.0/users/delta?$deltatoken=old", nil) {
			pages++
			if !errors.Is(err, msgraph.ErrDeltaExpired) || tenant.AsRefusal(err) == nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if pages != 1 {
			t.Errorf("%s: %d pages", name, pages)
		}
	}
}

func TestAListStopsWhereTheReaderStopsOrAnErrorComes(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("GET /v1.0/users", answer(200, `{"value":[{"id":"1"}],"@odata.nextLink":"`+g.server.URL+`/v1.0/users?page=2"}`), refuse(403, "Authorization_RequestDenied", ""))
	for range g.reader().ListUsers(t.Context(), msgraph.UserQuery{Filter: "userPrincipalName ge 'm'"}) {
		break
	}
	if len(g.calls) != 1 || !strings.Contains(g.calls[0], "$top=999") || !strings.Contains(g.calls[0], "userPrincipalName%20ge%20%27m%27") {
		t.Errorf("asked %v", g.calls)
	}
	g.on("GET /v1.0/users", answer(200, `{"value":[{"id":"1"}],"@odata.nextLink":"`+g.server.URL+`/v1.0/users?page=2"}`), refuse(403, "Authorization_RequestDenied", ""))
	var errs []error
	for _, err := range g.reader().ListUsers(t.Context(), msgraph.UserQuery{}) {
		errs = append(errs, err)
	}
	if len(errs) != 2 || errs[0] != nil || tenant.ClassOf(errs[1]) != tenant.Refused {
		t.Errorf("%v", errs)
	}
}

func TestANextLinkToAnotherHostIsNotFollowed(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("GET /v1.0/subscribedSkus", answer(200, `{"value":[],"@odata.nextLink":"https://fabrikam.example/v1.0/subscribedSkus"}`))
	if _, err := g.reader().SubscribedSKUs(t.Context()); err == nil {
		t.Error("it was followed")
	}
}

func TestOneUser(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("GET /v1.0/users/ana#1@contoso.example", answer(200, `{"id":"1","userPrincipalName":"ana#1@contoso.example","accountEnabled":true,"onPremisesSyncEnabled":null}`), refuse(404, "Request_ResourceNotFound", ""))
	u, err := g.reader().User(t.Context(), "ana#1@contoso.example")
	if err != nil || !u.AccountEnabled || u.OnPremisesSync {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := g.reader().User(t.Context(), "ana#1@contoso.example"); tenant.ClassOf(err) != tenant.NotFound {
		t.Error(err)
	}
}

func TestWhatTheTenantHasBoughtAndGranted(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("GET /v1.0/subscribedSkus", answer(200, `{"value":[{"skuId":"s","skuPartNumber":"MCOEV","consumedUnits":3,"prepaidUnits":{"enabled":5},"servicePlans":[{"servicePlanName":"MCOEV"}]}]}`))
	g.on("GET /v1.0/servicePrincipals(appId='a')", answer(200, `{"id":"sp","appId":"a","accountEnabled":false}`))
	g.on("GET /v1.0/servicePrincipals/sp/oauth2PermissionGrants", answer(200, `{"value":[{"consentType":"AllPrincipals","scope":" User.Read  User.Read.All "}]}`))
	g.on("GET /v1.0/servicePrincipals/sp/appRoleAssignments", answer(200, `{"value":[{"appRoleId":"r"}]}`))
	skus, err := g.reader().SubscribedSKUs(t.Context())
	if err != nil || skus[0].PrepaidUnits.Enabled != 5 || skus[0].ServicePlans[0].ServicePlanName != "MCOEV" {
		t.Errorf("%+v, %v", skus, err)
	}
	sp, err := g.reader().ServicePrincipalByAppID(t.Context(), "a")
	if err != nil || sp.ID != "sp" || sp.AccountEnabled {
		t.Errorf("%+v, %v", sp, err)
	}
	grants, err := g.reader().PermissionGrants(t.Context(), "sp")
	if err != nil || !slices.Equal(grants[0].Scopes(), []string{"User.Read", "User.Read.All"}) {
		t.Errorf("%+v, %v", grants, err)
	}
	if roles, err := g.reader().AppRoleAssignments(t.Context(), "sp"); err != nil || roles[0].AppRoleID != "r" {
		t.Errorf("%+v, %v", roles, err)
	}
}
