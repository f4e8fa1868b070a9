package operations_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"tcap.cloud/internal/door/portal/assets"
	"tcap.cloud/internal/door/portal/operations"
	"tcap.cloud/internal/door/portal/portaltest"
	"tcap.cloud/internal/engine/operation"
)

// browser starts Chromium. Without one the test is skipped, and says so; TCAP_BROWSER=require turns the skip into a failure.
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
		chromedp.Flag("disable-background-networking", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stop)
	ctx, stopTimer := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(stopTimer)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	return ctx
}

func TestInABrowserTheOpenPageShowsTheEndByItself(t *testing.T) {
	ctx := browser(t)
	w := portaltest.New(t, operations.Register)
	id := w.Start("test-wait", "Work that waits")
	w.Until(id, operation.Waiting)
	agent := w.Agent()
	static := assets.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, assets.Prefix) {
			static.ServeHTTP(rw, r)
			return
		}
		w.Frame.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	var mu sync.Mutex
	var complaints []string
	err := chromedp.Listen(ctx, func(ev any) {
		if e, ok := ev.(*log.EventEntryAdded); ok && e.Entry.Level == log.EntryLevelError {
			mu.Lock()
			defer mu.Unlock()
			complaints = append(complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "tcap", Value: agent.Token(), URL: server.URL}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/operations/"+id), chromedp.WaitVisible("#live")); err != nil {
		t.Fatal(err)
	}
	agent.Post("/operations/"+id+"/cancel").LeadsTo(t, "/operations/")
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise(done => { const end = performance.now() + 25000;
	  const look = () => document.querySelector('#live h1 + [data-state=cancelled]') ? done(true) : performance.now() > end ? done(false) : requestAnimationFrame(look); look() })`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if !seen {
		t.Error("the page did not show that the operation ended")
	}
	mu.Lock()
	defer mu.Unlock()
	for _, c := range complaints {
		if !strings.Contains(c, "favicon") {
			t.Errorf("the browser complains: %s", c)
		}
	}
}
