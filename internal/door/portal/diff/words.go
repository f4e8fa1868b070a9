package diff

import (
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/engine/plan"
)

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// OfPlan says the changes of a plan in words.
func OfPlan(p plan.Plan) []Titled {
	out := make([]Titled, 0, len(p.Changes))
	for _, c := range p.Changes {
		out = append(out, Titled{Title: frame.Spell(c.Title), Lines: of(c)})
	}
	return out
}

// OfRecords says recorded changes in words, each with whom it is for and how far it is.
func OfRecords(records []plan.Record, names frame.Names) []Titled {
	out := make([]Titled, 0, len(records))
	for _, r := range records {
		state := ui.OperationState(string(r.State))
		t := Titled{Title: frame.Spell(names.Tell(r.Kind, r.Key, r.Title)), State: &state, Lines: of(r.Change)}
		if r.Error != nil {
			t.Note = frame.Spell(r.Error.Detail)
			if r.Error.Remedy != nil {
				t.Note += " " + r.Error.Remedy.Text
			}
		}
		out = append(out, t)
	}
	return out
}

// of compares a change's values.
func of(c plan.Change) []Line { return Lines(c.Before, c.After) }
