package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// problem is a refusal in Graph's shape (contracts/README.md, Errors).
type problem struct {
	status        int
	code, message string
	header        map[string]string
}

func (p *problem) Error() string { return p.code + ": " + p.message }

func refuse(status int, code, message string) *problem {
	return &problem{status: status, code: code, message: message}
}

func badRequest(format string, args ...any) *problem {
	return refuse(http.StatusBadRequest, "Request_BadRequest", fmt.Sprintf(format, args...))
}

// notFound names the missing object as the directory does.
func notFound(id string) *problem {
	return refuse(http.StatusNotFound, "Request_ResourceNotFound",
		fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", id))
}

func notModelled(r *http.Request) *problem {
	return refuse(http.StatusNotImplemented, "NotModelled", "The simulator does not model "+r.Method+" "+r.URL.Path+" of Microsoft Graph.")
}

func unsupported(what string) *problem {
	return refuse(http.StatusNotImplemented, "NotModelled", "The simulator does not model "+what+".")
}

// writeProblem writes any error in Graph's shape; what is no problem of ours is a 500, so that a mistake is seen.
func (s *service) writeProblem(w http.ResponseWriter, err error) {
	var p *problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, world.ErrNoTenant):
		p = refuse(http.StatusForbidden, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.")
	default:
		p = refuse(http.StatusInternalServerError, "Service_InternalServerError", err.Error())
	}
	for k, v := range p.header {
		w.Header().Set(k, v)
	}
	body := map[string]any{"error": map[string]any{
		"code": p.code, "message": p.message,
		"innerError": map[string]any{
			"date":              s.w.Now().UTC().Format("2006-01-02T15:04:05"),
			"request-id":        w.Header().Get("request-id"),
			"client-request-id": w.Header().Get("client-request-id"),
		},
	}}
	write(w, answer{status: p.status, body: body})
}

func write(w http.ResponseWriter, a answer) {
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	if text, plain := a.body.(string); plain {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(text)) // the client has gone: nobody to tell
		return
	}
	raw, err := json.Marshal(a.body)
	if err != nil {
		http.Error(w, "encoding the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	w.WriteHeader(a.status)
	_, _ = w.Write(raw)
}

// read decodes the JSON body; names are matched without regard to case, as Graph does.
func (c *call) read(into any) error {
	if err := json.NewDecoder(c.r.Body).Decode(into); err != nil {
		return badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }

// context is the @odata.context of an answer.
func (c *call) context(fragment string) string {
	return c.root + "/$metadata#" + strings.TrimPrefix(fragment, "/")
}
