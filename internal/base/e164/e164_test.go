package e164_test

import (
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"tcap.cloud/internal/base/e164"
)

func TestParseAcceptsValidE164(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"+61255500001", "+61255504999", "+61255505000", "+61255509999", "+61255501234", // the demo's and scripts' range
		"+61491570156", "+611300123456", "+61131234", "+611800123456",
		"+12025550123", "+442079460123", "+390612345678", "+4930123456", "+80012345678", "+883510000000094",
	} {
		n, err := e164.Parse(text, "")
		if err != nil || string(n) != text {
			t.Errorf("Parse(%q) = %q, %v", text, n, err)
		}
	}
}

func TestParseAcceptsTheWholeDemoRange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`\+6125550[0-9]{4}`).Draw(t, "number")
		if _, err := e164.Parse(text, "AU"); err != nil {
			t.Fatalf("Parse(%q): %v", text, err)
		}
	})
}

func TestParseRefusesWithItsReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, region string
		reason       e164.Reason
		suggestion   e164.Number
	}{
		{"", "AU", e164.Empty, ""},
		{"+", "AU", e164.NotE164, ""},
		{"61255500001", "", e164.NotE164, ""},
		{"0255500001", "AU", e164.NotE164, "+61255500001"},
		{"+61 2 5550 0001", "", e164.NotE164, "+61255500001"},
		{"tel:+61255500001", "", e164.NotE164, "+61255500001"},
		{" +61255500001", "", e164.NotE164, "+61255500001"},
		{"+61255500001\n", "", e164.NotE164, "+61255500001"},
		{"+6125550000a", "", e164.NotE164, ""},
		{"+٦١٢٥٥٥٠٠٠٠١", "", e164.NotE164, ""},
		{"+61255500001;ext=5", "", e164.NotE164, ""},
		{"+0123456789", "", e164.NotE164, ""},
		{"=1+1", "AU", e164.NotE164, ""},
		{"+6125550000112345", "", e164.TooLong, ""},
		{"+120255501234", "", e164.TooLong, ""},
		{"+612555000011", "", e164.InvalidForCountry, ""},
		{"+" + strings.Repeat("1", 300), "", e164.TooLong, ""},
		{"+999123456", "", e164.UnknownCountry, ""},
		{"+210123456", "", e164.UnknownCountry, ""},
		{"+61000", "", e164.InvalidForCountry, ""},
		{"+614", "", e164.InvalidForCountry, ""},
		{"+12345", "", e164.InvalidForCountry, ""},
		{"+97112345678", "", e164.InvalidForCountry, ""},
		{"+610255500001", "", e164.InvalidForCountry, "+61255500001"},
	} {
		_, err := e164.Parse(c.text, c.region)
		assertRefused(t, c.text, err, c.reason, c.suggestion)
	}
}

func assertRefused(t *testing.T, text string, err error, reason e164.Reason, suggestion e164.Number) {
	t.Helper()
	refused, ok := err.(*e164.Error)
	if !ok {
		t.Errorf("%q: want refusal %s, got %v", text, reason, err)
		return
	}
	if refused.Reason != reason || refused.Suggestion != suggestion {
		t.Errorf("%q: want %s (suggestion %q), got %s (%q)", text, reason, suggestion, refused.Reason, refused.Suggestion)
	}
	if e164.ReasonOf(err) != reason || reason.Words() == "" {
		t.Errorf("%q: reason is not found again or has no words", text)
	}
}

func TestParseLooseReadsCellsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cell, region string
		want         e164.Number
	}{
		{"+61 2 5550 0001", "", "+61255500001"},
		{"+61-2-5550-0001", "", "+61255500001"},
		{"+61 (0)2 5550 0001", "", "+61255500001"},
		{"(02) 5550 0001", "AU", "+61255500001"},
		{"02 5550.0001", "au", "+61255500001"},
		{"tel:+61255500001", "", "+61255500001"},
		{"TEL: +61 2 5550 0001", "", "+61255500001"},
		{"0061 2 5550 0001", "AU", "+61255500001"},
		{"0061255500001", "DE", "+61255500001"},
		{"0061255500001", "US", "+61255500001"},
		{"0011 61 2 5550 0001", "AU", "+61255500001"},
		{"61255500001", "AU", "+61255500001"},
		{"'+61255500001", "", "+61255500001"},
		{"\ufeff+61255500001\u00a0", "", "+61255500001"},
		{"\u202d+61255500001\u202c", "", "+61255500001"},
		{"+61\u00a02\u20115550\u20130001", "", "+61255500001"},
		{"030 123456", "DE", "+4930123456"},
		{"06 1234 5678", "IT", "+390612345678"},
	} {
		n, err := e164.ParseLoose(c.cell, c.region)
		if err != nil || n != c.want {
			t.Errorf("ParseLoose(%q, %q) = %q, %v; want %q", c.cell, c.region, n, err, c.want)
		}
	}
}

func TestParseLooseRefusesWithItsReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cell, region string
		reason       e164.Reason
		suggestion   e164.Number
	}{
		{"", "", e164.Empty, ""},
		{" \u00a0\u200b", "", e164.Empty, ""},
		{"=HYPERLINK(\"x\")", "AU", e164.Formula, ""},
		{"=61255500001", "AU", e164.Formula, ""},
		{"-61255500001", "AU", e164.Formula, ""},
		{"@SUM(1)", "AU", e164.Formula, ""},
		{"+SUM(A1)", "AU", e164.Formula, ""},
		{"+ 61255500001", "AU", e164.Formula, ""},
		{"+", "AU", e164.Formula, ""},
		{"\t=1+1", "AU", e164.Formula, ""},
		{"'=1+1", "AU", e164.Formula, ""},
		{"6.13E+10", "AU", e164.Scientific, ""},
		{"6,13E+10", "AU", e164.Scientific, ""},
		{"6.12555e10", "AU", e164.Scientific, ""},
		{"+6.1E+10", "", e164.Scientific, ""},
		{"6E10", "", e164.Scientific, ""},
		{"tel:", "AU", e164.NotE164, ""},
		{"+612555a0001", "", e164.NotE164, ""},
		{"1800 FLOWERS", "AU", e164.NotE164, ""},
		{"+61255500001+61255500002", "", e164.NotE164, ""},
		{"61,255,500,001", "AU", e164.NotE164, ""},
		{"+61255500001;ext=3", "", e164.HasExtension, ""},
		{"+61255500001 x3", "", e164.HasExtension, ""},
		{"0255500001", "", e164.NeedsCountry, ""},
		{"61255500001", "", e164.NeedsCountry, "+61255500001"},
		{"0061255500001", "", e164.NeedsCountry, "+61255500001"},
		{"+0255500001", "", e164.UnknownCountry, ""},
		{"0255500001", "QQ", e164.UnknownCountry, ""},
		{"202555012345", "US", e164.TooLong, ""},
		{"025550000123", "AU", e164.InvalidForCountry, ""},
		{"000", "AU", e164.InvalidForCountry, ""},
		{strings.Repeat("1", 65), "AU", e164.NotE164, ""},
	} {
		_, err := e164.ParseLoose(c.cell, c.region)
		assertRefused(t, c.cell, err, c.reason, c.suggestion)
	}
}

func TestEveryCountrysExampleNumbersSurviveAllForms(t *testing.T) {
	t.Parallel()
	for region := range phonenumbers.GetSupportedRegions() {
		example := phonenumbers.GetExampleNumber(region)
		text := phonenumbers.Format(example, phonenumbers.E164)
		n, err := e164.Parse(text, "")
		if err != nil {
			t.Errorf("%s: Parse(%q): %v", region, text, err)
			continue
		}
		if again, err := e164.ParseLoose(n.Format(e164.International), ""); err != nil || again != n {
			t.Errorf("%s: international form %q reads as %q, %v", region, n.Format(e164.International), again, err)
		}
		// Islands share a plan (BL, GP and MF have +590): the code must agree.
		if n.Country() == "" || n.CallingCode() != phonenumbers.GetCountryCodeForRegion(region) {
			t.Errorf("%s: Country() = %q, CallingCode() = %d", region, n.Country(), n.CallingCode())
		}
		if !e164.IsCountry(region) {
			t.Errorf("IsCountry(%q) = false", region)
		}
	}
}

func TestWhatLooseReadsParseAccepts(t *testing.T) {
	t.Parallel()
	regions := []string{"", "AU", "US", "GB", "DE", "IT", "AR", "MX", "BR", "NZ", "CN"}
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringMatching(`[+0]?[0-9 ().-]{4,20}`).Draw(t, "cell")
		region := rapid.SampledFrom(regions).Draw(t, "region")
		n, err := e164.ParseLoose(cell, region)
		if err != nil {
			return
		}
		if again, err := e164.Parse(string(n), ""); err != nil || again != n {
			t.Fatalf("ParseLoose(%q, %q) = %q, which Parse refuses: %v", cell, region, n, err)
		}
	})
}
