package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/door/api"
	"tcap.cloud/internal/engine/operation"
)

func TestWithoutAKeyNobodyIsLetIn(t *testing.T) {
	s := sqlite(t)
	for name, header := range map[string]string{"none": "", "another scheme": "Basic dGNhcDp0Y2Fw", "no key": "Bearer ", "an unknown key": "Bearer tcap_unknown"} {
		r := s.ask("", "GET", "/customers", "", "Authorization", header)
		code := "api-key-required"
		if name == "an unknown key" {
			code = "invalid-api-key"
		}
		r.refusal(t, 401, code)
		if got := r.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
			t.Errorf("%s: WWW-Authenticate is %q", name, got)
		}
	}
}

func TestAPortalsCookieIsNoKey(t *testing.T) {
	s := sqlite(t)
	token, err := s.org.NewSession(context.Background(), access.Actor{Kind: org.KindMember, ID: s.member, Scope: access.Scope{Level: access.Operator}, Role: access.Admin}, time.Hour)
	s.must(err)
	for _, name := range []string{"tcap", "__Host-tcap"} {
		s.ask("", "GET", "/customers", "", "Cookie", name+"="+token).refusal(t, 401, "api-key-required")
	}
}

func TestAFieldNobodyKnowsIsRefused(t *testing.T) {
	s := sqlite(t)
	v := s.ask("operator", "POST", "/customers", `{"name":"X","colour":"y","nmae":"z"}`).refusal(t, 422, "unknown-field")
	fields, _ := v["errors"].([]any)
	seen := map[string]bool{}
	for _, f := range fields {
		f := f.(map[string]any)
		seen[f["path"].(string)] = f["code"] == "unknown-field" && f["detail"] != ""
	}
	if !seen["body.nmae"] || !seen["body.colour"] {
		t.Errorf("the fields are not named: %v", fields)
	}
}

func TestAMisspeltParameterIsRefusedAndNotIgnored(t *testing.T) {
	s := sqlite(t)
	s.ask("operator", "GET", "/customers?partnerid=x", "").refusal(t, 422, "unknown-field")
	s.ask("operator", "DELETE", "/customers/"+s.customer+"?dryRun=true", "").refusal(t, 422, "unknown-field")
	if got := s.ask("operator", "GET", "/customers/"+s.customer, ""); got.Status != 200 {
		t.Errorf("the customer is gone: %s", got.Body)
	}
}

func TestWhatDoesNotFitIsNamedFieldByField(t *testing.T) {
	s := sqlite(t)
	v := s.ask("operator", "POST", "/api-keys", `{"name":7,"role":"king"}`).refusal(t, 422, "validation")
	if text := stringOf(v["errors"]); !strings.Contains(text, "body.name") || !strings.Contains(text, "not-one-of") {
		t.Errorf("errors are %v", v["errors"])
	}
	v = s.ask("operator", "POST", "/api-keys", `{"role":"viewer"}`).refusal(t, 422, "validation")
	if !strings.Contains(stringOf(v["errors"]), "required") {
		t.Errorf("errors are %v", v["errors"])
	}
}

func stringOf(v any) string { return fmt.Sprint(v) }

func TestValuesAreNotEchoed(t *testing.T) {
	s := sqlite(t)
	r := s.ask("operator", "POST", "/members", `{"email":"x@y.example","name":"X","role":"viewer","password":["hunter2hunter2"]}`)
	r.refusal(t, 422, "validation")
	if strings.Contains(r.Body, "hunter2") {
		t.Errorf("the answer echoes a password: %s", r.Body)
	}
}

func TestWhatIsNoJSONIsMalformed(t *testing.T) {
	s := sqlite(t)
	s.ask("operator", "POST", "/partners", `{"name":`).refusal(t, 400, "malformed-body")
	s.ask("operator", "POST", "/partners", ``).refusal(t, 400, "malformed-body")
	s.ask("operator", "POST", "/partners", `name=x`, "Content-Type", "application/x-www-form-urlencoded").refusal(t, 415, "unsupported-media-type")
}

func TestABodyThatIsTooLongIsRefused(t *testing.T) {
	s := sqlite(t)
	s.ask("operator", "POST", "/partners", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`).refusal(t, 413, "body-too-large")
}

func TestALimitOutsideItsBoundsIsRefused(t *testing.T) {
	s := sqlite(t)
	for _, q := range []string{"limit=0", "limit=1001", "limit=-1", "limit=many"} {
		for _, list := range []string{"/customers", "/operations", "/audit", "/operations/" + s.operation + "/lines"} {
			s.ask("operator", "GET", list+"?"+q, "").refusal(t, 422, "validation")
		}
	}
}

func TestACursorOfAnotherListIsRefused(t *testing.T) {
	s := sqlite(t)
	s.ask("operator", "GET", "/audit?cursor=nonsense!", "").refusal(t, 422, "invalid-cursor")
	s.ask("operator", "GET", "/operations/"+s.operation+"/lines?cursor=x", "").refusal(t, 422, "invalid-cursor")
}

func TestAnAddressThatIsNotThereIsAProblem(t *testing.T) {
	s := sqlite(t)
	s.ask("operator", "GET", "/nothing", "").refusal(t, 404, "no-such-route")
	r := s.ask("operator", "PUT", "/customers", "")
	r.refusal(t, 405, "method-not-allowed")
	if allow := r.Header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
		t.Errorf("Allow is %q", allow)
	}
}

func TestAnETagThatNoLongerHoldsIsStale(t *testing.T) {
	s := sqlite(t)
	path := "/customers/" + s.customer
	first := s.ask("operator", "GET", path, "").Header.Get("ETag")
	changed := s.ask("operator", "PATCH", path, `{"country":"AU"}`, "If-Match", first)
	if changed.Status != 200 || changed.Header.Get("ETag") == first || changed.json(t)["country"] != "AU" {
		t.Fatalf("%d %q %s", changed.Status, changed.Header.Get("ETag"), changed.Body)
	}
	for _, tag := range []string{first, `W/` + changed.Header.Get("ETag"), `"x"`, "2"} {
		s.ask("operator", "PATCH", path, `{"country":"NZ"}`, "If-Match", tag).refusal(t, 412, "stale-version")
	}
	if r := s.ask("operator", "PATCH", path, `{"country":null}`, "If-Match", "*"); r.Status != 200 || r.json(t)["country"] != nil {
		t.Errorf("null does not take the country away: %s", r.Body)
	}
}

func TestWhatAKeyAsksTooOftenIsLimited(t *testing.T) {
	s := sqlite(t, func(o *api.Options) { o.Rate, o.Burst = 0.01, 2 })
	for i := range 2 {
		if r := s.ask("operator", "GET", "/operator", ""); r.Status != 200 || r.Header.Get("RateLimit") == "" {
			t.Fatalf("request %d: %d %v", i, r.Status, r.Header)
		}
	}
	r := s.ask("operator", "GET", "/operator", "")
	r.refusal(t, 429, "rate-limited")
	if r.Header.Get("Retry-After") == "" || !strings.Contains(r.Header.Get("RateLimit"), "r=0") {
		t.Errorf("headers are %v", r.Header)
	}
	if r := s.ask("partner", "GET", "/operator", ""); r.Status != 200 {
		t.Errorf("another key is limited too: %d", r.Status)
	}
}

// brokenCards fails as a store that is away does.
type brokenCards struct{}

func (brokenCards) Card(context.Context, access.Actor, string) (servicecard.Card, error) {
	return servicecard.Card{}, errors.New("dialing db.internal: refused")
}

func (brokenCards) Cards(context.Context, access.Actor, string) ([]servicecard.Card, error) {
	panic("out of cards")
}

func TestWhatIsInternalStaysInTheLog(t *testing.T) {
	s := sqlite(t, func(o *api.Options) { o.Cards = brokenCards{} })
	r := s.ask("operator", "GET", "/services/"+s.service, "")
	v := r.refusal(t, 500, "internal")
	if strings.Contains(r.Body, "db.internal") {
		t.Errorf("the answer tells too much: %s", r.Body)
	}
	if log := s.log.String(); !strings.Contains(log, "db.internal") || !strings.Contains(log, v["instance"].(string)) {
		t.Errorf("the log does not say what happened under the correlation ID:\n%s", log)
	}
}

func TestAPanicIsAnAnswer(t *testing.T) {
	s := sqlite(t, func(o *api.Options) { o.Cards = brokenCards{} })
	v := s.ask("operator", "GET", "/customers/"+s.customer+"/services", "").refusal(t, 500, "internal")
	if log := s.log.String(); !strings.Contains(log, "out of cards") || !strings.Contains(log, v["instance"].(string)) {
		t.Errorf("the log does not name the panic:\n%s", log)
	}
}

func TestUndoAndFinishSayThatNothingCanBeUndone(t *testing.T) {
	s := sqlite(t)
	for _, action := range []string{"undo", "finish"} {
		v := s.ask("operator", "POST", "/operations/"+s.operation, `{"action":"`+action+`"}`).refusal(t, 409, "not-undoable")
		if v["remedy"] == nil {
			t.Errorf("%s has no remedy", action)
		}
	}
	s.ask("operator", "POST", "/operations/"+s.operation, `{"action":"sign-in"}`).refusal(t, 409, "no-sign-in-needed")
	s.ask("operator", "POST", "/operations/"+s.operation, `{"action":"check-now"}`).refusal(t, 409, "not-waiting")
	s.ask("operator", "POST", "/operations/"+s.operation, `{"action":"explode"}`).refusal(t, 422, "validation")
	r := s.ask("operator", "POST", "/operations/"+s.operation, `{"action":"cancel"}`)
	if r.Status != 200 || r.json(t)["cancelAsked"] != true {
		t.Errorf("cancel answers %d %s", r.Status, r.Body)
	}
}

func TestNeitherKeysNorQueriesAreLogged(t *testing.T) {
	s := sqlite(t)
	s.ask("operator", "GET", "/customers?search=verysecret", "")
	log := s.log.String()
	if strings.Contains(log, "verysecret") || strings.Contains(log, s.keys["operator"]) {
		t.Errorf("the log tells too much:\n%s", log)
	}
	if !strings.Contains(log, "path=/api/v1/customers") {
		t.Errorf("the request is not in the log:\n%s", log)
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	s := sqlite(t)
	for _, path := range []string{"/customers", "/nothing", "/api/docs", "/api/openapi.json"} {
		h := s.ask("operator", http.MethodGet, path, "").Header
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestAnOperationShowsItsSteps(t *testing.T) {
	s := sqlite(t)
	v := s.ask("customer", "GET", "/operations/"+s.operation, "").json(t)
	if steps, _ := v["steps"].([]any); len(steps) != 2 || v["state"] != string(operation.Queued) || v["error"] != nil {
		t.Errorf("%v", v)
	}
	for _, name := range []string{"id", "kind", "progress", "dueAt", "dueWhy", "waitingFor", "failedLines", "error"} {
		if _, there := v[name]; !there {
			t.Errorf("the contract's %s is missing", name)
		}
	}
}

func TestAServiceIsTheCardOfTheContract(t *testing.T) {
	s := sqlite(t)
	r := s.ask("customer", "GET", "/services/"+s.service, "")
	v := r.json(t)
	for _, name := range []string{"id", "customerId", "kind", "sync", "status", "cause", "affects", "remedy", "activation", "lastSync", "failures", "nextTry"} {
		if _, there := v[name]; !there {
			t.Errorf("the contract's %s is missing", name)
		}
	}
	if v["status"] != "pending-consent" || v["cause"] != nil || r.Header.Get("ETag") != `"1"` {
		t.Errorf("%q %s", r.Header.Get("ETag"), r.Body)
	}
}
