package entra_test

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
)

func TestTheAuthorizeAddress(t *testing.T) {
	t.Parallel()
	e := tenant.Endpoints{Authority: "https://login.example", Browser: "https://browser.example"}
	raw := entra.AuthorizeURL(e, entra.AuthorizeRequest{
		Tenant: "organizations", ClientID: appID, RedirectURI: "https://tcap.example/callback?x=1", Scopes: []string{"openid", "https://graph.example/.default"},
		State: "s&t", Nonce: "n", Challenge: "c", Prompt: "consent", LoginHint: "ana@contoso.example",
	})
	u, err := url.Parse(raw)
	if err != nil || u.Host != "browser.example" || u.Path != "/organizations/oauth2/v2.0/authorize" {
		t.Fatal(raw)
	}
	for name, want := range map[string]string{
		"client_id": appID, "redirect_uri": "https://tcap.example/callback?x=1", "response_type": "code", "response_mode": "form_post",
		"scope": "openid https://graph.example/.default", "state": "s&t", "nonce": "n", "code_challenge": "c", "code_challenge_method": "S256",
		"prompt": "consent", "login_hint": "ana@contoso.example",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if bare := entra.AuthorizeURL(e, entra.AuthorizeRequest{Tenant: tid, ResponseType: "code id_token"}); strings.Contains(bare, "prompt") ||
		strings.Contains(bare, "code_challenge") || !strings.Contains(bare, "response_type=code+id_token") {
		t.Error(bare)
	}
}

func TestTheAdminConsentAddress(t *testing.T) {
	t.Parallel()
	raw := entra.AdminConsentURL(tenant.Endpoints{Authority: "https://login.example"}, tid, appID, "https://tcap.example/cb", []string{"a", "b"}, "s")
	if raw != "https://login.example/"+tid+"/v2.0/adminconsent?client_id="+appID+"&redirect_uri=https%3A%2F%2Ftcap.example%2Fcb&scope=a+b&state=s" {
		t.Error(raw)
	}
}

// RFC 7636, appendix B.
func TestPKCE(t *testing.T) {
	t.Parallel()
	if got := entra.Challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Error(got)
	}
	verifier, challenge := entra.NewPKCE()
	other, _ := entra.NewPKCE()
	if entra.Challenge(verifier.Reveal()) != challenge || len(verifier.Reveal()) != 43 || verifier.Reveal() == other.Reveal() {
		t.Error("the pair does not fit")
	}
}

func redeem() entra.RedeemRequest {
	return entra.RedeemRequest{
		Tenant: tid, Credential: withSecret(secret), Code: tenant.NewSecret("the-code"), Verifier: tenant.NewSecret("the-verifier"),
		RedirectURI: "https://tcap.example/callback",
	}
}

func TestACodeIsRedeemed(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	s.answering(func(_ int, w http.ResponseWriter) {
		_, _ = w.Write([]byte(`{"token_type":"Bearer","scope":"User.Read Directory.AccessAsUser.All","expires_in":"3600","access_token":"at","refresh_token":"rt","id_token":"it"}`))
	})
	got, err := c.Redeem(t.Context(), s.endpoints(), redeem())
	if err != nil || got.Token.Value.Reveal() != "at" || got.IDToken.Reveal() != "it" || len(got.Token.Scopes) != 2 || !got.Token.ExpiresAt.Equal(s.time().Add(time.Hour)) {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, want := range map[string]string{
		"grant_type": "authorization_code", "client_id": appID, "client_secret": secret, "code": "the-code", "code_verifier": "the-verifier",
		"redirect_uri": "https://tcap.example/callback",
	} {
		if got := s.form(0).Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestACodeIsRedeemedWithACertificate(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	r, cert := redeem(), newCertificate(t)
	r.Credential = tenant.Credential{AppID: appID, Certificate: cert}
	if _, err := c.Redeem(t.Context(), s.endpoints(), r); err != nil {
		t.Fatal(err)
	}
	if s.form(0).Has("client_secret") || s.form(0).Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		t.Errorf("sent %v", s.form(0))
	}
	claims := jwt.RegisteredClaims{}
	token, err := jwt.ParseWithClaims(s.form(0).Get("client_assertion"), &claims, func(*jwt.Token) (any, error) {
		return cert.Key().(*rsa.PrivateKey).Public(), nil
	}, jwt.WithValidMethods([]string{"PS256"}), jwt.WithTimeFunc(s.time), jwt.WithAudience(s.server.URL+"/login/"+tid+"/oauth2/v2.0/token"))
	if err != nil || claims.Issuer != appID || claims.Subject != appID || claims.ID == "" || token.Header["x5t#S256"] == nil {
		t.Errorf("%v, %+v", err, claims)
	}
}

func TestARefusedCodeIsThePersonsAndNeverTriedTwice(t *testing.T) {
	t.Parallel()
	for code, class := range map[int]tenant.Class{54005: tenant.User, 501481: tenant.User, 53003: tenant.User, 700016: tenant.Config, 7000215: tenant.Config} {
		s, c := newSTS(t)
		s.answering(refusing(400, code, "invalid_grant"))
		_, err := c.Redeem(t.Context(), s.endpoints(), redeem())
		if r := mustRefuse(t, err); r.Class != class || r.Maybe || s.asked() != 1 {
			t.Errorf("%d: %+v", code, r)
		}
	}
}

func TestALostAnswerMayHaveUsedTheCode(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	s.answering(func(_ int, w http.ResponseWriter) {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = conn.Close()
		}
	})
	_, err := c.Redeem(t.Context(), s.endpoints(), redeem())
	if r := mustRefuse(t, err); r.Class != tenant.Network || !r.Maybe || s.asked() != 1 || strings.Contains(err.Error(), "the-code") {
		t.Errorf("%+v after %d requests", r, s.asked())
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.answering(func(_ int, _ http.ResponseWriter) { cancel() })
	if _, err := c.Redeem(ctx, s.endpoints(), redeem()); !errors.Is(err, context.Canceled) && err != nil && tenant.ClassOf(err) == "" {
		t.Error(err)
	}
}

func TestAnUnreadableAnswerSaysNothingOfItself(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	s.answering(func(_ int, w http.ResponseWriter) { _, _ = w.Write([]byte(`{"access_token":"at" oops`)) })
	_, err := c.Redeem(t.Context(), s.endpoints(), redeem())
	if r := mustRefuse(t, err); r.Code != "sign-in-unreadable" || strings.Contains(err.Error(), "oops") {
		t.Error(err)
	}
}

func TestARefusalThroughTheBrowser(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		word, description string
		class             tenant.Class
		code              string
	}{
		{"consent_required", "AADSTS65004: The resource owner denied access.", tenant.User, "consent-declined"},
		{"access_denied", "AADSTS65004: User declined to consent.\r\nTrace ID: x", tenant.User, "consent-declined"},
		{"unsupported_response_type", "AADSTS700054: response_type 'id_token' is not enabled", tenant.Config, "id-token-off"},
		{"access_denied", "no number", tenant.User, "sign-in-denied"},
		{"<script>", "AADSTS99999999999999999999", tenant.Ours, "sign-in-unreadable"},
	} {
		r := entra.RedirectRefusal(c.word, c.description)
		if r == nil || r.Class != c.class || r.Code != c.code || strings.Contains(r.Error()+r.Word, "<") {
			t.Errorf("%s: %+v", c.word, r)
		}
	}
	if entra.RedirectRefusal("", "AADSTS65004") != nil {
		t.Error("no error is no refusal")
	}
	rapid.Check(t, func(t *rapid.T) {
		if r := entra.RedirectRefusal(rapid.StringN(1, -1, -1).Draw(t, "word"), rapid.String().Draw(t, "text")); r == nil || r.Code == "" {
			t.Fatal("no refusal")
		}
	})
}
