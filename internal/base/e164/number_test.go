package e164_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"tcap.cloud/internal/base/e164"
)

func TestNumberTellsCountryTypeAndForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n                       e164.Number
		country                 string
		code                    int
		kind                    e164.Kind
		national, international string
	}{
		{"+61255500001", "AU", 61, e164.Fixed, "(02) 5550 0001", "+61 2 5550 0001"},
		{"+61491570156", "AU", 61, e164.Mobile, "0491 570 156", "+61 491 570 156"},
		{"+611800123456", "AU", 61, e164.TollFree, "1800 123 456", "+61 1800 123 456"},
		{"+611300123456", "AU", 61, e164.SharedCost, "1300 123 456", "+61 1300 123 456"},
		{"+12025550123", "US", 1, e164.FixedOrMobile, "(202) 555-0123", "+1 202-555-0123"},
		{"+80012345678", "", 800, e164.TollFree, "1234 5678", "+800 1234 5678"},
		{"+883510000000094", "", 883, e164.VoIP, "510 000 000 094", "+883 510 000 000 094"},
	} {
		if c.n.Country() != c.country || c.n.CallingCode() != c.code || c.n.Type() != c.kind {
			t.Errorf("%s: %q %d %q", c.n, c.n.Country(), c.n.CallingCode(), c.n.Type())
		}
		if c.n.Format(e164.National) != c.national || c.n.Format(e164.International) != c.international {
			t.Errorf("%s: %q, %q", c.n, c.n.Format(e164.National), c.n.Format(e164.International))
		}
	}
}

func TestTextThatIsNoNumberAnswersEmpty(t *testing.T) {
	t.Parallel()
	for _, n := range []e164.Number{"", "+", "0255500001", "hello", "+61x"} {
		if n.Country() != "" || n.CallingCode() != 0 || n.Type() != e164.UnknownKind || n.Format(e164.National) != string(n) {
			t.Errorf("%q answers as if it were a number", n)
		}
	}
}

func TestEmergencyNumbersAreRecognisedAsDialled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		country, dialled string
		want             bool
	}{
		{"AU", "000", true}, {"AU", "112", true}, {"AU", "106", true}, {"au", "000", true},
		{"AU", "+000", true}, {"AU", "+61000", true}, {"AU", "tel:000", true}, {"AU", " 0 0 0 ", true},
		{"AU", "tel:000;phone-context=+61", true}, {"AU", "TEL:+000", true},
		{"AU", "0000", false}, {"AU", "00", false}, {"AU", "911", false}, {"AU", "+61255500001", false},
		{"AU", "0255500001", false}, {"AU", "131234", false}, {"AU", "000;DROP", true}, {"AU", "a000", false}, {"AU", "", false},
		{"US", "911", true}, {"US", "+911", true}, {"US", "+1911", true}, {"US", "+19115550123", false}, {"US", "9115550123", false},
		{"GB", "999", true}, {"GB", "112", true}, {"GB", "+44999", true}, {"GB", "101", false},
		{"DE", "110", true}, {"NZ", "111", true}, {"NZ", "+64111", true}, {"CN", "110", true}, {"FR", "15", true},
		{"", "112", true}, {"", "911", true}, {"", "000", false}, {"QQ", "112", true}, {"GN", "112", true}, {"", "+112", true},
	} {
		if got := e164.IsEmergency(c.country, c.dialled); got != c.want {
			t.Errorf("IsEmergency(%q, %q) = %v", c.country, c.dialled, got)
		}
	}
}

func TestEmergencyNumbersOfACountryAreListed(t *testing.T) {
	t.Parallel()
	for country, want := range map[string][]string{
		"AU": {"000", "106", "112"}, "US": {"112", "911"}, "GB": {"112", "999"}, "NZ": {"111"}, "au": {"000", "106", "112"},
		"": {"112", "911"}, "GN": {"112", "911"}, "ET": {"91", "911", "92", "93", "939", "991", "997"},
	} {
		if got := e164.EmergencyNumbers(country); !slices.Equal(got, want) {
			t.Errorf("EmergencyNumbers(%q) = %v, want %v", country, got, want)
		}
	}
}

// Holds the expansion against the plan's own pattern: every text of up to
// four digits, and every listed one, must agree.
func TestListedEmergencyNumbersAreThoseOfThePlan(t *testing.T) {
	t.Parallel()
	plans, err := phonenumbers.ShortNumberMetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	short := regexp.MustCompile(`^[0-9]{2,4}$`)
	for _, plan := range plans.GetMetadata() {
		pattern := plan.GetEmergency().GetNationalNumberPattern()
		if pattern == "" || pattern == "NA" {
			continue
		}
		whole := regexp.MustCompile("^(?:" + pattern + ")$")
		listed := e164.EmergencyNumbers(plan.GetId())
		for _, n := range listed {
			if !whole.MatchString(n) || !e164.IsEmergency(plan.GetId(), n) {
				t.Errorf("%s: %s is listed and not in the plan", plan.GetId(), n)
			}
		}
		for _, n := range allShort() {
			if whole.MatchString(n) && !slices.Contains(listed, n) {
				t.Errorf("%s: %s is in the plan and not listed", plan.GetId(), n)
			}
		}
		if !slices.ContainsFunc(listed, short.MatchString) && plan.GetId() != "NA" {
			t.Errorf("%s lists only long numbers: %v", plan.GetId(), listed)
		}
	}
}

// allShort is every text of two to four digits.
func allShort() []string {
	var all, last []string
	last = []string{""}
	for length := 1; length <= 4; length++ {
		var next []string
		for _, head := range last {
			for d := '0'; d <= '9'; d++ {
				next = append(next, head+string(d))
			}
		}
		if last = next; length > 1 {
			all = append(all, next...)
		}
	}
	return all
}

func TestNoNumberInUseIsTakenForEmergency(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		country := rapid.SampledFrom([]string{"AU", "US", "GB", "NZ", "DE", "FR", "IN"}).Draw(t, "country")
		text := rapid.StringMatching(`\+(61[2378]|1[2-9]|442|49|33|91)[0-9]{8,9}`).Draw(t, "called")
		if n, err := e164.Parse(text, ""); err == nil && e164.IsEmergency(country, string(n)) {
			t.Fatalf("%s is a number, yet an emergency in %s", n, country)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"+61255500001", "(02) 5550 0001", "6.13E+10", "=1+1", "tel:+61;ext=1", "00", "'", "+", "\ufeff"} {
		f.Add(s, "AU")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, text, region string) {
		if n, err := e164.Parse(text, region); err == nil && string(n) != text {
			t.Errorf("Parse(%q) changed it to %q", text, n)
		}
		n, err := e164.ParseLoose(text, region)
		if err != nil {
			if n != "" || e164.ReasonOf(err) == "" {
				t.Errorf("ParseLoose(%q, %q) refused without a reason: %q, %v", text, region, n, err)
			}
			return
		}
		if again, err := e164.Parse(string(n), ""); err != nil || again != n {
			t.Errorf("ParseLoose(%q, %q) = %q, which Parse refuses: %v", text, region, n, err)
		}
		if n.Format(e164.National) == "" || len(n) > e164.MaxDigits+1 {
			t.Errorf("%q has no form or is too long", n)
		}
	})
}

func FuzzIsEmergency(f *testing.F) {
	f.Add("AU", "000")
	f.Add("", "+911")
	f.Add("US", "tel:911;x")
	f.Fuzz(func(t *testing.T, country, dialled string) {
		if e164.IsEmergency(country, dialled) && !regexp.MustCompile(`[0-9]{2}|[0-9][^0-9]+[0-9]`).MatchString(dialled) {
			t.Errorf("%q is no emergency call in %q", dialled, country)
		}
	})
}

func BenchmarkIsEmergency(b *testing.B) {
	for b.Loop() {
		e164.IsEmergency("AU", "+61255500001")
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		_, _ = e164.Parse("+61255500001", "")
	}
}
