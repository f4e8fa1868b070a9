package e164

import "github.com/nyaruka/phonenumbers"

// Kind is what sort of line a number stands for, by its country's plan.
type Kind string

// The kinds.
const (
	Fixed         Kind = "fixed"
	Mobile        Kind = "mobile"
	FixedOrMobile Kind = "fixed-or-mobile" // the plan does not tell them apart (North America)
	TollFree      Kind = "toll-free"
	PremiumRate   Kind = "premium-rate"
	SharedCost    Kind = "shared-cost"
	VoIP          Kind = "voip"
	Personal      Kind = "personal"
	Pager         Kind = "pager"
	Corporate     Kind = "corporate" // one number for a whole company (UAN)
	Voicemail     Kind = "voicemail"
	UnknownKind   Kind = "unknown"
)

// Style is how a number is written for people.
type Style int

// The styles.
const (
	// National is as dialled within the country: (02) 5550 0001.
	National Style = iota
	// International is with the country code, spaced: +61 2 5550 0001.
	International
)

// String gives the number in E.164.
func (n Number) String() string { return string(n) }

// parsed reads the number back; false for a text that is no Number.
func (n Number) parsed() (*phonenumbers.PhoneNumber, bool) {
	if !isPlusDigits(string(n)) || len(n) > MaxDigits+1 {
		return nil, false
	}
	p, err := phonenumbers.Parse(string(n), "")
	return p, err == nil
}

// Country is the ISO 3166 alpha-2 code of the number's country; empty for a
// number of no country (+800 and other global services).
func (n Number) Country() string {
	p, ok := n.parsed()
	if !ok {
		return ""
	}
	region := phonenumbers.GetRegionCodeForNumber(p)
	if region == "001" { // libphonenumber's code for "no country"
		return ""
	}
	return region
}

// CallingCode is the country calling code, such as 61; 0 for no Number.
func (n Number) CallingCode() int {
	p, ok := n.parsed()
	if !ok {
		return 0
	}
	return int(p.GetCountryCode())
}

// Type is the kind of line.
func (n Number) Type() Kind {
	p, ok := n.parsed()
	if !ok {
		return UnknownKind
	}
	switch phonenumbers.GetNumberType(p) {
	case phonenumbers.FIXED_LINE:
		return Fixed
	case phonenumbers.MOBILE:
		return Mobile
	case phonenumbers.FIXED_LINE_OR_MOBILE:
		return FixedOrMobile
	case phonenumbers.TOLL_FREE:
		return TollFree
	case phonenumbers.PREMIUM_RATE:
		return PremiumRate
	case phonenumbers.SHARED_COST:
		return SharedCost
	case phonenumbers.VOIP:
		return VoIP
	case phonenumbers.PERSONAL_NUMBER:
		return Personal
	case phonenumbers.PAGER:
		return Pager
	case phonenumbers.UAN:
		return Corporate
	case phonenumbers.VOICEMAIL:
		return Voicemail
	default:
		return UnknownKind
	}
}

// Format writes the number for people. A text that is no Number comes back
// unchanged.
func (n Number) Format(s Style) string {
	p, ok := n.parsed()
	if !ok {
		return string(n)
	}
	if s == National {
		return phonenumbers.Format(p, phonenumbers.NATIONAL)
	}
	return phonenumbers.Format(p, phonenumbers.INTERNATIONAL)
}

// IsCountry reports whether a code is a country that has a numbering plan
// (ISO 3166 alpha-2, capitals).
func IsCountry(code string) bool {
	return code != "001" && phonenumbers.GetCountryCodeForRegion(code) != 0
}
