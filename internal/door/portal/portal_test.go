package portal_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/portal"
)

// visits are the pages of this package's folders with the roles that see them; others are refused 403, strangers 404.
func (s *stand) visits() map[string]string {
	everybody := "operator partner customer viewer"
	managers := "operator partner customer"
	return map[string]string{
		"/customers": everybody, "/customers?search=wing&status=pending-consent": everybody, "/search?q=wing": everybody + " billing",
		"/customers/" + s.customer: everybody, "/customers/" + s.customer + "/settings": everybody,
		"/customers/" + s.customer + "/services/new": managers, "/customers/" + s.customer + "/delete": managers,
		"/customers/" + s.customer + "/confirm-tenant": everybody, "/services/" + s.direct + "/grant-access": everybody,
		"/services/" + s.connect + "/grant-access": everybody, "/services/" + s.direct + "/granted": everybody,
		"/services/" + s.direct + "/link": managers, "/services/" + s.direct + "/settings": managers, "/services/" + s.direct + "/delete": managers,
		"/settings/account": everybody + " billing", "/settings/about": everybody + " billing", "/settings/brand": "operator",
		"/settings/members": "operator customer", "/settings/keys": "operator customer", "/customers/new": "operator partner", "/partners/new": "operator", "/partners": everybody,
	}
}

var inline = regexp.MustCompile(`(?i)<style|\sstyle="|\son[a-z]+="|<script(?:[^>]*)>[^<]`)

func TestEachPageIsDrawnForThoseWhoMaySeeItAndRefusedToOthers(t *testing.T) {
	t.Parallel()
	s := begin(t)
	for _, role := range []string{"operator", "partner", "customer", "viewer", "billing"} {
		b := s.as(role)
		for path, who := range s.visits() {
			want := http.StatusForbidden
			if strings.Contains(" "+who+" ", " "+role+" ") {
				want = http.StatusOK
			}
			p := b.get(path).is(want)
			if found := inline.FindString(p.text); found != "" {
				t.Errorf("%s for %s holds %q, which the policy forbids", path, role, found)
			}
			if !strings.Contains(p.header.Get("Content-Security-Policy"), "default-src 'none'") || p.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s has not the headers of a page: %v", path, p.header)
			}
		}
	}
}

func TestWhatLiesOutsideTheScopeIsNotFound(t *testing.T) {
	t.Parallel()
	s := begin(t)
	for _, role := range []string{"partner", "customer", "viewer"} {
		b := s.as(role)
		for _, path := range []string{"/customers/" + s.otherCustomer, "/customers/" + s.otherCustomer + "/settings", "/services/" + s.otherService,
			"/services/" + s.otherService + "/grant-access", "/services/" + s.otherService + "/granted", "/customers/" + s.otherCustomer + "/confirm-tenant", "/no/such/page"} {
			b.get(path).is(http.StatusNotFound).lacks("Tailspin")
		}
		b.get("/customers").is(http.StatusOK).lacks("Tailspin")
		b.get("/search?q=tailspin").is(http.StatusOK).has("Nothing found")
	}
}

func TestAViewerSeesNoButtonHeMayNotUseAndIsRefusedAllTheSame(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("viewer")
	b.get("/customers/"+s.customer).is(http.StatusOK).has("Not connected yet.").lacks(">Grant access<", ">Send link<", ">Add service<", ">Service settings<")
	b.get("/customers").is(http.StatusOK).lacks("New customer")
	b.get("/services/" + s.direct + "/grant-access").is(http.StatusOK).lacks("Continue to Microsoft")
	for _, path := range []string{"/customers", "/customers/" + s.customer + "/settings", "/customers/" + s.customer + "/services", "/customers/" + s.customer + "/delete",
		"/customers/" + s.customer + "/sync", "/customers/" + s.customer + "/confirm-tenant", "/services/" + s.direct + "/settings", "/services/" + s.direct + "/delete",
		"/services/" + s.direct + "/grant-access", "/services/" + s.direct + "/link", "/partners", "/settings/brand", "/settings/members", "/settings/keys"} {
		b.post(path, "name", "Mischief", "confirm_name", "Wingtip Toys").is(http.StatusForbidden)
	}
}

func TestNobodyIsLedToTheSignInAndBackAgain(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.nobody()
	for _, route := range s.pages.Routes() {
		path := strings.NewReplacer("{id}", s.customer, "{e164}", "+61255500001", "{user}", "x", "{role}", "operator").Replace(route.Pattern)
		if route.Open || strings.Contains(path, "{") {
			continue
		}
		if got := b.do(route.Method, path, nil).leads(); !strings.HasPrefix(got, "/sign-in") {
			t.Errorf("%s %s leads to %s", route.Method, path, got)
		}
	}
	if got := b.get("/customers?search=x").leads(); got != "/sign-in?return_to=%2Fcustomers%3Fsearch%3Dx" {
		t.Errorf("the way back is lost: %s", got)
	}
	if got := b.get("/search?q=x", "HX-Request", "true").is(http.StatusNoContent).header.Get("HX-Redirect"); got != "/sign-in" {
		t.Errorf("a fragment is not told to sign in: %q", got)
	}
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.as("operator").do(http.MethodPost, "/customers", nil, "Sec-Fetch-Site", "cross-site").is(http.StatusForbidden).has("another site", "Nothing was changed.")
}

func TestARefusedConsentIsToldInWords(t *testing.T) {
	t.Parallel()
	s := begin(t)
	rec := httptest.NewRecorder()
	s.pages.RefusalPage(rec, httptest.NewRequest(http.MethodGet, "/api/v1/mstenantconsent?state=x", nil),
		fault.New(fault.Conflict, "consent-refused", "The administrator did not accept. Nothing was changed."))
	p := page{t, "refusal", rec.Code, rec.Header(), rec.Body.String()}
	p.is(http.StatusConflict).has("Access was not granted", "The administrator did not accept.", "consent-refused")
	if strings.Contains(p.text, "state=x") {
		t.Error("the page repeats what Microsoft sent")
	}
}

func TestAnUnknownErrorIsShownByItsIdAlone(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("operator")
	must(t, s.db.Close())
	b.get("/customers").is(http.StatusInternalServerError).has("Something went wrong on our side.", "Correlation id").lacks("sql", "database is closed")
}

func TestTheRoleButtonsExistInTheDemoAlone(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.nobody().get("/sign-in").is(http.StatusOK).lacks("Try the demo")
	s.nobody().post("/sign-in/demo/operator").is(http.StatusNotFound)
	var actors map[string]access.Actor
	demo := begin(t, func(o *portal.Options) { o.Demo = &portal.Demo{Actor: actorIn(&actors)} })
	actors = demo.actors
	b := demo.nobody()
	b.get("/sign-in").is(http.StatusOK).has("Come in as operator", "Come in as partner", "Come in as customer")
	if got := b.post("/sign-in/demo/partner").leads(); got != "/" {
		t.Errorf("the button leads to %s", got)
	}
	b.get("/").is(http.StatusOK).has("Needs you")
	b.post("/sign-in/demo/nobody").is(http.StatusNotFound)
}
