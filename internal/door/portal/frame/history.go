package frame

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/door/portal/ui"
)

// Entries answers the audit entries of a query, newest first, inside the person's own scope.
func (f *Frame) Entries(ctx context.Context, who access.Actor, q audit.Query) ([]audit.Entry, error) {
	if err := access.Can(who, access.Read); err != nil {
		return nil, err
	}
	q.Scope = who.Scope
	return audit.List(ctx, f.DB.R, q)
}

// History is Entries as a timeline.
func (f *Frame) History(ctx context.Context, who access.Actor, q audit.Query) ([]ui.Event, error) {
	entries, err := f.Entries(ctx, who, q)
	if err != nil {
		return nil, err
	}
	events := make([]ui.Event, 0, len(entries))
	for _, e := range entries {
		events = append(events, Event(e))
	}
	return events, nil
}

// Event is one audit entry in words.
func Event(e audit.Entry) ui.Event {
	ev := ui.Event{At: e.At, Title: ActionWords(e.Action), Who: e.Actor, Icon: ui.IconActivity}
	switch {
	case e.OperationID != "":
		ev.Href = "/operations/" + e.OperationID
	case e.TargetKind == "customer" && !strings.HasSuffix(e.Action, ".delete"):
		ev.Href = "/customers/" + e.TargetID
	case e.CustomerID != "":
		ev.Href = "/customers/" + e.CustomerID
	}
	if kind, _, ok := strings.Cut(e.ActorID, ":"); ok {
		ev.Why = map[string]string{"api-key": "API key", "system": "by itself", "consent": "Microsoft's reply"}[kind]
	}
	return ev
}

// ActionWords says an audit action in words; one that is not known here is told by its own name.
func ActionWords(action string) string {
	if words, ok := actionWords()[action]; ok {
		return words
	}
	noun, verb, _ := strings.Cut(action, ".")
	text := strings.ReplaceAll(noun+" "+verb, "-", " ")
	if text == " " {
		return "Something happened"
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func actionWords() map[string]string {
	return map[string]string{
		"api-key.create": "API key made", "api-key.revoke": "API key revoked", "api-key.update": "API key changed",
		"customer.create": "Customer added", "customer.update": "Customer changed", "customer.delete": "Customer removed",
		"customer.sync": "Sync started", "customer.bind-tenant": "Tenant connected to the customer",
		"member.create": "Member added", "member.update": "Member changed", "member.disable": "Member shut out", "member.enable": "Member let in again",
		"member.set-password": "Password set", "member.sign-in": "Signed in", "member.add-passkey": "Passkey added",
		"member.delete-passkey": "Passkey removed", "member.end-sessions": "All sessions ended",
		"number.assign": "Assignment asked for", "number.unassign": "Unassignment asked for", "number.import": "Numbers imported",
		"number.release": "Number released", "number.update": "Number changed", "pairing.active": "Tenant connected",
		"operation.start": "Begun", "operation.cancel": "Cancelling asked for", "operation.retry": "Tried again", "operation.check-now": "Looked at on request",
		"user.update": "User changed", "change.intended": "Change planned", "change.verified": "Change made", "change.failed": "Change failed",
		"operator.create": "Operator set up", "operator.update": "Operator settings changed",
		"pairing.link": "Link for the administrator made", "pairing.reply": "Microsoft sent the administrator back",
		"pairing.refused": "The administrator refused, or Microsoft did", "pairing.confirm": "Tenant confirmed",
		"partner.create": "Partner added", "partner.update": "Partner changed", "partner.delete": "Partner removed",
		"service.create": "Service added", "service.update": "Service changed", "service.delete": "Service removed",
		"session.begin": "Session begun", "session.end": "Signed out", "sign-in-link.create": "Sign-in link made",
	}
}

// Call shows the API call that does the same as a page. body may be empty.
func (f *Frame) Call(method, path, body string) templ.Component {
	var b strings.Builder
	b.WriteString("curl")
	if method != "GET" {
		b.WriteString(" -X " + method)
	}
	b.WriteString(" '" + f.API() + path + "' \\\n  -H \"Authorization: Bearer $TCAP_KEY\"")
	if body != "" {
		b.WriteString(" \\\n  -H 'Content-Type: application/json' \\\n  -d '" + strings.ReplaceAll(body, "'", `'\''`) + "'")
	}
	return ui.CodeBlock("The API call that does the same", b.String())
}
