package api_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"tcap.cloud/internal/domain/org"
)

const browser = "text/html,application/xhtml+xml,*/*;q=0.8"

func TestGrantAccessAnswersALinkAndWhatWillBeAsked(t *testing.T) {
	w := connected(t, true)
	for _, body := range []string{`{}`, ``} {
		r := w.ask("operator", "POST", "/services/"+w.service+"/grant-access", body)
		v := r.json(t)
		link, _ := v["consentUrl"].(string)
		permissions, _ := v["permissions"].([]any)
		if r.Status != 200 || !strings.HasPrefix(link, w.sim+"/"+w.tenant.TenantID) || v["expiresAt"] == nil || len(permissions) == 0 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		for _, p := range permissions {
			for _, name := range []string{"value", "title", "usedFor"} {
				if text, _ := p.(map[string]any)[name].(string); text == "" {
					t.Errorf("a permission has no %s: %v", name, p)
				}
			}
		}
	}
	w.ask("operator", "POST", "/services/"+w.service+"/grant-access", `{"tenant":"x"}`).refusal(t, 422, "unknown-field")
	w.ask("viewer", "POST", "/services/"+w.service+"/grant-access", `{}`).refusal(t, 403, "role-forbids")
}

func TestGrantAccessIsRefusedWhereTheHostedAppCannotBeUsed(t *testing.T) {
	w := connected(t, true)
	ctx := context.Background()
	for _, c := range []struct {
		cloud, kind string
		sync        bool
		code        string
	}{{org.CloudGCCHigh, org.DirectRouting, true, "hosted-app-unavailable"}, {org.CloudDoD, org.DirectRouting, true, "hosted-app-unavailable"},
		{org.CloudGlobal, org.OperatorConnect, false, "sync-off"}} {
		customer, err := w.org.CreateCustomer(ctx, w.system, org.NewCustomer{PartnerID: w.partner, Name: "Adatum " + c.cloud, Cloud: c.cloud})
		w.must(err)
		s, err := w.org.AddService(ctx, w.system, customer.ID, org.NewService{Kind: c.kind, Sync: &c.sync})
		w.must(err)
		v := w.ask("operator", "POST", "/services/"+s.ID+"/grant-access", `{}`).refusal(t, 409, c.code)
		if v["remedy"] == nil {
			t.Errorf("%s says not what to do: %v", c.cloud, v)
		}
	}
}

func TestAReplyToABrowserLeadsToTheOperationsPage(t *testing.T) {
	w := connected(t, true)
	r := w.back("/mstenantconsent", w.consent("accept"), browser)
	id, ok := strings.CutPrefix(r.Header.Get("Location"), "/operations/")
	if r.Status != 303 || !ok {
		t.Fatalf("%d %v", r.Status, r.Header)
	}
	if v := w.until("/operations/"+id, "succeeded"); v["kind"] != "pairing" || len(v["steps"].([]any)) == 0 {
		t.Errorf("%v", v)
	}
	if v := w.ask("operator", "GET", "/services/"+w.service, "").json(t); v["status"] != "active" {
		t.Errorf("the service is %v", v["status"])
	}
}

func TestAReplyByTheOlderSpellingAndByQueryIsTakenToo(t *testing.T) {
	w := connected(t, true)
	r := w.send("GET", "/msttenantconsent?"+w.consent("accept").Encode(), "", "Accept", "application/json")
	if r.Status != 202 || !strings.HasPrefix(r.Header.Get("Location"), "/api/v1/operations/") || r.json(t)["operationId"] == nil {
		t.Fatalf("%d %v %s", r.Status, r.Header, r.Body)
	}
	w.until(r.Header.Get("Location"), "succeeded")
}

func TestAHeadOfTheCallbackUsesNothingUp(t *testing.T) {
	w := connected(t, true)
	form := w.consent("accept")
	if r := w.send("HEAD", "/mstenantconsent?"+form.Encode(), ""); r.Status != 405 {
		t.Errorf("HEAD answered %d", r.Status)
	}
	if r := w.back("/mstenantconsent", form, "application/json"); r.Status != 202 {
		t.Errorf("the reply was used up: %d %s", r.Status, r.Body)
	}
}

func TestAReplyIsGoodOnce(t *testing.T) {
	w := connected(t, true)
	form := w.consent("accept")
	w.back("/mstenantconsent", form, "application/json")
	w.back("/mstenantconsent", form, "application/json").refusal(t, 409, "consent-replayed")
}

func TestARefusedReplyIsAProblemOrAPage(t *testing.T) {
	var shown []string
	w := connected(t, true, pages(&shown))
	v := w.back("/mstenantconsent", w.consent("cancel"), "application/json").refusal(t, 409, "consent-refused")
	if remedy, _ := v["remedy"].(map[string]any); remedy["action"] != "grant-access" {
		t.Errorf("the remedy is %v", v["remedy"])
	}
	if r := w.back("/mstenantconsent", w.consent("cancel"), browser); r.Status != 409 || r.Header.Get("Content-Type") != "text/html" || len(shown) != 1 || shown[0] != "consent-refused" {
		t.Errorf("%d %v, pages %v", r.Status, r.Header, shown)
	}
	w.back("/mstenantconsent", url.Values{"state": {"made-up"}, "code": {"x"}}, "application/json").refusal(t, 400, "consent-unknown")
	w.back("/mstenantconsent", url.Values{"admin_consent": {"True"}, "tenant": {w.tenant.TenantID}}, "*/*").refusal(t, 400, "consent-unknown")
	form := w.consent("accept")
	form.Del("code")
	w.back("/mstenantconsent", form, "application/json").refusal(t, 400, "consent-without-code")
}

func TestTheStateOfAPostIsNotReadFromItsQuery(t *testing.T) {
	w := connected(t, true)
	form := w.consent("accept")
	w.send("POST", "/mstenantconsent?"+form.Encode(), "", "Content-Type", "application/x-www-form-urlencoded").refusal(t, 400, "consent-unknown")
	w.send("POST", "/mstenantconsent", "a=%zz", "Content-Type", "application/x-www-form-urlencoded").refusal(t, 400, "consent-unreadable")
}

func TestATenantNobodyNamedIsBoundByConfirmation(t *testing.T) {
	w := connected(t, false)
	r := w.back("/mstenantconsent", w.consent("accept"), "application/json")
	if v := w.until(r.Header.Get("Location"), "waiting"); v["waitingFor"] != "confirmation" {
		t.Fatalf("it waits for %v", v["waitingFor"])
	}
	path := "/customers/" + w.customer + "/tenant-confirmation"
	w.ask("operator", "POST", path, `{"tenantId":"00000000-0000-4000-8000-000000000000"}`).refusal(t, 409, "nothing-to-confirm")
	w.ask("operator", "POST", path, `{}`).refusal(t, 422, "validation")
	candidate := w.ask("operator", "GET", "/services/"+w.service, "").json(t)["candidate"].(map[string]any)
	c := w.ask("operator", "POST", path, `{"tenantId":"`+candidate["id"].(string)+`"}`)
	if c.Status != 202 || c.Header.Get("Location") != r.Header.Get("Location") || "/api/v1/operations/"+c.json(t)["id"].(string) != r.Header.Get("Location") {
		t.Fatalf("%d %v %s", c.Status, c.Header, c.Body)
	}
	w.until(c.Header.Get("Location"), "succeeded")
	w.ask("operator", "POST", path, `{"tenantId":"`+w.tenant.TenantID+`"}`).refusal(t, 409, "nothing-to-confirm")
}
