// Package numbers is the pages of the inventory: which numbers there are, who holds each, how they come in and how they leave.
package numbers

import (
	"net/url"
	"strings"

	"tcap.cloud/internal/base/e164"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

type pages struct{ *frame.Frame }

// Register adds the pages and forms of numbers.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/numbers", p.list)
	f.Get("/numbers/export.csv", p.export)
	f.Get("/customers/{id}/numbers", p.list)
	f.Get("/customers/{id}/numbers/export.csv", p.export)
	f.Get("/customers/{id}/numbers/import", p.importForm)
	f.Post("/customers/{id}/numbers/import", p.importNow)
	f.Post("/customers/{id}/numbers/import/failed.csv", p.failedLines)
	f.Get("/numbers/{e164}", p.show)
	f.Post("/numbers/{e164}", p.edit)
	f.Get("/numbers/{e164}/release", p.askRelease)
	f.Post("/numbers/{e164}/release", p.release)
}

// href is the page of a number.
func href(number string) string { return "/numbers/" + url.PathEscape(number) }

// userHref is the page of a number's holder; empty where nobody has it.
func userHref(n number.Number) string {
	if n.Holder == nil || n.CustomerID == "" {
		return ""
	}
	return "/customers/" + n.CustomerID + "/users/" + url.PathEscape(n.Holder.ID)
}

// typeWords says the type of a line, and its country.
func typeWords(n number.Number) string {
	words := map[string]string{string(e164.Fixed): "Fixed", string(e164.Mobile): "Mobile", string(e164.FixedOrMobile): "Fixed or mobile", string(e164.TollFree): "Toll-free",
		string(e164.PremiumRate): "Premium rate", string(e164.SharedCost): "Shared cost", string(e164.VoIP): "VoIP", string(e164.Personal): "Personal",
		string(e164.Pager): "Pager", string(e164.Corporate): "Corporate", string(e164.Voicemail): "Voicemail"}[n.Type]
	if words == "" {
		words = "Unknown type"
	}
	if n.Country != "" {
		words += ", " + n.Country
	}
	return words
}

// state is a number's state with what is to be known of it.
func state(n number.Number) ui.State { return ui.NumberState(string(n.State)) }

// tags reads what a person typed: separated by commas or lines.
func tags(text string) []string {
	out := []string{}
	for _, t := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' }) {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return out
}
