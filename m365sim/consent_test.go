package m365sim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const callback = "https://portal.example/callback"

// published is a simulator with the real services, a tenant and an application.
type published struct {
	*running
	tenant, appID, secret string
	admin, user           map[string]any
}

func publish(t *testing.T) published {
	t.Helper()
	r := run(t, Options{}, services)
	c := r.must(201, "POST", "/_sim/tenants", map[string]any{"name": "Contoso", "users": 6, "seed": 4, "licensedShare": 1})
	a := r.must(201, "POST", "/_sim/apps", map[string]any{
		"name": "Fabrikam Voice", "redirectUris": []string{callback}, "delegated": []string{"User.Read"}, "application": []string{"User.ReadWrite.All"},
	})
	return published{r, c["tenantId"].(string), a["appId"].(string), a["secret"].(string), c["globalAdmin"].(map[string]any), c["user"].(map[string]any)}
}

func (p published) adminConsentURL() string {
	return p.url + "/" + p.tenant + "/v2.0/adminconsent?" + url.Values{
		"client_id": {p.appID}, "redirect_uri": {callback}, "state": {"s1"}, "scope": {"https://graph.microsoft.com/.default"},
	}.Encode()
}

func (p published) consent(status int, address string, who map[string]any, decision string) map[string]any {
	p.Helper()
	return p.must(status, "POST", "/_sim/consent", map[string]any{
		"authorizeUrl": address, "upn": who["upn"], "password": who["password"], "decision": decision,
	})
}

func (p published) token() (int, string) {
	p.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {p.appID}, "client_secret": {p.secret}, "scope": {"https://graph.microsoft.com/.default"}}
	q, err := http.NewRequestWithContext(p.Context(), "POST", p.url+"/"+p.tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		p.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.client.Do(q)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	var body struct {
		Token string `json:"access_token"`
	}
	_ = json.Unmarshal(raw, &body)
	if resp.StatusCode != 200 {
		return resp.StatusCode, string(raw)
	}
	return resp.StatusCode, body.Token
}

func (p published) act(status int, action map[string]any) map[string]any {
	p.Helper()
	return p.must(status, "POST", "/_sim/tenants/"+p.tenant+"/actions", action)
}

func TestAnAdministratorConsentsAndTheApplicationReadsUsers(t *testing.T) {
	t.Parallel()
	p := publish(t)
	if status, body := p.token(); status == 200 || !strings.Contains(body, "700016") {
		t.Error("before consent:", status, body)
	}
	got := p.consent(200, p.adminConsentURL(), p.admin, "accept")
	reply, err := url.Parse(got["url"].(string))
	if err != nil || got["method"] != "GET" || !strings.HasPrefix(reply.String(), callback+"?") || reply.Query().Get("state") != "s1" || reply.Query().Get("tenant") != p.tenant {
		t.Fatal(got, err)
	}
	status, token := p.token()
	if status != 200 {
		t.Fatal(status, token)
	}
	users := p.must(200, "GET", "/graph/v1.0/users?$select=id", nil, "Authorization", "Bearer "+token)
	if n := len(users["value"].([]any)); n != 6 {
		t.Errorf("%d users", n)
	}
	var wrote int
	for _, line := range p.journal(p.tenant) {
		if line.Wrote {
			wrote++
		}
		if line.Path == "/graph/v1.0/users" && line.AppID != p.appID {
			t.Errorf("%+v", line)
		}
	}
	if wrote != 0 {
		t.Error("a token or a reading changed something")
	}
}

func TestThePlayedBrowserTellsHowTheConsentEnded(t *testing.T) {
	t.Parallel()
	p := publish(t)
	cancelled := p.consent(200, p.adminConsentURL(), p.admin, "cancel")
	if u := cancelled["url"].(string); !strings.HasPrefix(u, callback) || !strings.Contains(u, "error=") {
		t.Error(cancelled)
	}
	wrong := map[string]any{"upn": p.admin["upn"], "password": "wrong"}
	p.consent(401, p.adminConsentURL(), wrong, "accept")
	p.consent(401, p.adminConsentURL(), map[string]any{"upn": "nobody@contoso.example", "password": "x"}, "accept")
	elsewhere := strings.Replace(p.adminConsentURL(), url.QueryEscape(callback), url.QueryEscape("https://elsewhere.example/"), 1)
	stuck := p.consent(200, elsewhere, p.admin, "accept")
	if stuck["url"] != nil || stuck["page"].(map[string]any)["code"] != "AADSTS50011" {
		t.Error(stuck)
	}
	p.consent(400, p.adminConsentURL(), p.admin, "perhaps")
	p.consent(400, "/relative", p.admin, "accept")
	p.consent(400, p.url+"/"+p.tenant+"/discovery/v2.0/keys", p.admin, "accept")
	p.consent(400, p.adminConsentURL(), p.admin, "accept-for-me") // the page does not offer it
}

func TestAFormPostReplyIsHandedBackAsItsForm(t *testing.T) {
	t.Parallel()
	p := publish(t)
	for decision, field := range map[string]string{"accept": "code", "cancel": "error"} {
		got := p.consent(200, p.url+"/organizations/oauth2/v2.0/authorize?"+url.Values{
			"client_id": {p.appID}, "redirect_uri": {callback}, "state": {"s2"}, "nonce": {"n"}, "response_type": {"code id_token"},
			"response_mode": {"form_post"}, "scope": {"openid profile User.Read"}, "prompt": {"consent"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		}.Encode(), p.admin, decision)
		form, _ := got["form"].(map[string]any)
		if got["method"] != "POST" || got["url"] != callback || form["state"] != "s2" || form[field] == nil {
			t.Errorf("%s: %v", decision, got)
		}
	}
}

func TestWhatAnAdministratorDoesShowsAtTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	p := publish(t)
	p.consent(200, p.adminConsentURL(), p.admin, "accept")
	for _, c := range []struct{ action, app, code, undo string }{
		{"disable-service-principal", "", "7000112", "enable-service-principal"},
		{"delete-service-principal", "", "700016", "restore-service-principal"},
		{"block-by-conditional-access", p.appID, "53003", "lift-conditional-access"}, // a foreign application only by name
		{"expire-secret", "", "7000222", ""},
		{"delete-secret", "", "7000215", ""},
		{"delete-tenant", "", "90002", ""},
	} {
		p.act(200, map[string]any{"action": c.action, "appId": c.app})
		if status, body := p.token(); status == 200 || !strings.Contains(body, c.code) {
			t.Errorf("%s: %d %s", c.action, status, body)
		}
		if c.undo == "" {
			continue
		}
		p.act(200, map[string]any{"action": c.undo})
		if status, body := p.token(); status != 200 {
			t.Errorf("%s: %d %s", c.undo, status, body)
		}
	}
}

func TestPeopleSeeTheSimulator(t *testing.T) {
	t.Parallel()
	p := publish(t)
	p.fault(p.tenant, map[string]any{"kind": "hold", "match": map[string]any{"path": "/<b>"}})
	p.token()
	status, raw, err := p.call("GET", "/_sim/", nil)
	page := string(raw)
	for _, want := range []string{"Contoso", "Fabrikam Voice", "hold", "&lt;b&gt;", "/oauth2/v2.0/token", "delete-service-principal"} {
		if status != 200 || err != nil || !strings.Contains(page, want) {
			t.Errorf("%q is not on the page: %d %v", want, status, err)
		}
	}
	press := func(fields url.Values) (int, string) {
		q, _ := http.NewRequestWithContext(context.Background(), "POST", p.url+"/_sim/page/act", strings.NewReader(fields.Encode()))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := p.client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header.Get("Location") + string(body)
	}
	if status, where := press(url.Values{"tenant": {p.tenant}, "action": {"require-mfa"}}); status != 303 || !strings.Contains(where, "done=require-mfa") || !p.mfa(p.tenant) {
		t.Error(status, where)
	}
	if status, body := press(url.Values{"tenant": {p.tenant}, "action": {"delete-user"}}); status != 422 || !strings.Contains(body, "takes upn") {
		t.Error(status, body)
	}
	if status, _ := press(url.Values{"do": {"advance"}, "advance": {"1h"}}); status != 303 || p.must(200, "GET", "/_sim/clock", nil)["offsetSeconds"] != 3600.0 {
		t.Error("the clock stands still", status)
	}
}
