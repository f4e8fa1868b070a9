package pairing_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/base/seal"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
	"tcap.cloud/m365sim"
)

var operator = access.System("test")

const redirect = "https://portal.fabrikam.example/api/v1/mstenantconsent"

// house is pairing with everything below it, and a simulated Microsoft 365 reached over HTTPS.
type house struct {
	*pairing.Pairings
	t    *testing.T
	db   *db.DB
	org  *org.Org
	ops  *operation.Engine
	sim  string
	http *http.Client
	time *clock.Shifted
}

// at most 1: one connection for each test and database.
func open(t *testing.T, kindOf string) *house {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := &house{t: t}
	h.startSim(ctx)
	dbURL := dbtest.URL(t, kindOf)
	h.db = dbtest.Open(t, dbURL)
	log := slog.New(slog.DiscardHandler)
	c := &clock.Shifted{}
	h.time = c
	j, err := jobs.New(ctx, h.db, jobs.Options{Work: true, Concurrency: 8, URL: dbURL, Log: log})
	must(t, err)
	h.ops = operation.NewEngine(operation.Options{DB: h.db, Jobs: j, Clock: c, Log: log, Lease: 5 * time.Second, Sweep: 200 * time.Millisecond})
	plans := plan.New(h.db, c, kind.All()...)
	h.org = org.New(h.db, c)
	id, err := seal.NewIdentity()
	must(t, err)
	var app struct{ AppID, Secret string }
	h.simCall("/_sim/apps", map[string]any{"name": "TCAP", "redirectUris": []string{redirect}, "delegated": []string{"Directory.AccessAsUser.All", "User.Read", "User.Read.All"}}, &app)
	directory := tenant.Directory{tenant.Global: {Authority: h.sim, Graph: h.sim + "/graph", Teams: h.sim + "/teams"}}
	ent, err := entra.New(entra.Options{Directory: directory, HTTP: h.http, Now: c.Now})
	must(t, err)
	h.Pairings = pairing.New(pairing.Options{DB: h.db, Clock: c, Org: h.org, Operations: h.ops, Plans: plans, Directory: directory,
		Hosted:     map[tenant.Cloud]pairing.HostedApp{tenant.Global: {AppID: app.AppID, Name: "TCAP", Credential: tenant.Credential{AppID: app.AppID, Secret: tenant.NewSecret(app.Secret)}}},
		Recipients: id.Recipients(), Opener: seal.NewOpener(id), Entra: ent, RedirectURI: redirect})
	door, err := tenant.New(tenant.Options{Directory: directory, Credentials: h.Pairings, Tokens: ent, HTTP: h.http, Now: c.Now, Log: log})
	must(t, err)
	h.UseDoor(door)
	h.UseSyncer(emptySync{h.ops})
	h.ops.Handle(pairing.KindPair, h.Pairings)
	h.ops.Handle("empty-sync", operation.HandlerFunc(func(context.Context, *operation.Run) error { return nil }))
	must(t, j.Start(ctx))
	done := make(chan struct{})
	go func() { defer close(done); _ = h.ops.Sweep(ctx) }()
	t.Cleanup(func() {
		stop, end := context.WithTimeout(context.Background(), 5*time.Second)
		defer end()
		_ = j.Stop(stop)
		cancel()
		<-done
		h.org.Close()
	})
	return h
}

func (h *house) startSim(ctx context.Context) {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(h.t, err)
	sim, err := m365sim.New(m365sim.Options{BaseURL: "https://" + l.Addr().String(), CADir: h.t.TempDir()})
	must(h.t, err)
	go func() { _ = sim.Serve(ctx, l) }()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(sim.CAPEM())
	h.sim = "https://" + l.Addr().String()
	h.http = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	h.t.Cleanup(h.http.CloseIdleConnections)
}

// emptySync is a first sync that finds nobody: pairing is what is tested here.
type emptySync struct{ ops *operation.Engine }

func (s emptySync) StartSync(ctx context.Context, tx db.Tx, c org.Customer, a access.Actor) (string, bool, error) {
	return s.ops.Start(ctx, tx, operation.New{Kind: "empty-sync", Title: "Sync", PartnerID: c.PartnerID, CustomerID: c.ID, Subject: "sync:" + c.ID, Actor: a})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) simCall(path string, body, into any) {
	h.t.Helper()
	raw, err := json.Marshal(body)
	must(h.t, err)
	res, err := h.http.Post(h.sim+path, "application/json", bytes.NewReader(raw))
	must(h.t, err)
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		h.t.Fatalf("%s answered %d", path, res.StatusCode)
	}
	if into != nil {
		must(h.t, json.NewDecoder(res.Body).Decode(into))
	}
}

// later moves the clocks of both sides.
func (h *house) later(d time.Duration) {
	h.t.Helper()
	h.simCall("/_sim/clock", map[string]any{"advance": d.String()}, nil)
	h.time.Shift(d)
}

type simTenant struct {
	TenantID, Domain  string
	GlobalAdmin, User struct{ UPN, Password string }
}

func (h *house) tenant(name string) simTenant {
	h.t.Helper()
	var made simTenant
	h.simCall("/_sim/tenants", map[string]any{"name": name, "cloud": "global", "users": 5, "seed": 1, "licensedShare": 1.0}, &made)
	return made
}

// customer makes a customer, named after its tenant where one is given, with a Direct Routing service.
func (h *house) customer(name, tenantID string) (org.Customer, org.Service) {
	h.t.Helper()
	ctx := context.Background()
	p, err := h.org.CreatePartner(ctx, operator, org.NewPartner{Name: "Partner of " + name})
	must(h.t, err)
	c, err := h.org.CreateCustomer(ctx, operator, org.NewCustomer{PartnerID: p.ID, Name: name, Cloud: "global", TenantID: tenantID})
	must(h.t, err)
	s, err := h.org.AddService(ctx, operator, c.ID, org.NewService{Kind: org.DirectRouting})
	must(h.t, err)
	return c, s
}

// reply plays the browser and answers what Microsoft sends back, or the page that keeps the person at Microsoft.
func (h *house) reply(consentURL, upn, password, decision string) (form url.Values, page string) {
	h.t.Helper()
	var out struct {
		URL  *string
		Form map[string]string
		Page *struct{ Code any }
	}
	h.simCall("/_sim/consent", map[string]any{"authorizeUrl": consentURL, "upn": upn, "password": password, "decision": decision}, &out)
	if out.URL == nil {
		return nil, fmt.Sprint(out.Page.Code)
	}
	form = url.Values{}
	for k, v := range out.Form {
		form.Set(k, v)
	}
	return form, ""
}

func (h *house) grant(s org.Service) string {
	h.t.Helper()
	g, err := h.GrantAccess(context.Background(), operator, s.ID)
	must(h.t, err)
	return g.ConsentURL
}

func (h *house) until(id string, states ...operation.State) operation.Row {
	h.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		o, err := h.ops.Get(context.Background(), operator.Scope, id)
		must(h.t, err)
		for _, s := range states {
			if o.State == s && (s != operation.Waiting || (o.WaitingFor != operation.ForRetry && o.WaitingFor != operation.ForMicrosoft)) {
				return o
			}
		}
		if o.State.Final() || time.Now().After(deadline) {
			h.t.Fatalf("the operation is %s (%+v; waits for %s: %s), want %v", o.State, o.Error, o.WaitingFor, o.DueWhy, states)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (h *house) state(customerID string) pairing.Pairing {
	h.t.Helper()
	p, err := h.Of(context.Background(), operator, customerID)
	must(h.t, err)
	return p
}

// roles lists who holds which directory role in the tenant, as the simulator keeps it.
func (h *house) roles(tenantID string) int {
	h.t.Helper()
	res, err := h.http.Get(h.sim + "/_sim/tenants/" + tenantID + "/state")
	must(h.t, err)
	defer res.Body.Close()
	var state struct{ RoleAssignments []any }
	must(h.t, json.NewDecoder(res.Body).Decode(&state))
	return len(state.RoleAssignments)
}
