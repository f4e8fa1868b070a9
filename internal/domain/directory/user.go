package directory

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// User is a person or resource account of a tenant. ID is the Entra object id. Empty texts are not known or not set; a
// VoicePolicy or DialPlan that is empty is inherited from the tenant's Global one. Number may carry ";ext=…".
type User struct {
	ID                string
	CustomerID        string
	UserPrincipalName string
	DisplayName       string
	Enabled           bool
	UsageLocation     string
	AccountType       string
	Status            Status
	Reason            string
	Licensed          bool
	Managed           bool
	Number            string
	NumberType        string
	OnPremises        bool
	VoicePolicy       string
	DialPlan          string
	Licences          []string
	CanCallOut        bool
	WhyNot            string
	UpdatedAt         time.Time
	Version           int64
}

// content is what is known of a user; two contents are equal when nothing changed. plans and products are in the form of
// joinPlans and joinHeld.
type content struct {
	upn, name, location, accountType string
	plans, products                  string
	enabled                          bool
	number, numberType               string
	policy, dialPlan                 string
	voice, onPremises                bool

	licensed       bool
	status, reason string
}

// row is a user as the sync writes it.
type row struct {
	id string
	content
	directoryHash, voiceHash []byte
	generation               int64
	voiceGeneration          int64
	removed                  bool
	updated                  time.Time
	version                  int64
}

// heldProduct is a product that a user holds, and the voice plans of it that are switched off.
type heldProduct struct {
	sku string
	off []string
}

// joinPlans writes plans as "MCOEV=Enabled TEAMS1=Deleted": short, as hundreds of thousands of rows hold the same few
// (facts/dependencies.md).
func joinPlans(plans map[string]string) string {
	parts := make([]string, 0, len(plans))
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		parts = append(parts, name+"="+plans[name])
	}
	return strings.Join(parts, " ")
}

func splitPlans(text string) map[string]string {
	plans := map[string]string{}
	for part := range strings.FieldsSeq(text) {
		name, status, _ := strings.Cut(part, "=")
		plans[name] = status
	}
	return plans
}

// joinHeld writes products as "<sku> <sku>/MCOEV,TEAMS1".
func joinHeld(held []heldProduct) string {
	parts := make([]string, 0, len(held))
	for _, h := range held {
		slices.Sort(h.off)
		part := strings.ToLower(h.sku)
		if len(h.off) > 0 {
			part += "/" + strings.Join(h.off, ",")
		}
		parts = append(parts, part)
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func splitHeld(text string) []heldProduct {
	var held []heldProduct
	for part := range strings.FieldsSeq(text) {
		sku, off, some := strings.Cut(part, "/")
		h := heldProduct{sku: sku}
		if some {
			h.off = strings.Split(off, ",")
		}
		held = append(held, h)
	}
	return held
}

// judge sets what follows from the rest.
func (c *content) judge(b book) {
	f := Facts{AccountType: c.accountType, UsageLocation: c.location, Plans: splitPlans(c.plans), Number: c.number, OnPremises: c.onPremises}
	for _, h := range splitHeld(c.products) {
		p := b.product(h.sku)
		f.Holdings = append(f.Holdings, Holding{Product: p.name, Plans: p.plans, Off: h.off})
	}
	v := Judge(f)
	c.licensed, c.status, c.reason = v.Licensed, string(v.Status), v.Reason
}

// lineNumber is the number of a LineUri: `tel:+61255500001;ext=12` is "+61255500001;ext=12".
func lineNumber(uri string) string {
	uri = clean(strings.TrimSpace(uri))
	if len(uri) > 4 && strings.EqualFold(uri[:4], "tel:") {
		return uri[4:]
	}
	return uri
}

func splitExtension(number string) (base, extension string) {
	base, extension, _ = strings.Cut(number, ";ext=")
	return base, extension
}

// fold is the search key of a text: without case and marks.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(clean(s)))
	return strings.TrimSpace(strings.ToLower(s))
}

// clean drops what a store refuses in a text (PostgreSQL: NUL, broken UTF-8).
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
