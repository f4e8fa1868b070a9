package portaltest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
)

// Browser is somebody who is signed in, without JavaScript.
type Browser struct {
	t     testing.TB
	world *World
	token string
}

// Answer is what a page answered.
type Answer struct {
	Status   int
	Body     string
	Location string
	Header   http.Header
}

// As signs somebody in: a scope and a role.
func (w *World) As(scope access.Scope, role access.Role) *Browser {
	w.t.Helper()
	ctx := context.Background()
	w.people++
	email := strconv.Itoa(w.people) + "-" + string(role) + "@people.example"
	m, err := w.Org.CreateMember(ctx, w.Root, org.NewMember{Email: email, Name: "Robin " + string(role), Scope: scope, Role: role})
	w.must(err)
	token, err := w.Org.NewSession(ctx, m.Actor(), time.Hour)
	w.must(err)
	return &Browser{w.t, w, token}
}

// Operator is the operator's engineer.
func (w *World) Operator() *Browser { return w.As(access.Scope{Level: access.Operator}, access.Admin) }

// Agent is the agent of Wingtip's partner.
func (w *World) Agent() *Browser {
	return w.As(access.Scope{Level: access.Partner, PartnerID: w.Wingtip.PartnerID}, access.Agent)
}

// Viewer is somebody at Wingtip Toys who may only look.
func (w *World) Viewer() *Browser {
	return w.As(access.Scope{Level: access.Customer, CustomerID: w.Wingtip.ID}, access.Viewer)
}

// Stranger is the agent of the other partner.
func (w *World) Stranger() *Browser {
	return w.As(access.Scope{Level: access.Partner, PartnerID: w.Tailspin.PartnerID}, access.Agent)
}

// Get opens an address.
func (b *Browser) Get(path string) Answer {
	b.t.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, path, nil))
}

// Post sends a form: pairs of name and value.
func (b *Browser) Post(path string, pairs ...string) Answer {
	b.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return b.Send(path, "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
}

// Send posts a body of any type.
func (b *Browser) Send(path, contentType string, body io.Reader) Answer {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, body)
	r.Header.Set("Content-Type", contentType)
	return b.do(r)
}

func (b *Browser) do(r *http.Request) Answer {
	b.t.Helper()
	r.AddCookie(&http.Cookie{Name: "tcap", Value: b.token})
	w := httptest.NewRecorder()
	b.world.Frame.ServeHTTP(w, r)
	a := Answer{Status: w.Code, Body: w.Body.String(), Location: w.Header().Get("Location"), Header: w.Header()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		b.check(r.URL.Path, a.Body)
	}
	return a
}

// inline is what the Content-Security-Policy would refuse: handlers, styles and scripts within the page.
var inline = regexp.MustCompile(`(?i)<[a-z][^>]*\s(on[a-z]+|style)\s*=|<style|<script(?:\s+(?:defer|nonce="[^"]*"))*\s*>|javascript:`)

func (b *Browser) check(path, body string) {
	b.t.Helper()
	if found := inline.FindString(body); found != "" {
		b.t.Errorf("%s holds what its own policy forbids: %s", path, found)
	}
}

// Has fails the test where the page does not say one of the texts, or has another status.
func (a Answer) Has(t testing.TB, status int, texts ...string) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, not %d:\n%s", a.Status, status, a.Body)
	}
	for _, text := range texts {
		if !strings.Contains(a.Body, text) {
			t.Errorf("the page does not say %q:\n%s", text, a.Body)
		}
	}
}

// Lacks fails the test where the page says one of the texts.
func (a Answer) Lacks(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.Body, text) {
			t.Errorf("the page says %q:\n%s", text, a.Body)
		}
	}
}

// LeadsTo fails the test where the answer is not a redirect to an address that begins so; it answers the rest.
func (a Answer) LeadsTo(t testing.TB, prefix string) string {
	t.Helper()
	rest, ok := strings.CutPrefix(a.Location, prefix)
	if a.Status != http.StatusSeeOther || !ok {
		t.Fatalf("status %d, leads to %q, not to %q:\n%s", a.Status, a.Location, prefix, a.Body)
	}
	return rest
}

// Field answers the value of a hidden field of the page.
func (a Answer) Field(t testing.TB, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + regexp.QuoteMeta(name) + `" value="([^"]*)"`).FindStringSubmatch(a.Body)
	if m == nil {
		t.Fatalf("the page has no field %s:\n%s", name, a.Body)
	}
	return m[1]
}

// Stream opens an address at a real server; the caller closes the body.
func (b *Browser) Stream(t testing.TB, address string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "tcap", Value: b.token})
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// Token is the session's, for a real browser's cookie named tcap.
func (b *Browser) Token() string { return b.token }
