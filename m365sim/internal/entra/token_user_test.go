package entra_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcap.cloud/m365sim/internal/world"
)

const verifier = "a-verifier-of-forty-three-characters-or-more-0"

func challenge(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// code pairs Contoso with the hosted application and returns the code.
func (l *lab) code(segment string, more ...string) string {
	l.t.Helper()
	p := l.pair(authorizeURL(segment, l.hosted, more...), l.contoso.GlobalAdmin, "accept")
	if p.answer.Get("code") == "" {
		l.t.Fatalf("no code: page %q %q %v", p.name, p.code, p.answer)
	}
	return p.answer.Get("code")
}

func (l *lab) redemption(code string, more ...string) url.Values {
	v := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {l.hosted.AppID}, "client_secret": {secret}, "code": {code},
		"redirect_uri": {callback},
	}
	return with(v, more...)
}

func TestACodeBecomesTokensOfThePerson(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	code := l.code("organizations", "code_challenge", challenge(verifier), "code_challenge_method", "S256", "nonce", "n-3")
	got := l.token(l.contoso.TenantID, l.redemption(code, "code_verifier", verifier))
	c := l.verify(got.Access, graph)
	if c.AppOnly || c.UPN != l.contoso.GlobalAdmin.UPN || !slices.Contains(c.Scopes, "Directory.AccessAsUser.All") ||
		slices.Contains(c.Scopes, "offline_access") || !slices.Contains(c.RoleIDs, world.RoleGlobalAdministrator) {
		t.Fatalf("claims %+v", c)
	}
	if id := l.verify(got.ID, l.hosted.AppID); id.Nonce != "n-3" || id.CodeHash != "" || id.ObjectID != c.ObjectID {
		t.Fatalf("ID token %+v", id)
	}
	if got.Refresh == "" {
		t.Fatal("no refresh token in spite of offline_access")
	}
}

func TestCodesAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	other := l.app("Another", l.fabrikam.TenantID, true)
	l.pair(authorizeURL("organizations", other), l.contoso.GlobalAdmin, "accept")
	code := l.code("organizations", "code_challenge", challenge(verifier), "code_challenge_method", "S256")
	good := func(more ...string) url.Values { return with(l.redemption(code, "code_verifier", verifier), more...) }
	for name, c := range map[string]struct {
		tenant string
		form   url.Values
		code   int
		kind   string
		status int
	}{
		"none":               {l.contoso.TenantID, good("code", ""), 900144, "invalid_request", 400},
		"invented":           {l.contoso.TenantID, good("code", "1.invented"), 70000, "invalid_grant", 400},
		"at another tenant":  {l.fabrikam.TenantID, good(), 700005, "invalid_grant", 400},
		"at another alias":   {"common", good(), 700005, "invalid_grant", 400},
		"wrong secret":       {l.contoso.TenantID, good("client_secret", "x"), 7000215, "invalid_client", 401},
		"no secret":          {l.contoso.TenantID, good("client_secret", ""), 7000218, "invalid_client", 401},
		"of another client":  {l.contoso.TenantID, good("client_id", other.AppID), 70000, "invalid_grant", 400},
		"other redirect URI": {l.contoso.TenantID, good("redirect_uri", callback+"/x"), 500112, "invalid_grant", 400},
		"no redirect URI":    {l.contoso.TenantID, good("redirect_uri", ""), 500112, "invalid_grant", 400},
		"wrong verifier":     {l.contoso.TenantID, good("code_verifier", verifier+"x"), 501481, "invalid_grant", 400},
		"challenge for it":   {l.contoso.TenantID, good("code_verifier", challenge(verifier)), 501481, "invalid_grant", 400},
		"no verifier":        {l.contoso.TenantID, good("code_verifier", ""), 501481, "invalid_grant", 400},
		"ungranted scope":    {l.contoso.TenantID, good("scope", "Mail.Read"), 65001, "invalid_grant", 400},
	} {
		t.Run(name, func(t *testing.T) {
			sub := *l
			sub.t = t
			sub.refused(sub.token(c.tenant, c.form), c.code, c.kind, c.status)
		})
	}
	l.verify(l.token("organizations", good()).Access, graph) // none of the refusals used it up
	l.refused(l.token(l.contoso.TenantID, good()), 54005, "invalid_grant", 400)
}

func TestOfManyRedemptionsOfOneCodeOneSucceeds(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	code := l.code("organizations")
	answers := make([]refusal, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = l.token(l.contoso.TenantID, l.redemption(code)) })
	}
	all.Wait()
	good := 0
	for _, a := range answers {
		if a.Access != "" {
			good++
			continue
		}
		l.refused(a, 54005, "invalid_grant", 400)
	}
	if good != 1 {
		t.Fatalf("%d redemptions succeeded", good)
	}
}

func TestACodeExpiresAfterTenMinutes(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	code := l.code("organizations")
	l.w.Advance(11 * time.Minute)
	l.refused(l.token(l.contoso.TenantID, l.redemption(code)), 70008, "invalid_grant", 400)
}

func TestAVerifierWithoutChallengeIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.refused(l.token(l.contoso.TenantID, l.redemption(l.code("organizations"), "code_verifier", verifier)), 501481, "invalid_grant", 400)
}

func TestOnlyTheVerifierProvesTheChallenge(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.StringMatching(`[A-Za-z0-9._~-]{43,128}`).Draw(rt, "verifier")
		method := rapid.SampledFrom([]string{"", "plain", "S256"}).Draw(rt, "method")
		asked := v
		if method == "S256" {
			asked = challenge(v)
		}
		wrong := rapid.StringMatching(`[A-Za-z0-9._~-]{43,128}`).Filter(func(s string) bool { return s != v }).Draw(rt, "wrong")
		code := l.code("organizations", "code_challenge", asked, "code_challenge_method", method)
		l.refused(l.token(l.contoso.TenantID, l.redemption(code, "code_verifier", wrong)), 501481, "invalid_grant", 400)
		if got := l.token(l.contoso.TenantID, l.redemption(code, "code_verifier", v)); got.Access == "" {
			rt.Fatalf("refused: %s", got.Description)
		}
	})
}

func (l *lab) renewal(raw string, more ...string) url.Values {
	return with(url.Values{"grant_type": {"refresh_token"}, "client_id": {l.hosted.AppID}, "client_secret": {secret}, "refresh_token": {raw}}, more...)
}

func TestARefreshTokenRenewsItself(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	first := l.token(l.contoso.TenantID, l.redemption(l.code("organizations")))
	l.w.Advance(80 * 24 * time.Hour)
	second := l.token(l.contoso.TenantID, l.renewal(first.Refresh, "scope", "User.Read"))
	if c := l.verify(second.Access, world.GraphAppID); c.UPN != l.contoso.GlobalAdmin.UPN || second.Refresh == "" || second.Refresh == first.Refresh {
		t.Fatalf("got %+v", second)
	}
	l.w.Advance(15 * 24 * time.Hour)
	l.refused(l.token(l.contoso.TenantID, l.renewal(first.Refresh)), 700082, "invalid_grant", 400)
	l.verify(l.token(l.contoso.TenantID, l.renewal(second.Refresh)).Access, world.GraphAppID)
}

func TestRefreshTokensAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	raw := l.token(l.contoso.TenantID, l.redemption(l.code("organizations"))).Refresh
	here := l.contoso.TenantID
	other := l.app("Another", l.fabrikam.TenantID, true)
	l.pair(authorizeURL("organizations", other), l.contoso.GlobalAdmin, "accept")
	l.refused(l.token(here, l.renewal("")), 900144, "invalid_request", 400)
	l.refused(l.token(here, l.renewal("1.invented")), 70000, "invalid_grant", 400)
	l.refused(l.token(l.fabrikam.TenantID, l.renewal(raw)), 700005, "invalid_grant", 400)
	l.refused(l.token(here, l.renewal(raw, "client_id", other.AppID)), 70000, "invalid_grant", 400)
	l.refused(l.token(here, l.renewal(raw, "client_secret", "x")), 7000215, "invalid_client", 401)

	change := func(fn func(u *world.User)) {
		l.update(here, func(tn *world.Tenant) {
			u, _ := tn.UserByName(l.contoso.GlobalAdmin.UPN)
			fn(&u)
			tn.Users.Put(u.ID, u)
		})
	}
	l.update(here, func(tn *world.Tenant) { tn.RequireMFA = true })
	got := l.token(here, l.renewal(raw))
	l.refused(got, 50076, "invalid_grant", 400)
	if got.Suberror != "basic_action" {
		t.Errorf("suberror %q", got.Suberror)
	}
	l.update(here, func(tn *world.Tenant) { tn.RequireMFA = false })
	change(func(u *world.User) { u.AccountEnabled = false })
	l.refused(l.token(here, l.renewal(raw)), 50057, "invalid_grant", 400)
	change(func(u *world.User) { u.AccountEnabled, u.Password = true, "another" })
	l.refused(l.token(here, l.renewal(raw)), 50173, "invalid_grant", 400)
	l.update(here, func(tn *world.Tenant) {
		u, _ := tn.UserByName(l.contoso.GlobalAdmin.UPN)
		tn.Users.Delete(u.ID)
	})
	l.refused(l.token(here, l.renewal(raw)), 50034, "invalid_grant", 400)
}

func TestThePasswordGrantServesAConsentedAppAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	form := func(more ...string) url.Values {
		return with(url.Values{
			"grant_type": {"password"}, "client_id": {l.custom.AppID}, "client_secret": {secret}, "scope": {graph + "/.default"},
			"username": {l.contoso.GlobalAdmin.UPN}, "password": {l.contoso.GlobalAdmin.Password},
		}, more...)
	}
	here := l.contoso.TenantID
	got := l.token(here, form())
	l.refused(got, 65001, "invalid_grant", 400)
	if got.Suberror != "consent_required" {
		t.Errorf("suberror %q", got.Suberror)
	}
	l.pair(authorizeURL(here, l.custom), l.contoso.GlobalAdmin, "accept")
	if c := l.verify(l.token(here, form()).Access, graph); c.UPN != l.contoso.GlobalAdmin.UPN {
		t.Fatalf("claims %+v", c)
	}
	l.refused(l.token(here, form("password", "x")), 50126, "invalid_grant", 400)
	l.refused(l.token(here, form("username", "nobody@"+l.contoso.Domain)), 50034, "invalid_grant", 400)
	l.refused(l.token(here, form("username", l.fabrikam.GlobalAdmin.UPN, "password", l.fabrikam.GlobalAdmin.Password)), 50020, "invalid_grant", 400)
	l.refused(l.token(here, form("username", "")), 900144, "invalid_request", 400)
	l.refused(l.token(here, form("client_secret", "")), 7000218, "invalid_client", 401)
	l.update(here, func(tn *world.Tenant) { tn.RequireMFA = true })
	l.refused(l.token(here, form()), 50076, "invalid_grant", 400)
	l.update(here, func(tn *world.Tenant) {
		tn.RequireMFA = false
		tn.BlockedByConditionalAccess = map[string]bool{l.custom.AppID: true}
	})
	l.refused(l.token(here, form()), 53003, "invalid_grant", 400)
}
