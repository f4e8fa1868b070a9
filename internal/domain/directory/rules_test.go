package directory

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAVerdictNamesWhatIsMissingAndInWhichProduct(t *testing.T) {
	t.Parallel()
	on := func(plans ...string) map[string]string {
		m := map[string]string{}
		for _, p := range plans {
			m[p] = "Enabled"
		}
		return m
	}
	e3 := Holding{Product: "Microsoft 365 E3", Plans: []string{"TEAMS1"}}
	e5 := Holding{Product: "Microsoft 365 E5", Plans: []string{"MCOEV", "TEAMS1"}}
	for name, c := range map[string]struct {
		facts Facts
		want  Verdict
	}{
		"licensed, no number":   {Facts{UsageLocation: "AU", Plans: on("MCOEV", "TEAMS1"), Holdings: []Holding{e5}}, Verdict{true, NotAllocated, ""}},
		"licensed, with number": {Facts{UsageLocation: "AU", Plans: on("MCOEV", "TEAMS1"), Holdings: []Holding{e5}, Number: "+61255500001"}, Verdict{true, Allocated, ""}},
		"government":            {Facts{UsageLocation: "US", Plans: on("MCOEV_GOV", "TEAMS_GOV")}, Verdict{true, NotAllocated, ""}},
		"GCC High":              {Facts{UsageLocation: "US", Plans: on("MCOEV", "TEAMS_AR_GCCHIGH")}, Verdict{true, NotAllocated, ""}},
		"no phone":              {Facts{UsageLocation: "AU", Plans: on("TEAMS1"), Holdings: []Holding{e3}}, Verdict{false, NotLicensed, "has Microsoft 365 E3, needs Teams Phone"}},
		"nothing":               {Facts{UsageLocation: "AU"}, Verdict{false, NotLicensed, "has no Microsoft 365 product, needs Teams and Teams Phone"}},
		"teams off": {Facts{UsageLocation: "AU", Plans: on("MCOEV"), Holdings: []Holding{{e5.Product, e5.Plans, []string{"TEAMS1"}}}},
			Verdict{false, NotLicensed, "Teams is switched off in Microsoft 365 E5"}},
		"phone off in one product, on in another": {Facts{UsageLocation: "AU", Plans: on("MCOEV", "TEAMS1"), Holdings: []Holding{{e5.Product, e5.Plans, []string{"MCOEV"}}, e5}},
			Verdict{true, NotAllocated, ""}},
		"suspended": {Facts{UsageLocation: "AU", Plans: map[string]string{"TEAMS1": "Enabled", "MCOEV": "Suspended"}, Holdings: []Holding{e5}},
			Verdict{false, NotLicensed, "Teams Phone is suspended in Microsoft 365 E5"}},
		"run out, days of grace": {Facts{UsageLocation: "AU", Plans: map[string]string{"TEAMS1": "Warning", "MCOEV": "Warning"}, Holdings: []Holding{e5}},
			Verdict{true, NotAllocated, ""}},
		"new": {Facts{UsageLocation: "AU", Plans: on("TEAMS1"), Holdings: []Holding{e5}},
			Verdict{false, NotLicensed, "Teams Phone in Microsoft 365 E5 does not count yet: a new licence takes minutes to hours"}},
		"no location": {Facts{Plans: on("MCOEV", "TEAMS1"), Holdings: []Holding{e5}}, Verdict{true, NotAllocated, "no usage location"}},
		"on premises": {Facts{UsageLocation: "AU", Plans: on("MCOEV", "TEAMS1"), Holdings: []Holding{e5}, Number: "+61255500001", OnPremises: true},
			Verdict{true, Allocated, "number comes from on-premises Active Directory"}},
		"guest":                      {Facts{AccountType: Guest, Plans: on("MCOEV", "TEAMS1")}, Verdict{false, NotLicensed, "a guest of the tenant, who cannot hold a number"}},
		"resource account":           {Facts{AccountType: ResourceAccount, UsageLocation: "AU", Plans: on("MCOEV_VIRTUALUSER")}, Verdict{true, NotAllocated, ""}},
		"resource account, licences": {Facts{AccountType: ResourceAccount, UsageLocation: "AU", Plans: on("MCOEV", "TEAMS1")}, Verdict{false, NotLicensed, "has no Microsoft 365 product, needs Teams Phone Resource Account"}},
		"a number without a licence": {Facts{UsageLocation: "AU", Plans: on("TEAMS1"), Holdings: []Holding{e3}, Number: "+61255500001"}, Verdict{false, NotLicensed, "has Microsoft 365 E3, needs Teams Phone"}},
	} {
		if got := Judge(c.facts); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, c.want)
		}
	}
}

func TestWhoCannotCallIsToldWhy(t *testing.T) {
	t.Parallel()
	good := CallFacts{Verdict: Verdict{Licensed: true}, Enabled: true, Number: "+61255500001", EnterpriseVoice: true, Policy: "AU", PolicyKnown: true, PolicyUsages: 1}
	for want, change := range map[string]func(*CallFacts){
		"":                        func(*CallFacts) {},
		"has nothing":             func(f *CallFacts) { f.Verdict = Verdict{Reason: "has nothing"} },
		"the account is disabled": func(f *CallFacts) { f.Enabled = false },
		"no number":               func(f *CallFacts) { f.Number = "" },
		"enterprise voice is off": func(f *CallFacts) { f.EnterpriseVoice = false },
		"no voice routing policy": func(f *CallFacts) { f.Policy, f.PolicyUsages = "", 0 },
		"the voice routing policy AU is not in the tenant": func(f *CallFacts) { f.PolicyKnown, f.PolicyUsages = false, 0 },
		"the voice routing policy AU names no PSTN usage":  func(f *CallFacts) { f.PolicyUsages = 0 },
	} {
		f := good
		change(&f)
		if can, why := CanCallOut(f); why != want || can != (want == "") {
			t.Errorf("got %v %q, want %q", can, why, want)
		}
	}
	f := good
	f.Policy, f.PolicyUsages, f.NumberType = "", 0, "OperatorConnect"
	if can, why := CanCallOut(f); !can {
		t.Errorf("a number of Operator Connect needs no policy: %s", why)
	}
}

func TestAVerdictAlwaysHangsTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		plan := rapid.SampledFrom([]string{"MCOEV", "MCOEV_GOV", "TEAMS1", "TEAMS_GOV", "MCOEV_VIRTUALUSER"})
		f := Facts{AccountType: rapid.SampledFrom([]string{Person, ResourceAccount, Guest}).Draw(rt, "type"), UsageLocation: rapid.SampledFrom([]string{"", "AU"}).Draw(rt, "location"),
			Plans:  rapid.MapOf(plan, rapid.SampledFrom([]string{"Enabled", "Warning", "Suspended", "Deleted", "LockedOut"})).Draw(rt, "plans"),
			Number: rapid.SampledFrom([]string{"", "+61255500001"}).Draw(rt, "number"), OnPremises: rapid.Bool().Draw(rt, "on premises")}
		for range rapid.IntRange(0, 4).Draw(rt, "holdings") {
			f.Holdings = append(f.Holdings, Holding{"P", rapid.SliceOf(plan).Draw(rt, "plans"), rapid.SliceOf(plan).Draw(rt, "off")})
		}
		v := Judge(f)
		switch {
		case !v.Licensed && (v.Status != NotLicensed || v.Reason == ""):
			rt.Fatalf("not licensed, but %+v", v)
		case v.Licensed && (v.Status == Allocated) != (f.Number != ""):
			rt.Fatalf("number %q, but %+v", f.Number, v)
		case strings.Contains(v.Reason, "; ;") || strings.HasPrefix(v.Reason, ";"):
			rt.Fatalf("reason %q", v.Reason)
		}
	})
}

func TestPlansAndProductsSurviveBeingKept(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		plans := rapid.MapOf(rapid.SampledFrom([]string{"MCOEV", "TEAMS1", "TEAMS_GOV"}), rapid.SampledFrom([]string{"Enabled", "Deleted"})).Draw(rt, "plans")
		if a := joinPlans(plans); joinPlans(splitPlans(a)) != a || len(splitPlans(a)) != len(plans) {
			rt.Fatalf("%v became %q", plans, a)
		}
		var held []heldProduct
		for range rapid.IntRange(0, 4).Draw(rt, "products") {
			held = append(held, heldProduct{rapid.StringMatching(`[0-9a-f-]{8}`).Draw(rt, "sku"), rapid.SliceOfN(rapid.SampledFrom([]string{"MCOEV", "TEAMS1"}), 0, 2).Draw(rt, "off")})
		}
		if a := joinHeld(held); joinHeld(splitHeld(a)) != a || len(splitHeld(a)) != len(held) {
			rt.Fatalf("%v became %q", held, a)
		}
	})
}

func TestTheBuiltInCatalogueIsWhole(t *testing.T) {
	t.Parallel()
	c, err := LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.bySKU) < 80 || len(c.bySKU) != len(c.byPart) || c.planName("4828C8EC-dc2e-4779-b502-87ac9ce28ab7") != "MCOEV" || c.planName("156a1efe-17cd-4b03-9f17-2eb512298fb3") != "" {
		t.Errorf("%d products by id, %d by part number", len(c.bySKU), len(c.byPart))
	}
	b := book{c, map[string]product{"a": {partNumber: "SPE_E5"}, "b": {partNumber: "NEW_PRODUCT"}}}
	if a, n, x := b.product("A").name, b.product("b").name, b.product("x").name; a != "Microsoft 365 E5" || n != "NEW_PRODUCT" || x == "" {
		t.Errorf("named %q, %q, %q", a, n, x)
	}
}

func TestTheNightlySyncFollowsTheCustomersClock(t *testing.T) {
	t.Parallel()
	sydney := zoneOf("Australia/Sydney")
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, sydney) }
	for _, c := range []struct {
		last, now time.Time
		due       bool
	}{
		{time.Time{}, at(2, 12, 0), true},
		{at(2, 1, 0), at(2, 1, 59), false},
		{at(2, 1, 0), at(2, 2, 30), true},
		{at(2, 2, 31), at(3, 2, 29), false},
		{at(2, 2, 31), at(3, 2, 30), true},
		{at(2, 12, 0), at(2, 23, 59), false},
	} {
		if got := nightlyDue(c.last, c.now.UTC(), sydney, 2, 30*time.Minute); got != c.due {
			t.Errorf("last %s, now %s: due %v", c.last, c.now, got)
		}
	}
	if zoneOf("Nowhere/Atlantis") != time.UTC || zoneOf("") != time.UTC {
		t.Error("an unknown zone is not UTC")
	}
}

func TestALineURIIsReadHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "tel:+61255500001": "+61255500001", "TEL:+61255500001;ext=1": "+61255500001;ext=1", " +61255500001 ": "+61255500001"} {
		if got := lineNumber(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
