package e164

import (
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// IsEmergency reports whether what was dialled calls an emergency service in
// a country (ISO 3166 alpha-2). Besides the bare number it takes the forms in
// which Teams and SBCs hand it on: with a leading plus sign (+000), with the
// country code (+61000), as a tel: URI, with spaces. A number that exists in
// full is never one: +1 911… stays a North American number.
//
// Where the country is unknown, or its plan lists none, 112 and 911 are
// emergency numbers (ITU-T E.161.1 names these two): to let through a call too
// many is the lesser harm.
func IsEmergency(country, dialled string) bool {
	digits, plus := dialledDigits(dialled)
	if digits == "" {
		return false
	}
	country = strings.ToUpper(country)
	if isShortEmergency(country, digits) {
		return true
	}
	if !plus {
		return false
	}
	code := strconv.Itoa(phonenumbers.GetCountryCodeForRegion(country))
	short, found := strings.CutPrefix(digits, code)
	if !found || !isShortEmergency(country, short) {
		return false
	}
	_, err := check("+"+digits, "")
	return err != nil
}

// dialledDigits leaves the digits of what was dialled, and whether a plus sign
// led them. Anything that is no dialled number gives none.
func dialledDigits(dialled string) (digits string, plus bool) {
	if len(dialled) > maxCell {
		return "", false
	}
	text := cutTel(trimCell(dialled))
	if at := strings.IndexByte(text, ';'); at >= 0 {
		text = text[:at] // parameters of the URI, such as phone-context
	}
	stripped, err := stripPunctuation(text)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(stripped, "+")
}

// isShortEmergency asks the short-number plan.
func isShortEmergency(country, digits string) bool {
	if phonenumbers.IsEmergencyNumber(digits, country) {
		return true
	}
	return slices.Contains(fallbackEmergency(), digits) && len(listed(country)) == 0
}

// fallbackEmergency are the numbers for countries without an entry.
func fallbackEmergency() []string { return []string{"112", "911"} }

// EmergencyNumbers lists a country's emergency numbers, sorted; 112 and 911
// where its plan lists none.
func EmergencyNumbers(country string) []string {
	if numbers := listed(strings.ToUpper(country)); len(numbers) > 0 {
		return numbers
	}
	return fallbackEmergency()
}

// listed expands the pattern of the short-number plan into its numbers.
func listed(country string) []string {
	plans, err := phonenumbers.ShortNumberMetadataCollection()
	if err != nil {
		return nil
	}
	for _, plan := range plans.GetMetadata() {
		if plan.GetId() != country {
			continue
		}
		tree, err := syntax.Parse(plan.GetEmergency().GetNationalNumberPattern(), syntax.Perl)
		if err != nil {
			return nil
		}
		numbers := slices.DeleteFunc(expand(tree), func(s string) bool { return !isDigits(s) })
		slices.Sort(numbers)
		return slices.Compact(numbers)
	}
	return nil
}

// expand lists the texts that a pattern without unbounded repeats matches.
// Emergency patterns are such; any other node gives nothing, and a test holds
// the result against the plan for every country.
func expand(node *syntax.Regexp) []string {
	switch node.Op {
	case syntax.OpLiteral:
		return []string{string(node.Rune)}
	case syntax.OpEmptyMatch:
		return []string{""}
	case syntax.OpCharClass:
		return expandClass(node.Rune)
	case syntax.OpCapture:
		return expand(node.Sub[0])
	case syntax.OpQuest:
		return append(expand(node.Sub[0]), "")
	case syntax.OpRepeat:
		return expandRepeat(node)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range node.Sub {
			all = append(all, expand(sub)...)
		}
		return all
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range node.Sub {
			all = product(all, expand(sub))
		}
		return all
	default:
		return nil
	}
}

// expandClass lists the digits of a character class (pairs of bounds).
func expandClass(bounds []rune) []string {
	var all []string
	for i := 0; i+1 < len(bounds); i += 2 {
		for r := max(bounds[i], '0'); r <= min(bounds[i+1], '9'); r++ {
			all = append(all, string(r))
		}
	}
	return all
}

// expandRepeat lists a counted repeat such as \d{2}.
func expandRepeat(node *syntax.Regexp) []string {
	if node.Max < 0 {
		return nil
	}
	one, all, sofar := expand(node.Sub[0]), []string{}, []string{""}
	for n := 0; n <= node.Max; n++ {
		if n >= node.Min {
			all = append(all, sofar...)
		}
		sofar = product(sofar, one)
	}
	return all
}

// product joins each text of a with each of b.
func product(a, b []string) []string {
	all := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			all = append(all, x+y)
		}
	}
	return all
}
