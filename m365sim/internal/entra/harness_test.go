package entra_test

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/entra"
	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

const (
	callback = "https://portal.example/callback"
	secret   = "abc8Q~correct-horse-battery-staple-000001"
	graph    = "https://graph.microsoft.com"
)

// lab is a world with two tenants, a hosted multi-tenant application and a custom one, behind a real TLS server.
type lab struct {
	t        *testing.T
	w        *world.World
	srv      *httptest.Server
	contoso  world.Created
	fabrikam world.Created
	hosted   world.App // multi-tenant, registered at Fabrikam
	custom   world.App // Contoso's own
}

func newLab(t *testing.T) *lab {
	t.Helper()
	w, err := world.New(world.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, w: w}
	login := entra.New(w)
	l.srv = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		call := &world.Call{Service: "login", Base: "https://" + r.Host, Issuer: "https://" + r.Host, Cloud: cloudOf(r)}
		login.ServeHTTP(rw, r.WithContext(world.WithCall(r.Context(), call)))
	}))
	t.Cleanup(func() { l.srv.Close(); _ = w.Close() })
	l.contoso = l.tenant("Contoso", "")
	l.fabrikam = l.tenant("Fabrikam", "")
	l.hosted = l.app("Hosted calling", l.fabrikam.TenantID, true)
	l.custom = l.app("Contoso calling", l.contoso.TenantID, false)
	return l
}

// cloudOf lets a test claim a host of Microsoft's.
func cloudOf(r *http.Request) world.Cloud { return world.Cloud(r.Header.Get("Test-Cloud")) }

func (l *lab) tenant(name string, cloud world.Cloud) world.Created {
	l.t.Helper()
	c, err := l.w.CreateTenant(l.t.Context(), world.NewTenant{Name: name, Cloud: cloud, Users: 3, Seed: 7})
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func (l *lab) app(name, home string, multi bool) world.App {
	l.t.Helper()
	a := world.App{
		AppID: uuid.NewString(), ObjectID: uuid.NewString(), HomeTenant: home, Name: name, MultiTenant: multi, IDTokens: true,
		RedirectURIs: []string{callback}, Delegated: []string{"User.Read", "Directory.AccessAsUser.All"},
		Application: []string{"User.ReadWrite.All", "Domain.ReadWrite.All"},
		Secrets:     []world.Secret{{KeyID: uuid.NewString(), Value: secret, Start: l.w.Now(), End: l.w.Now().AddDate(0, 6, 0)}},
	}
	l.put(a)
	return a
}

func (l *lab) put(a world.App) {
	l.t.Helper()
	if err := l.w.PutApp(l.t.Context(), a); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) update(tenant string, fn func(t *world.Tenant)) {
	l.t.Helper()
	err := l.w.Update(context.Background(), tenant, func(t *world.Tenant) error { fn(t); return nil })
	if err != nil {
		l.t.Fatal(err)
	}
}

// refusal is the token endpoint's answer as a client reads it, be it good or bad.
type refusal struct {
	Status      int `json:"-"`
	Error       string
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Timestamp   string
	Suberror    string
	Claims      string
	Trace       string `json:"trace_id"`
	Correlation string `json:"correlation_id"`
	URI         string `json:"error_uri"`
	Access      string `json:"access_token"`
	ID          string `json:"id_token"`
	Refresh     string `json:"refresh_token"`
	Type        string `json:"token_type"`
	Scope       string
	ExpiresIn   int         `json:"expires_in"`
	header      http.Header `json:"-"`
}

func (l *lab) post(path string, form url.Values, header ...string) refusal {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.srv.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := l.srv.Client().Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	var out refusal
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		l.t.Fatalf("%s: %v", path, err)
	}
	out.Status, out.header = res.StatusCode, res.Header
	return out
}

func (l *lab) token(tenant string, form url.Values, header ...string) refusal {
	l.t.Helper()
	return l.post("/"+tenant+"/oauth2/v2.0/token", form, header...)
}

func credentials(app world.App, more ...string) url.Values {
	v := url.Values{"grant_type": {"client_credentials"}, "client_id": {app.AppID}, "client_secret": {secret}, "scope": {graph + "/.default"}}
	return with(v, more...)
}

// with sets pairs of name and value; an empty value removes the name.
func with(v url.Values, more ...string) url.Values {
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
		if more[i+1] == "" {
			v.Del(more[i])
		}
	}
	return v
}

func (l *lab) refused(got refusal, code int, kind string, status int) {
	l.t.Helper()
	if len(got.Codes) != 1 || got.Codes[0] != code || got.Error != kind || got.Status != status {
		l.t.Fatalf("refused with %v %q %d, want %d %q %d: %s", got.Codes, got.Error, got.Status, code, kind, status, got.Description)
	}
}

func (l *lab) verify(raw, audience string) token.Claims {
	l.t.Helper()
	c, err := token.Verify(l.w, raw, audience)
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

// browser fills in pages as a person would, without JavaScript.
type browser struct {
	l       *lab
	cookies []*http.Cookie
	page    page
}

// page is what the browser shows, or the answer it would carry to the application.
type page struct {
	status           int
	name, code, html string
	url              *url.URL
	header           http.Header
	answer           url.Values // set when the application would be called
	how              string     // query, fragment or form_post
}

func (l *lab) browser() *browser { return &browser{l: l} }

func authorizeURL(tenant string, app world.App, more ...string) string {
	v := url.Values{
		"client_id": {app.AppID}, "response_type": {"code"}, "redirect_uri": {callback}, "state": {"s&t"},
		"scope": {"openid profile offline_access " + graph + "/.default"},
	}
	return "/" + tenant + "/oauth2/v2.0/authorize?" + with(v, more...).Encode()
}

func (b *browser) open(path string) page {
	b.l.t.Helper()
	u, err := url.Parse(path)
	if err != nil {
		b.l.t.Fatal(err)
	}
	return b.do(http.MethodGet, u, nil)
}

func (b *browser) do(method string, u *url.URL, form url.Values) page {
	b.l.t.Helper()
	req, err := http.NewRequestWithContext(b.l.t.Context(), method, b.l.srv.URL+u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.l.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.cookies {
		req.AddCookie(c)
	}
	client := *b.l.srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		b.l.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.l.t.Fatal(err)
	}
	b.cookies = append(b.cookies, res.Cookies()...)
	b.page = b.read(u, res, string(raw))
	return b.page
}

func (b *browser) read(u *url.URL, res *http.Response, body string) page {
	p := page{status: res.StatusCode, html: body, url: u, header: res.Header, name: find(body, `data-page="([^"]*)"`), code: find(body, `data-code="([^"]*)"`)}
	if res.StatusCode == http.StatusFound {
		to, err := url.Parse(res.Header.Get("Location"))
		if err != nil || !strings.HasPrefix(to.String(), callback) {
			b.l.t.Fatalf("redirected to %q", res.Header.Get("Location"))
		}
		p.how, p.answer = "query", to.Query()
		if to.Fragment != "" {
			p.how = "fragment"
			p.answer, _ = url.ParseQuery(to.EscapedFragment())
		}
	}
	if p.name == "reply" {
		if find(body, `action="([^"]*)"`) != callback {
			b.l.t.Fatalf("the answer goes to %q", find(body, `action="([^"]*)"`))
		}
		p.how, p.answer = "form_post", hidden(body)
	}
	return p
}

func find(body, pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(body); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}

func hidden(body string) url.Values {
	v := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		v.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return v
}

// submit sends the page's form with what was typed or pressed.
func (b *browser) submit(typed ...string) page {
	b.l.t.Helper()
	to, err := b.page.url.Parse(find(b.page.html, `<form method="post" action="([^"]*)"`))
	if err != nil || b.page.name != "sign-in" && b.page.name != "consent" {
		b.l.t.Fatalf("no form to send on page %q %s", b.page.name, b.page.html)
	}
	return b.do(http.MethodPost, to, with(hidden(b.page.html), typed...))
}

func (b *browser) signIn(p world.Person) page {
	b.l.t.Helper()
	return b.submit("upn", p.UPN, "password", p.Password)
}

// pair is the whole way: sign in as the person and decide; it returns the application's answer.
func (l *lab) pair(path string, who world.Person, decision string) page {
	l.t.Helper()
	b := l.browser()
	b.open(path)
	p := b.signIn(who)
	if p.name == "consent" {
		p = b.submit("decision", decision)
	}
	return p
}

func stays(t *testing.T, p page, code string) {
	t.Helper()
	if p.name != "error" || p.code != code || p.status != http.StatusBadRequest || p.answer != nil {
		t.Fatalf("page %q code %q status %d answer %v, want an error page with %s", p.name, p.code, p.status, p.answer, code)
	}
}

func tells(t *testing.T, p page, kind, code string) {
	t.Helper()
	if p.answer.Get("error") != kind || !strings.HasPrefix(p.answer.Get("error_description"), "AADSTS"+code+":") {
		t.Fatalf("page %q tells the application %v, want %s %s", p.name, p.answer, kind, code)
	}
}
