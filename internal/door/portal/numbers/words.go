package numbers

import (
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/portal/ui"
)

func statePointer(n number.Number) *ui.State {
	s := state(n)
	return &s
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func releaseWord(v view) string {
	if v.customer.ID == "" {
		return "Remove"
	}
	return "Release"
}

func codeOf(o number.Outcome) string {
	if o.Error == nil {
		return ""
	}
	return o.Error.Code
}

func detailOf(o number.Outcome) string {
	if o.Error == nil {
		return ""
	}
	return o.Error.Detail
}

func firstService(v importView) string {
	if len(v.services) == 0 {
		return "…"
	}
	return v.services[0].ID
}
