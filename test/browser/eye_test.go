package browser

import (
	_ "embed"
	"fmt"
	"strings"
)

// axe is axe-core 4.14.1 (Deque Systems, MPL-2.0; testdata/README.md). It is part of these tests only.
//
//go:embed testdata/axe.min.js
var axe string

// The rules that a page is held to: WCAG 2.2 to level AA, and good practice.
const runAxe = `axe.run(document, {runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}, resultTypes: ["violations", "incomplete"], preload: false})
	.then(r => ({violations: r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + " (" + v.impact + ") " + n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " ") + " — " + n.html.slice(0, 200))),
	  incomplete: r.incomplete.map(i => i.id + "×" + i.nodes.length)}))`

// findings of axe-core on one page. Incomplete is what it leaves to people; it is told, not judged.
type findings struct {
	Violations []string `json:"violations"`
	Incomplete []string `json:"incomplete"`
}

// accessible answers what axe-core finds. The policy of the page does not keep the debugger's own scripts out.
func (b *tab) accessible() findings {
	b.t.Helper()
	if !eval[bool](b, `typeof window.axe === "object"`) {
		eval[bool](b, axe+"; true")
	}
	return eval[findings](b, runAxe)
}

// sticksOut names what makes the page wider than the window; empty where nothing does.
func (b *tab) sticksOut() string {
	b.t.Helper()
	return eval[string](b, `(() => { const wide = document.scrollingElement.scrollWidth; if (wide <= innerWidth) return "";
	  const names = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
	    .map(e => e.tagName.toLowerCase() + "." + e.className + " to " + Math.round(e.getBoundingClientRect().right));
	  return wide + " px in " + innerWidth + ": " + names.slice(0, 5).join(", ") })()`)
}

// faults is all that is wrong with the page as it stands, in the window as wide as it is.
func (b *tab) faults(alsoAxe bool) []string {
	b.t.Helper()
	var out []string
	if wide := b.sticksOut(); wide != "" {
		out = append(out, "sticks out: "+wide)
	}
	if alsoAxe {
		for _, v := range b.accessible().Violations {
			out = append(out, "axe: "+v)
		}
	}
	return append(out, b.take()...)
}

// sound fails the test where the page is not, and says at which width.
func (b *tab) sound(what string, alsoAxe bool) {
	b.t.Helper()
	if found := b.faults(alsoAxe); len(found) > 0 {
		b.t.Errorf("%s at %s:\n  %s", what, b.path(), strings.Join(found, "\n  "))
	}
}

func px(width int64) string { return fmt.Sprintf("%d px", width) }
