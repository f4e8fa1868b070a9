package ui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PaletteResult is one line of the command palette.
type PaletteResult struct {
	Icon Icon
	Text string
	Note string // what kind of thing: "Customer of Contoso Voice"
	Href string
}

// navResults offers the sections before anything is typed.
func navResults(p Page) []PaletteResult {
	items := p.navItems()
	out := make([]PaletteResult, 0, len(items))
	for _, n := range items {
		out = append(out, PaletteResult{Icon: n.Icon, Text: n.Text, Note: "Page", Href: n.Href})
	}
	return out
}

// htmxConfig is the content of <meta name="htmx-config">: no injected style,
// and only the extensions named here may register. With a nonce in the
// context the CSP extension gates every hx attribute behind it (htmx 4,
// hx-csp); without one that extension would refuse everything, so it is left out.
func htmxConfig(nonce string) string {
	ext := "sse"
	if nonce != "" {
		ext = "hx-csp, sse"
	}
	return fmt.Sprintf(`{"includeIndicatorCSS":false,"extensions":%q,"mode":"same-origin","history":true,"noSwap":[204,304]}`, ext)
}

// scripts answers the script files of a page in their order: extensions
// register with htmx, so it comes first.
func scripts(nonce string) []string {
	if nonce == "" {
		return []string{"htmx.min.js", "hx-sse.min.js", "app.js"}
	}
	return []string{"htmx.min.js", "hx-csp.min.js", "hx-sse.min.js", "app.js"}
}

type themeChoice struct {
	theme Theme
	text  string
	icon  Icon
}

func themes() []themeChoice {
	return []themeChoice{
		{ThemeLight, "Light", IconSun},
		{ThemeDark, "Dark", IconMoon},
		{ThemeSystem, "As the system", IconScreen},
	}
}

func themeIcon(t Theme) Icon {
	for _, c := range themes() {
		if c.theme == ParseTheme(string(t)) {
			return c.icon
		}
	}
	return IconScreen
}

// initials answers up to two capital letters of a name.
func initials(name string) string {
	var b strings.Builder
	for i, w := range strings.Fields(name) {
		if i == 2 {
			break
		}
		r, _ := utf8.DecodeRuneInString(w)
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// runningWords says what the number of running work counts.
func runningWords(n int) string {
	if n == 1 {
		return "operation running"
	}
	return "operations running"
}

// tone answers the tone of a message: a toast is good news.
func (t Toast) tone() Tone {
	if t.Tone == "" {
		return ToneGood
	}
	return t.Tone
}
