package browser

import (
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// firstFrames keeps the colours of the page from the first moment at which there is one.
const firstFrames = `window.__seen = []; (function look() { if (document.body) window.__seen.push(document.documentElement.dataset.theme + " " + getComputedStyle(document.body).backgroundColor);
	if (window.__seen.length < 12) requestAnimationFrame(look) })();`

func TestTheThemeIsKeptAndComesWithoutAFlash(t *testing.T) {
	s := open(t)
	t.Parallel()
	b := s.as(t, "operator").tab(t)
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: firstFrames}); err != nil {
		t.Fatal(err)
	}
	b.visit("/customers")
	for _, theme := range []struct{ name, value string }{{"Dark", "dark"}, {"Light", "light"}} {
		b.tap("Theme")
		b.becomes(`document.querySelector("[data-theme-form]").closest("details").open`)
		b.tap(theme.name)
		b.becomes(`document.documentElement.dataset.theme === "` + theme.value + `"`)
		b.visit("/numbers")
		b.becomes(`window.__seen.length >= 12`)
		if seen := eval[[]string](b, `[...new Set(window.__seen)]`); len(seen) != 1 || seen[0][:len(theme.value)] != theme.value {
			t.Errorf("after a change to %s the next page was drawn as %q", theme.name, seen)
		}
	}
	b.silent()
}
