package portal_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
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
	"tcap.cloud/internal/door/portal"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/tenant"
)

// The accounts' password; it opens nothing outside the test.
const password = "correct horse battery staple"

var system = access.System("test")

// stand is the whole portal on a real store: an operator with two partners, a customer each; the first has both services.
type stand struct {
	t        *testing.T
	db       *db.DB
	clock    *clock.Fake
	org      *org.Org
	ops      *operation.Engine
	pairings *pairing.Pairings
	pages    *portal.Portal
	url      string

	partner, customer, direct, connect string
	otherCustomer, otherService        string
	actors                             map[string]access.Actor
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// begin opens the portal. change may alter the options first.
func begin(t *testing.T, change ...func(*portal.Options)) *stand {
	t.Helper()
	ctx := context.Background()
	s := &stand{t: t, db: dbtest.SQLite(t), clock: clock.NewFake(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), actors: map[string]access.Actor{}}
	log := slog.New(slog.DiscardHandler)
	s.org = org.New(s.db, s.clock, org.WithAllowService(func(_ org.Customer, kind string, sync bool) *fault.Fault {
		if kind == org.DirectRouting && !sync {
			return fault.New(fault.Conflict, "direct-routing-needs-sync", "Direct Routing cannot be set up without sync.")
		}
		return nil
	}))
	t.Cleanup(s.org.Close)
	j, err := jobs.New(ctx, s.db, jobs.Options{Log: log})
	must(t, err)
	s.ops = operation.NewEngine(operation.Options{DB: s.db, Jobs: j, Clock: s.clock, Log: log, Lease: time.Second, Sweep: time.Second})
	plans := plan.New(s.db, s.clock, kind.All()...)
	id, err := seal.NewIdentity()
	must(t, err)
	clouds := tenant.Directory{tenant.Global: {Authority: "https://login.microsoftonline.com", Graph: "https://graph.microsoft.com", Teams: "https://api.interfaces.records.teams.microsoft.com"}}
	s.pairings = pairing.New(pairing.Options{DB: s.db, Clock: s.clock, Org: s.org, Operations: s.ops, Plans: plans, Directory: clouds, Recipients: id.Recipients(),
		Hosted: map[tenant.Cloud]pairing.HostedApp{tenant.Global: {AppID: "11111111-2222-4333-8444-555555555555", Name: "TCAP"}}, RedirectURI: "https://portal.example/api/v1/mstenantconsent"})
	people, err := directory.New(directory.Options{DB: s.db, Clock: s.clock, Org: s.org, Operations: s.ops, Sessions: s.pairings, Pairings: s.pairings, Log: log})
	must(t, err)
	numbers := number.New(number.Options{DB: s.db, Clock: s.clock, Org: s.org, Operations: s.ops, Plans: plans, Sessions: s.pairings})
	server := httptest.NewUnstartedServer(nil)
	o := portal.Options{DB: s.db, Clock: s.clock, Log: log, Org: s.org, Pairings: s.pairings, Operations: s.ops, Plans: plans, Directory: people, Numbers: numbers,
		Cards: servicecard.New(s.db, s.clock, s.org, s.pairings), PublicURL: "http://" + server.Listener.Addr().String(), OneProcess: true}
	for _, f := range change {
		f(&o)
	}
	s.pages = portal.New(o)
	server.Config.Handler = s.pages
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	s.people(ctx)
	return s
}

func (s *stand) people(ctx context.Context) {
	s.t.Helper()
	_, err := s.org.EnsureOperator(ctx, "Fabrikam Telecom")
	must(s.t, err)
	s.partner, s.customer, s.direct = s.company(ctx, "Contoso Voice", "Wingtip Toys", org.DirectRouting, true)
	svc, err := s.org.AddService(ctx, system, s.customer, org.NewService{Kind: org.OperatorConnect, Sync: new(bool)})
	must(s.t, err)
	s.connect = svc.ID
	_, s.otherCustomer, s.otherService = s.company(ctx, "Adatum Connect", "Tailspin Airlines", org.OperatorConnect, true)
	operator, partner := access.Scope{Level: access.Operator}, access.Scope{Level: access.Partner, PartnerID: s.partner}
	customer := access.Scope{Level: access.Customer, CustomerID: s.customer}
	for name, a := range map[string]access.Actor{"operator": {Scope: operator, Role: access.Admin}, "partner": {Scope: partner, Role: access.Agent},
		"customer": {Scope: customer, Role: access.Admin}, "viewer": {Scope: partner, Role: access.Viewer}, "billing": {Scope: partner, Role: access.Billing}} {
		m, err := s.org.CreateMember(ctx, system, org.NewMember{Email: name + "@contoso.example", Name: "The " + name, Scope: a.Scope, Role: a.Role})
		must(s.t, err)
		s.actors[name] = m.Actor()
	}
}

func (s *stand) company(ctx context.Context, partner, customer, kindOf string, sync bool) (partnerID, customerID, serviceID string) {
	s.t.Helper()
	p, err := s.org.CreatePartner(ctx, system, org.NewPartner{Name: partner})
	must(s.t, err)
	c, err := s.org.CreateCustomer(ctx, system, org.NewCustomer{PartnerID: p.ID, Name: customer, Cloud: org.CloudGlobal, PrimaryDomain: strings.ToLower(strings.Fields(customer)[0]) + ".example"})
	must(s.t, err)
	svc, err := s.org.AddService(ctx, system, c.ID, org.NewService{Kind: kindOf, Sync: &sync})
	must(s.t, err)
	return p.ID, c.ID, svc.ID
}

// browser is somebody at the portal, without JavaScript. It follows no redirect by itself.
type browser struct {
	s    *stand
	http *http.Client
}

// nobody is not signed in.
func (s *stand) nobody() *browser {
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as signs somebody in by a session of his own.
func (s *stand) as(name string) *browser {
	s.t.Helper()
	b := s.nobody()
	token, err := s.org.NewSession(context.Background(), s.actors[name], time.Hour)
	must(s.t, err)
	u, err := url.Parse(s.url)
	must(s.t, err)
	b.http.Jar.SetCookies(u, []*http.Cookie{{Name: "tcap", Value: token}})
	return b
}

// page is what was answered.
type page struct {
	t      *testing.T
	path   string
	status int
	header http.Header
	text   string
}

func (b *browser) do(method, path string, form url.Values, headers ...string) page {
	b.s.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(context.Background(), method, b.s.url+path, body)
	must(b.s.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.http.Do(req)
	must(b.s.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(b.s.t, err)
	return page{b.s.t, method + " " + path, res.StatusCode, res.Header, string(raw)}
}

func (b *browser) get(path string, headers ...string) page {
	b.s.t.Helper()
	return b.do(http.MethodGet, path, nil, headers...)
}

func (b *browser) post(path string, pairs ...string) page {
	b.s.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, v)
}

func (p page) is(status int) page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("%s answered %d, want %d:\n%.2000s", p.path, p.status, status, p.text)
	}
	return p
}

func (p page) has(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text, text) {
			p.t.Errorf("%s does not show %q", p.path, text)
		}
	}
	return p
}

func (p page) lacks(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.text, text) {
			p.t.Errorf("%s shows %q", p.path, text)
		}
	}
	return p
}

// leads says where a 303 leads to.
func (p page) leads() string {
	p.t.Helper()
	return p.is(http.StatusSeeOther).header.Get("Location")
}
