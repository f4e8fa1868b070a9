package ui_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser starts Chromium. Without one the test is skipped, and says so;
// TCAP_BROWSER=require turns the skip into a failure, as CI does.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("TCAP_BROWSER") == "require" {
			t.Fatal("TCAP_BROWSER=require, and there is no chromium")
		}
		t.Skip("SKIPPED: no chromium; nothing was looked at in a browser")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("hide-scrollbars", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stop)
	ctx, stopTimer := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(stopTimer)
	ctx, close := chromedp.NewContext(ctx)
	t.Cleanup(close)
	return ctx
}

// complaints collects what the browser complains of: errors of scripts, and
// whatever the Content-Security-Policy refused.
func complaints(t *testing.T, ctx context.Context) func() []string {
	t.Helper()
	var mu sync.Mutex
	var all []string
	note := func(s string) { mu.Lock(); defer mu.Unlock(); all = append(all, s) }
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *log.EventEntryAdded:
			if ev.Entry.Level == log.EntryLevelError {
				note(ev.Entry.Text + " " + ev.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			note(ev.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			if ev.Type == "error" {
				note(fmt.Sprintf("console.error %s", ev.Args[0].Value))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() []string { mu.Lock(); defer mu.Unlock(); return all }
}

// visit opens a page in a window of the given width.
func visit(t *testing.T, ctx context.Context, url string, width int64) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

// becomes waits, frame by frame and at most two seconds, until js is true: the
// browser acts on a key after it has answered that the key was pressed.
func becomes(t *testing.T, ctx context.Context, js string) bool {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise(done => { const end = performance.now() + 2000;
	  const look = () => (`+js+`) ? done(true) : performance.now() > end ? done(false) : requestAnimationFrame(look); look() })`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

// wide names what sticks out of the page, or what a finger cannot hit.
const (
	wide = `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 &&
	  !e.closest(".tc-table-box, .tc-tabs, pre, .tc-sr, dialog, .tc-search") && getComputedStyle(e).visibility !== "hidden").map(e => e.tagName + "." + e.className).slice(0, 5).join(" ")`
	small = `[...document.querySelectorAll("button, summary, select, input:not([type=hidden]), .btn, .tc-nav a, .tc-chip, .tc-tabs a, .tc-sort, .tc-scope a")].filter(e => {
	  const r = (e.closest("label") ?? e).getBoundingClientRect(); return r.width > 0 && (r.width < 24 || r.height < 24) }).map(e => e.tagName + "." + e.className + "=" + e.getBoundingClientRect().height).slice(0, 5).join(" ")`
)

func TestInABrowserThePageFitsAndTheBrowserHasNoComplaint(t *testing.T) {
	ctx := browser(t)
	server := httptest.NewServer(gallery())
	t.Cleanup(server.Close)
	heard := complaints(t, ctx)
	for _, width := range []int64{360, 390, 768, 1280, 3840} {
		for _, path := range []string{"/?theme=light", "/?theme=dark", "/bare?theme=light", "/bare?theme=dark", "/nonce?theme=light"} {
			visit(t, ctx, server.URL+path, width)
			if over := eval[int](t, ctx, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
				t.Errorf("%s at %d px sticks out by %d px: %s", path, width, over, eval[string](t, ctx, wide))
			}
			if out := eval[string](t, ctx, small); out != "" {
				t.Errorf("%s at %d px has targets below 24 px: %s", path, width, out)
			}
			keep(t, ctx, strings.NewReplacer("/", "", "?theme=", "-").Replace(path), width)
			axe(t, ctx, fmt.Sprintf("%s at %d px", path, width))
		}
	}
	for _, c := range heard() {
		t.Errorf("the browser complains: %s", c)
	}
}

// keep writes a screenshot for a person to look at, into TCAP_SCREENSHOTS.
func keep(t *testing.T, ctx context.Context, name string, width int64) {
	t.Helper()
	dir := os.Getenv("TCAP_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("ui%s-%d.png", name, width)), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// axe runs axe-core when TCAP_AXE names its file; the portal's own tests do
// so for every page, this is for work on the components.
func axe(t *testing.T, ctx context.Context, where string) {
	t.Helper()
	file := os.Getenv("TCAP_AXE")
	if file == "" {
		return
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](string(source))); err != nil {
		t.Fatal(err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		`axe.run({runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]}).then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160) + " " + n.failureSummary.slice(0, 200)).slice(0, 3).join(" | ")).join("\n"))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if found != "" {
		t.Errorf("%s: %s", where, found)
	}
}

func TestInABrowserTheKeyboardReachesThePaletteAndComesBack(t *testing.T) {
	ctx := browser(t)
	server := httptest.NewServer(gallery())
	t.Cleanup(server.Close)
	visit(t, ctx, server.URL+"/?theme=light", 1280)
	press := func(key string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.KeyEvent(key)); err != nil {
			t.Fatal(err)
		}
	}
	eval[chromedp.Void](t, ctx, `document.querySelector(".tc-searchbtn").focus()`)
	press("/")
	if !eval[bool](t, ctx, `document.getElementById("palette").open && document.activeElement.id === "palette-input"`) {
		t.Fatal("/ does not open the palette with the cursor in it")
	}
	press(kb.ArrowDown)
	if got := eval[string](t, ctx, `document.querySelector("#palette-results [aria-selected=true]")?.textContent.trim() ?? ""`); !strings.HasPrefix(got, "Home") {
		t.Errorf("arrow down chooses %q", got)
	}
	keep(t, ctx, "palette", 1280)
	press(kb.Escape)
	if !becomes(t, ctx, `!document.getElementById("palette").open && document.activeElement.classList.contains("tc-searchbtn")`) {
		t.Errorf("Escape does not give the focus back to where it was: %s", eval[string](t, ctx, `document.getElementById("palette").open + " " + document.activeElement.outerHTML.slice(0, 99)`))
	}
}

func TestInABrowserThePaletteAsksTheServerWithAndWithoutANonce(t *testing.T) {
	ctx := browser(t)
	server := httptest.NewServer(gallery())
	t.Cleanup(server.Close)
	heard := complaints(t, ctx)
	for _, path := range []string{"/?theme=light", "/nonce?theme=light"} {
		visit(t, ctx, server.URL+path, 1280)
		eval[chromedp.Void](t, ctx, `document.querySelector("[data-palette]").click()`)
		if err := chromedp.Do(ctx, chromedp.KeyEvent("win")); err != nil {
			t.Fatal(err)
		}
		if !becomes(t, ctx, `document.querySelector("#palette-results").textContent.includes("Wingtip Toys")`) {
			t.Errorf("%s: the palette shows %q", path, eval[string](t, ctx, `document.querySelector("#palette-results").textContent`))
		}
	}
	for _, c := range heard() {
		t.Errorf("the browser complains: %s", c)
	}
}

func TestInABrowserTheThemeChangesAtOnceAndIsRemembered(t *testing.T) {
	ctx := browser(t)
	server := httptest.NewServer(gallery())
	t.Cleanup(server.Close)
	visit(t, ctx, server.URL+"/?theme=light", 1280)
	eval[chromedp.Void](t, ctx, `document.querySelector("[data-theme-form] button[value=dark]").click()`)
	if !eval[bool](t, ctx, `document.documentElement.dataset.theme === "dark" && document.cookie.includes("theme=dark") && getComputedStyle(document.documentElement).colorScheme === "dark"`) {
		t.Error("the dark theme is not drawn or not remembered")
	}
}

func TestInABrowserAConfirmationWaitsForTheName(t *testing.T) {
	ctx := browser(t)
	server := httptest.NewServer(gallery())
	t.Cleanup(server.Close)
	visit(t, ctx, server.URL+"/?theme=light", 1280)
	eval[chromedp.Void](t, ctx, `document.querySelector("[data-opens=disconnect]").click()`)
	const state = `JSON.stringify([document.getElementById("disconnect").open, document.querySelector("#disconnect [data-variant=destructive]").disabled])`
	if got := eval[string](t, ctx, state); got != "[true,true]" {
		t.Fatalf("open and disabled are %s", got)
	}
	keep(t, ctx, "confirm", 1280)
	eval[chromedp.Void](t, ctx, `(() => { const i = document.getElementById("disconnect-name"); i.value = "Wingtip Toys"; i.dispatchEvent(new Event("input", {bubbles: true})) })()`)
	if got := eval[string](t, ctx, state); got != "[true,false]" {
		t.Fatalf("after the name, open and disabled are %s", got)
	}
}
