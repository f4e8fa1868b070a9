package entra

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// refusal is one AADSTS error. Code decides error and status (kindOf); text is for people, and Microsoft says never to
// parse it (facts/entra.md §2.1).
type refusal struct {
	code     int
	kind     string
	text     string
	suberror string
	claims   string
}

// Error makes a refusal usable where an error is asked for.
func (f *refusal) Error() string { return fmt.Sprintf("AADSTS%d: %s", f.code, f.text) }

func refuse(code int, format string, args ...any) *refusal {
	return &refusal{code: code, kind: kindOf(code), text: fmt.Sprintf(format, args...)}
}

// status is the HTTP status at the token endpoint: 401 for invalid_client, 400 for nearly all else (facts/entra.md §2.3).
func (f *refusal) status() int {
	switch f.kind {
	case "invalid_client":
		return http.StatusUnauthorized
	case "server_error":
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// kindOf is the column "error" of facts/entra.md §2.3.
func kindOf(code int) string {
	switch code {
	case 7000215, 7000216, 7000218, 7000222, 700021, 700023, 700024, 700025, 700027:
		return "invalid_client"
	case 700016, 7000112:
		return "unauthorized_client"
	case 70011:
		return "invalid_scope"
	case 500011, 500014:
		return "invalid_resource"
	case 70003:
		return "unsupported_grant_type"
	case 700051, 700054:
		return "unsupported_response_type"
	case 65004:
		return "access_denied"
	case 50058:
		return "login_required"
	case 90094:
		return "consent_required"
	case 54005, 700005, 501481, 50147, 501491, 500112, 70000, 70008, 700082, 50173, 70021,
		50020, 50034, 50057, 50076, 50126, 53003, 65001:
		return "invalid_grant"
	case 90033:
		return "server_error"
	}
	return "invalid_request"
}

// body is the JSON error of reference-error-codes.md (facts/entra.md §2.1).
type body struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
	Suberror      string `json:"suberror,omitempty"`
	Claims        string `json:"claims,omitempty"`
}

// trace names one request: the trace id is ours, the correlation id the caller's when it sent one.
type trace struct{ id, correlation string }

// startTrace sets the headers that every answer of the login service carries and returns their ids.
func startTrace(w http.ResponseWriter, r *http.Request) trace {
	t := trace{id: uuid.NewString(), correlation: uuid.NewString()}
	w.Header().Set("x-ms-request-id", t.id)
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.Header().Set("Pragma", "no-cache")
	asked := r.Header.Get("client-request-id")
	if asked == "" {
		asked = r.URL.Query().Get("client-request-id")
	}
	if id, err := uuid.Parse(asked); err == nil {
		t.correlation = id.String()
		w.Header().Set("client-request-id", t.correlation)
	}
	return t
}

// describe is error_description: the code, the words, and the ids a support engineer asks for.
func (t trace) describe(f *refusal, now time.Time) string {
	return fmt.Sprintf("%s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s", f.Error(), t.id, t.correlation, stamp(now))
}

func stamp(now time.Time) string { return now.UTC().Format("2006-01-02 15:04:05Z") }

func (s *service) writeRefusal(w http.ResponseWriter, r *http.Request, t trace, f *refusal) {
	now := s.w.Now()
	writeJSON(w, f.status(), body{
		Error: f.kind, Description: t.describe(f, now), Codes: []int{f.code}, Timestamp: stamp(now),
		TraceID: t.id, CorrelationID: t.correlation, Suberror: f.suberror, Claims: f.claims,
		URI: fmt.Sprintf("%s/error?code=%d", base(r), f.code),
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone; nobody is left to tell
}

// missing is the refusal of a request without a parameter.
func missing(name string) *refusal {
	return refuse(900144, "The request must contain the parameter '%s'.", name)
}

// internal is what becomes of a failure of the simulator itself; Microsoft words its own the same way.
func internal(err error) *refusal {
	return refuse(90033, "A transient error has occurred. %s", strings.ReplaceAll(err.Error(), "\n", " "))
}
