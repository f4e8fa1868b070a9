package frame

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/door/web"
)

// ProblemOf tells a fault in the portal's three sentences. What is no fault must go through Frame.Known first, which logs it.
func ProblemOf(err error) ui.ProblemView {
	f, ok := fault.Of(err)
	if !ok {
		f = fault.New(fault.Internal, "internal", "Something went wrong on our side.")
	}
	v := ui.ProblemView{Happened: Spell(f.Detail), Code: f.Code}
	if f.Kind == fault.Invalid || f.Kind == fault.Conflict || f.Kind == fault.Stale {
		v.Tone = ui.ToneWarn
	}
	if f.Kind == fault.NotFound { // nobody's fault
		v.Tone = ui.ToneInfo
	}
	if f.Kind != fault.NotFound && f.Kind != fault.Internal && !strings.Contains(strings.ToLower(f.Detail), "nothing was changed") {
		v.Means = "Nothing was changed."
	}
	switch {
	case f.Remedy != nil:
		v.Do = Spell(f.Remedy.Text)
	case f.Kind == fault.NotFound:
		v.Do = "Check the address, or search for what you need."
	}
	return v
}

// Known answers the problem of an error; one that is no fault is logged, and shown by its correlation id alone.
func (f *Frame) Known(r *http.Request, err error) ui.ProblemView {
	v := ProblemOf(err)
	if fault.KindOf(err) != fault.Internal {
		return v
	}
	if v.CorrelationID = web.Correlation(r.Context()); v.CorrelationID == "" {
		v.CorrelationID = uuid.NewString()
	}
	v.Means = "What you asked for may or may not have been done."
	v.Do = "Look at the page again. If it happens once more, tell us the correlation id."
	f.Log.ErrorContext(r.Context(), "a page failed", "path", r.URL.Path, "method", r.Method, "correlation", v.CorrelationID, "error", err)
	return v
}

// Fail shows an error as a page of its own, or as a fragment where htmx asked, with the status of its kind.
func (f *Frame) Fail(w http.ResponseWriter, r *http.Request, err error) {
	f.fail(w, r, web.StatusOf(fault.KindOf(err)), err)
}

func (f *Frame) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	v := f.Known(r, err)
	if IsFragment(r) {
		_ = f.Fragment(w, r, status, ui.Problem(v))
		return
	}
	body := ui.Join(ui.PageHeader(failTitle(status), nil, "", nil), ui.Problem(v), ui.Actions(ui.LinkButton("Go to the start page", "/", ui.Secondary)))
	page := ui.Page{Title: failTitle(status), Theme: theme(r), Path: "/"}
	if access.From(r.Context()).Kind != "" && status != http.StatusInternalServerError && status != http.StatusServiceUnavailable {
		page = f.Page(r, failTitle(status), "")
	}
	if err := f.Render(w, r, status, page, body); err != nil {
		f.Log.ErrorContext(r.Context(), "drawing a problem", "error", err)
	}
}

func failTitle(status int) string {
	switch status {
	case http.StatusNotFound:
		return "Not found"
	case http.StatusForbidden:
		return "Not allowed"
	case http.StatusUnauthorized:
		return "Sign in again"
	case http.StatusInternalServerError, http.StatusServiceUnavailable:
		return "Something went wrong"
	default:
		return "That did not work"
	}
}

// FieldErrors maps the fields that a fault names to what is wrong with them.
func FieldErrors(err error) map[string]string {
	out := map[string]string{}
	f, ok := fault.Of(err)
	if !ok {
		return out
	}
	for _, field := range f.Fields {
		if path := strings.TrimPrefix(field.Path, "body."); out[path] == "" {
			out[path] = Spell(field.Detail)
		}
	}
	return out
}

// Again says whether a form should be shown again with a message: the person can mend it. Otherwise the error is a page.
func Again(err error) bool {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Malformed, fault.Conflict, fault.Stale, fault.Limited:
		return true
	default:
		return false
	}
}

func crossOrigin(err error) error {
	return fault.New(fault.Forbidden, "cross-origin", "This form was sent from another site.").
		WithRemedy("Open the page here and send it again.").Because(fmt.Errorf("checking the origin: %w", err))
}

func noPage() error {
	return fault.New(fault.NotFound, "no-page", "There is no page at this address.").WithRemedy("Check the address, or search for what you need.")
}

func wrongMethod() error {
	return fault.New(fault.Malformed, "wrong-method", "This address is not answered that way.").WithRemedy("Go back to the page and use its buttons.")
}

// StatusOf is the HTTP status of an error.
func StatusOf(err error) int { return web.StatusOf(fault.KindOf(err)) }
