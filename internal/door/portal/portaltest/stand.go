// Package portaltest is a small world for tests of pages: an operator with two partners and two customers, people and numbers
// in a store of its own, a tenant that answers, and browsers that are signed in.
package portaltest

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/kind/kindtest"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

// The people of Wingtip Toys, by object id.
const (
	Ana   = "00000000-0000-4000-8000-000000000001" // licensed, without a number
	Ben   = "00000000-0000-4000-8000-000000000002" // licensed, without a number
	Chris = "00000000-0000-4000-8000-000000000003" // needs Teams Phone
)

// World is everything a page can show.
type World struct {
	Frame    *frame.Frame
	DB       *db.DB
	Org      *org.Org
	Ops      *operation.Engine
	Numbers  *number.Numbers
	Teams    *kindtest.Teams
	Root     access.Actor
	Wingtip  org.Customer // of the partner Contoso Voice
	Tailspin org.Customer // of the partner Adatum Connect
	Service  org.Service  // Wingtip's
	Free     []string     // Wingtip's numbers at the beginning

	t      testing.TB
	people int // who have signed in
}

// New makes the world, with the pages of these folders. Operations run.
func New(t testing.TB, folders ...func(*frame.Frame)) *World {
	t.Helper()
	w := &World{t: t, Root: access.System("test"), Free: []string{"+61255500001", "+61255500002", "+61255500003"}}
	url := "sqlite:" + filepath.Join(t.TempDir(), "tcap.db")
	w.DB = dbtest.Open(t, url)
	w.Org = org.New(w.DB, clock.System{})
	t.Cleanup(w.Org.Close)
	w.Teams = kindtest.New(t, []string{Ana, Ben, Chris}, w.Free)
	w.Teams.Policies[kind.VoiceRoutingPolicy] = []string{"Australia"}
	w.wire(url, folders)
	w.seed()
	return w
}

func (w *World) wire(url string, folders []func(*frame.Frame)) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	j, err := jobs.New(ctx, w.DB, jobs.Options{Work: true, Concurrency: 4, URL: url, Log: log})
	w.must(err)
	w.Ops = operation.NewEngine(operation.Options{DB: w.DB, Jobs: j, Clock: clock.System{}, Log: log, Lease: 5 * time.Second, Sweep: 20 * time.Millisecond})
	w.Ops.Handle("test-batch", operation.HandlerFunc(batch))
	w.Ops.Handle("test-wait", operation.HandlerFunc(func(context.Context, *operation.Run) error {
		return operation.Wait{For: operation.ForMicrosoft, Why: "Microsoft is spreading the domain.", Until: time.Now().Add(time.Hour)}
	}))
	d, err := directory.New(directory.Options{DB: w.DB, Clock: clock.System{}, Org: w.Org, Operations: w.Ops})
	w.must(err)
	plans := plan.New(w.DB, clock.System{}, kind.All()...)
	people := people{d, w.DB}
	w.Numbers = number.New(number.Options{DB: w.DB, Clock: clock.System{}, Org: w.Org, Operations: w.Ops, Plans: plans, Users: people, Policies: people, Sessions: w.Teams})
	hub := feed.NewHub(w.DB, 10*time.Millisecond)
	go func() { _ = hub.Run(ctx) }()
	w.Frame = frame.New(frame.Options{DB: w.DB, Clock: clock.System{}, Log: log, Org: w.Org, Operations: w.Ops, Plans: plans, Directory: d,
		Numbers: w.Numbers, Hub: hub, PublicURL: "http://portal.example"})
	for _, register := range folders {
		register(w.Frame)
	}
	w.must(j.Start(ctx))
	swept := make(chan struct{})
	go func() { defer close(swept); _ = w.Ops.Sweep(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		<-swept
		end, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		_ = j.Stop(end)
	})
}

// batch is work with steps and with lines of which one fails.
func batch(ctx context.Context, r *operation.Run) error {
	return r.Step(ctx, "Write the lines", func(ctx context.Context) (string, error) {
		return "3 lines", r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			for i := 1; i <= 3; i++ {
				l := operation.Line{Line: i, Input: fmt.Sprintf("line %d", i), Outcome: "created"}
				if i == 2 {
					l.Input, l.Outcome, l.Error = "=1+1", "rejected", &operation.Problem{Code: "bad", Detail: "No such number."}
				}
				if err := r.RecordLines(ctx, tx, l); err != nil {
					return err
				}
			}
			return r.Progress(ctx, tx, 3, 3)
		})
	})
}

func (w *World) seed() {
	w.t.Helper()
	ctx := context.Background()
	_, err := w.Org.EnsureOperator(ctx, "Fabrikam Telecom")
	w.must(err)
	w.Wingtip, w.Service = w.customer("Contoso Voice", "Wingtip Toys")
	w.Tailspin, _ = w.customer("Adatum Connect", "Tailspin Airlines")
	var lines []number.Line
	for i, n := range w.Free {
		lines = append(lines, number.Line{Line: i + 1, Number: n})
	}
	_, err = w.Numbers.Import(ctx, w.Root, number.ImportRequest{CustomerID: w.Wingtip.ID, ServiceID: w.Service.ID, Lines: lines})
	w.must(err)
	w.must(w.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, p := range []struct{ id, name, key, products, status, reason string }{
			{Ana, "Ana Lopez", "ana", "SPE_E5", "not-allocated", ""}, {Ben, "Ben <b>Bold</b>", "ben", "SPE_E5", "not-allocated", ""},
			{Chris, "Chris Green", "chris", "SPE_E3", "not-licensed", "has Microsoft 365 E3, needs Teams Phone"}} {
			if err := user(ctx, tx, w.Wingtip.ID, p.id, p.name, p.key, p.status, p.reason); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO tenant_policy (customer_id, type, name, usages, generation, seen_at) VALUES ($1, $2, 'Australia', 1, 1, 1)`,
			w.Wingtip.ID, kind.VoiceRoutingPolicy); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sync_state (customer_id, generation, last_done_at, users, changed, version) VALUES ($1, 1, $2, 3, 0, 1)`,
			w.Wingtip.ID, db.Micros(time.Now()))
		return err
	}))
}

func user(ctx context.Context, tx db.Tx, customerID, id, name, key, status, reason string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO tenant_user (customer_id, id, upn, upn_key, display_name, name_key, enabled, usage_location, account_type, plans, products,
		licensed, managed, enterprise_voice, on_premises, status, reason, directory_hash, generation, voice_generation, first_seen_at, updated_at, version)
		VALUES ($1, $2, $3, $3, $4, $5, $6, 'AU', 'User', $7, '', $8, $6, $9, $9, $10, $11, $12, 1, 1, 1, $13, 1)`,
		customerID, id, key+"@wingtip.example", name, key, true, plansOf(status), status != "not-licensed", false, status, reason, []byte{0}, db.Micros(time.Now()))
	if err != nil {
		return fmt.Errorf("seeding a user: %w", err)
	}
	return nil
}

// plansOf are the service plans of a licence with Teams and Phone, or with Teams alone.
func plansOf(status string) string {
	if status == "not-licensed" {
		return "TEAMS1=Enabled"
	}
	return "MCOEV=Enabled TEAMS1=Enabled"
}

func (w *World) customer(partner, name string) (org.Customer, org.Service) {
	w.t.Helper()
	ctx := context.Background()
	p, err := w.Org.CreatePartner(ctx, w.Root, org.NewPartner{Name: partner})
	w.must(err)
	c, err := w.Org.CreateCustomer(ctx, w.Root, org.NewCustomer{PartnerID: p.ID, Name: name, Cloud: org.CloudGlobal, Country: "AU"})
	w.must(err)
	s, err := w.Org.AddService(ctx, w.Root, c.ID, org.NewService{Kind: org.DirectRouting})
	w.must(err)
	return c, s
}

// Start begins an operation of a kind at Wingtip Toys and answers its id.
func (w *World) Start(kind, title string) string {
	w.t.Helper()
	var id string
	w.must(w.DB.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		var err error
		id, _, err = w.Ops.Start(ctx, tx, operation.New{Kind: kind, Title: title, PartnerID: w.Wingtip.PartnerID, CustomerID: w.Wingtip.ID, Actor: w.Root, Total: 3})
		return err
	}))
	return id
}

// Until waits for an operation to come to one of the states.
func (w *World) Until(id string, states ...operation.State) operation.Row {
	w.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		o, err := w.Ops.Get(context.Background(), w.Root.Scope, id)
		w.must(err)
		for _, s := range states {
			if o.State == s {
				return o
			}
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("operation %s is %s (%v), not %v", id, o.State, o.Error, states)
		}
	}
	return operation.Row{}
}

func (w *World) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// people shows the directory to the inventory, as the wiring of the program does.
type people struct {
	d  *directory.Directory
	db *db.DB
}

// User answers a person as the store has him.
func (p people) User(ctx context.Context, customerID, userID string) (number.UserInfo, error) {
	u, err := p.d.Find(ctx, p.db.R, customerID, userID)
	return number.UserInfo{ID: u.ID, Name: u.DisplayName, UPN: u.UserPrincipalName, Licensed: u.Licensed, Reason: u.Reason, Number: u.Number,
		VoicePolicy: u.VoicePolicy, DialPlan: u.DialPlan}, err
}

// SetVoice shows a verified change.
func (p people) SetVoice(ctx context.Context, tx db.Tx, customerID, userID string, number, policy *string) error {
	return p.d.SetVoice(ctx, tx, customerID, userID, number, policy)
}

// Has says whether the store has a policy.
func (p people) Has(ctx context.Context, customerID, policyType, name string) (bool, error) {
	return p.d.HasPolicy(ctx, p.db.R, customerID, policyType, name)
}
