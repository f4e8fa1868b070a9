package directory

import (
	"context"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/remote/tenant"
)

// eachWorking is a stand whose operations run by themselves, on each database.
func eachWorking(t *testing.T, ms func() *microsoft, test func(t *testing.T, s *stand)) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			url := dbtest.URL(t, kind)
			s := newStand(t, dbtest.Open(t, url), ms(), url)
			ctx, cancel := context.WithCancel(context.Background())
			if err := s.jobs.Start(ctx); err != nil {
				t.Fatal(err)
			}
			swept := make(chan struct{})
			go func() {
				defer close(swept)
				if err := s.engine.Sweep(ctx); err != nil {
					t.Error(err)
				}
			}()
			t.Cleanup(func() {
				stop, end := context.WithTimeout(context.Background(), 5*time.Second)
				defer end()
				if err := s.jobs.Stop(stop); err != nil {
					t.Error(err)
				}
				cancel()
				<-swept
			})
			test(t, s)
		})
	}
}

func (s *stand) start() string {
	s.t.Helper()
	id, _, err := s.d.Resync(s.t.Context(), operator(), s.customer.ID, false)
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// until waits for a sync to end, or for another state, and answers it with what the pairing was told.
func (s *stand) until(id string, state operation.State) (operation.Row, *fault.Fault) {
	s.t.Helper()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for {
		o := s.operation(id)
		if o.State == state {
			s.mu.Lock()
			defer s.mu.Unlock()
			told, was := s.told[id]
			if was != state.Final() {
				s.t.Errorf("the operation is %s, and the pairing was told of its end: %v", state, was)
			}
			return o, told
		}
		if o.State.Final() {
			s.t.Fatalf("the sync is %s (%+v), want %s", o.State, o.Error, state)
		}
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("the sync is %s for a minute (%s), want %s", o.State, o.DueWhy, state)
		}
	}
}

func (s *stand) operation(id string) operation.Row {
	s.t.Helper()
	o, err := s.engine.Get(s.t.Context(), operator().Scope, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

func TestASyncIsAnOperationWithStepsAndAResult(t *testing.T) {
	t.Parallel()
	eachWorking(t, func() *microsoft { return crowd(30) }, func(t *testing.T, s *stand) {
		id := s.start()
		o, _ := s.until(id, operation.Succeeded)
		if o.Title != "Sync Contoso" || len(o.Result) == 0 {
			t.Errorf("%+v", o)
		}
		steps, err := s.engine.Steps(t.Context(), id)
		if err != nil || len(steps) != 4 {
			t.Fatal(steps, err)
		}
		for i, name := range []string{"Read products", "Read users", "Read voice settings", "Compare"} {
			if steps[i].Name != name || steps[i].State != "done" || steps[i].Detail == "" {
				t.Errorf("step %+v", steps[i])
			}
		}
		last, err := s.d.LastSync(t.Context(), operator(), s.customer.ID)
		if err != nil || last.Running != "" || last.Users != 31 || last.Changed != 31 || !last.NextAt.Equal(s.clock.Now().Add(15*time.Minute)) {
			t.Errorf("%+v, %v", last, err)
		}
		products, err := s.d.Products(t.Context(), operator(), s.customer.ID)
		if err != nil || len(products) != 3 || products[0].Name != "Microsoft 365 E3" || products[0].Bought != 25 {
			t.Errorf("%+v, %v", products, err)
		}
	})
}

func TestASecondAskerIsGivenTheRunningSync(t *testing.T) {
	t.Parallel()
	eachWorking(t, func() *microsoft { return crowd(5) }, func(t *testing.T, s *stand) {
		asked, goOn := make(chan struct{}), make(chan struct{})
		s.ms.hook = func(path string) {
			if path == "/graph/v1.0/subscribedSkus" {
				close(asked)
				<-goOn
			}
		}
		first := s.start()
		<-asked
		second, existing, err := s.d.Resync(t.Context(), operator(), s.customer.ID, true)
		close(goOn)
		if err != nil || second != first || !existing {
			t.Errorf("got %s existing=%v %v, want %s", second, existing, err, first)
		}
		s.until(first, operation.Succeeded)
	})
}

func TestARefusedSyncTellsThePairingWhy(t *testing.T) {
	t.Parallel()
	eachWorking(t, func() *microsoft {
		ms := crowd(5)
		ms.refuse["/teams/Teams.User"] = 403
		return ms
	}, func(t *testing.T, s *stand) {
		if _, f := s.until(s.start(), operation.Failed); f == nil || f.Code != "access-denied" || tenant.AsRefusal(f) == nil {
			t.Fatalf("told %v", f)
		}
		if got := len(s.users(Query{})); got != 6 {
			t.Errorf("%d users: what was read before the refusal is lost", got)
		}
	})
}

func TestACustomerWithoutAWorkingPairingIsNotRead(t *testing.T) {
	t.Parallel()
	eachWorking(t, func() *microsoft { return crowd(1) }, func(t *testing.T, s *stand) {
		s.closed = fault.New(fault.Conflict, "not-connected", "The customer is not connected.")
		if _, f := s.until(s.start(), operation.Failed); f == nil || f.Code != "not-connected" {
			t.Errorf("told %v", f)
		}
	})
}

func TestACancelledHeldRemovalIsAskedAgainByAFullSync(t *testing.T) {
	t.Parallel()
	eachWorking(t, func() *microsoft {
		ms := newMicrosoft(50)
		ms.addMany(60, skuE5)
		return ms
	}, func(t *testing.T, s *stand) {
		s.until(s.start(), operation.Succeeded)
		removeMany(s.ms, 25)
		id := s.start()
		if o, _ := s.until(id, operation.Waiting); o.WaitingFor != operation.ForConfirmation {
			t.Fatalf("waits for %s", o.WaitingFor)
		}
		if err := s.engine.Act(t.Context(), operator(), id, "cancel"); err != nil {
			t.Fatal(err)
		}
		if _, f := s.until(id, operation.Cancelled); f == nil || f.Code != "cancelled" {
			t.Fatalf("ended with %v", f)
		}
		st, _, err := readState(t.Context(), s.db.R, s.customer.ID)
		if err != nil || st.delta != "" || st.place != nil {
			t.Fatalf("state %+v, %v: want a full sync next", st, err)
		}
		// The administrator has restored them: nothing is removed, nobody is asked.
		for i := range 25 {
			s.ms.change(s.ms.people[i], func(p *person) { p.deleted = false })
		}
		s.until(s.start(), operation.Succeeded)
		if got := len(s.users(Query{Limit: 100})); got != 60 {
			t.Errorf("%d users, want 60", got)
		}
	})
}

func TestTheScheduleStartsWhatIsDueOnTheClock(t *testing.T) {
	t.Parallel()
	eachWorking(t, func() *microsoft { return crowd(3) }, func(t *testing.T, s *stand) {
		s.until(s.start(), operation.Succeeded)
		look := func() {
			if err := s.d.Schedule(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		count := func() int {
			n, err := s.engine.Count(t.Context(), operator().Scope, operation.Query{Kind: KindSync})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		look()
		if n := count(); n != 1 {
			t.Fatalf("%d syncs before the time, want 1", n)
		}
		s.clock.Advance(15 * time.Minute)
		look()
		look()
		if n := count(); n != 2 {
			t.Fatalf("%d syncs, want 2", n)
		}
		started, err := s.engine.List(t.Context(), operator().Scope, operation.Query{Kind: KindSync, Limit: 1})
		if err != nil || len(started) != 1 {
			t.Fatal(started, err)
		}
		s.until(started[0].ID, operation.Succeeded)
		s.d.o.Ready = func(context.Context, string) (bool, error) { return false, nil }
		s.clock.Advance(15 * time.Minute)
		look()
		if n := count(); n != 2 {
			t.Errorf("a customer who is not ready was synced")
		}
		s.d.o.Ready = nil
		s.clock.Advance(15 * time.Minute)
		if err := s.db.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return s.d.Stop(ctx, tx, s.customer.ID) }); err != nil {
			t.Fatal(err)
		}
		look()
		if n := count(); n != 2 {
			t.Errorf("a stopped customer was synced")
		}
	})
}

func TestStartSyncInsideATransactionThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStand(t, d, crowd(1), "")
		err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			if _, _, err := s.d.StartSync(ctx, tx, s.customer, access.System("test")); err != nil {
				return err
			}
			return context.Canceled
		})
		if err == nil {
			t.Fatal("the write succeeded")
		}
		if _, found, err := readState(t.Context(), d.R, s.customer.ID); found || err != nil {
			t.Errorf("found %v, %v", found, err)
		}
	})
}
