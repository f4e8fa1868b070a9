package number_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/kind/kindtest"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

var root = access.System("test")

// directory is what the room is told of people: the tenant as it was at the last look.
type directory struct {
	mu    sync.Mutex
	users map[string]number.UserInfo
}

func (d *directory) User(_ context.Context, _, id string) (number.UserInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.users[id]
	if !ok {
		return u, fault.Missing("user")
	}
	return u, nil
}

func (d *directory) SetVoice(_ context.Context, _ db.Tx, _, id string, n, policy *string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.users[id]
	if n != nil {
		u.Number = *n
	}
	if policy != nil {
		u.VoicePolicy = *policy
	}
	d.users[id] = u
	return nil
}

func (d *directory) Has(_ context.Context, _, typ, name string) (bool, error) {
	return typ == kind.VoiceRoutingPolicy && name == "AU", nil
}

// stand is a customer with a service, people and a tenant, and the process that works.
type stand struct {
	*number.Numbers
	t        *testing.T
	db       *db.DB
	url      string
	clock    *clock.Fake
	org      *org.Org
	dir      *directory
	teams    *kindtest.Teams
	ops      *operation.Engine
	stop     func()
	customer org.Customer
	service  org.Service
	users    []string
	numbers  []string
	blocked  error // what Allowed answers
}

func newStand(t *testing.T, url string, users, numbers int) *stand {
	t.Helper()
	s := &stand{t: t, db: dbtest.Open(t, url), url: url, clock: clock.NewFake(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)),
		dir: &directory{users: map[string]number.UserInfo{}}}
	for i := range users {
		id := fmt.Sprintf("user-%02d", i)
		s.users = append(s.users, id)
		s.dir.users[id] = number.UserInfo{ID: id, Name: fmt.Sprintf("Person %02d", i), UPN: id + "@contoso.example", Licensed: true}
	}
	for i := range numbers {
		s.numbers = append(s.numbers, fmt.Sprintf("+6125550%04d", i+1))
	}
	s.teams = kindtest.New(t, s.users, s.numbers)
	s.teams.Policies[kind.VoiceRoutingPolicy] = []string{"AU"}
	s.org = org.New(s.db, s.clock)
	t.Cleanup(s.org.Close)
	s.start()
	t.Cleanup(func() { s.stop() })
	s.seed()
	return s
}

// start begins a process on the stand's store.
func (s *stand) start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	j, err := jobs.New(ctx, s.db, jobs.Options{Work: true, Concurrency: 8, URL: s.url, Log: log})
	if err != nil {
		s.t.Fatal(err)
	}
	s.ops = operation.NewEngine(operation.Options{DB: s.db, Jobs: j, Clock: s.clock, Log: log, Lease: 2 * time.Second, Sweep: 20 * time.Millisecond})
	s.Numbers = number.New(number.Options{DB: s.db, Clock: s.clock, Org: s.org, Operations: s.ops, Plans: plan.New(s.db, s.clock, kind.All()...),
		Users: s.dir, Policies: s.dir, Sessions: s.teams, Allowed: func(context.Context, string) error { return s.blocked }})
	if err := j.Start(ctx); err != nil {
		s.t.Fatal(err)
	}
	swept := make(chan struct{})
	ops := s.ops
	go func() { defer close(swept); _ = ops.Sweep(ctx) }()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel() // as a process that is killed: whatever runs is cut
			<-swept
			end, done := context.WithTimeout(context.Background(), 5*time.Second)
			defer done()
			_ = j.Stop(end)
		})
	}
}

func (s *stand) seed() {
	s.t.Helper()
	ctx := s.t.Context()
	if _, err := s.org.EnsureOperator(ctx, "Southern Cross"); err != nil {
		s.t.Fatal(err)
	}
	s.customer, s.service = s.addCustomer("Fabrikam Networks", "Contoso")
	if len(s.numbers) > 0 {
		s.importAll(s.customer, s.service, s.numbers...)
	}
}

func (s *stand) addCustomer(partner, name string) (org.Customer, org.Service) {
	s.t.Helper()
	p, err := s.org.CreatePartner(s.t.Context(), root, org.NewPartner{Name: partner})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.addCustomerOf(p.ID, name)
}

func (s *stand) addCustomerOf(partnerID, name string) (org.Customer, org.Service) {
	s.t.Helper()
	c, err := s.org.CreateCustomer(s.t.Context(), root, org.NewCustomer{PartnerID: partnerID, Name: name, Cloud: "global", Country: "AU"})
	if err != nil {
		s.t.Fatal(err)
	}
	svc, err := s.org.AddService(s.t.Context(), root, c.ID, org.NewService{Kind: org.DirectRouting})
	if err != nil {
		s.t.Fatal(err)
	}
	return c, svc
}

func (s *stand) importAll(c org.Customer, svc org.Service, numbers ...string) number.ImportResult {
	s.t.Helper()
	var lines []number.Line
	for i, n := range numbers {
		lines = append(lines, number.Line{Line: i + 1, Number: n})
	}
	r, err := s.Import(s.t.Context(), root, number.ImportRequest{CustomerID: c.ID, ServiceID: svc.ID, Lines: lines})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *stand) assign(user, n string) (string, error) {
	id, _, err := s.Assign(context.Background(), root, number.AssignRequest{CustomerID: s.customer.ID, UserID: user, Number: n})
	return id, err
}

func (s *stand) unassign(user string) (string, error) {
	return s.Unassign(context.Background(), root, number.UnassignRequest{CustomerID: s.customer.ID, UserID: user})
}

// end moves the clock until the operation is over.
func (s *stand) end(id string) operation.Row {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		o, err := s.ops.Get(context.Background(), root.Scope, id)
		if err != nil {
			s.t.Fatal(err)
		}
		if o.State.Final() {
			return o
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("operation is still %s at %d of %d, run %d: %s", o.State, o.Done, o.Total, o.Fence, o.DueWhy)
		}
		if o.State == operation.Waiting {
			s.clock.Advance(20 * time.Second)
		}
		time.Sleep(5 * time.Millisecond) // the job library works in real time
	}
}

func (s *stand) must(id string, err error) operation.Row {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	o := s.end(id)
	if o.State != operation.Succeeded {
		s.t.Fatalf("operation %s: %+v", o.State, o.Error)
	}
	return o
}

func (s *stand) get(n string) number.Number {
	s.t.Helper()
	got, err := s.Number(context.Background(), root, n)
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// sync looks at the tenant as a sync does: the directory first, then the inventory.
func (s *stand) sync() {
	s.t.Helper()
	var seen []number.Seen
	held := s.teams.Held()
	s.dir.mu.Lock()
	for _, id := range s.users {
		u := s.dir.users[id]
		u.Number = held[id]
		s.dir.users[id] = u
		seen = append(seen, number.Seen{UserID: id, Name: u.Name, Number: held[id]})
	}
	s.dir.mu.Unlock()
	err := s.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error { return s.Observed(ctx, tx, s.customer.ID, seen) })
	if err != nil {
		s.t.Fatal(err)
	}
}

func each(t *testing.T, test func(t *testing.T, url string)) {
	for _, k := range []string{"sqlite", "postgres"} {
		t.Run(k, func(t *testing.T) {
			t.Parallel()
			test(t, dbtest.URL(t, k))
		})
	}
}
