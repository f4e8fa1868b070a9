package org

import (
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a time zone is the same on a host without a zone database
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"tcap.cloud/internal/base/fault"
)

// The clouds a tenant can live in (contracts/rest-api.md, "Resources").
const (
	CloudGlobal  = "global"
	CloudGCC     = "gcc"
	CloudGCCHigh = "gcc-high"
	CloudDoD     = "dod"
	CloudChina   = "china"
)

// Clouds lists the known clouds, the usual one first.
func Clouds() []string {
	return []string{CloudGlobal, CloudGCC, CloudGCCHigh, CloudDoD, CloudChina}
}

// The kinds of service (REQUIREMENTS, "Words").
const (
	DirectRouting   = "direct-routing"
	OperatorConnect = "operator-connect"
)

// ServiceKinds lists the known kinds.
func ServiceKinds() []string { return []string{DirectRouting, OperatorConnect} }

// Longest texts, in characters; what the store keeps is shown in lists and must stay readable there.
const (
	maxName  = 200
	maxText  = 200
	maxEmail = 254 // RFC 5321, 4.5.3.1.3: a path of 256 with its brackets
	maxSeats = 10_000_000
)

// check gathers what is wrong with single fields, so that a form shows all of it at once.
type check struct{ fields []fault.Field }

func (c *check) add(path, code, format string, args ...any) {
	c.fields = append(c.fields, fault.Field{Path: path, Code: code, Detail: fmt.Sprintf(format, args...)})
}

// err is nil, or one invalid-input fault with every field.
func (c *check) err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "invalid-input", "%s", c.fields[0].Detail).WithFields(c.fields...)
}

// text trims and checks a text of at least least and at most most characters, without control characters.
func (c *check) text(path, s string, least, most int) string {
	s = strings.TrimSpace(s)
	n := utf8.RuneCountInString(s)
	switch {
	case n < least:
		c.add(path, "required", "%s must not be empty.", path)
	case n > most:
		c.add(path, "too-long", "%s may have at most %d characters.", path, most)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		c.add(path, "control-character", "%s must not contain control characters.", path)
	}
	return s
}

// tenantID checks a directory (tenant) id: a GUID in its usual form, kept in lower case.
func (c *check) tenantID(path, s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return ""
	}
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 || id == uuid.Nil {
		c.add(path, "not-a-guid", "%s must be the tenant's directory ID, for example 4f1c2a5e-8d3b-4c6f-9a7e-0b1d2c3e4f50.", path)
	}
	return s
}

var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// domain checks a domain name of at least two labels (RFC 1035, 2.3.4), kept in lower case without the last dot.
func (c *check) domain(path, s string) string {
	s = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), ".")
	if s == "" {
		return ""
	}
	labels := strings.Split(s, ".")
	ok := len(labels) >= 2 && len(s) <= 253 && strings.ContainsFunc(labels[len(labels)-1], unicode.IsLetter)
	for _, l := range labels {
		ok = ok && label.MatchString(l)
	}
	if !ok {
		c.add(path, "not-a-domain", "%s must be a domain name, for example contoso.example (an international one in its xn-- form).", path)
	}
	return s
}

// country checks an ISO 3166-1 alpha-2 code, kept in upper case.
func (c *check) country(path, s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	if s == "" {
		return ""
	}
	if len(s) != 2 || !strings.Contains(countries, " "+s+" ") {
		c.add(path, "unknown-country", "%s must be a country's two letters (ISO 3166-1), for example AU.", path)
	}
	return s
}

// timeZone checks a name of the IANA time zone database.
func (c *check) timeZone(path, s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		c.add(path, "unknown-time-zone", "%s must be a time zone of the IANA database, for example Australia/Sydney.", path)
	}
	return s
}

// email checks a bare address.
func (c *check) email(path, s string) string {
	s = strings.TrimSpace(s)
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > maxEmail || clean(s) != s {
		c.add(path, "not-an-address", "%s must be an e-mail address.", path)
	}
	return s
}

// link checks an https address.
func (c *check) link(path, s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(s) > 2000 || clean(s) != s {
		c.add(path, "not-an-https-address", "%s must be an address that begins with https://.", path)
	}
	return s
}

// checkCloud answers 422 unknown-cloud naming those that exist.
func checkCloud(s string) error {
	if slices.Contains(Clouds(), s) {
		return nil
	}
	detail := "The cloud must be one of " + strings.Join(Clouds(), ", ") + "."
	return fault.New(fault.Invalid, "unknown-cloud", "%s", detail).
		WithFields(fault.Field{Path: "cloud", Code: "unknown-cloud", Detail: detail})
}

// checkKind answers 422 unknown-service-kind naming those that exist.
func checkKind(s string) error {
	if slices.Contains(ServiceKinds(), s) {
		return nil
	}
	detail := "The kind of service must be one of " + strings.Join(ServiceKinds(), ", ") + "."
	return fault.New(fault.Invalid, "unknown-service-kind", "%s", detail).
		WithFields(fault.Field{Path: "kind", Code: "unknown-service-kind", Detail: detail})
}

// fold makes a search key: lower case, without marks and compatibility forms, so that "Zurich" finds "Zürich".
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(clean(s)))
	return strings.TrimSpace(strings.ToLower(s))
}

// emailKey is by what an address is unique and found. Marks stay: two addresses that differ by one are two people.
func emailKey(s string) string { return strings.ToLower(norm.NFC.String(strings.TrimSpace(clean(s)))) }

// clean drops what a store refuses in a text (PostgreSQL: NUL, broken UTF-8), so that a search with it just finds nothing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
