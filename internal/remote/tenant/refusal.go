package tenant

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
)

// Class says what a refusal means for us, whoever refused.
type Class string

// The classes (facts/entra.md §2.2, §2.4).
const (
	// AccessLost: the tenant took access away or never gave it; permanent until the customer acts.
	AccessLost Class = "access-lost"
	// Config: a credential or registration is wrong; its owner mends it.
	Config Class = "config"
	// User: concerns only the person who signs in.
	User Class = "user"
	// Transient: Microsoft is unwell; try again later.
	Transient Class = "transient"
	// Throttled: too many requests; try again after RetryAfter.
	Throttled Class = "throttled"
	// Ours: our request or our set-up is wrong.
	Ours Class = "ours"
	// NotFound: there is no such thing (or not yet).
	NotFound Class = "not-found"
	// Conflict: it is there already, or somebody else changed it.
	Conflict Class = "conflict"
	// Refused: 403 on one object or one area; never by itself the loss of a tenant.
	Refused Class = "refused"
	// Invalid: the tenant cannot do what was asked, as asked.
	Invalid Class = "invalid"
	// Network: nothing was answered.
	Network Class = "network"
)

// Permanent tells whether the same request would be refused again until somebody acts.
func (c Class) Permanent() bool {
	return c != Transient && c != Throttled && c != Network
}

// Source says who refused.
type Source string

// The sources.
const (
	SourceEntra Source = "entra"
	SourceGraph Source = "graph"
	SourceTeams Source = "teams"
)

// Refusal is an answer that is not the one asked for, or the lack of an answer. Its text is safe to log and to show: nothing in it
// comes from the tenant unscrubbed.
type Refusal struct {
	Class  Class
	Source Source
	// Code is our short word for the cause (`secret-wrong`), or Microsoft's own where there is no row for it.
	Code string
	// Word is Microsoft's own word: `invalid_client`, `Authorization_RequestDenied`.
	Word string
	// Codes are the AADSTS numbers, all that were in the answer.
	Codes []int
	// Status is the HTTP status; 0 when nothing was answered.
	Status int
	// Message says it in words, without names, numbers or ids of the tenant.
	Message string
	// Remedy says who does what about it; empty where nobody can.
	Remedy string
	// RequestID is Microsoft's id of the request (of a sign-in: the trace id); CorrelationID is ours.
	RequestID     string
	CorrelationID string
	// RetryAfter is how long Microsoft asks us to wait; 0 where it does not.
	RetryAfter time.Duration
	// Maybe: the request may have been carried out. It was sent, and either no answer was read or the answer was a 5xx.
	Maybe bool

	detail Secret
	err    error
}

// Error is a safe sentence; Detail has Microsoft's own.
func (r *Refusal) Error() string {
	var b strings.Builder
	b.WriteString(string(r.Source))
	if r.Status != 0 {
		fmt.Fprintf(&b, " %d", r.Status)
	}
	fmt.Fprintf(&b, " %s (%s)", r.Code, r.Class)
	if r.Message != "" {
		b.WriteString(": " + r.Message)
	}
	if r.Maybe {
		b.WriteString("; it may have been carried out")
	}
	return b.String()
}

// Unwrap is the cause, where there is one: a cancelled context, a broken connection.
func (r *Refusal) Unwrap() error { return r.err }

// Detail is Microsoft's own text, with whatever tenant data it holds: to be matched or shown to the tenant's own people, not logged.
func (r *Refusal) Detail() string { return r.detail.Reveal() }

// WithDetail keeps Microsoft's own text.
func (r *Refusal) WithDetail(text string) *Refusal {
	r.detail = NewSecret(text)
	return r
}

// WithCause keeps what lies beneath, for errors.Is.
func (r *Refusal) WithCause(err error) *Refusal {
	r.err = err
	return r
}

// LogValue has what an operator needs to find the request again.
func (r *Refusal) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("class", string(r.Class)), slog.String("source", string(r.Source)), slog.String("code", r.Code),
		slog.Any("codes", r.Codes), slog.Int("status", r.Status), slog.String("message", r.Message),
		slog.String("request", r.RequestID), slog.String("correlation", r.CorrelationID), slog.Bool("maybe", r.Maybe),
	)
}

// AsRefusal is the refusal in an error's chain, or nil.
func AsRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// ClassOf is the class of the refusal in an error's chain; empty when there is none (nil, a cancelled context, an error of ours).
func ClassOf(err error) Class {
	if r := AsRefusal(err); r != nil {
		return r.Class
	}
	return ""
}

// What Microsoft puts of the tenant into its texts: quoted names, ids, addresses, numbers, secrets' ids. The quotes are matched before
// the rest, as they may hold any of it.
var tenantData = regexp.MustCompile(`'[^']*'|"[^"]*"|<[^>]*>|` +
	`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|` +
	`[^\s@,;:()]+@[^\s@,;:()]+|` +
	`https?://\S+|` +
	`\+?\d[\d\s().-]{5,}\d|` +
	`[A-Za-z0-9_~.+/=-]{37,}`)

const maxMessage = 240

// Scrub takes what may be the tenant's data out of one of Microsoft's texts and shortens it, so that it may be logged.
func Scrub(text string) string {
	text = tenantData.ReplaceAllString(text, "…")
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "…"
	}
	return text
}
