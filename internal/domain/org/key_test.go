package org_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

func (w *world) key(actor access.Actor, n org.NewKey) (org.Key, string) {
	w.t.Helper()
	if n.Name == "" {
		n.Name = "Script"
	}
	k, text, err := w.o.CreateKey(w.ctx, actor, n)
	w.must(err)
	return k, text
}

func TestAKeyIsShownOnceAndActsForItsScope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k, text := w.key(as(of(w.contoso), access.Admin), org.NewKey{Name: "PBX", Scope: at(w.wingtip), Role: access.Agent})
		if !strings.HasPrefix(text, "tcap_") || len(text) != 48 || k.Hint != text[44:] || k.CreatedBy != "Somebody" {
			t.Fatalf("a key of %d characters, %+v", len(text), k)
		}
		who, err := w.o.Authenticate(w.ctx, text)
		w.must(err)
		if who != (access.Actor{Kind: "api-key", ID: k.ID, Name: "PBX", Scope: at(w.wingtip), Role: access.Agent}) {
			t.Fatalf("got %+v", who)
		}
		w.audited(at(w.wingtip), "api-key.create", 1)
		w.audited(of(w.contoso), "api-key.create", 1)
		w.audited(of(w.adatum), "api-key.create", 0)
		w.nowhere(text)
	})
}

func TestAKeyWithoutAScopeHasItsMakers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, s := range []access.Scope{operatorScope(), of(w.contoso), at(w.wingtip)} {
			k, _ := w.key(as(s, access.Admin), org.NewKey{Role: access.Viewer})
			if k.Scope != s {
				t.Fatalf("%+v, want %+v", k.Scope, s)
			}
		}
	})
}

func TestUnknownRevokedAndExpiredKeysGetTheSameAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		revoked, revokedText := w.key(root(), org.NewKey{Role: access.Viewer})
		w.must(w.o.RevokeKey(w.ctx, root(), revoked.ID, 1))
		w.must(w.o.RevokeKey(w.ctx, root(), revoked.ID, 0))
		_, expiring := w.key(root(), org.NewKey{Role: access.Viewer, ExpiresAt: began.Add(time.Hour)})
		_, gone := w.key(root(), org.NewKey{Role: access.Viewer, Scope: at(w.litware)})
		_, stranded := w.key(root(), org.NewKey{Role: access.Viewer, Scope: of(w.adatum)})
		for _, text := range []string{expiring, gone, stranded} {
			_, err := w.o.Authenticate(w.ctx, text)
			w.must(err)
		}
		w.must(w.o.DeleteCustomer(w.ctx, root(), w.litware.ID, 0))
		w.must(w.o.DeletePartner(w.ctx, root(), w.adatum.ID, 0))
		w.clock.Advance(time.Hour)
		answers := map[string]bool{}
		for _, text := range []string{"", "tcap_", "nothing", "tcap_" + strings.Repeat("A", 43), "tcap_" + strings.Repeat("A", 4000), "tcap_\x00\xff", revokedText, expiring, gone, stranded} {
			_, err := w.o.Authenticate(w.ctx, text)
			w.refused(err, fault.Unauthenticated, "invalid-api-key")
			answers[err.Error()] = true
		}
		if len(answers) != 1 {
			t.Fatalf("different answers: %v", answers)
		}
		w.audited(operatorScope(), "api-key.revoke", 1)
	})
}

func TestKeysAreKeptByAdministratorsOfTheirScope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine, _ := w.key(as(of(w.contoso), access.Admin), org.NewKey{Name: "Export", Role: access.Viewer})
		below, _ := w.key(root(), org.NewKey{Scope: at(w.wingtip), Role: access.Viewer})
		_, _ = w.key(root(), org.NewKey{Role: access.SBC})
		for _, c := range []struct {
			actor access.Actor
			want  int
		}{{root(), 3}, {as(of(w.contoso), access.Admin), 2}, {as(at(w.wingtip), access.Admin), 1}, {as(of(w.adatum), access.Admin), 0}, {as(at(w.tailspin), access.Admin), 0}} {
			page, err := w.o.Keys(w.ctx, c.actor, org.KeyQuery{})
			w.must(err)
			if page.Total != c.want || len(page.Items) != c.want {
				t.Errorf("%+v sees %d keys, want %d", c.actor.Scope, page.Total, c.want)
			}
		}
		page, err := w.o.Keys(w.ctx, root(), org.KeyQuery{Search: "EXP"})
		w.must(err)
		if page.Total != 1 || page.Items[0] != mine {
			t.Fatalf("got %+v", page)
		}
		for _, stranger := range []access.Actor{as(of(w.adatum), access.Admin), as(at(w.tailspin), access.Admin)} {
			_, err := w.o.Key(w.ctx, stranger, below.ID)
			w.missing(err)
			w.missing(w.o.RevokeKey(w.ctx, stranger, below.ID, 0))
			_, err = w.o.UpdateKey(w.ctx, stranger, below.ID, org.KeyPatch{}, 0)
			w.missing(err)
		}
		agent := as(of(w.contoso), access.Agent)
		_, _, err = w.o.CreateKey(w.ctx, agent, org.NewKey{Name: "x", Role: access.Admin})
		w.forbidden(err)
		_, err = w.o.Keys(w.ctx, agent, org.KeyQuery{})
		w.forbidden(err)
		_, err = w.o.Key(w.ctx, agent, mine.ID)
		w.forbidden(err)
		_, err = w.o.UpdateKey(w.ctx, agent, mine.ID, org.KeyPatch{}, 0)
		w.forbidden(err)
		w.forbidden(w.o.RevokeKey(w.ctx, agent, mine.ID, 0))
	})
}

func TestABadKeyIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, n := range []org.NewKey{{Role: access.Viewer}, {Name: "a\tb", Role: access.Viewer}, {Name: "x"}, {Name: "x", Role: "god"},
			{Name: "x", Role: access.Viewer, Scope: access.Scope{Level: "world"}}, {Name: "x", Role: access.Viewer, ExpiresAt: began}} {
			_, _, err := w.o.CreateKey(w.ctx, root(), n)
			w.refused(err, fault.Invalid, "invalid-input")
		}
		_, _, err := w.o.CreateKey(w.ctx, root(), org.NewKey{Name: "x", Role: access.Viewer, Scope: access.Scope{Level: access.Customer, CustomerID: "none"}})
		w.missing(err)
		_, _, err = w.o.CreateKey(w.ctx, as(of(w.contoso), access.Admin), org.NewKey{Name: "x", Role: access.Viewer, Scope: of(w.adatum)})
		w.missing(err)
		_, _, err = w.o.CreateKey(w.ctx, as(of(w.contoso), access.Admin), org.NewKey{Name: "x", Role: access.Viewer, Scope: operatorScope()})
		w.refused(err, fault.Forbidden, "wider-than-maker")
	})
}

func TestAKeyIsRenamedAndItsEndMoved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k, text := w.key(root(), org.NewKey{Role: access.Viewer, ExpiresAt: began.Add(time.Hour)})
		k, err := w.o.UpdateKey(w.ctx, root(), k.ID, org.KeyPatch{Name: ptr("Renamed"), ExpiresAt: ptr(time.Time{})}, 1)
		w.must(err)
		if k.Name != "Renamed" || !k.ExpiresAt.IsZero() || k.Version != 2 {
			t.Fatalf("got %+v", k)
		}
		w.clock.Advance(48 * time.Hour)
		_, err = w.o.Authenticate(w.ctx, text)
		w.must(err)
		_, err = w.o.UpdateKey(w.ctx, root(), k.ID, org.KeyPatch{Name: ptr("x")}, 1)
		w.stale(err)
		w.stale(w.o.RevokeKey(w.ctx, root(), k.ID, 1))
		_, err = w.o.UpdateKey(w.ctx, root(), k.ID, org.KeyPatch{ExpiresAt: ptr(began)}, 0)
		w.refused(err, fault.Invalid, "invalid-input")
		w.must(w.o.RevokeKey(w.ctx, root(), k.ID, 0))
		_, err = w.o.UpdateKey(w.ctx, root(), k.ID, org.KeyPatch{Name: ptr("Back")}, 0)
		w.refused(err, fault.Conflict, "key-revoked")
		w.audited(operatorScope(), "api-key.update", 1)
	})
}

func TestAKeyMakesNoneThatOutlivesIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, text := w.key(root(), org.NewKey{Role: access.Admin, ExpiresAt: began.Add(time.Hour)})
		maker, err := w.o.Authenticate(w.ctx, text)
		w.must(err)
		for _, end := range []time.Time{{}, began.Add(2 * time.Hour)} {
			_, _, err := w.o.CreateKey(w.ctx, maker, org.NewKey{Name: "x", Role: access.Admin, ExpiresAt: end})
			w.refused(err, fault.Forbidden, "wider-than-maker")
		}
		child, _ := w.key(maker, org.NewKey{Role: access.Admin, ExpiresAt: began.Add(time.Hour)})
		_, err = w.o.UpdateKey(w.ctx, maker, child.ID, org.KeyPatch{ExpiresAt: ptr(time.Time{})}, 0)
		w.refused(err, fault.Forbidden, "wider-than-maker")
		_, err = w.o.UpdateKey(w.ctx, maker, maker.ID, org.KeyPatch{ExpiresAt: ptr(began.Add(9 * time.Hour))}, 0)
		w.refused(err, fault.Forbidden, "wider-than-maker")
	})
}

func TestTheUseOfAKeyIsWrittenOnceAMinuteAtMost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k, text := w.key(root(), org.NewKey{Role: access.Viewer})
		// A room of its own for each step: Close waits for its writes.
		use := func(after time.Duration) time.Time {
			w.clock.Advance(after)
			o := org.New(w.d, w.clock)
			for range 3 {
				_, err := o.Authenticate(w.ctx, text)
				w.must(err)
			}
			o.Close()
			got, err := o.Key(w.ctx, root(), k.ID)
			w.must(err)
			if got.Version != k.Version {
				t.Fatal("using a key changed its version")
			}
			return got.LastUsedAt
		}
		for _, c := range []struct {
			after time.Duration
			want  time.Duration
		}{{time.Second, time.Second}, {30 * time.Second, time.Second}, {29 * time.Second, time.Second}, {time.Second, 61 * time.Second}} {
			if got := use(c.after); !got.Equal(began.Add(c.want)) {
				t.Fatalf("last used %s after the beginning, want %s", got.Sub(began), c.want)
			}
		}
		w.o.Close()
		_, err := w.o.Authenticate(w.ctx, text)
		w.must(err)
	})
}

// TestNoKeyIsEverWiderThanItsMaker lets makers of every scope and role, also keys made by keys, ask for every scope and
// role; what is made must permit nothing and show nothing that its maker could not do and see.
func TestNoKeyIsEverWiderThanItsMaker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	scopes := []access.Scope{operatorScope(), of(w.contoso), of(w.adatum), at(w.wingtip), at(w.tailspin), at(w.litware), {},
		{Level: access.Partner}, {Level: access.Customer}, {Level: access.Customer, PartnerID: w.contoso.ID, CustomerID: w.litware.ID}, {Level: access.Operator, PartnerID: w.adatum.ID}}
	roles := []access.Role{access.Viewer, access.Agent, access.Admin, access.Billing, access.SBC, "", "root"}
	made := 0
	rapid.Check(t, func(r *rapid.T) {
		maker := as(rapid.SampledFrom(scopes).Draw(r, "maker's scope"), rapid.SampledFrom(roles).Draw(r, "maker's role"))
		for step := range 3 {
			n := org.NewKey{Name: "x", Scope: rapid.SampledFrom(scopes).Draw(r, "scope"), Role: rapid.SampledFrom(roles).Draw(r, "role")}
			_, text, err := w.o.CreateKey(w.ctx, maker, n)
			if err != nil {
				if fault.KindOf(err) == fault.Internal {
					r.Fatal(err)
				}
				return
			}
			got, err := w.o.Authenticate(w.ctx, text)
			if err != nil {
				r.Fatal(err)
			}
			if wider := widerThan(w, got, maker); wider != "" {
				r.Fatalf("step %d: %+v made %+v, which %s", step, maker, got, wider)
			}
			made++
			maker = got
		}
	})
	if made == 0 {
		t.Fatal("no key was made; the property was not tried")
	}
}

func widerThan(w *world, got, maker access.Actor) string {
	for _, act := range []access.Action{access.Read, access.ReadBilling, access.AskAdmission, access.Assign, access.Manage, access.Administer, access.Operate} {
		if access.Can(got, act) == nil && access.Can(maker, act) != nil {
			return "may " + string(act)
		}
	}
	for _, c := range []org.Customer{w.wingtip, w.tailspin, w.litware} {
		if got.Scope.Sees(c.PartnerID, c.ID) && !maker.Scope.Sees(c.PartnerID, c.ID) {
			return "sees " + c.Name
		}
	}
	for _, p := range []org.Partner{w.contoso, w.adatum} {
		// A customer the partner may make tomorrow.
		if got.Scope.Sees(p.ID, "tomorrow") && !maker.Scope.Sees(p.ID, "tomorrow") {
			return fmt.Sprintf("sees all of %s", p.Name)
		}
	}
	return ""
}
