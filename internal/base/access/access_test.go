package access_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/fault"
)

// One digit for the partner and one for the customer; empty ids and unknown levels are drawn too, for a damaged row must
// not see anything either.
var (
	partners  = rapid.SampledFrom([]string{"", "p1", "p2", "p3"})
	customers = rapid.SampledFrom([]string{"", "p1c1", "p1c2", "p2c1", "p3c1"})
	scopes    = rapid.Custom(func(t *rapid.T) access.Scope {
		return access.Scope{Level: rapid.SampledFrom([]access.Level{access.Operator, access.Partner, access.Customer, "", "root"}).Draw(t, "level"),
			PartnerID: partners.Draw(t, "partner"), CustomerID: customers.Draw(t, "customer")}
	})
)

// partnerOf is where a customer belongs; "" where it is not known.
func partnerOf(customer string) string {
	if len(customer) < 2 {
		return ""
	}
	return customer[:2]
}

func TestAScopeWithinAnotherSeesNothingMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		narrow, wide := scopes.Draw(t, "narrow"), scopes.Draw(t, "wide")
		known := partnerOf(narrow.CustomerID)
		if rapid.Bool().Draw(t, "unknown") {
			known = ""
		}
		if !narrow.Within(wide, known) {
			return
		}
		for _, c := range []string{"p1c1", "p1c2", "p2c1", "p3c1"} {
			if narrow.Sees(partnerOf(c), c) && !wide.Sees(partnerOf(c), c) {
				t.Fatalf("%+v is said to lie within %+v and sees %s beside it", narrow, wide, c)
			}
		}
	})
}

func TestWithinByHand(t *testing.T) {
	t.Parallel()
	operator := access.Scope{Level: access.Operator}
	partner := func(id string) access.Scope { return access.Scope{Level: access.Partner, PartnerID: id} }
	customer := func(id string) access.Scope { return access.Scope{Level: access.Customer, CustomerID: id} }
	for _, c := range []struct {
		narrow, wide access.Scope
		partner      string
		want         bool
	}{
		{operator, operator, "", true}, {partner("p1"), operator, "", true}, {customer("c1"), operator, "p1", true},
		{operator, partner("p1"), "", false}, {partner("p1"), partner("p1"), "", true}, {partner("p2"), partner("p1"), "", false},
		{customer("c1"), partner("p1"), "p1", true}, {customer("c1"), partner("p1"), "p2", false}, {customer("c1"), partner("p1"), "", false},
		{operator, customer("c1"), "", false}, {partner("p1"), customer("c1"), "", false},
		{customer("c1"), customer("c1"), "p1", true}, {customer("c2"), customer("c1"), "p1", false},
		{customer("c1"), partner(""), "", false}, {customer("c1"), access.Scope{}, "p1", false},
	} {
		if got := c.narrow.Within(c.wide, c.partner); got != c.want {
			t.Errorf("%+v (of %q) within %+v: %v", c.narrow, c.partner, c.wide, got)
		}
	}
}

func TestWhereAndSeesAgreeOnEveryRow(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	rapid.Check(t, func(t *rapid.T) {
		s, partner, customer := scopes.Draw(t, "scope"), partners.Draw(t, "row's partner"), customers.Draw(t, "row's customer")
		cond, args := s.Where("p", "c", 3)
		var n int
		err := d.R.QueryRowContext(context.Background(), `SELECT count(*) FROM (SELECT $1 AS p, $2 AS c) AS r WHERE `+cond,
			append([]any{partner, customer}, args...)...).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if (n == 1) != s.Sees(partner, customer) {
			t.Fatalf("%+v, row %q %q: the store finds %d, Sees says %v", s, partner, customer, n, s.Sees(partner, customer))
		}
	})
}

func TestTheTableOfRoles(t *testing.T) {
	t.Parallel()
	roles := []access.Role{access.Viewer, access.Agent, access.Admin, access.Billing, access.SBC, access.Guest, "", "root"}
	for action, want := range map[access.Action]string{ // y: may, n: may not, in the order of roles
		access.Read:         "yyynnynn",
		access.ReadBilling:  "yyyynnnn",
		access.AskAdmission: "nnynynnn",
		access.Assign:       "nyynnnnn",
		access.Manage:       "nyynnnnn",
		access.Connect:      "nyynnynn",
		access.Administer:   "nnynnnnn",
		access.Operate:      "nnynnnnn",
		"destroy":           "nnnnnnnn",
	} {
		for i, role := range roles {
			err := access.Can(access.Actor{Role: role, Scope: access.Scope{Level: access.Operator}}, action)
			if (err == nil) != (want[i] == 'y') {
				t.Errorf("%q and %q: %v", role, action, err)
			}
			if err != nil && (!fault.Is(err, "role-forbids") || fault.KindOf(err) != fault.Forbidden || !strings.Contains(err.Error(), fmt.Sprintf("%q", action))) {
				t.Errorf("%q and %q: refused with %v", role, action, err)
			}
		}
	}
}

func TestOnlyTheOperatorOperates(t *testing.T) {
	t.Parallel()
	for _, level := range []access.Level{access.Partner, access.Customer, ""} {
		err := access.Can(access.Actor{Role: access.Admin, Scope: access.Scope{Level: level, PartnerID: "p1", CustomerID: "c1"}}, access.Operate)
		if !fault.Is(err, "operator-only") {
			t.Errorf("an administrator of level %q: %v", level, err)
		}
	}
	if err := access.Can(access.System("sweep"), access.Operate); err != nil {
		t.Error(err)
	}
}

func TestARequestWithoutAnActorSeesNothingAndMayDoNothing(t *testing.T) {
	t.Parallel()
	a := access.From(context.Background())
	if a.Scope.Sees("p1", "c1") || a.Scope.Sees("", "") || access.Can(a, access.Read) == nil {
		t.Fatalf("%+v", a)
	}
	someone := access.Actor{Kind: "member", ID: "m1", Role: access.Viewer}
	if got := access.From(access.With(context.Background(), someone)); got != someone {
		t.Fatalf("%+v", got)
	}
}
