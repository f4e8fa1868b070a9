package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/fault"
)

// crowd is a tenant in which everything occurs.
func crowd(n int) *microsoft {
	ms := newMicrosoft(50)
	for i := range n {
		p := person{name: fmt.Sprintf("%s %d", []string{"Ána", "ben", "Cho", "Ána"}[i%4], i%7), upn: fmt.Sprintf("u%d@contoso.example", i), location: "AU",
			skus: [][]string{{skuE5}, {skuE3}, {skuE5}}[i%3], disabled: i%11 == 0, policy: []string{"Australia", "", "Empty", "Gone"}[i%4]}
		if i%2 == 0 {
			p.line = fmt.Sprintf("tel:+6125550%04d", i)
			p.noVoice = i%10 == 0
			p.numberType = []string{"DirectRouting", "OperatorConnect"}[i%3%2]
		}
		ms.add(p)
	}
	ms.add(person{name: "Resource", accountType: "ResourceAccount", disabled: true, location: "AU", skus: []string{skuE5}, line: "tel:+61255509999"})
	return ms
}

func TestPagesOfEverySortHoldEverybodyOnceAndInOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStand(t, d, crowd(60), "")
		s.mustSync()
		whole := map[string][]string{}
		for _, sort := range []string{"name", "-name", "upn", "-upn", "number", "-number", "status", "-status"} {
			var got []string
			q := Query{Sort: sort, Limit: 7}
			for {
				items, next, total, err := s.d.Users(t.Context(), operator(), s.customer.ID, q)
				if err != nil || total != 61 {
					t.Fatalf("%s: total %d, %v", sort, total, err)
				}
				for _, u := range items {
					got = append(got, u.ID)
				}
				if q.Cursor = next; next == "" {
					break
				}
			}
			seen := map[string]bool{}
			for _, id := range got {
				seen[id] = true
			}
			if len(got) != 61 || len(seen) != 61 {
				t.Errorf("%s: %d lines, %d people, want 61", sort, len(got), len(seen))
			}
			whole[sort] = got
		}
		for _, sort := range []string{"name", "upn", "number", "status"} {
			back := slices.Clone(whole["-"+sort])
			slices.Reverse(back)
			if !slices.Equal(back, whole[sort]) {
				t.Errorf("%s: the other way round is not the reverse", sort)
			}
		}
	})
}

// The condition in SQL and the rule in Go are two tellings of one thing.
func TestTheCallFilterAgreesWithTheRule(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStand(t, d, crowd(120), "")
		s.mustSync()
		yes, no := true, false
		can, cannot := s.users(Query{CanCallOut: &yes, Limit: 1000}), s.users(Query{CanCallOut: &no, Limit: 1000})
		if len(can)+len(cannot) != 121 || len(can) == 0 || len(cannot) == 0 {
			t.Fatalf("%d can, %d cannot, of 121", len(can), len(cannot))
		}
		for _, u := range can {
			if !u.CanCallOut {
				t.Errorf("listed as able: %+v", u)
			}
		}
		for _, u := range cannot {
			if u.CanCallOut {
				t.Errorf("listed as unable: %+v", u)
			}
		}
		c, err := s.d.Counts(t.Context(), operator(), s.customer.ID)
		if err != nil || c.CanCallOut != len(can) || c.NotLicensed+c.NotAllocated+c.Allocated != c.Total {
			t.Errorf("counts %+v, %v; %d can call", c, err, len(can))
		}
	})
}

func TestFiltersAndSearchFindExactlyWhatTheyName(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStand(t, d, crowd(60), "")
		s.mustSync()
		all := s.users(Query{Limit: 1000})
		for name, c := range map[string]struct {
			q    Query
			keep func(User) bool
		}{
			"status":          {Query{Status: NotLicensed}, func(u User) bool { return u.Status == NotLicensed }},
			"has a number":    {Query{Number: "has"}, func(u User) bool { return u.Number != "" }},
			"has none":        {Query{Number: "none"}, func(u User) bool { return u.Number == "" }},
			"one number":      {Query{Number: "+61255500004"}, func(u User) bool { return u.Number == "+61255500004" }},
			"name, no accent": {Query{Search: "ANA"}, func(u User) bool { return strings.HasPrefix(u.DisplayName, "Ána") }},
			"part of number":  {Query{Search: "5550 00 1"}, func(u User) bool { return strings.Contains(u.Number, "5550001") }},
			"address":         {Query{Search: "u12@"}, func(u User) bool { return u.UserPrincipalName == "u12@contoso.example" }},
			"wildcards":       {Query{Search: "%"}, func(User) bool { return false }},
			"control":         {Query{Search: "a\x00na"}, func(u User) bool { return strings.HasPrefix(u.DisplayName, "Ána") }},
			"type":            {Query{AccountType: ResourceAccount}, func(u User) bool { return u.AccountType == ResourceAccount }},
		} {
			want := 0
			for _, u := range all {
				if c.keep(u) {
					want++
				}
			}
			c.q.Limit = 1000
			got := s.users(c.q)
			if len(got) != want {
				t.Errorf("%s: %d found, want %d", name, len(got), want)
			}
			for _, u := range got {
				if !c.keep(u) {
					t.Errorf("%s found %+v", name, u)
				}
			}
		}
	})
}

func TestWhatIsOutsideTheScopeDoesNotExist(t *testing.T) {
	t.Parallel()
	s := newStand(t, dbtest.SQLite(t), crowd(3), "")
	s.mustSync()
	id := s.ms.people[0].id
	stranger := access.Actor{Scope: access.Scope{Level: access.Partner, PartnerID: "another"}, Role: access.Admin}
	billing := access.Actor{Scope: access.Scope{Level: access.Operator}, Role: access.Billing}
	viewer := access.Actor{Scope: access.Scope{Level: access.Operator}, Role: access.Viewer}
	managed := false
	for name, call := range map[string]func(access.Actor) error{
		"users": func(a access.Actor) error {
			_, _, _, err := s.d.Users(t.Context(), a, s.customer.ID, Query{})
			return err
		},
		"user":   func(a access.Actor) error { _, err := s.d.User(t.Context(), a, s.customer.ID, id); return err },
		"counts": func(a access.Actor) error { _, err := s.d.Counts(t.Context(), a, s.customer.ID); return err },
		"policies": func(a access.Actor) error {
			_, err := s.d.Policies(t.Context(), a, s.customer.ID, DialPlan)
			return err
		},
		"products": func(a access.Actor) error { _, err := s.d.Products(t.Context(), a, s.customer.ID); return err },
		"sync":     func(a access.Actor) error { _, err := s.d.LastSync(t.Context(), a, s.customer.ID); return err },
		"resync":   func(a access.Actor) error { _, _, err := s.d.Resync(t.Context(), a, s.customer.ID, false); return err },
		"release":  func(a access.Actor) error { return s.d.ReleaseRemoval(t.Context(), a, s.customer.ID, "op") },
		"update": func(a access.Actor) error {
			_, err := s.d.UpdateUser(t.Context(), a, s.customer.ID, id, UserPatch{Managed: &managed})
			return err
		},
	} {
		if err := call(stranger); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s answers a stranger %v", name, err)
		}
		if err := call(billing); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s answers a billing key %v", name, err)
		}
		if err := call(viewer); (name == "resync" || name == "release" || name == "update") != (fault.KindOf(err) == fault.Forbidden) {
			t.Errorf("%s answers a viewer %v", name, err)
		}
	}
}

func TestBadSortsAndCursorsAreRefused(t *testing.T) {
	t.Parallel()
	s := newStand(t, dbtest.SQLite(t), crowd(3), "")
	s.mustSync()
	ask := func(q Query) (string, error) {
		_, next, _, err := s.d.Users(t.Context(), operator(), s.customer.ID, q)
		return next, err
	}
	if _, err := ask(Query{Sort: "shoe size"}); !fault.Is(err, "unknown-sort") {
		t.Errorf("got %v", err)
	}
	next, err := ask(Query{Sort: "name", Limit: 1})
	if err != nil || next == "" {
		t.Fatal(next, err)
	}
	if _, err := ask(Query{Sort: "upn", Cursor: next}); !fault.Is(err, "invalid-cursor") {
		t.Errorf("a cursor of another sort: %v", err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.String().Draw(rt, "cursor")
		if _, err := ask(Query{Cursor: text}); err != nil && !fault.Is(err, "invalid-cursor") {
			rt.Fatal(err)
		}
	})
}

func TestTheManagedSwitchIsKeptThroughSyncsAndAudited(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ms := crowd(3)
		s := newStand(t, d, ms, "")
		s.mustSync()
		id, off := ms.people[0].id, false
		u, err := s.d.UpdateUser(t.Context(), operator(), s.customer.ID, id, UserPatch{Managed: &off, IfVersion: s.one(id).Version})
		if err != nil || u.Managed {
			t.Fatal(u, err)
		}
		if _, err := s.d.UpdateUser(t.Context(), operator(), s.customer.ID, id, UserPatch{Managed: &off, IfVersion: 1}); fault.KindOf(err) != fault.Stale {
			t.Errorf("an old version was taken: %v", err)
		}
		ms.change(ms.people[0], func(p *person) { p.name = "Somebody Else" })
		s.mustSync()
		if u := s.one(id); u.Managed || u.DisplayName != "Somebody Else" {
			t.Errorf("after a sync: %+v", u)
		}
		var n int
		if err := d.R.QueryRowContext(t.Context(), `SELECT count(*) FROM audit_entry WHERE action = 'user.update'`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d audit entries, %v", n, err)
		}
		if got := s.users(Query{Managed: &off}); len(got) != 1 || got[0].ID != id {
			t.Errorf("unmanaged: %+v", got)
		}
	})
}
