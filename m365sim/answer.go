package m365sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"tcap.cloud/m365sim/internal/world"
)

// answer is a response kept back until it is known what becomes of it.
type answer struct {
	header    http.Header
	status    int
	wrote     bool
	body      bytes.Buffer
	truncated bool
}

func newAnswer() *answer { return &answer{header: http.Header{}, status: http.StatusOK} }

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, true
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.wrote = true
	return a.body.Write(b)
}

// send writes the answer; a truncated one promises its whole length, gives half and cuts the connection.
func (a *answer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	if !a.truncated {
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body.Bytes()) // a caller that has gone is no fault of ours
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(max(a.body.Len(), 1)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()[:a.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// faultAnswer is the answer of a status or throttle fault, with a body of the service's own kind unless one is given.
func faultAnswer(f world.Fault, service string) *answer {
	a := newAnswer()
	a.status = f.Status
	if f.RetryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	var text string
	switch {
	case json.Unmarshal(f.Body, &text) == nil:
		a.body.WriteString(text)
	case len(f.Body) > 0:
		a.header.Set("Content-Type", "application/json")
		a.body.Write(f.Body)
	case a.status >= 400:
		a.header.Set("Content-Type", "application/json")
		a.body.Write(errorBody(service, a.status))
	}
	return a
}

// errorBody is an error as the service words it (facts/entra.md §2.1 and §2.3; contracts/README.md, errors).
func errorBody(service string, status int) []byte {
	var body any
	if service == serviceLogin {
		word, code := loginError(status)
		body = map[string]any{
			"error": word, "error_codes": []int{code},
			"error_description": fmt.Sprintf("AADSTS%d: A fault made by the simulator's control interface.", code),
		}
	} else {
		body = map[string]any{"error": map[string]any{
			"code": graphCode(status), "message": "A fault made by the simulator's control interface.", "innerError": map[string]any{},
		}}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil
	}
	return raw
}

func loginError(status int) (word string, code int) {
	switch {
	case status == http.StatusTooManyRequests:
		return "temporarily_unavailable", 90055
	case status >= 500:
		return "temporarily_unavailable", 90033
	case status == http.StatusUnauthorized:
		return "invalid_client", 7000215
	default:
		return "invalid_request", 90013
	}
}

func graphCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "InvalidAuthenticationToken"
	case http.StatusForbidden:
		return "Authorization_RequestDenied"
	case http.StatusNotFound:
		return "Request_ResourceNotFound"
	case http.StatusTooManyRequests:
		return "TooManyRequests"
	case http.StatusInternalServerError:
		return "InternalServerError"
	case http.StatusBadGateway:
		return "BadGateway"
	case http.StatusServiceUnavailable:
		return "serviceNotAvailable"
	case http.StatusGatewayTimeout:
		return "gatewayTimeout"
	default:
		return "BadRequest"
	}
}
