package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/msgraph"
	"tcap.cloud/internal/remote/tenant"
	"tcap.cloud/m365sim"
)

// simulated is a stand whose tenant is m365sim's, paired as pairing does it.
type simulated struct {
	*stand
	server *httptest.Server
	ref    tenant.Ref
	cred   tenant.Credential
	door   *tenant.Door
}

func (s *simulated) App(context.Context, tenant.Ref) (tenant.Credential, error) { return s.cred, nil }

func (s *simulated) Session(_ context.Context, customerID string) (*tenant.Session, tenant.Ref, error) {
	ref := s.ref
	ref.CustomerID = customerID
	return s.door.Session(ref), ref, nil
}

func (s *simulated) control(path string, body, into any) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := s.server.Client().Post(s.server.URL+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode > 299 {
		s.t.Fatalf("%s: %d", path, resp.StatusCode)
	}
	if into == nil {
		return
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		s.t.Fatal(err)
	}
}

func (s *simulated) act(action string, with map[string]any) {
	s.t.Helper()
	body := map[string]any{"action": action}
	for k, v := range with {
		body[k] = v
	}
	s.control("/_sim/tenants/"+s.ref.TenantID+"/actions", body, nil)
}

func newSimulated(t *testing.T, users int) *simulated {
	t.Helper()
	s := &simulated{stand: newStand(t, dbtest.SQLite(t), newMicrosoft(1), "")}
	var sim *m365sim.Simulator
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	sim, err := m365sim.New(m365sim.Options{BaseURL: s.server.URL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.server.Close(); _ = sim.Close() })
	at := tenant.Endpoints{Authority: s.server.URL + "/login", Graph: s.server.URL + "/graph", Teams: s.server.URL + "/teams"}
	ent, err := entra.New(entra.Options{Directory: tenant.Directory{tenant.Global: at}, HTTP: s.server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	s.door, err = tenant.New(tenant.Options{Directory: tenant.Directory{tenant.Global: at}, Credentials: s, Tokens: ent, HTTP: s.server.Client(),
		Wait: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	s.pair(ent, at, users)
	s.d.o.Sessions = s
	return s
}

// pair consents as the tenant's administrator and gives the application its two roles.
func (s *simulated) pair(ent *entra.Client, at tenant.Endpoints, users int) {
	s.t.Helper()
	const redirect = "https://tcap.example/callback"
	var made struct {
		TenantID    string
		GlobalAdmin struct{ UPN, Password string }
	}
	s.control("/_sim/tenants", map[string]any{"name": "Contoso", "users": users, "seed": 1, "licensedShare": 0.8, "cloud": "global"}, &made)
	var app struct{ AppID, Secret string }
	s.control("/_sim/apps", map[string]any{"name": "TCAP", "redirectUris": []string{redirect}, "delegated": []string{"Directory.AccessAsUser.All", "User.Read"}}, &app)
	s.ref, s.cred = tenant.Ref{TenantID: made.TenantID, Cloud: tenant.Global}, tenant.Credential{AppID: app.AppID, Secret: tenant.NewSecret(app.Secret)}
	verifier, challenge := entra.NewPKCE()
	address := entra.AuthorizeURL(at, entra.AuthorizeRequest{Tenant: made.TenantID, ClientID: app.AppID, RedirectURI: redirect, State: "s", Nonce: entra.NewRandom(),
		Challenge: challenge, Prompt: "consent", Scopes: []string{"openid", "profile", at.Scope(tenant.ResourceGraph)}})
	var reply struct {
		URL  string
		Form map[string]string
	}
	s.control("/_sim/consent", map[string]any{"authorizeUrl": address, "upn": made.GlobalAdmin.UPN, "password": made.GlobalAdmin.Password, "decision": "accept"}, &reply)
	code := reply.Form["code"]
	if u, err := url.Parse(reply.URL); err == nil && code == "" {
		code = u.Query().Get("code")
	}
	signed, err := ent.Redeem(s.t.Context(), at, entra.RedeemRequest{Tenant: made.TenantID, Credential: s.cred, Code: tenant.NewSecret(code), Verifier: verifier, RedirectURI: redirect})
	if err != nil {
		s.t.Fatal(err)
	}
	w := msgraph.NewWriter(s.door.Delegated(s.ref, signed.Token).Writer())
	sp, err := w.ServicePrincipalByAppID(s.t.Context(), app.AppID)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, role := range []string{msgraph.RoleTeamsAdministrator, msgraph.RoleUserAdministrator} {
		if err := w.AssignRole(s.t.Context(), sp.ID, role); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestASimulatedTenantIsReadKeptUpAndLost(t *testing.T) {
	t.Parallel()
	s := newSimulated(t, 2200) // three pages of Graph and of Teams
	s.mustSync()
	c, err := s.d.Counts(t.Context(), operator(), s.customer.ID)
	if err != nil || c.Total < 2200 || c.NotAllocated < 1500 || c.NotLicensed < 300 || c.Allocated != 0 {
		t.Fatalf("counts %+v, %v", c, err)
	}
	for _, u := range s.users(Query{Status: NotLicensed, Limit: 1000}) {
		if u.Reason == "" {
			t.Errorf("no reason: %+v", u)
		}
	}
	who := s.users(Query{Status: NotAllocated, Limit: 1})[0]
	s.act("set-number", map[string]any{"upn": who.UserPrincipalName, "number": "+61255500001"})
	s.act("add-users", map[string]any{"count": 3})
	s.mustSync()
	if u := s.one(who.ID); u.Number != "+61255500001" || u.Status != Allocated {
		t.Errorf("after set-number: %+v", u)
	}
	s.act("delete-users", map[string]any{"count": 30}) // 1.4 % of them
	s.mustSync()
	after, err := s.d.Counts(t.Context(), operator(), s.customer.ID)
	if err != nil || after.Total != c.Total+3-30 {
		t.Errorf("counts %+v, %v; before %+v", after, err, c)
	}
	table := s.table()
	s.act("delete-service-principal", map[string]any{"appId": s.cred.AppID})
	_, err = s.sync("lost")
	if tenant.AsRefusal(err) == nil || !tenant.AsRefusal(err).Class.Permanent() {
		t.Errorf("a lost tenant answers %v", err)
	}
	if s.table() != table {
		t.Error("losing the tenant changed what is known of it")
	}
}
