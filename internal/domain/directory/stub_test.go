package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/remote/tenant"
)

const (
	skuE3    = "05e9a617-0261-4cee-bb44-138d3ef5d965"
	skuE5    = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
	skuPhone = "e43b5b99-8dfb-405f-9987-dc307f34bcbd"

	planPhone = "4828c8ec-dc2e-4779-b502-87ac9ce28ab7"
	planTeams = "57ff2da0-773e-42df-b2af-ffb7a2317929"
)

// person is an account of the stub tenant.
type person struct {
	id, name, upn, location, userType string
	disabled                          bool
	skus                              []string
	off                               []string
	line, policy, plan, accountType   string
	noVoice, unlisted                 bool
	numberType                        string
	changed                           int // when it last changed
	deleted                           bool
}

// microsoft serves Graph and Teams of one tenant in the pages that facts and contracts describe: delta with next and delta
// links, `@removed`, 410 for a token that is forgotten, users and skipToken of Teams.
type microsoft struct {
	mu       sync.Mutex
	people   []*person
	seq      int
	page     int
	oldest   int               // delta tokens before this are forgotten
	cut      int               // the nth request from now is cut off, and every one after it; 0 is none
	requests []string          // paths asked for
	hook     func(path string) // before each answer
	policies map[string][]string
	refuse   map[string]int // path prefix to status
}

func newMicrosoft(page int) *microsoft {
	return &microsoft{page: page, seq: 1, policies: map[string][]string{"Global": {}, "Tag:Australia": {"AU"}, "Tag:Empty": {}}, refuse: map[string]int{}}
}

func (m *microsoft) add(p person) *person {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	p.changed = m.seq
	if p.id == "" {
		p.id = fmt.Sprintf("00000000-0000-4000-8000-%012d", len(m.people)+1)
	}
	if p.upn == "" {
		p.upn = strings.ToLower(strings.ReplaceAll(p.name, " ", ".")) + "@contoso.example"
	}
	if p.accountType == "" {
		p.accountType = "User"
	}
	m.people = append(m.people, &p)
	return &p
}

func (m *microsoft) addMany(n int, skus ...string) {
	for i := range n {
		m.add(person{name: fmt.Sprintf("Person %03d", i), location: "AU", skus: skus})
	}
}

func (m *microsoft) change(p *person, how func(*person)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	how(p)
	p.changed = m.seq
}

func (m *microsoft) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	hook := m.hook
	m.requests = append(m.requests, r.URL.Path)
	if m.cut > 0 {
		if m.cut--; m.cut == 0 {
			m.cut = 1
			m.mu.Unlock()
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = conn.Close()
			}
			return
		}
	}
	m.mu.Unlock()
	if hook != nil {
		hook(r.URL.Path)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for prefix, status := range m.refuse {
		if strings.HasPrefix(r.URL.Path, prefix) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":{"code":"Forbidden","message":"Access Denied."}}`)
			return
		}
	}
	body := m.answer(w, r)
	if body != nil {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (m *microsoft) answer(w http.ResponseWriter, r *http.Request) any {
	switch path := r.URL.Path; {
	case path == "/graph/v1.0/subscribedSkus":
		return map[string]any{"value": []any{m.sku(skuE3, "SPE_E3", planTeams), m.sku(skuE5, "SPE_E5", planTeams, planPhone), m.sku(skuPhone, "MCOEV", planPhone)}}
	case path == "/graph/v1.0/users/delta":
		return m.delta(w, r)
	case path == "/teams/Teams.Tenant/serviceDiscovery":
		return map[string]any{}
	case path == "/teams/Teams.User/users":
		return m.voice(r)
	case strings.HasSuffix(path, "/telephone-numbers"):
		return m.numbers()
	case strings.HasPrefix(path, "/teams/Skype.Policy/configurations/"):
		return m.policyList(strings.TrimPrefix(path, "/teams/Skype.Policy/configurations/"))
	}
	w.WriteHeader(http.StatusNotImplemented)
	return nil
}

func (m *microsoft) sku(id, part string, plans ...string) map[string]any {
	var list []any
	for _, p := range plans {
		list = append(list, map[string]any{"servicePlanId": p, "servicePlanName": p})
	}
	return map[string]any{"skuId": id, "skuPartNumber": part, "consumedUnits": 1, "prepaidUnits": map[string]any{"enabled": 25}, "servicePlans": list}
}

// delta: a token is "<since>.<until>.<offset>"; since 0 lists everybody.
func (m *microsoft) delta(w http.ResponseWriter, r *http.Request) any {
	since, until, offset := 0, m.seq, 0
	if t := r.URL.Query().Get("token"); t != "" {
		if _, err := fmt.Sscanf(t, "%d.%d.%d", &since, &until, &offset); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return nil
		}
		if until == 0 {
			until = m.seq
		}
		if since < m.oldest && since > 0 {
			w.WriteHeader(http.StatusGone)
			_, _ = io.WriteString(w, `{"error":{"code":"syncStateNotFound","message":"gone"}}`)
			return nil
		}
	}
	all := []any{}
	for _, p := range m.people {
		if p.deleted && (since == 0 || p.changed <= since) || !p.deleted && p.changed <= since && since > 0 {
			continue
		}
		all = append(all, m.graphUser(p))
	}
	from, to := min(offset, len(all)), min(offset+m.page, len(all))
	body := map[string]any{"value": slices.Clip(all[from:to])}
	base := "https://" + r.Host + "/graph/v1.0/users/delta?token="
	if to < len(all) {
		body["@odata.nextLink"] = fmt.Sprintf("%s%d.%d.%d", base, since, until, to)
	} else {
		body["@odata.deltaLink"] = fmt.Sprintf("%s%d.0.0", base, until)
	}
	return body
}

func plansOf(sku string) []string {
	switch sku {
	case skuE3:
		return []string{planTeams}
	case skuE5:
		return []string{planTeams, planPhone}
	}
	return []string{planPhone}
}

func (m *microsoft) graphUser(p *person) map[string]any {
	if p.deleted {
		return map[string]any{"id": p.id, "@removed": map[string]any{"reason": "changed"}}
	}
	licences, plans := []any{}, []any{}
	for _, sku := range p.skus {
		licences = append(licences, map[string]any{"skuId": sku, "disabledPlans": p.off})
		for _, plan := range plansOf(sku) {
			status := "Enabled"
			if slices.Contains(p.off, plan) {
				status = "Deleted"
			}
			plans = append(plans, map[string]any{"servicePlanId": plan, "capabilityStatus": status})
		}
	}
	var location any
	if p.location != "" {
		location = p.location
	}
	return map[string]any{"id": p.id, "displayName": p.name, "userPrincipalName": p.upn, "accountEnabled": !p.disabled, "usageLocation": location,
		"userType": p.userType, "assignedLicenses": licences, "assignedPlans": plans}
}

func (m *microsoft) voice(r *http.Request) any {
	from, _ := strconv.Atoi(r.URL.Query().Get("skipToken"))
	users := []any{}
	at := from
	for ; at < len(m.people) && len(users) < m.page; at++ {
		p := m.people[at]
		if p.deleted || p.unlisted {
			continue
		}
		assignments := []any{}
		for typ, name := range map[string]string{VoiceRoutingPolicy: p.policy, DialPlan: p.plan} {
			if name != "" {
				assignments = append(assignments, map[string]any{"policyType": typ, "policyAssignment": map[string]any{"assignmentType": "direct", "displayName": name}})
			}
		}
		users = append(users, map[string]any{"objectId": p.id, "userPrincipalName": p.upn, "accountType": p.accountType, "lineUri": p.line,
			"enterpriseVoiceEnabled": p.line != "" && !p.noVoice, "effectivePolicyAssignments": assignments})
	}
	body := map[string]any{"users": users}
	if at < len(m.people) {
		body["skipToken"] = strconv.Itoa(at)
	}
	return body
}

func (m *microsoft) numbers() any {
	list := []any{}
	for _, p := range m.people {
		if p.line == "" || p.noVoice {
			continue
		}
		typ := p.numberType
		if typ == "" {
			typ = "DirectRouting"
		}
		list = append(list, map[string]any{"TelephoneNumber": strings.TrimPrefix(p.line, "tel:"), "NumberType": typ, "TargetId": p.id})
	}
	return map[string]any{"TelephoneNumbers": list}
}

func (m *microsoft) policyList(typ string) any {
	if typ == DialPlan {
		return []any{map[string]any{"Identity": "Global"}, map[string]any{"Identity": "Tag:AU-02"}}
	}
	list := []any{}
	for name, usages := range m.policies {
		list = append(list, map[string]any{"Identity": name, "OnlinePstnUsages": usages})
	}
	return list
}

// asked counts the requests to a path, and forgets them.
func (m *microsoft) asked(path string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, r := range m.requests {
		if r == path {
			n++
		}
	}
	m.requests = nil
	return n
}

// stand is a directory with one customer, whose tenant is the stub.
type stand struct {
	t        *testing.T
	d        *Directory
	db       *db.DB
	clock    *clock.Fake
	ms       *microsoft
	door     *tenant.Door
	customer org.Customer
	engine   *operation.Engine
	jobs     *jobs.Jobs

	mu     sync.Mutex
	told   map[string]*fault.Fault // how each sync ended, as the pairing is told
	closed error                   // what Session answers instead of a session
}

func noToken() tenant.Token {
	return tenant.Token{Value: tenant.NewSecret("t"), ExpiresAt: time.Now().Add(time.Hour)}
}

func (s *stand) App(context.Context, tenant.Ref) (tenant.Credential, error) {
	return tenant.Credential{AppID: "app", Secret: tenant.NewSecret("s")}, nil
}

func (s *stand) AppToken(context.Context, tenant.Ref, tenant.Credential, tenant.Resource, bool) (tenant.Token, error) {
	return noToken(), nil
}

func (s *stand) AppTokenFor(context.Context, tenant.Ref, tenant.Credential, tenant.Resource, string) (tenant.Token, error) {
	return noToken(), nil
}

func (s *stand) Session(_ context.Context, customerID string) (*tenant.Session, tenant.Ref, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ref := tenant.Ref{CustomerID: customerID, TenantID: "contoso", Cloud: tenant.Global}
	return s.door.Session(ref), ref, s.closed
}

func (s *stand) SyncEnded(_ context.Context, _ db.Tx, _, operationID string, failure *fault.Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told[operationID] = failure
	return nil
}

func operator() access.Actor {
	return access.Actor{Kind: "member", ID: "1", Name: "Operator", Scope: access.Scope{Level: access.Operator}, Role: access.Admin}
}

// newStand makes a stand; work starts workers, so that operations run by themselves.
func newStand(t *testing.T, d *db.DB, ms *microsoft, url string) *stand {
	t.Helper()
	ctx := t.Context()
	server := httptest.NewTLSServer(ms)
	t.Cleanup(server.Close)
	s := &stand{t: t, db: d, ms: ms, clock: clock.NewFake(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), told: map[string]*fault.Fault{}}
	var err error
	s.door, err = tenant.New(tenant.Options{Directory: tenant.Directory{tenant.Global: {Authority: server.URL + "/login", Graph: server.URL + "/graph", Teams: server.URL + "/teams"}},
		Credentials: s, Tokens: s, HTTP: server.Client(), Budget: tenant.Budget{PerSecond: 1e6, Burst: 1e6}, Retry: tenant.Retry{Attempts: 1}})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if s.jobs, err = jobs.New(ctx, d, jobs.Options{Work: url != "", Concurrency: 2, URL: url, Log: log}); err != nil {
		t.Fatal(err)
	}
	s.engine = operation.NewEngine(operation.Options{DB: d, Jobs: s.jobs, Clock: s.clock, Log: log, Lease: 10 * time.Second, Sweep: 50 * time.Millisecond})
	o := org.New(d, s.clock)
	if s.d, err = New(Options{DB: d, Clock: s.clock, Org: o, Operations: s.engine, Sessions: s, Pairings: s}); err != nil {
		t.Fatal(err)
	}
	partner, err := o.CreatePartner(ctx, operator(), org.NewPartner{Name: "Fabrikam"})
	if err != nil {
		t.Fatal(err)
	}
	if s.customer, err = o.CreateCustomer(ctx, operator(), org.NewCustomer{PartnerID: partner.ID, Name: "Contoso", Cloud: org.CloudGlobal}); err != nil {
		t.Fatal(err)
	}
	return s
}

// byHand is an operation's run without the engine: what a pass records goes into the store, steps are kept in memory.
type byHand struct {
	s    *stand
	done map[string]string
}

func (b byHand) Write(ctx context.Context, fn func(context.Context, db.Tx) error) error {
	return b.s.db.Write(ctx, fn)
}

func (b byHand) Step(ctx context.Context, name string, fn func(context.Context) (string, error)) error {
	if _, done := b.done[name]; done {
		return nil
	}
	detail, err := fn(ctx)
	if err == nil {
		b.done[name] = detail
	}
	return err
}

func (byHand) Progress(context.Context, db.Tx, int, int) error { return nil }
func (byHand) Result(context.Context, db.Tx, any) error        { return nil }
func (byHand) Cancelled(context.Context) (bool, error)         { return false, nil }
func (byHand) Actor() access.Actor                             { return access.System("test") }

// sync is one operation: one run, whose error it answers.
func (s *stand) sync(operationID string) (map[string]string, error) {
	s.t.Helper()
	return s.resume(operationID, map[string]string{})
}

// resume is another run of an operation whose steps are known.
func (s *stand) resume(operationID string, done map[string]string) (map[string]string, error) {
	s.t.Helper()
	ctx := s.t.Context()
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return claimSync(ctx, tx, s.customer.ID, operationID, s.clock.Now().Add(s.d.o.Every))
	})
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := s.d.newPass(ctx, byHand{s, done}, operationID, s.customer.ID)
	if err != nil {
		return done, err
	}
	return done, p.run(ctx)
}

func (s *stand) mustSync() map[string]string {
	s.t.Helper()
	done, err := s.sync("op")
	if err != nil {
		s.t.Fatal(err)
	}
	return done
}

// table is everybody as kept, without what may differ between two ways to the same end.
func (s *stand) table() string {
	s.t.Helper()
	rows, err := s.db.R.QueryContext(s.t.Context(), `SELECT `+rowColumns+` FROM tenant_user WHERE customer_id = $1 ORDER BY id`, s.customer.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	var b strings.Builder
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %+v removed=%v %x %x\n", r.id, r.content, r.removed, r.directoryHash, r.voiceHash)
	}
	return b.String()
}

func (s *stand) users(q Query) []User {
	s.t.Helper()
	items, _, _, err := s.d.Users(s.t.Context(), operator(), s.customer.ID, q)
	if err != nil {
		s.t.Fatal(err)
	}
	return items
}

func (s *stand) one(id string) User {
	s.t.Helper()
	u, err := s.d.User(s.t.Context(), operator(), s.customer.ID, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}
