package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"tcap.cloud/internal/base/fault"
)

// ProblemType is the media type of RFC 9457.
const ProblemType = "application/problem+json"

// Problem is a refusal as RFC 9457 writes it, with this project's own members: a stable code, what to do about it, and what
// is wrong with single fields or lines (contracts/rest-api.md, "Manners").
type Problem struct {
	Type     string        `json:"type" doc:"Names the kind of problem; about:blank where the code says all"`
	Title    string        `json:"title" doc:"The status in words"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail" doc:"What is wrong, for people"`
	Instance string        `json:"instance,omitempty" doc:"The correlation ID of this request, to be quoted to support"`
	Code     string        `json:"code" doc:"Stable, kebab-case, for programs"`
	Remedy   *Remedy       `json:"remedy,omitempty" doc:"What to do about it"`
	Errors   []fault.Field `json:"errors,omitempty" doc:"What is wrong with single fields or lines"`

	// RetryAfter is sent as a header where it is set.
	RetryAfter time.Duration `json:"-"`
}

// Remedy is what to do about a problem; Action is set where one button mends it.
type Remedy struct {
	Text   string `json:"text"`
	Action string `json:"action,omitempty"`
	Label  string `json:"label,omitempty"`
}

// Error is the detail, so that a problem can be returned as an error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is always application/problem+json, whatever was negotiated.
func (p *Problem) ContentType(string) string { return ProblemType }

// GetHeaders are what goes with the problem: a challenge for 401 (RFC 9110, 11.6.1), Retry-After where it is known.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="tcap"`)
	}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
	return h
}

// StatusOf is the HTTP status of a kind of fault.
func StatusOf(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Malformed:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Stale:
		return http.StatusPreconditionFailed
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Limited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Of makes a problem of an error. What is no fault is internal: its text belongs into the log (Log) and not into the answer,
// which carries the correlation ID under which it is found there.
func Of(err error, correlation string) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	f, ok := fault.Of(err)
	if !ok || f.Kind == fault.Internal {
		return &Problem{Type: "about:blank", Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError,
			Code: "internal", Detail: "Something went wrong on our side.", Instance: correlation,
			Remedy: &Remedy{Text: "Try again; if it happens again, quote the instance to support."}}
	}
	status := StatusOf(f.Kind)
	out := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Code, Detail: f.Detail,
		Instance: correlation, Errors: f.Fields}
	if f.Remedy != nil {
		out.Remedy = &Remedy{Text: f.Remedy.Text, Action: f.Remedy.Action, Label: f.Remedy.Label}
	}
	return out
}

// LogFailure writes to the log what an answer must not say: the text of an error that is no fault, and the cause behind one.
// Refusals without a cause are ordinary and are not written.
func LogFailure(log *slog.Logger, r *http.Request, err error) {
	f, ok := fault.Of(err)
	switch {
	case !ok || f.Kind == fault.Internal:
		log.ErrorContext(r.Context(), "request failed", "correlation", Correlation(r.Context()), "method", r.Method, "path", r.URL.Path, "error", err)
	case f.Err != nil:
		log.WarnContext(r.Context(), "request refused", "correlation", Correlation(r.Context()), "method", r.Method, "path", r.URL.Path,
			"code", f.Code, "error", f.Err)
	}
}

// WriteProblem answers with a problem.
func WriteProblem(w http.ResponseWriter, p *Problem) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone; nobody is left to tell
}

// Fail logs an error where it is worth it and answers with its problem.
func Fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	LogFailure(log, r, err)
	WriteProblem(w, Of(err, Correlation(r.Context())))
}
