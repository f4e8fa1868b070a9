package overview

import (
	"context"
	"encoding/json"
	"slices"
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
	entries = slices.DeleteFunc(entries, func(e audit.Entry) bool { return aside(e.Action) })
	entries = entries[:min(historyLines, len(entries))]
	places := placesOf(ctx, f, who, q, entries)
	people, out := f.People(ctx, who, entries), make([]ui.Event, 0, historyLines)
	for _, e := range entries {
		ev := short(e, people)
		if name := places[e.CustomerID]; name != "" {
			ev.Place, ev.PlaceHref = name, "/customers/"+e.CustomerID
		}
		out = append(out, ev)
	}
	return out, nil
}

// placesOf answers the names of the customers that entries are about, by id; none for the history of one customer. One that
// is gone has no name, and no page to lead to.
func placesOf(ctx context.Context, f *frame.Frame, who access.Actor, q audit.Query, entries []audit.Entry) map[string]string {
	names := map[string]string{}
	for _, e := range entries {
		if _, known := names[e.CustomerID]; known || e.CustomerID == "" || q.CustomerID != "" {
			continue
		}
		c, err := f.Org.Customer(ctx, who, e.CustomerID)
		if err != nil {
			c.Name = ""
		}
		names[e.CustomerID] = c.Name
	}
	return names
}

// aside says whether an entry is of no interest to those who ask what changed: sign-ins, and the steps of a change whose
// outcome has a line of its own.
func aside(action string) bool {
	return strings.HasPrefix(action, "session.") || strings.HasPrefix(action, "sign-in-link.") || action == "member.sign-in" ||
		action == "change.intended" || action == "operation.start" || action == "operation.succeeded"
}

// short leaves out the values of what was made new: its name says enough.
func short(e audit.Entry, people frame.Names) ui.Event {
	ev := diff.Event(e, people)
	if ev.Before == "" || len(ev.Before)+len(ev.After) > 160 {
		ev.Before, ev.After = "", ""
	}
	if name := frame.Spell(named(e)); name != "" && !strings.Contains(ev.Title, name) {
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
