package directory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/engine/operation"
)

func TestASyncReadsWhoIsThereAndSaysWhoCanCall(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ms := newMicrosoft(2)
		ana := ms.add(person{name: "Ána Silva", location: "AU", skus: []string{skuE5}, line: "tel:+61255500001", policy: "Australia", plan: "AU-02"})
		ben := ms.add(person{name: "Ben Okoro", location: "AU", skus: []string{skuE3}})
		cho := ms.add(person{name: "Cho Park", skus: []string{skuE3, skuPhone}, off: []string{planTeams}})
		dee := ms.add(person{name: "Dee Lund", location: "AU", skus: []string{skuE5}, line: "tel:+61255500002", noVoice: true})
		eve := ms.add(person{name: "Eve Roy", location: "AU", skus: []string{skuE5}, line: "tel:+61255500003;ext=7"})
		ms.add(person{name: "Guest", userType: "Guest", accountType: "Guest"})
		s := newStand(t, d, ms, "")
		done := s.mustSync()
		if done[stepUsers] != "6 users read, 6 changed" {
			t.Errorf("step says %q", done[stepUsers])
		}
		for id, want := range map[string]User{
			ana.id: {Status: Allocated, Number: "+61255500001", NumberType: "DirectRouting", VoicePolicy: "Australia", DialPlan: "AU-02", CanCallOut: true},
			ben.id: {Status: NotLicensed, Reason: "has Microsoft 365 E3, needs Teams Phone", WhyNot: "has Microsoft 365 E3, needs Teams Phone"},
			cho.id: {Status: NotLicensed, Reason: "Teams is switched off in Microsoft 365 E3; no usage location", WhyNot: "Teams is switched off in Microsoft 365 E3; no usage location"},
			dee.id: {Status: Allocated, Number: "+61255500002", OnPremises: true, Reason: "number comes from on-premises Active Directory", WhyNot: "enterprise voice is off"},
			eve.id: {Status: Allocated, Number: "+61255500003;ext=7", WhyNot: "no voice routing policy"},
		} {
			got := s.one(id)
			if got.Status != want.Status || got.Reason != want.Reason || got.Number != want.Number || got.VoicePolicy != want.VoicePolicy ||
				got.DialPlan != want.DialPlan || got.CanCallOut != want.CanCallOut || got.WhyNot != want.WhyNot || got.OnPremises != want.OnPremises || !got.Managed {
				t.Errorf("%s:\n got %+v\nwant %+v", got.DisplayName, got, want)
			}
		}
		c, err := s.d.Counts(t.Context(), operator(), s.customer.ID)
		if err != nil || c != (Counts{Total: 5, NotLicensed: 2, Allocated: 3, CanCallOut: 1}) {
			t.Errorf("counts %+v, %v", c, err)
		}
		policies, err := s.d.Policies(t.Context(), operator(), s.customer.ID, VoiceRoutingPolicy)
		if err != nil || strings.Join(policies, " ") != "Australia Empty" {
			t.Errorf("policies %v, %v", policies, err)
		}
		last, err := s.d.LastSync(t.Context(), operator(), s.customer.ID)
		if err != nil || last.Users != 5 || !last.At.Equal(s.clock.Now()) || !last.FullAt.Equal(s.clock.Now()) {
			t.Errorf("last sync %+v, %v", last, err)
		}
	})
}

func TestASecondSyncReadsOnlyWhatChangedAndWritesNothingElse(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ms := newMicrosoft(10)
		ms.addMany(25, skuE5)
		s := newStand(t, d, ms, "")
		s.mustSync()
		before := s.users(Query{Limit: 100})
		ms.asked("")
		s.clock.Advance(time.Minute)
		ms.change(ms.people[3], func(p *person) { p.name = "Changed" })
		if done := s.mustSync(); done[stepUsers] != "1 user read, 1 changed" {
			t.Errorf("step says %q", done[stepUsers])
		}
		if n := ms.asked("/graph/v1.0/users/delta"); n != 1 {
			t.Errorf("%d pages were asked for, want 1", n)
		}
		changed := 0
		for _, u := range before {
			now := s.one(u.ID)
			if now.Version != u.Version {
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("%d users were written, want 1", changed)
		}
	})
}

func TestAFullSyncAtNightWritesNothingWhereNothingChanged(t *testing.T) {
	t.Parallel()
	ms := newMicrosoft(10)
	ms.addMany(25, skuE5)
	s := newStand(t, dbtest.SQLite(t), ms, "")
	s.mustSync()
	before := s.table()
	s.clock.Advance(25 * time.Hour)
	if done := s.mustSync(); done[stepUsers] != "25 users read, 0 changed" {
		t.Errorf("step says %q", done[stepUsers])
	}
	if s.table() != before {
		t.Error("the table changed")
	}
	if u := s.users(Query{}); u[0].Version != 1 {
		t.Errorf("version %d, want 1", u[0].Version)
	}
}

// Wherever a sync breaks off, in the same operation or another, the table in the end is that of a sync that did not.
func TestAnyBreakIsHealedByGoingOn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, share := 0, 30 // each is a dozen syncs; all hundred in `make soak`
		if os.Getenv("TCAP_SOAK") != "" {
			share = 1 << 30
		}
		rapid.Check(t, func(rt *rapid.T) {
			if n++; n > share {
				return
			}
			size := rapid.IntRange(1, 12).Draw(rt, "users")
			ms := newMicrosoft(rapid.IntRange(1, 4).Draw(rt, "page"))
			for i := range size {
				ms.add(person{name: fmt.Sprintf("P %d", i), upn: fmt.Sprintf("p%d@contoso.example", i), location: "AU", skus: [][]string{{skuE3}, {skuE5}, nil}[i%3],
					line: []string{"", fmt.Sprintf("tel:+6125550%04d", i)}[i%2]})
			}
			broken, whole := newStand(t, d, ms, ""), newStand(t, d, ms, "")
			for round := range 3 {
				breaks := rapid.SliceOfN(rapid.IntRange(1, 12), 0, 3).Draw(rt, "breaks")
				same := rapid.Bool().Draw(rt, "same operation")
				done := map[string]string{}
				for i, cut := range breaks {
					ms.mu.Lock()
					ms.cut = cut
					ms.mu.Unlock()
					if !same {
						done = map[string]string{}
					}
					var err error
					if done, err = broken.resume(fmt.Sprint("op", round, i), done); err == nil {
						done = map[string]string{}
					}
				}
				ms.mu.Lock()
				ms.cut = 0
				ms.mu.Unlock()
				if !same {
					done = map[string]string{}
				}
				if _, err := broken.resume(fmt.Sprint("op", round), done); err != nil {
					rt.Fatal(err)
				}
				whole.mustSync()
				if a, b := broken.table(), whole.table(); a != b {
					rt.Fatalf("round %d differs:\n%s\n%s", round, a, b)
				}
				p := ms.people[rapid.IntRange(0, size-1).Draw(rt, "who")]
				switch rapid.IntRange(0, 2).Draw(rt, "what") {
				case 0:
					ms.change(p, func(p *person) { p.deleted = !p.deleted })
				case 1:
					ms.change(p, func(p *person) { p.skus = []string{skuE5} })
				default:
					ms.change(p, func(p *person) { p.line = fmt.Sprintf("tel:+6125559%04d", n) })
				}
			}
		})
	})
}

func TestAForgottenDeltaTokenReadsEverybodyAnew(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ms := newMicrosoft(3)
		ms.addMany(8, skuE5)
		s := newStand(t, d, ms, "")
		s.mustSync()
		ms.change(ms.people[0], func(p *person) { p.deleted = true })
		ms.change(ms.people[1], func(p *person) { p.name = "New Name" })
		ms.mu.Lock()
		ms.oldest = ms.seq + 1
		ms.mu.Unlock()
		if done := s.mustSync(); done[stepUsers] != "7 users read, 1 changed" {
			t.Errorf("step says %q", done[stepUsers])
		}
		if got := s.users(Query{Limit: 100}); len(got) != 7 {
			t.Errorf("%d users, want 7: a full pass does not name who is gone, but does not list him", len(got))
		}
	})
}

func TestATokenForgottenInTheMiddleOfADeltaRemovesNobodyElse(t *testing.T) {
	t.Parallel()
	ms := newMicrosoft(2)
	ms.addMany(8, skuE5)
	s := newStand(t, dbtest.SQLite(t), ms, "")
	s.mustSync()
	for i := range 4 {
		ms.change(ms.people[i], func(p *person) { p.name = fmt.Sprint("Changed ", i) })
	}
	ms.change(ms.people[7], func(p *person) { p.deleted = true })
	pages := 0
	ms.hook = func(path string) {
		if path == "/graph/v1.0/users/delta" {
			if pages++; pages == 2 {
				ms.mu.Lock()
				ms.oldest = ms.seq + 1
				ms.mu.Unlock()
			}
		}
	}
	s.mustSync()
	if got := len(s.users(Query{Limit: 100})); got != 7 {
		t.Errorf("%d users, want 7", got)
	}
}

func TestWhoIsRemovedIsHiddenAndComesBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ms := newMicrosoft(5)
		ms.addMany(6, skuE5)
		s := newStand(t, d, ms, "")
		s.mustSync()
		who := ms.people[2]
		ms.change(who, func(p *person) { p.deleted = true })
		s.mustSync()
		if got := len(s.users(Query{})); got != 5 {
			t.Fatalf("%d users after one was removed, want 5", got)
		}
		if _, err := s.d.User(t.Context(), operator(), s.customer.ID, who.id); err == nil {
			t.Error("a removed user is answered")
		}
		ms.change(who, func(p *person) { p.deleted = false })
		s.mustSync()
		if got := s.one(who.id); got.DisplayName != who.name {
			t.Errorf("came back as %+v", got)
		}
		entries, _, err := audit.Verify(t.Context(), d.R)
		if err != nil || entries == 0 {
			t.Errorf("audit: %d entries, %v", entries, err)
		}
	})
}

func removeMany(ms *microsoft, n int) {
	for i := range n {
		ms.change(ms.people[i], func(p *person) { p.deleted = true })
	}
}

func TestARemovalLargerThanUsualWaitsForAPerson(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"delta", "full"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				ms := newMicrosoft(50)
				ms.addMany(100, skuE5)
				s := newStand(t, d, ms, "")
				s.mustSync()
				removeMany(ms, 20)
				if way == "full" {
					s.clock.Advance(25 * time.Hour)
				}
				done, err := s.sync("op-2")
				var wait operation.Wait
				if !errors.As(err, &wait) || wait.For != operation.ForConfirmation || !strings.Contains(wait.Why, "20 of 100 users") {
					t.Fatalf("got %v, want a wait for confirmation", err)
				}
				// Looking again changes nothing.
				if _, err := s.resume("op-2", done); !errors.As(err, &wait) {
					t.Fatalf("the second look did not wait: %v", err)
				}
				if got := len(s.users(Query{Limit: 1000})); got != 100 {
					t.Fatalf("%d users, want all 100: nothing may be removed unasked", got)
				}
				last, err := s.d.LastSync(t.Context(), operator(), s.customer.ID)
				if err != nil || !last.Held {
					t.Errorf("last sync %+v, %v: want it held", last, err)
				}
				err = s.d.ReleaseRemoval(t.Context(), operator(), s.customer.ID, "another")
				if err == nil {
					t.Error("a removal was released for another operation")
				}
				if err := s.d.ReleaseRemoval(t.Context(), operator(), s.customer.ID, "op-2"); err != nil {
					t.Fatal(err)
				}
				if _, err := s.resume("op-2", done); err != nil {
					t.Fatal(err)
				}
				if got := len(s.users(Query{Limit: 1000})); got != 80 {
					t.Errorf("%d users after the release, want 80", got)
				}
			})
		})
	}
}

func TestAReleaseIsForOneOperationOnly(t *testing.T) {
	t.Parallel()
	ms := newMicrosoft(50)
	ms.addMany(100, skuE5)
	s := newStand(t, dbtest.SQLite(t), ms, "")
	s.mustSync()
	removeMany(ms, 30)
	if _, err := s.sync("op-2"); err == nil {
		t.Fatal("the brake did not hold")
	}
	if err := s.d.ReleaseRemoval(t.Context(), operator(), s.customer.ID, "op-2"); err != nil {
		t.Fatal(err)
	}
	var wait operation.Wait
	if _, err := s.sync("op-3"); !errors.As(err, &wait) {
		t.Errorf("another operation removed on the word given to the first: %v", err)
	}
}

func TestTheBrakeLetsSmallRemovalsPass(t *testing.T) {
	t.Parallel()
	d := &Directory{o: Options{}.withDefaults()}
	for _, c := range []struct {
		remove, all int
		holds       bool
	}{{19, 20, false}, {20, 20, true}, {20, 400, false}, {21, 400, true}, {20, 399, true}, {0, 0, false}, {5000, 100_000, false}, {5001, 100_000, true}} {
		if got := d.brakes(c.remove, c.all); got != c.holds {
			t.Errorf("removing %d of %d: holds %v, want %v", c.remove, c.all, got, c.holds)
		}
	}
}

func TestAPassThatBreaksOffRemovesNobody(t *testing.T) {
	t.Parallel()
	ms := newMicrosoft(2)
	ms.addMany(10, skuE5)
	s := newStand(t, dbtest.SQLite(t), ms, "")
	s.mustSync()
	removeMany(ms, 3)
	s.clock.Advance(25 * time.Hour) // full
	for cut := 2; cut < 8; cut++ {
		ms.mu.Lock()
		ms.cut = cut
		ms.mu.Unlock()
		if _, err := s.sync(fmt.Sprint("op", cut)); err == nil {
			t.Fatalf("the sync went on without an answer (cut %d)", cut)
		}
		if got := len(s.users(Query{})); got != 10 {
			t.Fatalf("%d users after a broken pass, want 10", got)
		}
	}
	ms.mu.Lock()
	ms.cut = 0
	ms.mu.Unlock()
	s.mustSync()
	if got := len(s.users(Query{})); got != 7 {
		t.Errorf("%d users, want 7", got)
	}
}

func TestATeamsThatRefusesDoesNotStopTheDirectoryFromBeingRead(t *testing.T) {
	t.Parallel()
	ms := newMicrosoft(4)
	ms.addMany(6, skuE5)
	ms.refuse["/teams/Teams.User"] = 403
	s := newStand(t, dbtest.SQLite(t), ms, "")
	if _, err := s.sync("op-1"); err == nil {
		t.Fatal("a refused sync succeeded")
	}
	ms.change(ms.people[0], func(p *person) { p.name = "Renamed Meanwhile" })
	if _, err := s.sync("op-2"); err == nil {
		t.Fatal("a refused sync succeeded")
	}
	if got := s.one(ms.people[0].id); got.DisplayName != "Renamed Meanwhile" {
		t.Errorf("name is %q", got.DisplayName)
	}
	ms.mu.Lock()
	delete(ms.refuse, "/teams/Teams.User")
	ms.mu.Unlock()
	s.mustSync()
}

func TestWhoTeamsNoLongerListsLosesHisNumberUnlessTheyAreMany(t *testing.T) {
	t.Parallel()
	ms := newMicrosoft(10)
	for i := range 60 {
		ms.add(person{name: fmt.Sprint("P", i), location: "AU", skus: []string{skuE5}, line: fmt.Sprintf("tel:+6125550%04d", i)})
	}
	s := newStand(t, dbtest.SQLite(t), ms, "")
	s.mustSync()
	ms.people[0].unlisted = true
	s.mustSync()
	if got := s.one(ms.people[0].id); got.Number != "" || got.Status != NotAllocated {
		t.Errorf("still has %q, %s", got.Number, got.Status)
	}
	for i := range 30 {
		ms.people[i].unlisted = true
	}
	done := s.mustSync()
	if got := s.one(ms.people[20].id); got.Number == "" {
		t.Error("half of the numbers were taken away by a list that was short")
	}
	if !strings.Contains(done[stepVoice], "does not list 29 accounts") {
		t.Errorf("step says %q", done[stepVoice])
	}
}

// observer keeps what the number room would be told.
type observer struct{ seen map[string]VoiceSeen }

func (o *observer) Observed(_ context.Context, _ db.Tx, _ string, seen []VoiceSeen) error {
	for _, v := range seen {
		o.seen[v.UserID] = v
	}
	return nil
}

func TestTheNumberRoomHearsOfEverybodyTeamsLists(t *testing.T) {
	t.Parallel()
	ms := newMicrosoft(2)
	a := ms.add(person{name: "Ana", location: "AU", skus: []string{skuE5}, line: "tel:+61255500001;ext=9"})
	b := ms.add(person{name: "Ben", location: "AU", skus: []string{skuE5}})
	s := newStand(t, dbtest.SQLite(t), ms, "")
	for range 2 { // the second time nothing has changed
		o := &observer{seen: map[string]VoiceSeen{}}
		s.d.UseReconcile(o)
		s.mustSync()
		if o.seen[a.id] != (VoiceSeen{a.id, "Ana", "+61255500001", "9", "DirectRouting"}) || o.seen[b.id] != (VoiceSeen{UserID: b.id, Name: "Ben"}) {
			t.Errorf("was told %+v", o.seen)
		}
	}
}

func TestWhatWeHaveVerifiedIsNotOverruledByAnOlderList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ms := newMicrosoft(5)
		ana := ms.add(person{name: "Ana", location: "AU", skus: []string{skuE5}})
		s := newStand(t, d, ms, "")
		s.mustSync()
		number, policy := "+61255500001", "Australia"
		set := func() {
			err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				return s.d.SetVoice(ctx, tx, s.customer.ID, ana.id, &number, &policy)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		set()
		if u := s.one(ana.id); u.Number != number || u.Status != Allocated || !u.CanCallOut {
			t.Fatalf("not shown at once: %+v", u)
		}
		s.clock.Advance(time.Minute)
		s.mustSync()
		if u := s.one(ana.id); u.Number != number {
			t.Errorf("an older list took the number away: %+v", u)
		}
		s.clock.Advance(10 * time.Minute)
		s.mustSync()
		if u := s.one(ana.id); u.Number != "" || u.Status != NotAllocated {
			t.Errorf("what the tenant says for long does not count: %+v", u)
		}
	})
}

func TestANumberSetWhileAPageIsWrittenIsNotLost(t *testing.T) {
	t.Parallel()
	ms := newMicrosoft(5)
	ana := ms.add(person{name: "Ana", location: "AU", skus: []string{skuE5}})
	s := newStand(t, dbtest.SQLite(t), ms, "")
	s.mustSync()
	number := "+61255500001"
	ms.hook = func(path string) {
		if path != "/teams/Teams.User/users" {
			return
		}
		err := s.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
			return s.d.SetVoice(ctx, tx, s.customer.ID, ana.id, &number, nil)
		})
		if err != nil {
			t.Error(err)
		}
	}
	s.mustSync()
	if u := s.one(ana.id); u.Number != number {
		t.Errorf("number is %q", u.Number)
	}
}
