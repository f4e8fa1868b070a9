package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func newWorld(t testing.TB, dir string) *World {
	t.Helper()
	w, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func create(t testing.TB, w *World, n NewTenant) Created {
	t.Helper()
	c, err := w.CreateTenant(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestATenantHasTheAskedUsersAndLicences(t *testing.T) {
	t.Parallel()
	for _, cloud := range []Cloud{Global, GCC, GCCHigh, DoD, China} {
		w := newWorld(t, "")
		c := create(t, w, NewTenant{Name: "Contoso", Cloud: cloud, Users: 100, Seed: 7, LicensedShare: 0.3})
		err := w.View(c.TenantID, func(tn *Tenant) error {
			phone, names := 0, map[string]bool{}
			for _, u := range tn.Users.All() {
				names[u.UserPrincipalName] = true
				if hasPlan(tn, u, "MCOEV") && hasPlan(tn, u, "TEAMS") {
					phone++
				}
			}
			if len(names) != 100 || phone != 30 {
				t.Errorf("%s: %d names and %d with Teams Phone, want 100 and 30", cloud, len(names), phone)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func hasPlan(t *Tenant, u User, prefix string) bool {
	for _, l := range u.Licences {
		sku, _ := t.SKUs.Get(l.SKUID)
		if slices.ContainsFunc(sku.Plans, func(p ServicePlan) bool { return strings.HasPrefix(p.Name, prefix) }) {
			return true
		}
	}
	return false
}

func TestTheFirstTwoUsersAreTheAdministratorAndALicensedPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	c := create(t, w, NewTenant{Name: "Contoso", Users: 10, Seed: 1, LicensedShare: 0.1})
	if c.Domain != "contoso.onmicrosoft.com" || c.GlobalAdmin.UPN != "admin@"+c.Domain {
		t.Errorf("created %+v", c)
	}
	_ = w.View(c.TenantID, func(tn *Tenant) error {
		admin, _ := tn.UserByName(strings.ToUpper(c.GlobalAdmin.UPN))
		user, _ := tn.UserByName(c.User.UPN)
		if admin.Password != c.GlobalAdmin.Password || user.Password != c.User.Password || !hasPlan(tn, user, "MCOEV") {
			t.Errorf("admin %+v, user %+v", admin, user)
		}
		for _, a := range tn.RoleAssignments.All() {
			if a.PrincipalID != admin.ID || a.RoleDefinitionID != RoleGlobalAdministrator {
				t.Errorf("role %+v", a)
			}
		}
		return nil
	})
}

func TestTheSameSeedMakesTheSamePeopleWithIDsOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	a := create(t, w, NewTenant{Name: "Contoso", Users: 50, Seed: 42})
	b := create(t, w, NewTenant{Name: "Contoso", Users: 50, Seed: 42})
	if a.Domain == b.Domain || a.GlobalAdmin.Password != b.GlobalAdmin.Password {
		t.Errorf("%+v and %+v", a, b)
	}
	names := func(id string) (all, ids []string) {
		_ = w.View(id, func(tn *Tenant) error {
			for id, u := range tn.Users.All() {
				all, ids = append(all, u.DisplayName+u.Department), append(ids, id)
			}
			return nil
		})
		return all, ids
	}
	namesA, idsA := names(a.TenantID)
	namesB, idsB := names(b.TenantID)
	if !slices.Equal(namesA, namesB) || idsA[0] == idsB[0] {
		t.Error("the people differ or the ids do not")
	}
}

func TestCreateTenantRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	create(t, w, NewTenant{Name: "Contoso", Domain: "contoso.example"})
	for _, c := range []struct {
		n    NewTenant
		want error
	}{
		{NewTenant{Name: " "}, ErrInvalid},
		{NewTenant{Name: "X", Cloud: "moon"}, ErrInvalid},
		{NewTenant{Name: "X", Users: 2_000_000}, ErrInvalid},
		{NewTenant{Name: "X", LicensedShare: 1.5}, ErrInvalid},
		{NewTenant{Name: "X", Domain: "CONTOSO.example"}, ErrExists},
		{NewTenant{Name: "X", Domain: "contoso"}, ErrExists},
	} {
		if _, err := w.CreateTenant(t.Context(), c.n); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.n, err, c.want)
		}
	}
}

func TestATenantIsFoundByIDAndVerifiedDomainUntilItIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	c := create(t, w, NewTenant{Name: "Contoso", Domain: "contoso.example"})
	mustUpdate(t, w, c.TenantID, func(tn *Tenant) {
		tn.Domains = append(tn.Domains, Domain{Name: "Voice.contoso.example", Verified: true}, Domain{Name: "new.example"})
	})
	for _, name := range []string{strings.ToUpper(c.TenantID), "Contoso.Example", "contoso.onmicrosoft.com", "voice.contoso.example"} {
		if id, ok := w.FindTenant(name); !ok || id != c.TenantID {
			t.Errorf("%s: %q %v", name, id, ok)
		}
	}
	if _, ok := w.FindTenant("new.example"); ok {
		t.Error("an unverified domain finds the tenant")
	}
	mustUpdate(t, w, c.TenantID, func(tn *Tenant) { tn.Deleted = true })
	if _, ok := w.FindTenant("contoso.example"); ok {
		t.Error("a deleted tenant is found")
	}
	never := func(*Tenant) error { t.Error("called"); return nil }
	if err := w.View(c.TenantID, never); !errors.Is(err, ErrNoTenant) {
		t.Error(err)
	}
	if err := w.Update(t.Context(), c.TenantID, never); !errors.Is(err, ErrNoTenant) {
		t.Error(err)
	}
}

func mustUpdate(t testing.TB, w *World, id string, fn func(*Tenant)) {
	t.Helper()
	if err := w.Update(t.Context(), id, func(tn *Tenant) error { fn(tn); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyAChangeMarksTheCallAsWriting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	c := create(t, w, NewTenant{Name: "Contoso"})
	for _, step := range []struct {
		do   func(*Tenant)
		want bool
	}{
		{func(*Tenant) {}, false},
		{func(tn *Tenant) { tn.RequireMFA = true }, true},
		{func(tn *Tenant) { tn.Numbers.Put("+61255501000", Number{}) }, true},
		{func(tn *Tenant) { tn.Numbers.Delete("+61255501999") }, false},
	} {
		call := &Call{}
		err := w.Update(WithCall(t.Context(), call), c.TenantID, func(tn *Tenant) error { step.do(tn); return nil })
		if err != nil || call.Wrote != step.want {
			t.Errorf("wrote %v, want %v (%v)", call.Wrote, step.want, err)
		}
	}
}

func TestTheClockGoesForwardOnly(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w, err := New(Options{Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	w.Advance(24 * time.Hour)
	if got := w.Advance(-time.Hour); !got.Equal(start.Add(24 * time.Hour)) {
		t.Error(got)
	}
}

func TestATicketIsTakenOnceAndExpiresOnTheWorldsClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	ctx := t.Context()
	put := func() {
		if err := w.PutTicket(ctx, "code", "1", map[string]string{"upn": "a"}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	put()
	var got map[string]string
	if ok, err := w.PeekTicket("code", "1", &got); !ok || err != nil || got["upn"] != "a" {
		t.Error(ok, err, got)
	}
	if ok, _ := w.TakeTicket(ctx, "session", "1", nil); ok {
		t.Error("taken as another kind")
	}
	for _, want := range []bool{true, false} {
		if ok, err := w.TakeTicket(ctx, "code", "1", &got); ok != want || err != nil {
			t.Errorf("taken %v, want %v (%v)", ok, want, err)
		}
	}
	put()
	w.Advance(time.Minute)
	if ok, _ := w.TakeTicket(ctx, "code", "1", &got); ok {
		t.Error("an expired ticket was taken")
	}
}

func TestRolledKeysStayPublishedForAWhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	first := w.SigningKeys()[0].ID
	for range 2 {
		if err := w.RollKey(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	keys := w.SigningKeys()
	if len(keys) != 3 || keys[2].ID != first {
		t.Errorf("%d keys, the last %s, want the first, %s", len(keys), keys[2].ID, first)
	}
}

func TestAServicePrincipalIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	c := create(t, w, NewTenant{Name: "Contoso"})
	if _, err := w.EnsureServicePrincipal(t.Context(), c.TenantID, "none"); !errors.Is(err, ErrNoApp) {
		t.Error(err)
	}
	if err := w.PutApp(t.Context(), App{AppID: "A1", Name: "Voice"}); err != nil {
		t.Fatal(err)
	}
	a, err := w.EnsureServicePrincipal(t.Context(), c.TenantID, "a1")
	b, err2 := w.EnsureServicePrincipal(t.Context(), c.TenantID, "A1")
	if err != nil || err2 != nil || a != b || !a.Enabled || a.DisplayName != "Voice" {
		t.Error(a, b, err, err2)
	}
}

func TestAHeldCallGoesOnWhenReleasedOrAbandoned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := w.Hold(gone, "f"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	done := make(chan error)
	go func() { done <- w.Hold(t.Context(), "f") }()
	for w.Held("f") == 0 {
		select {
		case err := <-done:
			t.Fatal("not held", err)
		default:
		}
	}
	if n := w.Release("f"); n != 1 {
		t.Errorf("released %d", n)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.Close()
	if err := w.Hold(t.Context(), "f"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestAFaultHappensAsOftenAsItMayAndTheSameWayForASeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	f, err := w.PutFault(t.Context(), Fault{Kind: "status", Times: 2, Probability: 1})
	if err != nil {
		t.Fatal(err)
	}
	outcome := func(id string, n int) (s string) {
		for range n {
			_, fires, err := w.FireFault(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			s += fmt.Sprint(fires, " ")
		}
		return s
	}
	if got := outcome(f.ID, 4); got != "true true false false " {
		t.Error(got)
	}
	a, _ := w.PutFault(t.Context(), Fault{Probability: 0.5, Seed: 3})
	b, _ := w.PutFault(t.Context(), Fault{Probability: 0.5, Seed: 3})
	got := outcome(a.ID, 40)
	if got != outcome(b.ID, 40) || !strings.Contains(got, "true") || !strings.Contains(got, "false") {
		t.Error(got)
	}
}

func TestTheJournalForgetsTheOldest(t *testing.T) {
	t.Parallel()
	j, at := NewJournal(3), time.Unix(1_800_000_000, 0)
	for i := range 5 {
		n := j.Add(Request{Time: at.Add(time.Duration(i) * time.Second), Tenant: fmt.Sprint(i % 2), Status: 200})
		j.SetStatus(n, 500+i)
	}
	j.SetStatus(0, 1) // forgotten already
	var got []int
	for _, r := range j.Since(at, "") {
		got = append(got, r.Status)
	}
	if !slices.Equal(got, []int{502, 503, 504}) {
		t.Error(got)
	}
	if r := j.Since(at.Add(3*time.Second), "0"); len(r) != 1 || r[0].Status != 504 {
		t.Error(r)
	}
}
