package entra_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/world"
)

func TestRequestsThatStayOnMicrosoftsPage(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	bare := l.app("Without address", l.fabrikam.TenantID, true)
	bare.RedirectURIs = nil
	l.put(bare)
	for name, c := range map[string]struct{ path, code string }{
		"unknown tenant":            {authorizeURL(uuid.NewString(), l.hosted), "90002"},
		"no client":                 {authorizeURL("organizations", l.hosted, "client_id", ""), "900144"},
		"unknown client":            {authorizeURL("organizations", world.App{AppID: uuid.NewString()}), "700016"},
		"another's own application": {authorizeURL(l.fabrikam.TenantID, l.custom), "700016"},
		"another redirect URI":      {authorizeURL("organizations", l.hosted, "redirect_uri", callback+"/"), "50011"},
		"redirect URI by prefix":    {authorizeURL("organizations", l.hosted, "redirect_uri", callback+"?next=x"), "50011"},
		"no redirect URI":           {authorizeURL("organizations", l.hosted, "redirect_uri", ""), "50011"},
		"no address registered":     {authorizeURL("organizations", bare), "500113"},
		"single tenant at common":   {authorizeURL("common", l.custom), "50194"},
		"v2 admin consent, common":  {"/common/v2.0/adminconsent?client_id=" + l.hosted.AppID, "90013"},
		"admin consent elsewhere":   {"/organizations/v2.0/adminconsent?redirect_uri=https://evil.example&client_id=" + l.hosted.AppID, "50011"},
		"admin consent to nowhere":  {"/organizations/adminconsent?client_id=" + l.hosted.AppID, "900144"},
	} {
		t.Run(name, func(t *testing.T) { stays(t, l.browser().open(c.path), c.code) })
	}
}

func TestRequestsThatAreRefusedAtTheReplyAddress(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	closed := l.app("No ID tokens", l.fabrikam.TenantID, true)
	closed.IDTokens = false
	l.put(closed)
	hybrid := []string{"response_type", "code id_token", "response_mode", "form_post", "nonce", "n"}
	add := func(more ...string) []string { return append(slices.Clone(hybrid), more...) }
	for name, c := range map[string]struct {
		app        world.App
		more       []string
		kind, code string
	}{
		"no response type":         {l.hosted, []string{"response_type", ""}, "invalid_request", "900144"},
		"implicit access token":    {l.hosted, []string{"response_type", "token"}, "unsupported_response_type", "700051"},
		"unknown response type":    {l.hosted, []string{"response_type", "code thing"}, "invalid_request", "70007"},
		"unknown response mode":    {l.hosted, []string{"response_mode", "pigeon"}, "invalid_request", "70007"},
		"ID tokens not enabled":    {closed, hybrid, "unsupported_response_type", "700054"},
		"ID token in the query":    {l.hosted, add("response_mode", "query"), "invalid_request", "70007"},
		"ID token without nonce":   {l.hosted, add("nonce", ""), "invalid_request", "900144"},
		"ID token without openid":  {l.hosted, add("scope", "User.Read"), "invalid_scope", "70011"},
		"no scope":                 {l.hosted, []string{"scope", ""}, "invalid_request", "900144"},
		"a malformed scope":        {l.hosted, []string{"scope", "User.Read!"}, "invalid_scope", "70011"},
		"default and more":         {l.hosted, []string{"scope", "User.Read " + world.GraphAppID + "/.default"}, "invalid_scope", "70011"},
		"unknown prompt":           {l.hosted, []string{"prompt", "admin_consent"}, "invalid_request", "90023"},
		"challenge too short":      {l.hosted, []string{"code_challenge", "short", "code_challenge_method", "S256"}, "invalid_grant", "501491"},
		"unknown challenge method": {l.hosted, []string{"code_challenge", strings.Repeat("a", 43), "code_challenge_method", "S512"}, "invalid_grant", "50147"},
		"method without challenge": {l.hosted, []string{"code_challenge_method", "S256"}, "invalid_grant", "50147"},
		"silent, nobody there":     {l.hosted, []string{"prompt", "none"}, "login_required", "50058"},
	} {
		t.Run(name, func(t *testing.T) {
			p := l.browser().open(authorizeURL("organizations", c.app, c.more...))
			tells(t, p, c.kind, c.code)
			if p.answer.Get("state") != "s&t" {
				t.Errorf("state %q", p.answer.Get("state"))
			}
		})
	}
}

func TestSignInRefusals(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.update(l.contoso.TenantID, func(tn *world.Tenant) {
		u, _ := tn.UserByName(l.contoso.User.UPN)
		u.AccountEnabled = false
		tn.Users.Put(u.ID, u)
	})
	for name, c := range map[string]struct {
		who  world.Person
		code string
	}{
		"wrong password":            {world.Person{UPN: l.contoso.GlobalAdmin.UPN, Password: "wrong"}, "50126"},
		"unknown name":              {world.Person{UPN: "nobody@" + l.contoso.Domain, Password: "x"}, "50034"},
		"unknown domain":            {world.Person{UPN: "nobody@nowhere.example", Password: "x"}, "50034"},
		"no domain":                 {world.Person{UPN: "nobody", Password: "x"}, "50034"},
		"disabled":                  {l.contoso.User, "50057"},
		"of another tenant":         {l.fabrikam.GlobalAdmin, "50020"},
		"of another, wrong secret ": {world.Person{UPN: l.fabrikam.GlobalAdmin.UPN, Password: "x"}, "50126"},
	} {
		t.Run(name, func(t *testing.T) {
			b := l.browser()
			b.open(authorizeURL(l.contoso.TenantID, l.custom))
			p := b.signIn(c.who)
			if p.name != "sign-in" || p.code != c.code || p.status != http.StatusOK {
				t.Fatalf("page %q code %q", p.name, p.code)
			}
			if c.who.Password != "x" && strings.Contains(p.html, c.who.Password+`"`) {
				t.Error("the page shows the password")
			}
			if p = b.signIn(l.contoso.GlobalAdmin); p.name != "consent" {
				t.Errorf("a second attempt leads to %q %q", p.name, p.code)
			}
		})
	}
}

func TestTheAnswerComesInTheModeAskedFor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, c := range []struct{ typ, mode, want string }{
		{"code", "", "query"}, {"code", "fragment", "fragment"}, {"code", "form_post", "form_post"},
		{"code id_token", "", "fragment"}, {"code id_token", "form_post", "form_post"}, {"id_token", "form_post", "form_post"},
	} {
		p := l.pair(authorizeURL("organizations", l.hosted, "response_type", c.typ, "response_mode", c.mode, "nonce", "n-1"), l.contoso.GlobalAdmin, "accept")
		if p.how != c.want || p.answer.Get("state") != "s&t" || (p.answer.Get("code") != "") != strings.Contains(c.typ, "code") ||
			(p.answer.Get("id_token") != "") != strings.Contains(c.typ, "id_token") {
			t.Errorf("%+v: %s %v", c, p.how, p.answer)
		}
	}
}

func TestTheIDTokenIsBoundToNonceCodeAndClient(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := l.pair(authorizeURL("organizations", l.hosted, "response_type", "code id_token", "response_mode", "form_post", "nonce", "n-2"), l.contoso.GlobalAdmin, "accept")
	c := l.verify(p.answer.Get("id_token"), l.hosted.AppID)
	if c.Nonce != "n-2" || c.CodeHash == "" || c.Issuer != l.srv.URL+"/"+l.contoso.TenantID+"/v2.0" || c.Tenant != l.contoso.TenantID ||
		c.UPN != l.contoso.GlobalAdmin.UPN || len(c.RoleIDs) > 0 || c.AppID != "" {
		t.Fatalf("claims %+v", c)
	}
}

func TestTheFormPostPageMayPostToTheApplicationAndRunsOnlyItsOwnScript(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := l.pair(authorizeURL("organizations", l.hosted, "response_mode", "form_post"), l.contoso.GlobalAdmin, "accept")
	csp := p.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "form-action 'self' https://portal.example", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, part) {
			t.Errorf("policy lacks %q: %s", part, csp)
		}
	}
	if strings.Contains(csp, "unsafe") || !strings.Contains(p.html, "<noscript>") {
		t.Errorf("policy %s", csp)
	}
	for _, path := range []string{"/login/_static/post.js", "/_static/post.js", "/login/_static/page.css"} {
		res, err := l.srv.Client().Get(l.srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

func TestAPageOfAFlowThatEndedIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	b := l.browser()
	b.open(authorizeURL("organizations", l.hosted))
	consent := b.signIn(l.contoso.GlobalAdmin)
	if p := b.submit("decision", "accept"); p.answer.Get("code") == "" {
		t.Fatalf("page %q", p.name)
	}
	b.page = consent
	stays(t, b.submit("decision", "accept"), "50089")
}

func TestASignedInBrowserNeedNotSignInAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	b := l.browser()
	b.open(authorizeURL("organizations", l.hosted))
	b.signIn(l.contoso.GlobalAdmin)
	b.submit("decision", "accept")
	if p := b.open(authorizeURL("organizations", l.hosted, "prompt", "none")); p.answer.Get("code") == "" {
		t.Fatalf("silent sign-in: %v", p.answer)
	}
	for _, c := range []string{"login", "select_account"} {
		if p := b.open(authorizeURL("organizations", l.hosted, "prompt", c)); p.name != "sign-in" {
			t.Errorf("prompt=%s leads to %q", c, p.name)
		}
	}
	if p := b.open(authorizeURL("organizations", l.hosted, "prompt", "consent")); p.name != "consent" {
		t.Errorf("prompt=consent leads to %q", p.name)
	}
	if p := b.open(authorizeURL(l.fabrikam.TenantID, l.hosted)); p.name != "sign-in" {
		t.Errorf("another tenant leads to %q", p.name)
	}
	tells(t, b.open(authorizeURL("organizations", l.hosted, "prompt", "none", "scope", "Mail.Read")), "consent_required", "65001")
	b.do(http.MethodGet, &url.URL{Path: "/organizations/oauth2/v2.0/logout"}, nil)
	tells(t, b.open(authorizeURL("organizations", l.hosted, "prompt", "none")), "login_required", "50058")
}

func TestADisabledOrBlockedApplicationIsRefusedAfterSignIn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.update(l.contoso.TenantID, func(tn *world.Tenant) { tn.BlockedByConditionalAccess = map[string]bool{"*": true} })
	stays(t, l.pair(authorizeURL("organizations", l.hosted), l.contoso.GlobalAdmin, "accept"), "53003")
	if p := l.pair(authorizeURL(l.contoso.TenantID, l.custom), l.contoso.GlobalAdmin, "accept"); p.answer.Get("code") == "" {
		t.Fatalf("the tenant's own application is kept out: %q %q", p.name, p.code)
	}
	l.hosted.Disabled = true
	l.put(l.hosted)
	stays(t, l.pair(authorizeURL("organizations", l.hosted), l.fabrikam.GlobalAdmin, "accept"), "7000112")
}

// grants lists what was granted to the application in Contoso.
func (l *lab) grants(app world.App) (delegated []world.Grant, roles []string) {
	l.t.Helper()
	err := l.w.View(l.contoso.TenantID, func(tn *world.Tenant) error {
		sp, _ := tn.ServicePrincipalOf(app.AppID)
		for _, g := range tn.Grants.All() {
			if g.ClientID == sp.ID && sp.ID != "" {
				delegated = append(delegated, g)
			}
		}
		for _, a := range tn.AppRoleGrants.All() {
			if a.PrincipalID == sp.ID && sp.ID != "" {
				roles = append(roles, a.Value)
			}
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return delegated, roles
}
