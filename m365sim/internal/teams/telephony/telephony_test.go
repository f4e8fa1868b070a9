package telephony_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcap.cloud/m365sim/internal/teams/telephony"
	"tcap.cloud/m365sim/internal/world"
)

func TestE164TakesDigitsWithOrWithoutPlusAndNothingElse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"+61255501001": "+61255501001", "61255501001": "+61255501001", "+61255501001;ext=12": "+61255501001;ext=12",
		"tel:+61255501001": "", " 61255501001": "", "0255501001": "", "+61 2555": "", "": "",
	} {
		if got := telephony.E164(in); got != want {
			t.Errorf("%q: have %q, want %q", in, got, want)
		}
	}
}

func TestPlansDecideWhoMayHoldANumber(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		plans []string
		want  string
	}{
		{[]string{"MCOEV", "TEAMS1"}, "[Teams PhoneSystem]"},
		{[]string{"MCOEV"}, "[]"},
		{[]string{"TEAMS_AR_DOD"}, "[Teams]"},
		{[]string{"MCOEV", "TEAMS_AR_GCCHIGH", "MCOPSTNC"}, "[Teams PhoneSystem]"},
		{[]string{"MCOEV_GOV", "TEAMS_GOV", "MCOPSTN1_GOV"}, "[Teams PhoneSystem CallingPlan]"},
		{[]string{"MCOEV_VIRTUALUSER"}, "[VoiceApp]"},
	} {
		plans := map[string]bool{}
		for _, p := range c.plans {
			plans[p] = true
		}
		if got := fmt.Sprint(telephony.FeatureTypes(plans)); got != c.want {
			t.Errorf("%v: have %s, want %s", c.plans, got, c.want)
		}
	}
}

// Whatever is asked for in whatever order: a number has one holder, a holder one number and enterprise voice, and a
// refusal leaves everything as it was.
func TestNumbersAndHoldersStayInStep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		tn := someTenant()
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			before := picture(tn)
			if err := anyChange(rt, tn); err != nil {
				var refused *telephony.Refusal
				if !errors.As(err, &refused) || picture(tn) != before {
					rt.Fatalf("a refusal changed something: %v", err)
				}
			}
			holders := map[string]bool{}
			for _, n := range tn.Numbers.All() {
				if n.TargetID == "" {
					continue
				}
				u, _ := tn.Users.Get(n.TargetID)
				if holders[n.TargetID] || !u.EnterpriseVoice {
					rt.Fatalf("%s: holds two numbers, or one without enterprise voice", n.TargetID)
				}
				holders[n.TargetID] = true
			}
		}
	})
}

func someTenant() *world.Tenant {
	tn := &world.Tenant{ID: "tenant"}
	tn.SKUs.Put("phone", world.SKU{ID: "phone", Plans: []world.ServicePlan{{ID: "p", Name: "MCOEV"}, {ID: "t", Name: "TEAMS1"}}})
	for i := range 4 {
		id := fmt.Sprintf("user%d", i)
		u := world.User{ID: id, UserPrincipalName: id + "@contoso.example"}
		if i > 0 {
			u.Licences = []world.Licence{{SKUID: "phone"}}
		}
		tn.Users.Put(id, u)
	}
	tn.Numbers.Put("+6125550000", world.Number{TelephoneNumber: "+6125550000", Type: telephony.OperatorConnect})
	return tn
}

func anyChange(rt *rapid.T, tn *world.Tenant) error {
	who := fmt.Sprintf("user%d", rapid.IntRange(0, 4).Draw(rt, "who"))
	number := fmt.Sprintf("+612555000%d", rapid.IntRange(0, 3).Draw(rt, "number"))
	typ := rapid.SampledFrom([]string{telephony.DirectRouting, telephony.OperatorConnect}).Draw(rt, "type")
	switch rapid.IntRange(0, 3).Draw(rt, "act") {
	case 0:
		return telephony.Unassign(tn, who, number, typ)
	case 1:
		return telephony.UnassignAll(tn, who)
	}
	return telephony.Assign(tn, telephony.Request{Identity: who, Number: number, Type: typ}, time.Unix(0, 0))
}

func picture(tn *world.Tenant) string {
	s := ""
	for _, n := range tn.Numbers.All() {
		s += n.TelephoneNumber + n.TargetID + ";"
	}
	for _, u := range tn.Users.All() {
		s += fmt.Sprint(u.ID, u.EnterpriseVoice, ";")
	}
	return s
}
