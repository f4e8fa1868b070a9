package browser

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long anything in a tab may take; the machine may be busy with other tests.
const patience = 40 * time.Second

// visitor is a person's browser: cookies of its own, any number of tabs.
type visitor struct {
	stage *stage
	ctx   context.Context
}

// tab is one window of a visitor, with all that the browser complained of in it.
type tab struct {
	t     *testing.T
	stage *stage
	ctx   context.Context
	noted *complaints
}

// complaints are what no page may cause.
type complaints struct {
	mu    sync.Mutex
	texts []string
	asked map[network.RequestID]string
}

// policyListener notes what the Content-Security-Policy refused, also before any script of the page has run.
const policyListener = `window.__refused = [];
document.addEventListener("securitypolicyviolation", e => window.__refused.push(e.violatedDirective + " " + e.blockedURI + " " + (e.sourceFile || "") + " " + (e.sample || "")));`

// visitor opens a browser with no cookies.
func (s *stage) visitor(t *testing.T) visitor {
	t.Helper()
	ctx, end := chromedp.NewContext(s.browser, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("opening a browser: %v", err)
	}
	return visitor{s, ctx}
}

// as is a visitor who has come in by the role's button on the sign-in page.
func (s *stage) as(t *testing.T, role string) visitor {
	t.Helper()
	v := s.visitor(t)
	in := v.tab(t)
	in.visit("/sign-in")
	in.press("Come in as " + role)
	if at := in.path(); at != "/" && at != "/customers" && !strings.HasPrefix(at, "/customers/") {
		t.Fatalf("signing in as the %s leads to %s", role, at)
	}
	in.close()
	return v
}

// wears gives the visitor a theme, as the switch does.
func (v visitor) wears(t *testing.T, theme string) {
	t.Helper()
	_, err := chromedp.Call(v.ctx, network.SetCookie, network.SetCookieParams{Name: "theme", Value: theme, URL: v.stage.portal})
	if err != nil {
		t.Fatalf("setting the theme: %v", err)
	}
}

// tab opens an empty window of 1280 × 800.
func (v visitor) tab(t *testing.T) *tab {
	t.Helper()
	c := &complaints{asked: map[network.RequestID]string{}}
	ctx, end := chromedp.NewContext(v.ctx, chromedp.WithListener(c.hear))
	t.Cleanup(end)
	b := &tab{t: t, stage: v.stage, ctx: ctx, noted: c}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800)); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: policyListener}); err != nil {
		t.Fatalf("listening for the policy: %v", err)
	}
	return b
}

// hear runs in the browser's event loop: it must not wait.
func (c *complaints) hear(ev any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ev := ev.(type) {
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError || ev.Entry.Level == log.EntryLevelWarning {
			c.texts = append(c.texts, fmt.Sprintf("log %s: %s %s", ev.Entry.Level, ev.Entry.Text, ev.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		c.texts = append(c.texts, "exception: "+(&chromedp.ExceptionError{ExceptionDetails: ev.ExceptionDetails}).Error())
	case *runtime.EventConsoleAPICalled:
		if kind := string(ev.Type); kind == "error" || kind == "warning" || kind == "assert" {
			c.texts = append(c.texts, "console."+kind+": "+said(ev.Args))
		}
	case *network.EventRequestWillBeSent:
		c.asked[ev.RequestID] = ev.Request.URL
	case *network.EventResponseReceived:
		if ev.Response.Status >= 400 && ev.Type != network.ResourceTypeDocument {
			c.texts = append(c.texts, fmt.Sprintf("%s answered %d", ev.Response.URL, ev.Response.Status))
		}
	case *network.EventLoadingFailed:
		if !ev.Canceled {
			c.texts = append(c.texts, fmt.Sprintf("%s did not load: %s", c.asked[ev.RequestID], ev.ErrorText))
		}
	}
}

func said(args []*runtime.RemoteObject) string {
	var out []string
	for _, a := range args {
		out = append(out, strings.Trim(string(a.Value), `"`))
	}
	return strings.Join(out, " ")
}

// take answers the complaints so far, those of the policy on this page too, and forgets them.
func (b *tab) take() []string {
	b.t.Helper()
	refused := eval[[]string](b, `(window.__refused ?? []).splice(0)`)
	b.noted.mu.Lock()
	defer b.noted.mu.Unlock()
	out := slices.Clone(b.noted.texts)
	b.noted.texts = nil
	for _, r := range refused {
		out = append(out, "refused by the policy: "+r)
	}
	return out
}

// silent fails the test where the browser has complained.
func (b *tab) silent() {
	b.t.Helper()
	for _, c := range b.take() {
		b.t.Errorf("%s: %s", b.path(), c)
	}
}

func (b *tab) close() { _ = chromedp.Cancel(b.ctx) }

// do runs steps within the patience.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

func (b *tab) must(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := b.do(steps...); err != nil {
		b.t.Fatalf("at %s: %v", b.path(), err)
	}
}

// eval runs an expression in the page; a promise is waited for.
func eval[T any](b *tab, js string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.120s: %v", js, err)
	}
	return v
}

// path is where the tab is, with its query.
func (b *tab) path() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(at, b.stage.portal)
}

// visit opens a path of the portal, or a whole address; it answers the status.
func (b *tab) visit(path string) int64 {
	b.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.stage.portal + path
	}
	return b.arrive(chromedp.Navigate(path))
}

// arrive runs a step that leads to a page, waits until that has loaded, and answers its status.
func (b *tab) arrive(step chromedp.Action[chromedp.Void]) int64 {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	res, err := chromedp.RunResponse(ctx, step)
	if err != nil {
		b.t.Fatalf("at %s: %v", b.path(), err)
	}
	b.rest()
	return res.Status
}

// rest waits until the page is laid out and nothing of it is on its way.
func (b *tab) rest() {
	b.t.Helper()
	b.becomes(`document.readyState === "complete" && !document.querySelector(".htmx-request")`)
}

// becomes waits until an expression is true.
func (b *tab) becomes(js string) {
	b.t.Helper()
	b.becomesWithin(js, 15*time.Second)
}

// becomesWithin waits across reloads too: an evaluation that a new page cut off is asked again.
func (b *tab) becomesWithin(js string, limit time.Duration) {
	b.t.Helper()
	err := eventually(b.ctx, limit, func() (bool, string, error) {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+js+")"))
		return ok, told(err), nil
	})
	if err != nil {
		b.t.Fatalf("at %s: %s: %v; the focus is on %s; the page says: %s", b.path(), js, err, eval[string](b, `document.activeElement.outerHTML.slice(0, 150)`), b.words())
	}
}

// told is an error's text, or that there was none.
func told(err error) string {
	if err != nil {
		return err.Error()
	}
	return "not so"
}

// words is what the page says, shortened.
func (b *tab) words() string {
	b.t.Helper()
	return eval[string](b, `(document.querySelector("main") ?? document.body).innerText.replace(/\s+/g, " ").slice(0, 1500)`)
}

// says waits until the page shows a text; any white space stands for any other.
func (b *tab) says(text string) {
	b.t.Helper()
	b.becomes(`document.body.innerText.replace(/\s+/g, " ").includes(` + quoted(text) + `)`)
}

// wide makes the window as wide as this, in CSS pixels.
func (b *tab) wide(width int64) {
	b.t.Helper()
	b.must(chromedp.EmulateViewport(width, 800))
}

// withoutScript turns JavaScript off for the tab. Expressions of the test still run.
func (b *tab) withoutScript() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatalf("turning JavaScript off: %v", err)
	}
}
