package tenant_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcap.cloud/internal/remote/tenant"
)

func TestWhatGraphAndTeamsRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status      int
		body        string
		class       tenant.Class
		code, words string
	}{
		{403, graphError("Authorization_RequestDenied", "Insufficient privileges"), tenant.Refused, "permission-missing", "Insufficient privileges"},
		{403, graphError("Authorization_IdentityNotFound", ""), tenant.AccessLost, "identity-missing", ""},
		{401, graphError("Authorization_IdentityNotFound", ""), tenant.AccessLost, "identity-missing", ""},
		{403, graphError("Authorization_IdentityDisabled", ""), tenant.AccessLost, "identity-disabled", ""},
		{403, graphError("UnknownError", ""), tenant.Refused, "access-denied", ""},
		{403, graphError("Authentication_RequestFromUnsupportedUserRole", ""), tenant.Refused, "role-missing", ""},
		{403, `{"Message":"Access Denied."}`, tenant.Refused, "access-denied", "Access Denied."},
		{403, `{"error":{"code":40301,"message":"no"}}`, tenant.Refused, "access-denied", "no"},
		{404, graphError("Request_ResourceNotFound", "Resource 'ana@contoso.example' does not exist"), tenant.NotFound, "not-found", "Resource … does not exist"},
		{409, "", tenant.Conflict, "conflict", ""},
		{412, "", tenant.Conflict, "changed-meanwhile", ""},
		{400, `"a bare text"`, tenant.Invalid, "invalid", "a bare text"},
		{400, graphError("Request_MultipleObjectsWithSameKeyValue", ""), tenant.Conflict, "conflict", ""},
		{410, "", tenant.Invalid, "state-expired", ""},
		{500, "<html>oh", tenant.Transient, "unavailable", ""},
		{501, "", tenant.Transient, "unavailable", ""},
		{405, "", tenant.Ours, "unexpected-answer", ""},
	} {
		t.Run(fmt.Sprintf("%d %s", c.status, c.code), func(t *testing.T) {
			t.Parallel()
			s := newStand(t, status(c.status, c.body))
			_, err := s.read(t.Context())
			r := mustRefuse(t, err)
			if r.Class != c.class || r.Code != c.code || r.Status != c.status || !strings.Contains(r.Message, c.words) {
				t.Errorf("%+v", r)
			}
			if tenant.ClassOf(fmt.Errorf("doing what: %w", err)) != c.class || r.CorrelationID == "" {
				t.Errorf("class of %v", err)
			}
			if strings.Contains(err.Error(), "contoso.example") {
				t.Errorf("tenant data in %v", err)
			}
		})
	}
}

// The rows of facts/entra.md §2.3, written down a second time as the document has them.
func TestWhatTheSignInRefuses(t *testing.T) {
	t.Parallel()
	for class, codes := range map[tenant.Class][]int{
		tenant.AccessLost: {700016, 7000112, 65001, 500014, 53003, 530032, 530035, 90002, 1000031, 50105},
		tenant.Config: {7000215, 7000222, 700027, 700025, 650052, 650054, 650056, 650057, 50011, 500113, 50012, 50128, 50059, 90099,
			700054, 900382, 900432, 900383, 90038},
		tenant.User: {65004, 50020, 50034, 50053, 50055, 50057, 50076, 50079, 50126, 53000, 530003, 90094, 90095, 70008, 700082, 50173,
			70043, 54005, 700005, 501481, 50147},
		tenant.Transient: {90033, 90006, 90012, 90024, 90090, 50033, 50087},
		tenant.Throttled: {50196, 90055},
		tenant.Ours:      {7000113, 7000114, 7000216, 7000218, 700024, 50001, 500011, 50194, 90013, 70011, 1002016},
	} {
		for _, code := range codes {
			rule := tenant.ClassifySignIn([]int{1, code}, "invalid_client", 400)
			if rule.Class != class || rule.Code == "" || rule.Title == "" || rule.Remedy == "" {
				t.Errorf("AADSTS%d is %+v, not %s", code, rule, class)
			}
		}
	}
	for _, code := range []int{700016, 90002} {
		if tenant.ClassifySignIn([]int{code}, "", 400).For(true) != tenant.Config {
			t.Errorf("AADSTS%d while pairing", code)
		}
	}
	if tenant.ClassifySignIn([]int{53003}, "", 400).For(true) != tenant.User {
		t.Error("conditional access while pairing")
	}
}

func TestAnUnknownSignInRefusalNeverLosesATenant(t *testing.T) {
	t.Parallel()
	for word, class := range map[string]tenant.Class{
		"invalid_client": tenant.Config, "unauthorized_client": tenant.Config, "invalid_grant": tenant.Config, "invalid_tenant": tenant.Config,
		"temporarily_unavailable": tenant.Transient, "invalid_scope": tenant.Ours, "nonsense": tenant.Ours, "": tenant.Ours,
	} {
		if got := tenant.ClassifySignIn([]int{424242}, word, 400).Class; got != class {
			t.Errorf("%q is %s, not %s", word, got, class)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.IntRange(2_000_000, 6_000_000).Draw(t, "code")
		word := rapid.SampledFrom([]string{"invalid_client", "invalid_grant", "access_denied", "consent_required", "?", ""}).Draw(t, "word")
		if rule := tenant.ClassifySignIn([]int{code}, word, rapid.IntRange(300, 599).Draw(t, "status")); rule.Class == tenant.AccessLost || rule.Code == "" {
			t.Fatalf("%+v", rule)
		}
	})
}

func TestAnAilingSignInIsNeverTakenForALastingRefusal(t *testing.T) {
	t.Parallel()
	for _, rule := range tenant.SignInRules() {
		if got := tenant.ClassifySignIn(rule.Codes, "invalid_client", 503).Class; got.Permanent() {
			t.Errorf("%v with 503 is %s", rule.Codes, got)
		}
		if got := tenant.ClassifySignIn(rule.Codes, "invalid_client", 429).Class; got != tenant.Throttled {
			t.Errorf("%v with 429 is %s", rule.Codes, got)
		}
	}
}

func TestAShortCodeMeansOneThing(t *testing.T) {
	t.Parallel()
	seen, numbers := map[string]string{}, map[int]bool{}
	for _, rule := range tenant.SignInRules() {
		if title, ok := seen[rule.Code]; ok && title != rule.Title {
			t.Errorf("%s means %q and %q", rule.Code, title, rule.Title)
		}
		seen[rule.Code] = rule.Title
		for _, n := range rule.Codes {
			if numbers[n] {
				t.Errorf("AADSTS%d has two rows", n)
			}
			numbers[n] = true
		}
	}
}

func TestRetryAfterInAllItsForms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "2.128": 2128 * time.Millisecond, "-3": 0, "NaN": 0, "Inf": time.Hour,
		"1e9": time.Hour, "86400": time.Hour, "soon": 0, "5m": 0,
		"Sat, 31 Jan 2026 12:00:30 GMT": 30 * time.Second, "Sat, 31 Jan 2026 11:00:00 GMT": 0, "Sat, 31 Jan 2099 12:00:00 GMT": time.Hour,
	} {
		if got := tenant.RetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q is %s, not %s", value, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if d := tenant.RetryAfter(http.Header{"Retry-After": {rapid.String().Draw(t, "value")}}, now); d < 0 || d > time.Hour {
			t.Fatal(d)
		}
	})
}

func TestScrubbingTakesTheTenantOut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"User 'Ana Silva' lacks a licence":                               "User … lacks a licence",
		"tenant 62e90394-69f5-4237-9190-012177145e10 is not known":       "tenant … is not known",
		"ana@contoso.example is not\r\nknown":                            "… is not known",
		"number +61 2 5550 1234 is taken":                                "number … is taken",
		"see https://login.example/error?code=1 for more":                "see … for more",
		"TeamsTelephoneNumber.ReadWrite.All is missing":                  "TeamsTelephoneNumber.ReadWrite.All is missing",
		"the secret abc7Q~0123456789abcdefghijklmnopqrstuvwxy was wrong": "the secret … was wrong",
	} {
		if got := tenant.Scrub(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const text = "hush-hush"
	c := tenant.Credential{AppID: "app", Secret: tenant.NewSecret(text)}
	r := (&tenant.Refusal{Class: tenant.Config}).WithDetail(text)
	nested := struct {
		inner any
		c     tenant.Credential
		s     *tenant.Secret
	}{c, c, &c.Secret}
	var out strings.Builder
	for _, v := range []any{c, &c, nested, c.Secret, &c.Secret, r, *r, tenant.Token{Value: c.Secret}, []tenant.Secret{c.Secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		b, _ := json.Marshal(v)
		out.Write(b)
	}
	if strings.Contains(out.String(), text) || strings.Contains(out.String(), fmt.Sprintf("%x", text)) {
		t.Errorf("printed: %s", out.String())
	}
	if c.Secret.Reveal() != text || c.Secret.String() != "[sealed]" {
		t.Error("the secret does not work")
	}
}

func TestMicrosoftsAddresses(t *testing.T) {
	t.Parallel()
	d := tenant.MicrosoftEndpoints()
	if err := d.Validate(); err != nil || len(d) != 5 {
		t.Fatal(err)
	}
	if d[tenant.GCC] != d[tenant.Global] || d[tenant.DoD].Authority != d[tenant.GCCHigh].Authority || d[tenant.DoD].Graph == d[tenant.GCCHigh].Graph {
		t.Error("the government clouds are mixed up")
	}
	if d[tenant.China].Scope(tenant.ResourceGraph) != "https://microsoftgraph.chinacloudapi.cn/.default" ||
		d[tenant.China].Scope(tenant.ResourceTeams) != "48ac35b8-9aa8-4d74-927d-1f4a14a0b239/.default" {
		t.Error("the scopes are wrong")
	}
}
