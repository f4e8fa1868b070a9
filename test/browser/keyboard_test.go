package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused names the element that has the focus.
const focused = `(e => e.id || e.getAttribute("aria-label") || e.className || e.tagName)(document.activeElement)`

func TestTheKeyboardAloneSkipsTheNavigation(t *testing.T) {
	s := open(t)
	t.Parallel()
	b := s.as(t, "operator").tab(t)
	b.visit("/customers")
	b.key(kb.Tab)
	b.becomes(`document.activeElement.matches("a.tc-skip")`)
	b.becomes(`document.activeElement.getBoundingClientRect().top >= 0 && document.activeElement.getBoundingClientRect().height >= 24`)
	b.key(kb.Enter)
	b.becomes(`document.activeElement.id === "main" || location.hash === "#main"`)
	b.key(kb.Tab)
	b.becomes(`document.activeElement.closest("main") !== null`)
	b.silent()
}

func TestEverythingThatHasTheFocusIsSeen(t *testing.T) {
	s := open(t)
	t.Parallel()
	w := s.world(t)
	b := s.as(t, "operator").tab(t)
	for _, path := range []string{"/", "/numbers", "/customers/" + w.wingtip + "/users", "/customers/new"} {
		b.visit(path)
		for range 45 {
			b.key(kb.Tab)
			// Focus not obscured and focus visible (WCAG 2.2: 2.4.11, 2.4.7): in the window, not under the header that stays, and drawn.
			if got := eval[string](b, `(() => { const e = document.activeElement; if (e === document.body) return "";
			  const r = e.getBoundingClientRect(), x = Math.max(r.left + 1, Math.min(r.left + r.width / 2, innerWidth - 2)), y = r.top + r.height / 2;
			  const top = document.elementFromPoint(x, y), name = e.tagName + " " + (e.id || e.getAttribute("aria-label") || e.innerText).slice(0, 40);
			  if (!top || !(e.contains(top) || top.contains(e) || e.labels?.[0]?.contains(top))) return name + " is covered by " + (top ? top.tagName + "." + top.className : "the edge");
			  const s = getComputedStyle(e); return s.outlineStyle === "none" && s.boxShadow === "none" && !e.matches(":not(:focus-visible)") ? name + " shows no focus" : "" })()`); got != "" {
				t.Errorf("%s: %s", path, got)
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
	b.key(kb.Enter)
	b.becomes(`document.querySelector('` + menu + `').parentElement.open`)
	b.key(kb.Tab + kb.Tab)
	b.becomes(`document.activeElement.closest("details[open]") !== null && document.activeElement.matches("a")`)
	b.sound("the open menu", true)
	b.key(kb.Escape)
	b.becomes(`!document.querySelector('` + menu + `').parentElement.open && document.activeElement.matches('` + menu + `')`)
	b.key(kb.Enter)
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
		"/":      func() { b.key("/") },
		"Ctrl-K": func() { b.key("k", chromedp.ModifierCtrl) },
	} {
		b.must(chromedp.Focus(chromedp.CSS(`main a[href="/customers/new"]`)))
		open()
		b.becomes(inside)
		b.sound("the palette opened by "+name, true)
		b.key(kb.Escape)
		b.becomes(`!document.querySelector("#palette").open && document.activeElement.matches('main a[href="/customers/new"]')`)
	}
	b.key("/")
	b.becomes(inside)
	b.key("wing")
	b.becomes(`[...document.querySelectorAll("#palette-results [role=option]")].some(o => o.innerText.includes("Wingtip Toys"))`)
	b.sound("the palette with results", true)
	b.key(kb.ArrowDown)
	b.becomes(`document.querySelector("#palette-results [aria-selected=true]") !== null`)
	b.arrive(chromedp.KeyEvent(kb.Enter))
	b.says("Wingtip Toys")
	b.silent()
}

func TestASlashThatIsTypedIsASlash(t *testing.T) {
	s := open(t)
	t.Parallel()
	b := s.as(t, "operator").tab(t)
	b.visit("/customers/new")
	b.labelled("Name", "c.focus()")
	b.key("a/b")
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
