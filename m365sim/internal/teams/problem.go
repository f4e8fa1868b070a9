package teams

import (
	"encoding/json"
	"errors"
	"net/http"

	"tcap.cloud/m365sim/internal/teams/telephony"
	"tcap.cloud/m365sim/internal/world"
)

// problem is a refusal of the API: {"error":{"code","message"}} (facts/teams-admin.md A0).
type problem struct {
	status        int
	code, message string
}

func (p *problem) Error() string { return p.code + ": " + p.message }

func refuse(status int, code, message string) *problem { return &problem{status, code, message} }

func badRequest(message string) *problem { return refuse(http.StatusBadRequest, "BadRequest", message) }

func writeProblem(w http.ResponseWriter, err error) {
	var p *problem
	var refused *telephony.Refusal
	switch {
	case errors.As(err, &p):
	case errors.As(err, &refused) && refused.Status == http.StatusNotFound:
		p = refuse(refused.Status, "NotFound", refused.Text)
	case errors.As(err, &refused):
		p = refuse(refused.Status, "BadRequest", refused.Text)
	case errors.Is(err, world.ErrNoTenant):
		p = refuse(http.StatusForbidden, "Forbidden", "Access Denied.")
	default:
		p = refuse(http.StatusInternalServerError, "InternalServerError", err.Error())
	}
	write(w, p.status, map[string]any{"error": map[string]any{"code": p.code, "message": p.message}})
}

func write(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "encoding the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone: nobody to tell
}
