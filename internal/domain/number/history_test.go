package number_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/number"
)

// A number that left one partner's inventory may come into another's: whose customers and people had it before is not for
// the next partner. The one who had it sees its own time still.
func TestTheHistoryOfANumberStaysWithThePartnerWhoseItWas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		s := newStand(t, url, 1, 1)
		n, user := s.numbers[0], s.users[0]
		s.must(s.assign(user, n))
		s.must(s.unassign(user))
		if err := s.Release(t.Context(), root, n, 0); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(31 * 24 * time.Hour)
		if _, err := s.EndQuarantines(t.Context()); err != nil {
			t.Fatal(err)
		}
		first := access.Actor{Kind: "api-key", ID: "a", Name: "first", Role: access.Admin, Scope: access.Scope{Level: access.Partner, PartnerID: s.customer.PartnerID}}
		before, err := s.History(t.Context(), first, n)
		if err != nil || !strings.Contains(fmt.Sprintf("%+v", before), s.customer.ID) {
			t.Fatalf("its own partner sees %+v, %v", before, err)
		}
		if err := s.Release(t.Context(), first, n, 0); err != nil { // out of the stock
			t.Fatal(err)
		}
		other, svc := s.addCustomer("Tailspin Partners", "Wingtip")
		if r := s.importAll(other, svc, n); r.Created != 1 {
			t.Fatalf("%+v", r)
		}
		next := access.Actor{Kind: "api-key", ID: "b", Name: "next", Role: access.Admin, Scope: access.Scope{Level: access.Partner, PartnerID: other.PartnerID}}
		lines, err := s.History(t.Context(), next, n)
		if err != nil || len(lines) != 1 || lines[0].CustomerID != other.ID {
			t.Errorf("the next partner sees %d lines (%v): %+v", len(lines), err, lines)
		}
		for _, l := range lines {
			if l.CustomerID == s.customer.ID || l.Actor == "first" || l.Holder != nil {
				t.Errorf("the next partner is told of the one before: %+v", l)
			}
		}
		if all, err := s.History(t.Context(), root, n); err != nil || len(all) <= len(before) {
			t.Errorf("the operator sees %d of at least %d lines, %v", len(all), len(before), err)
		}
	})
}

// The policy a number is shown with is one its holder has: a grant that was refused is not shown.
func TestANumberDoesNotShowAPolicyThatWasRefused(t *testing.T) {
	t.Parallel()
	s := newStand(t, dbURL(t), 1, 1)
	policy := "AU"
	s.teams.Policies["OnlineVoiceRoutingPolicy"] = nil // removed in the tenant since the last sync
	id, _, err := s.Assign(t.Context(), root, number.AssignRequest{CustomerID: s.customer.ID, UserID: s.users[0], Number: s.numbers[0], VoicePolicy: &policy})
	if err != nil {
		t.Fatal(err)
	}
	if o := s.end(id); o.State != "failed" {
		t.Fatalf("%s %+v", o.State, o.Error)
	}
	if n := s.get(s.numbers[0]); n.State != "assigned" || n.VoicePolicy != "" {
		t.Errorf("the number is %s with the policy %q, which its holder was refused", n.State, n.VoicePolicy)
	}
}
