package frame

import (
	"strings"

	"tcap.cloud/internal/base/e164"
)

// Spell writes each telephone number of a text the way people read it: +61255500017 becomes +61 2 5550 0017, unbroken. Rooms
// and their titles speak E.164, as the API does; pages have this one spelling. What is no number stays as it is.
func Spell(text string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '+')
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		end := at + 1
		for end < len(text) && '0' <= text[end] && text[end] <= '9' {
			end++
		}
		b.WriteString(text[:at])
		b.WriteString(spelled(text[at:end]))
		text = text[end:]
	}
}

// spelled is a number in the international format on one line; a text that is none answers itself.
func spelled(number string) string {
	return strings.ReplaceAll(e164.Number(number).Format(e164.International), " ", "\u00a0")
}
