package ui

import (
	"unicode"
	"unicode/utf8"
)

// tone answers the tone to draw: a problem is bad unless it says otherwise.
func (v ProblemView) tone() Tone {
	if v.Tone == "" {
		return ToneBad
	}
	return v.Tone
}

// role is alert for what must be heard at once, status for the rest.
func (v ProblemView) role() string {
	switch v.tone() {
	case ToneBad, ToneWarn:
		return "alert"
	default:
		return "status"
	}
}

// icon answers the icon of a tone.
func (v ProblemView) icon() Icon { return toneIcon(v.tone()) }

// toneIcon answers the icon that goes with a tone where nothing better is known.
func toneIcon(t Tone) Icon {
	switch t {
	case ToneBad:
		return IconStop
	case ToneWarn:
		return IconWarning
	case ToneGood:
		return IconCheck
	default:
		return IconInfo
	}
}

// tone answers the tone of a figure.
func (s Stat) tone() Tone {
	if s.Tone == "" {
		return ToneNeutral
	}
	return s.Tone
}

// lowerFirst writes "Correlation id" as "correlation id" and leaves "SBC" alone.
func lowerFirst(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	second, _ := utf8.DecodeRuneInString(s[n:])
	if n == 0 || unicode.IsUpper(second) {
		return s
	}
	return string(unicode.ToLower(first)) + s[n:]
}

// tone answers the tone of an event.
func (e Event) tone() Tone {
	if e.Tone == "" {
		return ToneNeutral
	}
	return e.Tone
}

// icon answers the icon of an event.
func (e Event) icon() Icon {
	if e.Icon == "" {
		return IconDot
	}
	return e.Icon
}

// orNone writes an empty value so that it can be read.
func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
