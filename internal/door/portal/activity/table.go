package activity

import (
	"net/url"

	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/door/portal/diff"
	"tcap.cloud/internal/door/portal/ui"
)

// path is where this list lives.
func (v view) path() string {
	if v.customer.ID != "" {
		return "/customers/" + v.customer.ID + "/activity"
	}
	return "/activity"
}

// table is the entries, each with what it changed.
func (v view) table() ui.Table {
	t := ui.Table{ID: "entries", Caption: "Activity", Columns: []ui.Column{{Title: "What"}, {Title: "When"}, {Title: "Who"}, {Title: "Where"}, {Title: "What changed"}},
		Empty: ui.Empty{Icon: ui.IconActivity, Sentence: "Nothing was done that these filters let through."}}
	for _, e := range v.entries {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{v.what(e), {Body: ui.Time(e.At, v.now)}, {Text: e.Actor}, v.where(e), {Body: changes(e)}}})
	}
	return t
}

// what is the entry's title; it leads to what was done to.
func (v view) what(e audit.Entry) ui.Cell {
	return ui.Cell{Text: diff.Title(e, v.people), Href: targetOf(e)}
}

// targetOf is the page of what an entry is about; empty where there is none.
func targetOf(e audit.Entry) string {
	switch {
	case e.TargetKind == "number" && e.Action != "number.remove":
		return "/numbers/" + url.PathEscape(e.TargetID)
	case (e.TargetKind == "user" || e.TargetKind == "user-number") && e.CustomerID != "":
		return "/customers/" + e.CustomerID + "/users/" + url.PathEscape(e.TargetID)
	case e.TargetKind == "operation":
		return "/operations/" + e.TargetID
	case e.TargetKind == "service" && e.Action != "service.delete":
		return "/services/" + e.TargetID
	default:
		return ""
	}
}

// where is the customer; entries of the operator's own chain are nowhere in particular.
func (v view) where(e audit.Entry) ui.Cell {
	name := v.names[e.CustomerID]
	if e.CustomerID == "" || name == "" {
		return ui.Cell{Text: "—"}
	}
	return ui.Cell{Text: name, Href: "/customers/" + e.CustomerID}
}

// actions are what the list can be narrowed to; another one in the address is added to them.
func actions() []string {
	return []string{
		"api-key.create", "api-key.revoke", "change.failed", "change.intended", "change.verified", "customer.bind-tenant", "customer.create",
		"customer.delete", "customer.sync", "customer.update", "member.create", "member.disable", "member.enable", "member.set-password",
		"member.update", "number.assign", "number.import", "number.release", "number.unassign", "number.update", "operation.cancel",
		"operation.check-now", "operation.retry", "operator.update", "pairing.confirm", "pairing.link", "pairing.refused", "pairing.reply",
		"partner.create", "partner.delete", "partner.update", "service.create", "service.delete", "service.update", "session.begin", "session.end",
		"user.update",
	}
}
