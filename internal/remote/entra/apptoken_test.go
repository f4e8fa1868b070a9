package entra_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
)

func appToken(t *testing.T, c *entra.Client, cred tenant.Credential, fresh bool) (string, error) {
	t.Helper()
	token, err := c.AppToken(t.Context(), ref(), cred, tenant.ResourceGraph, fresh)
	return token.Value.Reveal(), err
}

func TestAnAppTokenIsFetchedOnceAndThenAnsweredFromMemory(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	for range 3 {
		if token, err := appToken(t, c, withSecret(secret), false); err != nil || token != "token-1" {
			t.Fatalf("%s, %v", token, err)
		}
	}
	want := []string{"GET /login/" + tid + "/v2.0/.well-known/openid-configuration", "POST /login/" + tid + "/oauth2/v2.0/token"}
	if !slices.Equal(s.paths, want) || s.agents[1] != "tcap/test" {
		t.Errorf("asked %v as %v", s.paths, s.agents)
	}
	form := s.form(0)
	if form.Get("client_id") != appID || form.Get("client_secret") != secret || form.Get("grant_type") != "client_credentials" ||
		!strings.HasPrefix(form.Get("scope"), "https://graph.example/.default") || !strings.Contains(strings.ToLower(form.Get("claims")), "cp1") {
		t.Errorf("sent %v", form)
	}
}

func TestEachResourceHasItsOwnToken(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	_, _ = appToken(t, c, withSecret(secret), false)
	token, err := c.AppToken(t.Context(), ref(), withSecret(secret), tenant.ResourceTeams, false)
	if err != nil || token.Value.Reveal() != "token-2" || !strings.HasPrefix(s.form(1).Get("scope"), tenant.TeamsAudience+"/.default") {
		t.Errorf("%v, sent %v", err, s.form(1))
	}
	if s.form(1).Has("claims") {
		t.Error("continuous access evaluation was asked of the Teams administration API")
	}
}

func TestAFreshTokenPassesTheCacheAndReplacesWhatIsKept(t *testing.T) {
	t.Parallel()
	_, c := newSTS(t)
	for _, step := range []struct {
		fresh bool
		want  string
	}{{false, "token-1"}, {true, "token-2"}, {false, "token-2"}} {
		if token, err := appToken(t, c, withSecret(secret), step.fresh); err != nil || token != step.want {
			t.Errorf("%s, %v, wanted %s", token, err, step.want)
		}
	}
}

func TestANewSecretReplacesTheOldOnesTokens(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	_, _ = appToken(t, c, withSecret(secret), false)
	if token, err := appToken(t, c, withSecret("new8Q~value"), false); err != nil || token != "token-2" || s.form(1).Get("client_secret") != "new8Q~value" {
		t.Errorf("%s, %v", token, err)
	}
}

func TestClaimsThatAResourceAskedForAreSent(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	_, _ = appToken(t, c, withSecret(secret), false)
	token, err := c.AppTokenFor(t.Context(), ref(), withSecret(secret), tenant.ResourceGraph, `{"access_token":{"nbf":{"essential":true,"value":"17"}}}`)
	if err != nil || token.Value.Reveal() != "token-2" || !strings.Contains(s.form(1).Get("claims"), `"nbf"`) {
		t.Errorf("%v, sent %v", err, s.form(1))
	}
	if token, err := appToken(t, c, withSecret(secret), false); err != nil || token != "token-2" {
		t.Errorf("afterwards %s, %v", token, err)
	}
}

func TestARefusedSignInIsClassifiedByItsNumber(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(int, http.ResponseWriter)
		class  tenant.Class
		code   string
		retry  time.Duration
	}{
		"wrong secret":   {refusing(401, 7000215, "invalid_client"), tenant.Config, "secret-wrong", 0},
		"expired secret": {refusing(401, 7000222, "invalid_client"), tenant.Config, "secret-expired", 0},
		"app disabled":   {refusing(400, 7000112, "unauthorized_client"), tenant.AccessLost, "app-disabled", 0},
		"app gone":       {refusing(400, 700016, "unauthorized_client"), tenant.AccessLost, "app-missing", 0},
		"blocked":        {refusing(400, 53003, "invalid_grant"), tenant.AccessLost, "conditional-access", 0},
		"loop":           {refusing(429, 50196, "invalid_grant", "Retry-After", "60"), tenant.Throttled, "loop-detected", time.Minute},
		"ailing":         {refusing(503, 90033, "temporarily_unavailable"), tenant.Transient, "sign-in-unavailable", 0},
		"a gateway's page": {func(_ int, w http.ResponseWriter) {
			w.WriteHeader(502)
			_, _ = w.Write([]byte("<html>Bad gateway"))
		}, tenant.Transient, "sign-in-unavailable", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client := newSTS(t)
			s.answering(c.answer)
			_, err := appToken(t, client, withSecret(secret), false)
			r := mustRefuse(t, err)
			if r.Class != c.class || r.Code != c.code || r.RetryAfter != c.retry || r.Source != tenant.SourceEntra || s.asked() != 1 {
				t.Errorf("%+v after %d requests", r, s.asked())
			}
			if name == "wrong secret" && (r.RequestID != "t-1" || r.CorrelationID != "c-1" || r.Codes[0] != 7000215 || r.Status != 401) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestAMissingTenantIsToldFromItsMetadata(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	s.meta = func(w http.ResponseWriter, _ *http.Request) { refusing(400, 90002, "invalid_tenant")(0, w) }
	_, err := appToken(t, c, withSecret(secret), false)
	if r := mustRefuse(t, err); r.Class != tenant.AccessLost || r.Code != "tenant-missing" {
		t.Errorf("%+v", r)
	}
}

func TestWithoutAnAnswerItIsTheNetwork(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	s.server.Close()
	_, err := appToken(t, c, withSecret(secret), false)
	if r := mustRefuse(t, err); r.Class != tenant.Network || r.Status != 0 {
		t.Errorf("%+v", r)
	}
	s, c = newSTS(t)
	s.meta = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"issuer":"https://fabrikam.example/v2.0","token_endpoint":"https://fabrikam.example/t","authorization_endpoint":"https://fabrikam.example/a"}`))
	}
	_, err = appToken(t, c, withSecret(secret), false)
	if r := mustRefuse(t, err); r.Class != tenant.Network || s.asked() != 0 {
		t.Errorf("metadata of somebody else: %+v", r)
	}
}

func TestALastingRefusalIsRememberedForAMinuteUnlessFresh(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	s.answering(refusing(400, 7000112, "unauthorized_client"))
	step := func(what string, want int, cred tenant.Credential, fresh bool) {
		t.Helper()
		if _, err := appToken(t, c, cred, fresh); tenant.ClassOf(err) != tenant.AccessLost || s.asked() != want {
			t.Errorf("%s: %v after %d requests, wanted %d", what, err, s.asked(), want)
		}
	}
	step("first", 1, withSecret(secret), false)
	step("remembered", 1, withSecret(secret), false)
	step("fresh", 2, withSecret(secret), true)
	s.later(59 * time.Second)
	step("still remembered", 2, withSecret(secret), false)
	s.later(2 * time.Second)
	step("forgotten", 3, withSecret(secret), false)
	step("another secret", 4, withSecret("new8Q~value"), false)
	s.answering(func(_ int, w http.ResponseWriter) {
		_, _ = w.Write([]byte(`{"token_type":"Bearer","expires_in":3599,"access_token":"back"}`))
	})
	for _, fresh := range []bool{true, false} {
		if token, err := appToken(t, c, withSecret("new8Q~value"), fresh); err != nil || token != "back" {
			t.Errorf("after it was mended: %s, %v", token, err)
		}
	}
}

func TestAPassingRefusalIsNotRemembered(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	s.answering(refusing(503, 90033, "temporarily_unavailable"))
	for range 2 {
		_, _ = appToken(t, c, withSecret(secret), false)
	}
	if s.asked() != 2 {
		t.Errorf("%d requests", s.asked())
	}
}

func TestACertificateSignsIn(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	token, err := appToken(t, c, tenant.Credential{AppID: appID, Certificate: newCertificate(t)}, false)
	if err != nil || token != "token-1" || s.form(0).Get("client_assertion") == "" || s.form(0).Has("client_secret") {
		t.Errorf("%v, sent %v", err, s.form(0))
	}
}

func TestWithoutACredentialNothingIsSent(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	_, err := appToken(t, c, tenant.Credential{AppID: appID}, false)
	if r := mustRefuse(t, err); r.Class != tenant.Config || r.Code != "credential-missing" || s.asked() != 0 {
		t.Errorf("%+v", r)
	}
	bad := ref()
	bad.TenantID = "not a tenant/.."
	_, err = c.AppToken(t.Context(), bad, withSecret(secret), tenant.ResourceGraph, false)
	if r := mustRefuse(t, err); r.Code != "credential-unusable" {
		t.Errorf("%+v", r)
	}
}

func TestACallerThatGivesUpDoesNotWaitForAnother(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	inside, release := make(chan struct{}), make(chan struct{})
	s.answering(func(_ int, w http.ResponseWriter) {
		close(inside)
		<-release
		refusing(503, 90033, "temporarily_unavailable")(0, w)
	})
	var group sync.WaitGroup
	group.Go(func() { _, _ = appToken(t, c, withSecret(secret), false) })
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.AppToken(ctx, ref(), withSecret(secret), tenant.ResourceGraph, false); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	group.Wait()
}

func TestACertificateFileIsReadOrRefusedWithoutItsContent(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	der, err := x509.MarshalPKCS8PrivateKey(cert.Key())
	if err != nil {
		t.Fatal(err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	leaf := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Chain()[0].Raw})
	other := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: newCertificate(t).Chain()[0].Raw})
	if got, err := entra.ParseCertificate(slices.Concat(leaf, key), tenant.Secret{}); err != nil || got.IsZero() {
		t.Error(err)
	}
	for name, file := range map[string][]byte{"no key": leaf, "no certificate": key, "text": []byte("hello"), "empty": nil, "another's key": slices.Concat(other, key)} {
		if _, err := entra.ParseCertificate(file, tenant.Secret{}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
