package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/door/api"
	"tcap.cloud/internal/door/web"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

// stand is the API served over HTTP, with two partners that each have a customer with a service.
type stand struct {
	t      *testing.T
	db     *db.DB
	clock  *clock.Fake
	org    *org.Org
	ops    *operation.Engine
	url    string
	log    *logged
	system access.Actor

	partner, customer, service, member, key, operation string // the first partner's
	otherPartner, otherCustomer                        string
	keys                                               map[string]string // text by the name of an actor
	numbers                                            *number.Numbers
}

// logged keeps what was logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func begin(t *testing.T, d *db.DB, change ...func(*api.Options)) *stand {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &stand{t: t, db: d, clock: clock.NewFake(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), log: &logged{}, system: access.System("test"), keys: map[string]string{}}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.org = org.New(d, s.clock)
	j, err := jobs.New(ctx, d, jobs.Options{Log: slog.New(slog.DiscardHandler)})
	s.must(err)
	s.ops = operation.NewEngine(operation.Options{DB: d, Jobs: j, Clock: s.clock, Log: log, Lease: time.Second, Sweep: time.Second})
	plans := plan.New(d, s.clock)
	pairings := pairing.New(pairing.Options{DB: d, Clock: s.clock, Org: s.org, Operations: s.ops, Plans: plans})
	hub := feed.NewHub(d, 5*time.Millisecond)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = hub.Run(ctx) }()
	o := api.Options{DB: d, Clock: s.clock, Log: log, Version: "0.0.0-test", Org: s.org, Operations: s.ops, Plans: plans, Pairings: pairings,
		Cards: servicecard.New(d, s.clock, s.org, pairings), Feed: hub}
	s.rooms(&o)
	for _, f := range change {
		f(&o)
	}
	server := httptest.NewServer(web.Observe(log, api.New(o)))
	t.Cleanup(func() {
		server.Close()
		cancel()
		<-ended
		s.org.Close()
	})
	s.url = server.URL
	s.people(ctx)
	s.inhabit(ctx)
	return s
}

func (s *stand) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// people makes the two partners and a key for each actor of the matrix.
func (s *stand) people(ctx context.Context) {
	s.t.Helper()
	_, err := s.org.EnsureOperator(ctx, "Contoso Voice")
	s.must(err)
	s.partner, s.customer = s.tenantOf(ctx, "Fabrikam", "Wingtip Toys")
	s.otherPartner, s.otherCustomer = s.tenantOf(ctx, "Northwind", "Tailspin Toys")
	svc, err := s.org.AddService(ctx, s.system, s.customer, org.NewService{Kind: org.DirectRouting})
	s.must(err)
	s.service = svc.ID
	partner, other := access.Scope{Level: access.Partner, PartnerID: s.partner}, access.Scope{Level: access.Partner, PartnerID: s.otherPartner}
	customer := access.Scope{Level: access.Customer, PartnerID: s.partner, CustomerID: s.customer}
	otherCustomer := access.Scope{Level: access.Customer, PartnerID: s.otherPartner, CustomerID: s.otherCustomer}
	operator := access.Scope{Level: access.Operator}
	for _, k := range []struct {
		name  string
		scope access.Scope
		role  access.Role
	}{{"operator", operator, access.Admin}, {"op-viewer", operator, access.Viewer}, {"partner", partner, access.Admin}, {"other-partner", other, access.Admin},
		{"customer", customer, access.Admin}, {"other-customer", otherCustomer, access.Admin}, {"viewer", partner, access.Viewer},
		{"agent", partner, access.Agent}, {"sbc", partner, access.SBC}, {"billing", partner, access.Billing}} {
		made, text, err := s.org.CreateKey(ctx, s.system, org.NewKey{Name: k.name, Scope: k.scope, Role: k.role})
		s.must(err)
		s.keys[k.name] = text
		if k.name == "partner" {
			s.key = made.ID
		}
	}
	m, err := s.org.CreateMember(ctx, s.system, org.NewMember{Email: "ana@fabrikam.example", Name: "Ana", Scope: partner, Role: access.Viewer})
	s.must(err)
	s.member = m.ID
	s.operation = s.start(operation.New{Kind: "test", Title: "Assign a number", PartnerID: s.partner, CustomerID: s.customer, ServiceID: s.service, Steps: []string{"Look", "Do"}})
}

func (s *stand) tenantOf(ctx context.Context, partner, customer string) (partnerID, customerID string) {
	s.t.Helper()
	p, err := s.org.CreatePartner(ctx, s.system, org.NewPartner{Name: partner})
	s.must(err)
	c, err := s.org.CreateCustomer(ctx, s.system, org.NewCustomer{PartnerID: p.ID, Name: customer, Cloud: org.CloudGlobal})
	s.must(err)
	return p.ID, c.ID
}

func (s *stand) start(n operation.New) string {
	s.t.Helper()
	n.Actor = s.system
	var id string
	s.must(s.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) (err error) {
		id, _, err = s.ops.Start(ctx, tx, n)
		return err
	}))
	return id
}

// end finishes an operation as a runner would, and tells the feed.
func (s *stand) end(id string) {
	s.t.Helper()
	s.must(s.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE operation SET state = 'succeeded', finished_at = $1, version = version + 1 WHERE id = $2`, db.Micros(s.clock.Now()), id); err != nil {
			return err
		}
		return feed.Append(ctx, tx, feed.Line{At: s.clock.Now(), Topic: "operation", Ref: id, PartnerID: s.partner, CustomerID: s.customer})
	}))
}

// reply is an answer that was read to its end.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.Body), &v); err != nil {
		t.Fatalf("no JSON object: %v\n%s", err, r.Body)
	}
	return v
}

// refusal checks that an answer is problem details with this status and code, and gives them.
func (r reply) refusal(t *testing.T, status int, code string) map[string]any {
	t.Helper()
	v := r.json(t)
	if r.Status != status || v["code"] != code {
		t.Fatalf("answered %d %v, want %d %s\n%s", r.Status, v["code"], status, code, r.Body)
	}
	if got := r.Header.Get("Content-Type"); got != web.ProblemType {
		t.Errorf("Content-Type is %q", got)
	}
	for _, name := range []string{"type", "title", "detail"} {
		if text, _ := v[name].(string); text == "" {
			t.Errorf("the problem has no %s: %s", name, r.Body)
		}
	}
	if v["status"] != float64(status) || v["instance"] == nil || v["instance"] != r.Header.Get("X-Correlation-Id") {
		t.Errorf("status or instance is wrong: %s", r.Body)
	}
	return v
}

// ask sends a request as an actor ("" is nobody); headers are pairs.
func (s *stand) ask(actor, method, path, body string, headers ...string) reply {
	s.t.Helper()
	r, err := s.try(actor, method, path, body, headers...)
	s.must(err)
	return r
}

// try is ask for goroutines that must not end the test.
func (s *stand) try(actor, method, path, body string, headers ...string) (reply, error) {
	if !strings.HasPrefix(path, "/api/") {
		path = "/api/v1" + path
	}
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if actor != "" {
		req.Header.Set("Authorization", "Bearer "+s.keys[actor])
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(b)}, err
}

// sqlite begins on a fresh SQLite store.
func sqlite(t *testing.T, change ...func(*api.Options)) *stand {
	t.Helper()
	t.Parallel()
	return begin(t, dbtest.SQLite(t), change...)
}
