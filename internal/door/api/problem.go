package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/web"
)

// refused makes a problem of a handler's error, and logs what the problem must not say.
func (a *api) refused(ctx context.Context, r Route, err error) error {
	var p *web.Problem
	if errors.As(err, &p) {
		return p
	}
	if f, ok := fault.Of(err); !ok || f.Kind == fault.Internal {
		a.log.ErrorContext(ctx, "request failed", "correlation", web.Correlation(ctx), "route", r.Name, "error", err)
	} else if f.Err != nil {
		a.log.WarnContext(ctx, "request refused", "correlation", web.Correlation(ctx), "route", r.Name, "code", f.Code, "error", f.Err)
	}
	return web.Of(err, web.Correlation(ctx))
}

// problems turns huma's own refusals into ours. It stands among the transformers of this API alone, where huma's variable
// for the same would hold for the whole program.
func (a *api) problems(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	return web.Of(a.faultOf(ctx, m), web.Correlation(ctx.Context())), nil
}

func (a *api) faultOf(ctx huma.Context, m *huma.ErrorModel) error {
	switch m.Status {
	case http.StatusBadRequest:
		return fault.New(fault.Malformed, "malformed-body", "The body is no JSON, or there is none.").WithFields(fieldsOf(m)...)
	case http.StatusUnsupportedMediaType:
		return &web.Problem{Type: "about:blank", Title: http.StatusText(m.Status), Status: m.Status, Code: "unsupported-media-type",
			Detail: "This address does not take that kind of body.", Instance: web.Correlation(ctx.Context()),
			Remedy: &web.Remedy{Text: "Send application/json, or what /api/docs names."}}
	case http.StatusUnprocessableEntity:
		return invalid(fieldsOf(m))
	}
	a.log.ErrorContext(ctx.Context(), "request failed", "correlation", web.Correlation(ctx.Context()), "status", m.Status, "error", m.Detail)
	return fault.New(fault.Internal, "internal", "the framework answered %d", m.Status)
}

// invalid is the refusal of an input by its shape. A field nobody knows is named first: it is most often a misspelt one,
// and what is then missing follows from it.
func invalid(fields []fault.Field) error {
	for _, f := range fields {
		if f.Code == "unknown-field" {
			return fault.New(fault.Invalid, "unknown-field", "%s is not known here.", f.Path).
				WithRemedy("See /api/docs for the fields there are.").WithFields(fields...)
		}
	}
	detail := "The request does not fit what this address takes."
	if len(fields) > 0 {
		detail = fields[0].Path + ": " + fields[0].Detail + "."
	}
	return fault.New(fault.Invalid, "validation", "%s", detail).WithFields(fields...)
}

// fieldsOf leaves the values out: they may be secrets.
func fieldsOf(m *huma.ErrorModel) []fault.Field {
	out := make([]fault.Field, 0, len(m.Errors))
	for _, e := range m.Errors {
		out = append(out, fault.Field{Path: located(e), Code: fieldCode(e.Message), Detail: e.Message})
	}
	return out
}

// located names the field that is missing, where huma names what it is missing from.
func located(e *huma.ErrorDetail) string {
	rest, missing := strings.CutPrefix(e.Message, "expected required property ")
	name, _, whole := strings.Cut(rest, " to be present")
	if !missing || !whole {
		return e.Location
	}
	return strings.TrimPrefix(e.Location+"."+name, ".")
}

// fieldCode names what huma says in words (its validation/messages.go).
func fieldCode(message string) string {
	switch {
	case strings.HasPrefix(message, "unexpected property"), strings.HasPrefix(message, "unknown query parameter"):
		return "unknown-field"
	case strings.HasPrefix(message, "expected required property"), strings.HasPrefix(message, "required "):
		return "required"
	case strings.HasPrefix(message, "expected value to be one of"):
		return "not-one-of"
	case strings.HasPrefix(message, "expected length"), strings.HasPrefix(message, "expected number"), strings.HasPrefix(message, "expected array length"):
		return "out-of-range"
	}
	return "invalid"
}
