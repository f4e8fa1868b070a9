package kind

import (
	"context"
	"net/http"
	"testing"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/kind/kindtest"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/msgraph"
	"tcap.cloud/internal/remote/tenant"
)

const (
	ana, ben       = "user-ana", "user-ben"
	first, second  = "+61255500001", "+61255500002"
	foreign, never = "+61255500003", "+61255500004"
)

func stand(t *testing.T) (*kindtest.Teams, *tenant.Session) {
	t.Helper()
	s := kindtest.New(t, []string{ana, ben}, []string{first, second, foreign})
	session, _, err := s.Session(t.Context(), "42")
	if err != nil {
		t.Fatal(err)
	}
	return s, session
}

func dr(n string) *UserNumber { return &UserNumber{n, "DirectRouting"} }

func TestANumberIsReadWithTheTypeThatTheInventoryHas(t *testing.T) {
	t.Parallel()
	s, session := stand(t)
	if _, found, err := getNumber(t.Context(), session, ana); found || err != nil {
		t.Fatalf("found %v, %v before anything was assigned", found, err)
	}
	s.Give(ana, first)
	n, found, err := getNumber(t.Context(), session, ana)
	if err != nil || !found || n != *dr(first) {
		t.Fatalf("read %+v, %v, %v", n, found, err)
	}
	if _, found, err := getNumber(t.Context(), session, "somebody-who-left"); found || err != nil {
		t.Fatalf("somebody who left: %v, %v", found, err)
	}
}

func TestEveryChangeOfANumberMayBeRepeated(t *testing.T) {
	t.Parallel()
	s, session := stand(t)
	for _, c := range []struct {
		before, after *UserNumber
		want          string
	}{{nil, dr(first), first}, {dr(first), dr(second), second}, {dr(second), nil, ""}} {
		for range 3 {
			if _, err := changeNumber(t.Context(), session.Writer(), ana, c.before, c.after); err != nil {
				t.Fatalf("%+v → %+v: %v", c.before, c.after, err)
			}
			if got := s.Held()[ana]; got != c.want {
				t.Fatalf("%+v → %+v: has %q", c.before, c.after, got)
			}
		}
	}
	if s.Writes != 4 {
		t.Errorf("%d writes, want 4: what is done is not written again", s.Writes)
	}
}

func TestANumberThatSomebodyElseGaveIsLeftAlone(t *testing.T) {
	t.Parallel()
	s, session := stand(t)
	s.Give(ana, foreign)
	for _, c := range []struct{ before, after *UserNumber }{{nil, dr(first)}, {dr(second), dr(first)}, {dr(second), nil}} {
		if _, err := changeNumber(t.Context(), session.Writer(), ana, c.before, c.after); !fault.Is(err, "foreign-number") {
			t.Errorf("%+v → %+v: %v", c.before, c.after, err)
		}
	}
	seen := []plan.Observed{NumberSeen(ana, foreign, "DirectRouting")}
	managed := map[string]bool{"user-number/" + ana: true}
	if _, err := plan.Decide([]plan.Item{Number(ana, first, "DirectRouting", first, second)}, seen, managed); !fault.Is(err, "foreign-number") {
		t.Errorf("a plan over a foreign number: %v", err)
	}
	p, err := plan.Decide([]plan.Item{Number(ana, first, "DirectRouting", foreign)}, seen, nil)
	if err != nil || len(p.Changes) != 1 || p.Changes[0].Title != "Replace "+foreign+" by "+first {
		t.Errorf("a plan over a number of ours: %+v, %v", p, err)
	}
	if s.Held()[ana] != foreign {
		t.Error("the foreign number was touched")
	}
}

func TestARefusedReplacementGivesTheOldNumberBack(t *testing.T) {
	t.Parallel()
	s, session := stand(t)
	s.Give(ana, first)
	_, err := changeNumber(t.Context(), session.Writer(), ana, dr(first), dr(never))
	if tenant.ClassOf(err) != tenant.NotFound || s.Held()[ana] != first {
		t.Fatalf("%v, has %q", err, s.Held()[ana])
	}
	s.Give(ben, second)
	if _, err := changeNumber(t.Context(), session.Writer(), ana, dr(first), dr(second)); tenant.ClassOf(err) != tenant.Conflict {
		t.Fatalf("a number of Ben's: %v", err)
	}
	if s.Held()[ana] != first || s.Held()[ben] != second {
		t.Fatalf("held %v", s.Held())
	}
}

func TestALostOldNumberIsSaidSo(t *testing.T) {
	t.Parallel()
	s, session := stand(t)
	s.Give(ana, first)
	s.Hook = func(r *http.Request) *kindtest.Fault {
		if r.Method == http.MethodPut {
			return &kindtest.Fault{Status: 400, Text: "no"}
		}
		return nil
	}
	if _, err := changeNumber(t.Context(), session.Writer(), ana, dr(first), dr(second)); !fault.Is(err, "old-number-not-restored") {
		t.Fatal(err)
	}
}

func TestAPolicyThatIsNotInTheTenantIsNamed(t *testing.T) {
	t.Parallel()
	s, session := stand(t)
	s.Policies[VoiceRoutingPolicy] = []string{"AU"}
	key := pair(ana, VoiceRoutingPolicy)
	if _, err := grantPolicy(t.Context(), session.Writer(), key, PolicyGrant{"NZ"}); !fault.Is(err, "policy-not-found") {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := grantPolicy(t.Context(), session.Writer(), key, PolicyGrant{"AU"}); err != nil {
			t.Fatal(err)
		}
	}
	if p, found, err := getPolicy(t.Context(), session, key); err != nil || !found || p.Policy != "AU" {
		t.Fatalf("%+v, %v, %v", p, found, err)
	}
	for range 2 {
		if _, err := grantPolicy(t.Context(), session.Writer(), key, PolicyGrant{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, found, err := getPolicy(t.Context(), session, key); err != nil || found {
		t.Fatalf("still granted: %v, %v", found, err)
	}
}

func TestARoleIsGivenOnceAndTakenOnce(t *testing.T) {
	t.Parallel()
	_, session := stand(t)
	item := Role("sp", msgraph.RoleTeamsAdministrator)
	if title := item.Kind.Title(plan.Create, item.Key, nil, item.Want); title != "Give Teams Administrator to the app TCAP" {
		t.Error(title)
	}
	for range 2 { // the second meets "conflicting object"
		if _, err := giveRole(t.Context(), session.Writer(), item.Key, RoleAssignment{}); err != nil {
			t.Fatal(err)
		}
	}
	seen, err := plan.Observe(t.Context(), session, []plan.Item{item})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := plan.Decide([]plan.Item{item}, seen, nil); err != nil || !p.Nothing() {
		t.Fatalf("a second plan: %+v, %v", p, err)
	}
	for range 2 {
		if _, err := takeRole(t.Context(), session.Writer(), item.Key, RoleAssignment{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, found, err := getRole(t.Context(), session, item.Key); err != nil || found {
		t.Fatalf("still held: %v, %v", found, err)
	}
}

func TestAKeyWithoutItsPartsIsRefused(t *testing.T) {
	t.Parallel()
	_, session := stand(t)
	for _, key := range []string{"", "alone", "|b", "a|"} {
		if _, _, err := getRole(context.Background(), session, key); !fault.Is(err, "bad-key") {
			t.Errorf("%q: %v", key, err)
		}
		if _, _, err := getPolicy(context.Background(), session, key); !fault.Is(err, "bad-key") {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func TestKindsHaveTheirOwnNames(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, k := range All() {
		if names[k.Name()] || k.Version() < 1 || k.Visible() <= 0 {
			t.Errorf("kind %q, version %d, visible %v", k.Name(), k.Version(), k.Visible())
		}
		names[k.Name()] = true
	}
}
