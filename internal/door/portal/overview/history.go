package overview

import (
	"context"
	"encoding/json"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/door/portal/diff"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// historyLines is how many lines a short history has.
const historyLines = 10

// History answers the last things that happened, without comings and goings of people, each with the name of what it is
// about. The whole of it is on the activity page.
func History(ctx context.Context, f *frame.Frame, who access.Actor, q audit.Query) ([]ui.Event, error) {
	q.Limit = 10 * historyLines
	entries, err := f.Entries(ctx, who, q)
	if err != nil {
		return nil, err
	}
	var out []ui.Event
	for _, e := range entries {
		if aside(e.Action) {
			continue
		}
		if out = append(out, short(e)); len(out) == historyLines {
			break
		}
	}
	return out, nil
}

// aside says whether an entry is of no interest to those who ask what changed: sign-ins, and the steps of a change whose
// outcome has a line of its own.
func aside(action string) bool {
	return strings.HasPrefix(action, "session.") || strings.HasPrefix(action, "sign-in-link.") || action == "member.sign-in" ||
		action == "change.intended" || action == "operation.start" || action == "operation.succeeded"
}

// short leaves out the values of what was made new: its name says enough.
func short(e audit.Entry) ui.Event {
	ev := diff.Event(e)
	if ev.Before == "" || len(ev.Before)+len(ev.After) > 160 {
		ev.Before, ev.After = "", ""
	}
	if name := named(e); name != "" && !strings.Contains(ev.Title, name) {
		ev.Title += ": " + name
	}
	return ev
}

// named answers the name of what an entry is about, where it tells one.
func named(e audit.Entry) string {
	type thing struct{ Name, Number, Kind string }
	var d struct{ Before, After thing }
	if json.Unmarshal(e.Detail, &d) != nil {
		return ""
	}
	for _, t := range []thing{d.After, d.Before} {
		switch {
		case t.Name != "":
			return t.Name
		case t.Number != "":
			return t.Number
		case t.Kind != "" && e.TargetKind == "service":
			return frame.KindWords(t.Kind)
		}
	}
	return ""
}
