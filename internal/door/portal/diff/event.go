package diff

import (
	"encoding/json"
	"strings"

	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// Event is an audit entry as one line of a history, with what changed. names says whom a change in a tenant is for.
func Event(e audit.Entry, names frame.Names) ui.Event {
	ev := frame.Event(e)
	ev.Title = Title(e, names)
	switch e.Action {
	case "change.failed":
		ev.Icon, ev.Tone = ui.IconCross, ui.ToneBad
	case "change.verified":
		ev.Icon, ev.Tone = ui.IconCheck, ui.ToneGood
	}
	var d struct{ Before, After json.RawMessage }
	if json.Unmarshal(e.Detail, &d) != nil {
		return ev
	}
	var before, after []string
	lines := Lines(d.Before, d.After)
	for _, l := range lines {
		before, after = append(before, named(l.Key, l.Before, len(lines))), append(after, named(l.Key, l.After, len(lines)))
	}
	ev.Before, ev.After = joined(before), joined(after)
	return ev
}

// Events are entries as a history, in their order.
func Events(entries []audit.Entry, names frame.Names) []ui.Event {
	out := make([]ui.Event, 0, len(entries))
	for _, e := range entries {
		out = append(out, Event(e, names))
	}
	return out
}

// Title says what an entry is about: a change in a tenant by its own title, and whom it is for.
func Title(e audit.Entry, names frame.Names) string {
	var d struct{ Title string }
	verb, ok := map[string]string{"change.intended": "Planned", "change.verified": "Done", "change.failed": "Failed", "operation.succeeded": "Ended well",
		"operation.failed": "Ended with a failure", "operation.cancelled": "Ended by cancelling"}[e.Action]
	if !ok || json.Unmarshal(e.Detail, &d) != nil || d.Title == "" {
		return frame.ActionWords(e.Action)
	}
	return verb + ": " + frame.Spell(names.Tell(e.TargetKind, e.TargetID, d.Title))
}

func named(key, value string, of int) string {
	if value == "" || of == 1 {
		return value
	}
	return key + " " + value
}

func joined(parts []string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "; ")
}
