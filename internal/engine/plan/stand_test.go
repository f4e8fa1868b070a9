package plan_test

import (
	"context"
	"encoding/json"
	"errors"
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
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/tenant"
)

var (
	everything = access.Scope{Level: access.Operator}
	nine       = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
)

// thing is what the tenant of these tests holds under a name.
type thing struct {
	Colour string `json:"colour"`
}

// visible is how long the tenant may take to show a thing.
const visible = time.Minute

// things is the kind: names in small letters count, and what is "theirs" is not touched unless we made it.
func things() *plan.KindOf[thing] {
	put := func(ctx context.Context, w *tenant.Writer, method, key string, v *thing) (plan.Written, error) {
		res, err := w.Do(ctx, tenant.AreaGraph, &tenant.Request{Op: "things.write", Method: method, Path: "/things/" + key, JSON: v})
		if err != nil {
			return plan.Written{}, err
		}
		return plan.Written{RequestID: res.RequestID}, nil
	}
	return plan.Define(plan.Spec[thing]{
		Name: "thing", Version: 1, Area: tenant.AreaGraph, Visible: visible,
		Title: func(a plan.Action, key string, before, after *thing) string {
			title := string(a) + " " + key
			if before != nil {
				title += " from " + before.Colour
			}
			if after != nil {
				title += " to " + after.Colour
			}
			return title
		},
		Get: func(ctx context.Context, s *tenant.Session, key string) (thing, bool, error) {
			var v thing
			res, err := s.Do(ctx, tenant.AreaGraph, &tenant.Request{Op: "things.read", Path: "/things/" + key})
			if tenant.ClassOf(err) == tenant.NotFound {
				return v, false, nil
			}
			if err != nil {
				return v, false, err
			}
			return v, true, json.Unmarshal(res.Body, &v)
		},
		Normalise: func(v thing) thing { return thing{strings.ToLower(v.Colour)} },
		Guard: func(before, _ *thing, managed bool) *fault.Fault {
			if before != nil && before.Colour == "theirs" && !managed {
				return fault.New(fault.Conflict, "foreign-thing", "Somebody else made this.")
			}
			return nil
		},
		Create: func(ctx context.Context, w *tenant.Writer, key string, after thing) (plan.Written, error) {
			return put(ctx, w, http.MethodPut, key, &after)
		},
		Update: func(ctx context.Context, w *tenant.Writer, key string, _, after thing) (plan.Written, error) {
			return put(ctx, w, http.MethodPatch, key, &after)
		},
		Delete: func(ctx context.Context, w *tenant.Writer, key string, _ thing) (plan.Written, error) {
			return put(ctx, w, http.MethodDelete, key, nil)
		},
	})
}

// trouble is what happens to one write instead of a good answer; zero status: the connection is cut. After: the write is
// carried out first.
type trouble struct {
	status int
	after  bool
}

// remote is the tenant: things by name, each write kept, and what it shows of them, which may be older.
type remote struct {
	mu       sync.Mutex
	things   map[string]string // name → colour
	shown    map[string]string // what reading answers where it is not what there is; "" is absent
	writes   []string          // "PUT a red", each that arrived
	effects  map[string]int    // name → how often it became another
	troubles []trouble         // for the next writes
	refuse   string            // writes of this name are refused
	slow     bool              // reading answers what was there before the write
	door     *tenant.Door
}

func newRemote(t *testing.T) *remote {
	t.Helper()
	m := &remote{things: map[string]string{}, shown: map[string]string{}, effects: map[string]int{}}
	server := httptest.NewTLSServer(m)
	t.Cleanup(server.Close)
	door, err := tenant.New(tenant.Options{
		Directory:   tenant.Directory{tenant.Global: {Authority: server.URL + "/login", Graph: server.URL + "/graph", Teams: server.URL + "/teams"}},
		Credentials: m, Tokens: m, HTTP: server.Client(), Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Budget: tenant.Budget{PerSecond: 1e6, Burst: 1e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.door = door
	return m
}

// App answers a credential that nothing checks.
func (m *remote) App(context.Context, tenant.Ref) (tenant.Credential, error) {
	return tenant.Credential{AppID: "app", Secret: tenant.NewSecret("hush")}, nil
}

// AppToken answers a token that nothing checks.
func (m *remote) AppToken(context.Context, tenant.Ref, tenant.Credential, tenant.Resource, bool) (tenant.Token, error) {
	return tenant.Token{Value: tenant.NewSecret("token"), ExpiresAt: time.Now().Add(time.Hour)}, nil
}

func (m *remote) session(customer string) *tenant.Session {
	return m.door.Session(tenant.Ref{CustomerID: customer, TenantID: "contoso", Cloud: tenant.Global})
}

// ServeHTTP answers a read with what is shown, and a write by carrying it out, unless there is trouble.
func (m *remote) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/graph/things/")
	if r.Method == http.MethodGet {
		colour, old := m.shown[name]
		if !old {
			colour = m.things[name]
		}
		if colour == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(thing{colour})
		return
	}
	var v thing
	_ = json.Unmarshal(body, &v) // a DELETE has none
	m.writes = append(m.writes, strings.TrimSpace(r.Method+" "+name+" "+v.Colour))
	if name == m.refuse {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if len(m.troubles) > 0 {
		next := m.troubles[0]
		m.troubles = m.troubles[1:]
		if next.after {
			m.become(name, v.Colour)
		}
		if next.status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(next.status)
		return
	}
	m.become(name, v.Colour)
	w.Header().Set("request-id", "rid-"+name)
}

func (m *remote) become(name, colour string) {
	if m.things[name] == colour {
		return
	}
	if m.slow {
		m.shown[name] = m.things[name]
	}
	m.things[name] = colour
	m.effects[name]++
}

// show ends all delay.
func (m *remote) show() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.shown)
	m.slow = false
}

func (m *remote) has(name string) (colour string, effects int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.things[name], m.effects[name]
}

func (m *remote) sent() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.writes...)
}

// house is a process that applies plans: a store, the operations' engine and the tenant.
type house struct {
	t      *testing.T
	db     *db.DB
	ops    *operation.Engine
	clock  *clock.Fake
	remote *remote
	plans  *plan.Engine

	mu   sync.Mutex
	work map[string]func(ctx context.Context, r *operation.Run) error // customer → what its operation does
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, dbtest.URL(t, kind)))
		})
	}
}

func open(t *testing.T, url string) *house {
	t.Helper()
	d := dbtest.Open(t, url)
	log := slog.New(slog.DiscardHandler)
	h := &house{t: t, db: d, clock: clock.NewFake(nine), remote: newRemote(t), work: map[string]func(context.Context, *operation.Run) error{}}
	h.plans = plan.New(d, h.clock, things())
	ctx, cancel := context.WithCancel(context.Background())
	j, err := jobs.New(ctx, d, jobs.Options{Work: true, Concurrency: 8, URL: url, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	h.ops = operation.NewEngine(operation.Options{DB: d, Jobs: j, Clock: h.clock, Log: log, Lease: 10 * time.Second, Sweep: 100 * time.Millisecond})
	h.ops.Handle("apply", operation.HandlerFunc(func(ctx context.Context, r *operation.Run) error {
		h.mu.Lock()
		do := h.work[r.Op.CustomerID]
		h.mu.Unlock()
		return do(ctx, r)
	}))
	if err := j.Start(ctx); err != nil {
		t.Fatal(err)
	}
	swept := make(chan struct{})
	go func() { defer close(swept); _ = h.ops.Sweep(ctx) }()
	t.Cleanup(func() {
		end, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		_ = j.Stop(end)
		cancel()
		<-swept
	})
	return h
}

// start begins an operation of a customer that does this.
func (h *house) start(customer string, do func(ctx context.Context, r *operation.Run) error) string {
	h.t.Helper()
	h.mu.Lock()
	h.work[customer] = do
	h.mu.Unlock()
	var id string
	err := h.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		var err error
		id, _, err = h.ops.Start(ctx, tx, operation.New{Kind: "apply", Title: "Apply", PartnerID: "fabrikam", CustomerID: customer, Actor: access.System("test")})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

// apply begins an operation that makes these wishes true for the customer "wingtip".
func (h *house) apply(hash string, settle plan.Settle, items ...plan.Item) string {
	h.t.Helper()
	return h.start("wingtip", func(ctx context.Context, r *operation.Run) error {
		return h.plans.Apply(ctx, r, plan.Job{Session: h.remote.session("wingtip"), TenantID: "contoso", Items: items, PlanHash: hash, Settle: settle})
	})
}

// until waits for a state. The job library needs real time; the fake clock is moved only past a wait for another try.
func (h *house) until(id string, want operation.State) operation.Row {
	h.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		o, err := h.ops.Get(context.Background(), everything, id)
		if err != nil {
			h.t.Fatal(err)
		}
		if o.State == want {
			return o
		}
		if o.State.Final() || time.Now().After(deadline) {
			h.t.Fatalf("the operation is %s (%+v, waits for %q: %s), want %s", o.State, o.Error, o.WaitingFor, o.DueWhy, want)
		}
		if o.State == operation.Waiting && o.WaitingFor == operation.ForRetry && o.DueAt.After(h.clock.Now()) {
			h.clock.Advance(o.DueAt.Sub(h.clock.Now()))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (h *house) records(id string) []plan.Record {
	h.t.Helper()
	recs, err := h.plans.Records(context.Background(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return recs
}

// states says how far each change of an operation is, in order.
func (h *house) states(id string) string {
	h.t.Helper()
	var out []string
	for _, r := range h.records(id) {
		out = append(out, string(r.State))
	}
	return strings.Join(out, " ")
}

var errBroken = errors.New("broken off")
