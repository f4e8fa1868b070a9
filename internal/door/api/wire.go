package api

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

// Paging is what every list takes. It is exported, as are IfMatch and Planned, because huma does not look into embedded
// types that are not.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"How many at most"`
	Cursor string `query:"cursor" doc:"The next of the page before"`
}

// IfMatch makes a write conditional on the ETag read before.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"The ETag read before; 412 where it no longer holds"`
}

// version is what the store compares; 0 is no condition. A tag that this API never made cannot hold (RFC 9110, 13.1.1:
// weak ones never match).
func (m IfMatch) version() (int64, error) {
	if m.IfMatch == "" || m.IfMatch == "*" {
		return 0, nil
	}
	if v, err := strconv.ParseInt(strings.Trim(m.IfMatch, `"`), 10, 64); err == nil && v > 0 && m.IfMatch == etag(v) {
		return v, nil
	}
	return 0, fault.StaleVersion("thing")
}

// Planned is what everything takes that changes a tenant.
type Planned struct {
	DryRun      bool   `query:"dryRun" doc:"Answer the plan and do nothing"`
	IfPlanMatch string `header:"If-Plan-Match" doc:"The planHash seen before; 412 where the plan has become another"`
}

// byID is the input of what takes nothing but an ID.
type byID struct {
	ID string `path:"id"`
}

// deleteByID removes one thing.
type deleteByID struct {
	ID string `path:"id"`
	IfMatch
}

// nothing is the answer of what has none: 204.
type nothing struct{}

// answer is a body without a version.
type answer[T any] struct {
	Body T
}

// tagged is a single thing with its version.
type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

func tag[T any](version int64, body T) *tagged[T] { return &tagged[T]{ETag: etag(version), Body: body} }

// created is a thing just made.
type created[T any] struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     T
}

func made[T any](path string, version int64, body T) *created[T] {
	return &created[T]{Location: base + path, ETag: etag(version), Body: body}
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// begunWire names the operation that does what was asked for.
type begunWire struct {
	OperationID string   `json:"operationId"`
	Warnings    []string `json:"warnings,omitempty" doc:"Codes of what to know although it is being done"`
}

// list is a page of things.
type list[T any] struct {
	Items             []T     `json:"items"`
	Next              *string `json:"next" doc:"The cursor of the next page; null on the last"`
	Total             int     `json:"total" doc:"Counted up to 10,000"`
	TotalIsLowerBound bool    `json:"totalIsLowerBound"`
}

// listed makes a page of what a room answered.
func listed[S, T any](p org.Page[S], wire func(S) T) *answer[list[T]] {
	return listOf(p.Items, p.Next, p.Total, p.TotalIsLowerBound, wire)
}

func listOf[S, T any](items []S, next string, total int, lowerBound bool, wire func(S) T) *answer[list[T]] {
	out := list[T]{Items: make([]T, 0, len(items)), Next: orNull(next), Total: total, TotalIsLowerBound: lowerBound}
	for _, item := range items {
		out.Items = append(out.Items, wire(item))
	}
	return &answer[list[T]]{Body: out}
}

// orNull is null where a text is empty.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// when is null where a time is not known.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// maybe is a field of a PATCH: absent leaves the value, null takes it away, anything else sets it.
type maybe[T any] struct {
	Sent  bool
	Null  bool
	Value T
}

// UnmarshalJSON is called only where the field was sent.
func (m *maybe[T]) UnmarshalJSON(b []byte) error {
	m.Sent = true
	if string(b) == "null" {
		m.Null = true
		return nil
	}
	return json.Unmarshal(b, &m.Value)
}

// Schema is that of the value, or null.
func (m maybe[T]) Schema(r huma.Registry) *huma.Schema {
	s := *huma.SchemaFromType(r, reflect.TypeFor[T]())
	s.Nullable = true
	return &s
}

// ptr is nil where the field was absent, and the zero value where it was null: what the rooms take for "taken away".
func (m maybe[T]) ptr() *T {
	if !m.Sent {
		return nil
	}
	return &m.Value
}
