package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"pgregory.net/rapid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/web"
)

var quiet = slog.New(slog.DiscardHandler)

func TestEachKindOfFaultHasItsStatus(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]int{fault.Internal: 500, fault.Invalid: 422, fault.Malformed: 400, fault.Unauthenticated: 401,
		fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409, fault.Stale: 412, fault.TooLarge: 413, fault.Limited: 429, fault.Unavailable: 503} {
		if got := web.StatusOf(kind); got != want {
			t.Errorf("kind %d is %d, want %d", kind, got, want)
		}
	}
}

func TestAProblemSaysWhatAFaultSaysAndNotItsCause(t *testing.T) {
	t.Parallel()
	f := fault.New(fault.Conflict, "held", "Ana holds it.").WithAction("release", "Release", "Release it first.").Because(errors.New("row 7"))
	p := web.Of(fmt.Errorf("assigning: %w", f), "corr")
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"about:blank","title":"Conflict","status":409,"detail":"Ana holds it.","instance":"corr","code":"held",` +
		`"remedy":{"text":"Release it first.","action":"release","label":"Release"}}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

func TestWhatIsNoFaultIsInternalAndKeepsItsTextToItself(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errors.New("password is hunter2"), fault.New(fault.Internal, "x", "password is hunter2")} {
		p := web.Of(err, "corr")
		if p.Status != 500 || p.Code != "internal" || p.Instance != "corr" || strings.Contains(p.Detail, "hunter2") {
			t.Errorf("%+v", p)
		}
	}
}

func TestAChallengeGoesWith401AndRetryAfterIsRoundedUp(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	web.WriteProblem(w, web.Of(fault.New(fault.Unauthenticated, "x", "x"), ""))
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" || w.Header().Get("Content-Type") != web.ProblemType {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	p := &web.Problem{Status: 429, RetryAfter: 1200 * time.Millisecond}
	if got := p.GetHeaders().Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After is %q", got)
	}
}

// store is a session store in memory.
type store map[string]access.Actor

func (s store) NewSession(_ context.Context, a access.Actor, _ time.Duration) (string, error) {
	token := fmt.Sprintf("token-%d", len(s))
	s[token] = a
	return token, nil
}

func (s store) ActorOfSession(_ context.Context, token string) (access.Actor, error) {
	a, ok := s[token]
	if !ok {
		return a, fault.New(fault.Unauthenticated, "no-session", "no")
	}
	return a, nil
}

func (s store) EndSession(_ context.Context, token string) error {
	delete(s, token)
	return nil
}

func TestASessionsCookieIsBoundToTheHostOverTLSAlone(t *testing.T) {
	t.Parallel()
	for tls, name := range map[bool]string{true: "__Host-tcap", false: "tcap"} {
		s := web.Sessions{Store: store{}, TLS: tls, TTL: time.Hour}
		w := httptest.NewRecorder()
		if err := s.Begin(w, httptest.NewRequest("POST", "/sign-in", nil), access.Actor{ID: "ana"}); err != nil {
			t.Fatal(err)
		}
		c := w.Result().Cookies()[0]
		if c.Name != name || !c.HttpOnly || c.Secure != tls || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 3600 {
			t.Errorf("%v: %+v", tls, c)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c)
		if a, err := s.Actor(r); err != nil || a.ID != "ana" {
			t.Errorf("%v %v", a, err)
		}
	}
}

func TestSigningInAgainEndsTheSessionOfBefore(t *testing.T) {
	t.Parallel()
	kept := store{"old": {ID: "ana"}}
	s := web.Sessions{Store: kept, TTL: time.Hour}
	r := httptest.NewRequest("POST", "/sign-in", nil)
	r.AddCookie(&http.Cookie{Name: "tcap", Value: "old"})
	if err := s.Begin(httptest.NewRecorder(), r, access.Actor{ID: "bo"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Actor(r); !fault.Is(err, "no-session") {
		t.Errorf("the old session lives: %v", err)
	}
	w := httptest.NewRecorder()
	if err := s.End(w, r); err != nil || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("signing out leaves the cookie: %v %v", err, w.Result().Cookies())
	}
	if _, err := s.Actor(httptest.NewRequest("GET", "/", nil)); !fault.Is(err, "no-session") {
		t.Errorf("without a cookie: %v", err)
	}
}

func guarded(t *testing.T) http.Handler {
	t.Helper()
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	h, err := web.SameOrigin(ok, http.HandlerFunc(web.CrossOrigin))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAPageOfAnotherSiteMayPostToTheCallbacksAndNowhereElse(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	if len(web.Callbacks()) != 2 {
		t.Errorf("%d paths are exempt", len(web.Callbacks()))
	}
	for path, want := range map[string]int{"/api/v1/mstenantconsent": 204, "/api/v1/msttenantconsent": 204, "/api/v1/mstenantconsent/x": 403,
		"/customers": 403, "/api/v1/customers": 403, "/": 403} {
		for _, name := range []string{"Sec-Fetch-Site", "Origin"} {
			r := httptest.NewRequest("POST", path, nil)
			r.Header.Set(name, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://login.example"}[name])
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("POST %s with %s: %d, want %d", path, name, w.Code, want)
			}
		}
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		r := httptest.NewRequest(method, "/api/v1/mstenantconsent", nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 403 {
			t.Errorf("%s is exempt too: %d", method, w.Code)
		}
	}
}

func TestTheSameOriginAndProgramsMayPost(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	for _, header := range []string{"same-origin", "none", ""} {
		r := httptest.NewRequest("POST", "/customers", nil)
		r.Header.Set("Sec-Fetch-Site", header)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 204 {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
	if _, err := web.SameOrigin(h, h, "not an origin"); err == nil {
		t.Error("a trusted origin that is none is taken")
	}
}

func TestEachPageHasANonceOfItsOwnAndNoUnsafeWord(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	h := web.Policy{FormAction: []string{"https://login.microsoftonline.com"}, HTTPS: true}.Pages(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, templ.GetNonce(r.Context())) }))
	for range 50 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		nonce, csp := w.Body.String(), w.Header().Get("Content-Security-Policy")
		if len(nonce) < 22 || seen[nonce] || !strings.Contains(csp, "script-src 'self' 'nonce-"+nonce+"';") {
			t.Fatalf("nonce %q in %q", nonce, csp)
		}
		seen[nonce] = true
		for _, part := range []string{"default-src 'none'", "style-src 'self';", "form-action 'self' https://login.microsoftonline.com;", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%q lacks %q", csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%q", csp)
		}
		if w.Header().Get("Strict-Transport-Security") == "" || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%v", w.Header())
		}
	}
}

func TestARequestIsLoggedWithoutItsQueryAndBody(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := web.Observe(slog.New(slog.NewTextHandler(&log, nil)), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if web.Correlation(r.Context()) != w.Header().Get("X-Correlation-Id") {
			t.Error("the context has another correlation ID than the answer")
		}
		_, _ = io.Copy(w, r.Body)
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/customers?code=secret1", strings.NewReader("secret2")))
	if text := log.String(); strings.Contains(text, "secret") || !strings.Contains(text, "path=/customers status=200 bytes=7") ||
		!strings.Contains(text, w.Header().Get("X-Correlation-Id")) {
		t.Errorf("%s", text)
	}
}

func TestAPanicAnswersUnlessSomethingWasAnswered(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	web.Observe(quiet, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("out of cards") })).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "cards") || !strings.Contains(w.Body.String(), w.Header().Get("X-Correlation-Id")) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	web.Observe(quiet, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "half"); panic("x") })).
		ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 || w.Body.String() != "half" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("a handler cannot drop the connection")
		}
	}()
	web.Observe(quiet, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

// TestAnEventComesBackAsItWasSent reads a stream as the HTML Standard says a browser does.
func TestAnEventComesBackAsItWasSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[^\r\n]*`), 1, 5).Draw(t, "lines")
		data := strings.TrimRight(strings.Join(lines, "\n"), "\n")
		w := httptest.NewRecorder()
		e, err := web.NewEvents(w)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Send("operation", "7", []byte(data)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.SplitSeq(w.Body.String(), "\n") {
			if text, ok := strings.CutPrefix(line, "data: "); ok {
				got = append(got, text)
			}
		}
		if strings.Join(got, "\n") != data || !strings.HasSuffix(w.Body.String(), "\n\n") {
			t.Fatalf("sent %q, read %q", data, got)
		}
	})
}

func TestAnEventsNameAndIDAreOfOneLine(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	e, err := web.NewEvents(w)
	if err != nil {
		t.Fatal(err)
	}
	if e.Send("a\nb", "", nil) == nil || e.Send("a", "1\r", nil) == nil {
		t.Error("a line break is let through")
	}
	if err := e.Beat(); err != nil || !strings.HasPrefix(w.Body.String(), ":") || !w.Flushed {
		t.Errorf("%v %q", err, w.Body)
	}
}

func TestReadinessNamesWhatFailsAndNotWhy(t *testing.T) {
	t.Parallel()
	good := web.Check{Name: "store", Probe: func(context.Context) error { return nil }}
	bad := web.Check{Name: "migrations", Probe: func(context.Context) error { return errors.New("host db.internal") }}
	w := httptest.NewRecorder()
	web.Readyz(quiet, good, bad).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	if w.Code != 503 || strings.TrimSpace(w.Body.String()) != `{"status":"unavailable","failed":["migrations"]}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, h := range []http.Handler{web.Readyz(quiet, good), http.HandlerFunc(web.Healthz)} {
		w = httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"ok"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestTheCallbacksArePathsAndNothingMore(t *testing.T) {
	t.Parallel()
	for _, path := range web.Callbacks() {
		if u, err := url.Parse(path); err != nil || u.Path != path || !strings.HasPrefix(path, "/api/v1/") {
			t.Errorf("%q", path)
		}
	}
}

func TestMetricsCountByMethodAndStatusAlone(t *testing.T) {
	t.Parallel()
	m := web.NewMetrics()
	h := m.Count(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for _, method := range []string{"GET", "BREW"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, "/customers/secret", nil))
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{`tcap_http_request_duration_seconds_count{method="GET",status="418"} 1`, `{method="other",status="418"} 1`, "go_goroutines"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "BREW") {
		t.Error("the figures name what was asked")
	}
}
