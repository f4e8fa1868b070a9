package diff

import (
	"net/url"
	"slices"

	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// Life is a number's history, newest first: what happened, to whom, by whom and why.
func Life(lines []number.HistoryLine) []ui.Event {
	events := make([]ui.Event, 0, len(lines))
	for _, l := range slices.Backward(lines) {
		title, icon, tone := lifeWords(l.Event)
		e := ui.Event{At: l.At, Title: title, Icon: icon, Tone: tone, Who: l.Actor, Why: frame.Spell(l.Detail)}
		if l.Holder != nil {
			e.Title += ": " + l.Holder.Name
		}
		if l.From != l.To && l.From != "" && l.To != "" {
			e.Before, e.After = ui.NumberState(string(l.From)).Word, ui.NumberState(string(l.To)).Word
		}
		if l.OperationID != "" {
			e.Href = "/operations/" + url.PathEscape(l.OperationID)
		}
		events = append(events, e)
	}
	return events
}

// lifeWords says an event of a number's life.
func lifeWords(e number.Event) (string, ui.Icon, ui.Tone) {
	switch e {
	case number.Imported:
		return "Taken into the inventory", ui.IconPlus, ui.ToneNeutral
	case number.Allotted:
		return "Given to the customer from the stock", ui.IconBuilding, ui.ToneNeutral
	case number.ReservedFor:
		return "Reserved", ui.IconClock, ui.ToneInfo
	case number.Confirmed:
		return "Assigned, seen in the tenant", ui.IconCheck, ui.ToneGood
	case number.Refused:
		return "Not assigned", ui.IconCross, ui.ToneBad
	case number.ReleaseBegun:
		return "Being taken back", ui.IconClock, ui.ToneInfo
	case number.Freed:
		return "Taken back, seen free in the tenant", ui.IconCheck, ui.ToneGood
	case number.Kept:
		return "Not taken back", ui.IconCross, ui.ToneBad
	case number.FoundForeign:
		return "Found on somebody who was not given it here", ui.IconUnlink, ui.ToneWarn
	case number.ForeignGone:
		return "No longer held in the tenant", ui.IconCheck, ui.ToneNeutral
	case number.PassedOn:
		return "Passed on in the tenant", ui.IconUnlink, ui.ToneWarn
	case number.TakenElsewhere:
		return "Taken in the tenant, not from here", ui.IconWarning, ui.ToneWarn
	case number.Released:
		return "Released", ui.IconMinus, ui.ToneNeutral
	case number.QuarantineEnded:
		return "Rested long enough", ui.IconCheck, ui.ToneNeutral
	case number.Removed:
		return "Removed from the inventory", ui.IconCross, ui.ToneNeutral
	case number.Changed:
		return "Changed", ui.IconSettings, ui.ToneNeutral
	case number.OutcomeIsUnknown:
		return "Microsoft's answer was lost", ui.IconQuestion, ui.ToneWarn
	case number.AskedAgain:
		return "Asked for again", ui.IconRefresh, ui.ToneInfo
	default:
		return Words(string(e)), ui.IconDot, ui.ToneNeutral
	}
}
