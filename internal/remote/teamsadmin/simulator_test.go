package teamsadmin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/msgraph"
	"tcap.cloud/internal/remote/teamsadmin"
	"tcap.cloud/internal/remote/tenant"
	"tcap.cloud/m365sim"
)

// house is all four packages in front of the simulator, as the product wires them.
type house struct {
	*testing.T
	server    *httptest.Server
	endpoints tenant.Endpoints
	entra     *entra.Client
	door      *tenant.Door
	ref       tenant.Ref
	cred      tenant.Credential
	admin     struct{ UPN, Password string }
	outcomes  []tenant.Outcome
}

const redirect = "https://tcap.example/callback"

func (h *house) App(context.Context, tenant.Ref) (tenant.Credential, error) { return h.cred, nil }

func (h *house) Report(_ context.Context, _ tenant.Ref, o tenant.Outcome) {
	h.outcomes = append(h.outcomes, o)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t}
	var sim *m365sim.Simulator
	h.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	sim, err := m365sim.New(m365sim.Options{BaseURL: h.server.URL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.server.Close(); _ = sim.Close() })
	h.endpoints = tenant.Endpoints{Authority: h.server.URL + "/login", Graph: h.server.URL + "/graph", Teams: h.server.URL + "/teams"}
	directory := tenant.Directory{tenant.Global: h.endpoints}
	if h.entra, err = entra.New(entra.Options{Directory: directory, HTTP: h.server.Client()}); err != nil {
		t.Fatal(err)
	}
	h.door, err = tenant.New(tenant.Options{
		Directory: directory, Credentials: h, Tokens: h.entra, Outcomes: h, HTTP: h.server.Client(),
		Wait: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		TenantID    string
		GlobalAdmin struct{ UPN, Password string }
	}
	h.control("/_sim/tenants", map[string]any{"name": "Contoso", "users": 40, "seed": 1, "licensedShare": 1, "cloud": "global"}, &made)
	var app struct{ AppID, Secret string }
	h.control("/_sim/apps", map[string]any{
		"name": "Fabrikam Voice", "redirectUris": []string{redirect}, "delegated": []string{"Directory.AccessAsUser.All", "User.Read", "User.Read.All"},
	}, &app)
	h.ref = tenant.Ref{CustomerID: "42", TenantID: made.TenantID, Cloud: tenant.Global}
	h.cred = tenant.Credential{AppID: app.AppID, Secret: tenant.NewSecret(app.Secret)}
	h.admin = made.GlobalAdmin
	return h
}

func (h *house) control(path string, body, into any) {
	h.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		h.Fatal(err)
	}
	resp, err := h.server.Client().Post(h.server.URL+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode > 299 {
		h.Fatalf("%s: %d", path, resp.StatusCode)
	}
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			h.Fatal(err)
		}
	}
}

// signIn plays the administrator's browser and redeems what comes back.
func (h *house) signIn() (entra.SignedIn, entra.IDClaims) {
	h.Helper()
	verifier, challenge := entra.NewPKCE()
	nonce := entra.NewRandom()
	address := entra.AuthorizeURL(h.endpoints, entra.AuthorizeRequest{
		Tenant: h.ref.TenantID, ClientID: h.cred.AppID, RedirectURI: redirect, State: "s", Nonce: nonce, Challenge: challenge, Prompt: "consent",
		Scopes: []string{"openid", "profile", h.endpoints.Scope(tenant.ResourceGraph)},
	})
	var reply struct {
		URL  string
		Form map[string]string
	}
	h.control("/_sim/consent", map[string]any{"authorizeUrl": address, "upn": h.admin.UPN, "password": h.admin.Password, "decision": "accept"}, &reply)
	code := reply.Form["code"]
	if u, err := url.Parse(reply.URL); err == nil && code == "" {
		code = u.Query().Get("code")
	}
	signed, err := h.entra.Redeem(h.Context(), h.endpoints, entra.RedeemRequest{
		Tenant: h.ref.TenantID, Credential: h.cred, Code: tenant.NewSecret(code), Verifier: verifier, RedirectURI: redirect,
	})
	if err != nil {
		h.Fatal(err)
	}
	who, err := h.entra.VerifyIDToken(h.Context(), h.endpoints, signed.IDToken, h.cred.AppID, nonce)
	if err != nil {
		h.Fatal(err)
	}
	return signed, who
}

// pair does what pairing does: it signs the administrator in and places the two roles.
func (h *house) pair() {
	h.Helper()
	signed, who := h.signIn()
	if who.TenantID != h.ref.TenantID || who.UPN != h.admin.UPN {
		h.Fatalf("signed in as %+v", who)
	}
	person := h.door.Delegated(h.ref, signed.Token)
	roles, err := msgraph.NewReader(person).MyDirectoryRoles(h.Context())
	if err != nil || !slices.ContainsFunc(roles, func(r msgraph.DirectoryRole) bool { return r.RoleTemplateID == msgraph.RoleGlobalAdministrator }) {
		h.Fatalf("%+v, %v", roles, err)
	}
	w := msgraph.NewWriter(person.Writer())
	sp, err := w.ServicePrincipalByAppID(h.Context(), h.cred.AppID)
	if err != nil {
		h.Fatal(err)
	}
	for range 2 { // the second time they are there
		for _, role := range []string{msgraph.RoleTeamsAdministrator, msgraph.RoleUserAdministrator} {
			if err := w.AssignRole(h.Context(), sp.ID, role); err != nil {
				h.Fatal(err)
			}
		}
	}
	if held, err := w.RoleAssignments(h.Context(), sp.ID); err != nil || len(held) != 2 {
		h.Fatalf("%+v, %v", held, err)
	}
	if grants, err := w.PermissionGrants(h.Context(), sp.ID); err != nil || len(grants) == 0 {
		h.Fatalf("%+v, %v", grants, err)
	}
}

func TestAWholePairingAgainstTheSimulator(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pair()
	graph := msgraph.NewReader(h.door.Session(h.ref))
	if o, err := graph.Organization(t.Context()); err != nil || o.ID != h.ref.TenantID || len(o.VerifiedDomains) == 0 {
		t.Errorf("%+v, %v", o, err)
	}
	if skus, err := graph.SubscribedSKUs(t.Context()); err != nil || len(skus) == 0 {
		t.Errorf("%v", err)
	}
	users, delta := 0, ""
	for page, err := range graph.DeltaUsers(t.Context(), "", nil) {
		if err != nil {
			t.Fatal(err)
		}
		users, delta = users+len(page.Rows), page.Delta
	}
	if users != 40 || delta == "" {
		t.Errorf("%d users, delta %q", users, delta)
	}
	for page, err := range graph.DeltaUsers(t.Context(), delta, nil) {
		if err != nil || len(page.Rows) != 0 {
			t.Errorf("%d changes, %v", len(page.Rows), err)
		}
	}
	for _, o := range h.outcomes {
		if o.Refusal != nil {
			t.Errorf("%v", o.Refusal)
		}
	}
}

func TestNumbersAndPoliciesAgainstTheSimulator(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pair()
	w := teamsadmin.NewWriter(h.door.Session(h.ref).Writer())
	var ana teamsadmin.User
	seen := 0
	for page, err := range w.Users(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			if seen++; slices.Contains(u.FeatureTypes, "PhoneSystem") && u.UPN != h.admin.UPN {
				ana = u
			}
		}
	}
	if seen < 40 || ana.ObjectID == "" {
		t.Fatalf("%d users, %+v", seen, ana)
	}
	a := teamsadmin.Assignment{Identity: ana.ObjectID, TelephoneNumber: "+61255501234", Type: teamsadmin.DirectRouting}
	_, err := w.AssignNumber(t.Context(), a)
	if r := tenant.AsRefusal(err); err != nil && (r == nil || r.Code != teamsadmin.CodeNumberNotFound) {
		t.Errorf("a number that the tenant lacks: %v", err)
	}
	h.control("/_sim/tenants/"+h.ref.TenantID+"/actions", map[string]any{"action": "set-number", "upn": ana.UPN, "number": a.TelephoneNumber}, nil)
	if _, err := w.UnassignNumber(t.Context(), ana.ObjectID, a.TelephoneNumber, a.Type); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AssignNumber(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := w.GrantPolicy(t.Context(), ana.ObjectID, "OnlineVoiceRoutingPolicy", "AU-All"); err != nil {
		t.Fatal(err)
	}
	got, err := w.User(t.Context(), ana.ObjectID)
	if err != nil || got.LineURI != "tel:"+a.TelephoneNumber || !got.EnterpriseVoice {
		t.Errorf("%+v, %v", got, err)
	}
	found := false
	for page, err := range w.Numbers(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || slices.ContainsFunc(page.Numbers, func(n teamsadmin.Number) bool {
			return n.TelephoneNumber == a.TelephoneNumber && n.TargetID == ana.ObjectID && n.Type == teamsadmin.DirectRouting
		})
	}
	if !found {
		t.Error("the number is not in the list")
	}
	if policies, err := w.Policies(t.Context(), "OnlineVoiceRoutingPolicy"); err != nil || len(policies) < 2 {
		t.Errorf("%v, %v", policies, err)
	}
}

func TestWhatATenantCanTakeAwayAgainstTheSimulator(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action map[string]any
		class  tenant.Class
		teams  bool
	}{
		"the application":         {map[string]any{"action": "delete-service-principal"}, tenant.AccessLost, false},
		"its being enabled":       {map[string]any{"action": "disable-service-principal"}, tenant.AccessLost, false},
		"its secret":              {map[string]any{"action": "delete-secret"}, tenant.Config, false},
		"the tenant":              {map[string]any{"action": "delete-tenant"}, tenant.AccessLost, false},
		"the Teams administrator": {map[string]any{"action": "remove-role", "role": msgraph.RoleTeamsAdministrator}, tenant.Refused, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.pair()
			c.action["appId"] = h.cred.AppID
			h.control("/_sim/tenants/"+h.ref.TenantID+"/actions", c.action, nil)
			var err error
			if c.teams {
				_, err = teamsadmin.NewReader(h.door.Session(h.ref)).Policies(t.Context(), "OnlineVoiceRoute")
			} else {
				_, err = msgraph.NewReader(h.door.Session(h.ref)).Organization(t.Context())
			}
			if tenant.ClassOf(err) != c.class {
				t.Errorf("%v", err)
			}
			if last := h.outcomes[len(h.outcomes)-1]; last.Refusal == nil || last.Refusal.Class != c.class {
				t.Errorf("outcome %+v", last)
			}
		})
	}
}
