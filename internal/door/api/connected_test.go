package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/base/seal"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/door/api"
	"tcap.cloud/internal/door/web"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
	"tcap.cloud/m365sim"
)

const replyTo = "https://portal.fabrikam.example/api/v1/mstenantconsent"

// world is the API with everything below it working, and a simulated Microsoft 365 reached over HTTPS.
type world struct {
	*stand
	sim    string
	http   *http.Client
	clock  *clock.Shifted
	ahead  time.Duration
	tenant struct {
		TenantID, Domain  string
		GlobalAdmin, User struct{ UPN, Password string }
	}
}

// connected begins a world with one customer and a service that is not connected yet; named says whether the customer's
// tenant was named beforehand.
func connected(t *testing.T, named bool, change ...func(*api.Options)) *world {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	w := &world{stand: &stand{t: t, log: &logged{}, system: access.System("test"), keys: map[string]string{}}}
	w.startSim(ctx)
	at := dbtest.URL(t, "sqlite")
	w.db = dbtest.Open(t, at)
	log, c := slog.New(slog.NewTextHandler(w.log, nil)), &clock.Shifted{}
	j, err := jobs.New(ctx, w.db, jobs.Options{Work: true, Concurrency: 8, URL: at, Log: slog.New(slog.DiscardHandler)})
	w.must(err)
	w.ops = operation.NewEngine(operation.Options{DB: w.db, Jobs: j, Clock: c, Log: log, Lease: 5 * time.Second, Sweep: 200 * time.Millisecond})
	w.clock, w.org = c, org.New(w.db, c)
	_, err = w.org.EnsureOperator(ctx, "Contoso Voice")
	w.must(err)
	o := api.Options{DB: w.db, Clock: c, Log: log, Org: w.org, Operations: w.ops, Plans: plan.New(w.db, c, kind.All()...)}
	w.openTenants(&o, c)
	for _, f := range change {
		f(&o)
	}
	w.must(j.Start(ctx))
	swept := make(chan struct{})
	go func() { defer close(swept); _ = w.ops.Sweep(ctx) }()
	server := httptest.NewServer(web.Observe(log, api.New(o)))
	w.url = server.URL
	t.Cleanup(func() {
		server.Close()
		stop, end := context.WithTimeout(context.Background(), 5*time.Second)
		defer end()
		_ = j.Stop(stop)
		cancel()
		<-swept
		w.org.Close()
	})
	w.settle(ctx, named)
	return w
}

func (w *world) startSim(ctx context.Context) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	sim, err := m365sim.New(m365sim.Options{BaseURL: "https://" + l.Addr().String(), CADir: w.t.TempDir()})
	w.must(err)
	go func() { _ = sim.Serve(ctx, l) }()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(sim.CAPEM())
	w.sim = "https://" + l.Addr().String()
	w.http = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	w.t.Cleanup(w.http.CloseIdleConnections)
}

// openTenants makes what reaches Microsoft: pairing, directory and inventory.
func (w *world) openTenants(o *api.Options, c clock.Clock) {
	w.t.Helper()
	var app struct{ AppID, Secret string }
	w.play("/_sim/apps", map[string]any{"name": "TCAP", "redirectUris": []string{replyTo}, "delegated": []string{"Directory.AccessAsUser.All", "User.Read", "User.Read.All"}}, &app)
	where := tenant.Directory{tenant.Global: {Authority: w.sim, Graph: w.sim + "/graph", Teams: w.sim + "/teams"}}
	signIn, err := entra.New(entra.Options{Directory: where, HTTP: w.http, Now: c.Now})
	w.must(err)
	id, err := seal.NewIdentity()
	w.must(err)
	o.Pairings = pairing.New(pairing.Options{DB: w.db, Clock: c, Org: w.org, Operations: w.ops, Plans: o.Plans, Directory: where,
		Hosted:     map[tenant.Cloud]pairing.HostedApp{tenant.Global: {AppID: app.AppID, Name: "TCAP", Credential: tenant.Credential{AppID: app.AppID, Secret: tenant.NewSecret(app.Secret)}}},
		Recipients: id.Recipients(), Opener: seal.NewOpener(id), Entra: signIn, RedirectURI: replyTo})
	door, err := tenant.New(tenant.Options{Directory: where, Credentials: o.Pairings, Tokens: signIn, HTTP: w.http, Now: c.Now, Log: o.Log})
	w.must(err)
	o.Pairings.UseDoor(door)
	w.ops.Handle(pairing.KindPair, o.Pairings)
	w.rooms(o)
	o.Pairings.UseSyncer(o.Directory)
	o.Directory.UseReconcile(seenBy{w.numbers})
	o.Cards = servicecard.New(w.db, c, w.org, o.Pairings)
}

// seenBy tells the inventory what a sync saw.
type seenBy struct{ n *number.Numbers }

func (s seenBy) Observed(ctx context.Context, tx db.Tx, customerID string, seen []directory.VoiceSeen) error {
	out := make([]number.Seen, len(seen))
	for i, v := range seen {
		out[i] = number.Seen{UserID: v.UserID, Name: v.Name, Number: v.Number}
	}
	return s.n.Observed(ctx, tx, customerID, out)
}

// settle makes a tenant, its customer with a service, and a key for the operator, and for another partner.
func (w *world) settle(ctx context.Context, named bool) {
	w.t.Helper()
	w.play("/_sim/tenants", map[string]any{"name": "Wingtip Toys", "cloud": "global", "users": 6, "seed": 1, "licensedShare": 1.0}, &w.tenant)
	p, err := w.org.CreatePartner(ctx, w.system, org.NewPartner{Name: "Fabrikam"})
	w.must(err)
	n := org.NewCustomer{PartnerID: p.ID, Name: "Wingtip Toys", Cloud: org.CloudGlobal, Country: "AU"}
	if named {
		n.TenantID = w.tenant.TenantID
	}
	c, err := w.org.CreateCustomer(ctx, w.system, n)
	w.must(err)
	s, err := w.org.AddService(ctx, w.system, c.ID, org.NewService{Kind: org.DirectRouting})
	w.must(err)
	w.partner, w.customer, w.service = p.ID, c.ID, s.ID
	for name, role := range map[string]access.Role{"operator": access.Admin, "viewer": access.Viewer} {
		_, w.keys[name], err = w.org.CreateKey(ctx, w.system, org.NewKey{Name: name, Scope: access.Scope{Level: access.Operator}, Role: role})
		w.must(err)
	}
}

func (w *world) play(path string, body, into any) {
	w.t.Helper()
	raw, err := json.Marshal(body)
	w.must(err)
	res, err := w.http.Post(w.sim+path, "application/json", bytes.NewReader(raw))
	w.must(err)
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		w.t.Fatalf("%s answered %d", path, res.StatusCode)
	}
	if into != nil {
		w.must(json.NewDecoder(res.Body).Decode(into))
	}
}

// consent has a Global Administrator, or whoever upn is, answer a fresh link with a decision, and gives Microsoft's reply.
func (w *world) consent(decision string) url.Values {
	w.t.Helper()
	link := w.ask("operator", "POST", "/services/"+w.service+"/grant-access", `{}`)
	if link.Status != 200 {
		w.t.Fatalf("grant-access answered %d %s", link.Status, link.Body)
	}
	var out struct {
		URL  *string
		Form map[string]string
	}
	w.play("/_sim/consent", map[string]any{"authorizeUrl": link.json(w.t)["consentUrl"], "upn": w.tenant.GlobalAdmin.UPN, "password": w.tenant.GlobalAdmin.Password,
		"decision": decision}, &out)
	if out.URL == nil {
		w.t.Fatal("Microsoft kept the administrator on its own page")
	}
	form := url.Values{}
	for k, v := range out.Form {
		form.Set(k, v)
	}
	return form
}

// back sends Microsoft's reply as a form that a browser posts across sites; redirects are not followed.
func (w *world) back(path string, form url.Values, accept string) reply {
	w.t.Helper()
	return w.send("POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept", accept, "Origin", "https://login.microsoftonline.com",
		"Sec-Fetch-Site", "cross-site")
}

func (w *world) send(method, path, body string, headers ...string) reply {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+"/api/v1"+path, strings.NewReader(body))
	w.must(err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	w.must(err)
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	w.must(err)
	return reply{res.StatusCode, res.Header, b.String()}
}

// connect has the tenant connected, and its first sync done.
func (w *world) connect() {
	w.t.Helper()
	r := w.back("/mstenantconsent", w.consent("accept"), "application/json")
	if r.Status != 202 {
		w.t.Fatalf("the reply was answered %d %s", r.Status, r.Body)
	}
	w.until(r.Header.Get("Location"), "succeeded")
}

// until waits for an operation, named by its Location, to come to one of these states; where Microsoft is waited for, time
// passes.
func (w *world) until(location string, states ...string) map[string]any {
	w.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		v := w.ask("operator", "GET", location, "").json(w.t)
		state, _ := v["state"].(string)
		if waits := v["waitingFor"]; slices.Contains(states, state) && (state != "waiting" || (waits != "retry" && waits != "microsoft")) {
			return v
		}
		if slices.Contains([]string{"succeeded", "failed", "cancelled"}, state) || time.Now().After(deadline) {
			w.t.Fatalf("the operation is %v, want %v\n%v", state, states, v)
		}
		if v["waitingFor"] == "microsoft" {
			w.later(time.Minute)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// later moves the clock here and at Microsoft, so that what spreads there slowly has done so.
func (w *world) later(d time.Duration) {
	w.t.Helper()
	w.play("/_sim/clock", map[string]any{"advance": d.String()}, nil)
	w.ahead += d
	w.clock.Shift(w.ahead)
}

// pages counts the refusals it shows.
func pages(shown *[]string) func(*api.Options) {
	return func(o *api.Options) {
		o.RefusalPage = func(w http.ResponseWriter, _ *http.Request, f *fault.Fault) {
			*shown = append(*shown, f.Code)
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(web.StatusOf(f.Kind))
		}
	}
}
