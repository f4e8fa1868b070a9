package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestTheKeyboardAloneSkipsTheNavigation(t *testing.T) {
	s := open(t)
	t.Parallel()
	b := s.as(t, "operator").tab(t)
	b.visit("/customers")
	b.key(kb.Tab)
	b.becomes(`document.activeElement.matches("a.tc-skip")`)
	b.becomes(`document.activeElement.getBoundingClientRect().top >= 0 && document.activeElement.getBoundingClientRect().height >= 24`)
	b.must(strike(enter))
	b.becomes(`document.activeElement.id === "main" || location.hash === "#main"`)
	b.key(kb.Tab)
	b.becomes(`document.activeElement.closest("main") !== null`)
	b.silent()
}

// unseen says why the element with the focus cannot be seen, once the window has scrolled to it: focus visible and not
// obscured (WCAG 2.2, 2.4.7 and 2.4.11). It looks for some seconds: a tab in the background scrolls late. Empty where all is well.
const unseen = `new Promise(done => { let tries = 0; (function look() {
  const e = document.activeElement, r = (e.labels?.[0] ?? e).getBoundingClientRect();
  if (e === document.body) return done("");
  const x = Math.max(r.left + 1, Math.min(r.left + r.width / 2, innerWidth - 2)), y = r.top + Math.min(r.height / 2, 20), top = document.elementFromPoint(x, y);
  const s = getComputedStyle(e), covered = !top || !(e.contains(top) || top.contains(e) || e.labels?.[0]?.contains(top));
  const plain = s.outlineStyle === "none" && s.boxShadow === "none";
  if ((covered || plain) && tries++ < 240) return requestAnimationFrame(look);
  const name = e.tagName + " " + (e.id || e.getAttribute("aria-label") || e.innerText).slice(0, 40);
  done(covered ? name + " is covered by " + (top ? top.tagName + "." + top.className : "the edge at " + Math.round(y)) : plain ? name + " shows no focus" : "");
})() })`

func TestEverythingThatHasTheFocusIsSeen(t *testing.T) {
	s := open(t)
	// Not in parallel: Chromium scrolls to the focus only in the tab in front.
	w := s.world(t)
	b := s.as(t, "operator").tab(t)
	for _, path := range []string{"/", "/numbers", "/customers/" + w.wingtip + "/users", "/customers/new"} {
		b.visit(path)
		for range 40 {
			b.key(kb.Tab)
			if why := eval[string](b, unseen); why != "" {
				t.Errorf("%s: %s", path, why)
			}
		}
	}
	b.silent()
}

func TestTheMenuOfANarrowScreenWorksByKeyboard(t *testing.T) {
	s := open(t)
	t.Parallel()
	b := s.as(t, "operator").tab(t)
	b.wide(390)
	b.visit("/")
	const menu = `summary[aria-label="Menu"]`
	b.must(chromedp.Focus(chromedp.CSS(menu)))
	b.must(strike(enter))
	b.becomes(`getComputedStyle(document.querySelector('` + menu + `').parentElement, "::details-content").opacity === "1"`) // it unfolds
	for range 2 {
		b.key(kb.Tab)
		b.becomes(`document.activeElement.closest("details[open]") !== null && document.activeElement.matches("a")`)
	}
	b.sound("the open menu", true)
	b.key(kb.Escape)
	b.becomes(`!document.querySelector('` + menu + `').parentElement.open && document.activeElement.matches('` + menu + `')`)
	b.must(strike(enter))
	b.press("Numbers")
	if at := b.path(); at != "/numbers" {
		t.Errorf("the menu leads to %s", at)
	}
	b.silent()
}

func TestThePaletteOpensByKeyAndGivesTheFocusBack(t *testing.T) {
	s := open(t)
	t.Parallel()
	b := s.as(t, "operator").tab(t)
	b.visit("/customers")
	const inside = `document.querySelector("#palette").open && document.activeElement.id === "palette-input"`
	for name, open := range map[string]func(){
		"/":      func() { b.must(strike(slash)) },
		"Ctrl-K": func() { b.key("k", chromedp.ModifierCtrl) },
	} {
		b.must(chromedp.Focus(chromedp.CSS(`main a[href="/customers/new"]`)))
		open()
		b.becomes(inside)
		b.sound("the palette opened by "+name, true)
		b.key(kb.Escape)
		b.becomes(`!document.querySelector("#palette").open && document.activeElement.matches('main a[href="/customers/new"]')`)
	}
	b.must(strike(slash))
	b.becomes(inside)
	b.key("wing")
	b.becomes(`[...document.querySelectorAll("#palette-results [role=option]")].some(o => o.innerText.includes("Wingtip Toys"))`)
	b.sound("the palette with results", true)
	b.rest()
	b.key(kb.ArrowDown)
	b.becomes(`document.querySelector("#palette-results [aria-selected=true]") !== null`)
	b.arrive(strike(enter))
	b.says("Wingtip Toys")
	b.silent()
}

func TestASlashThatIsTypedIsASlash(t *testing.T) {
	s := open(t)
	t.Parallel()
	b := s.as(t, "operator").tab(t)
	b.visit("/customers/new")
	b.labelled("Name", "c.focus()")
	b.key("a")
	b.must(strike(slash))
	b.key("b")
	b.becomes(`document.activeElement.value === "a/b" && !document.querySelector("#palette").open`)
	b.silent()
}

func TestADialogGivesTheFocusBack(t *testing.T) {
	s := open(t)
	t.Parallel()
	w := s.world(t)
	b := s.as(t, "operator").tab(t)
	b.visit("/operations/" + w.brake)
	b.tap("Cancel")
	b.becomes(`document.querySelector("dialog[open]") !== null`)
	b.sound("the question", true)
	b.key(kb.Escape)
	b.becomes(`!document.querySelector("dialog[open]") && document.activeElement.innerText.trim() === "Cancel"`)
	b.silent()
}
