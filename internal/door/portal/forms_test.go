package portal_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal"
)

func actorIn(actors *map[string]access.Actor) func(context.Context, string) (access.Actor, error) {
	return func(_ context.Context, role string) (access.Actor, error) {
		a, ok := (*actors)[role]
		if !ok {
			return a, fault.Missing("role")
		}
		return a, nil
	}
}

func TestAMemberSignsInByPasswordAndOut(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.org.SetPassword(context.Background(), system, s.actors["partner"].ID, password))
	b := s.nobody()
	p := b.post("/sign-in", "email", "partner@contoso.example", "password", "wrong wrong wrong", "return_to", "/customers").is(http.StatusUnauthorized)
	p.has("The address or the password is wrong.", `value="partner@contoso.example"`, `value="/customers"`).lacks("wrong wrong wrong")
	if got := b.post("/sign-in", "email", "partner@contoso.example", "password", password, "return_to", "/customers").leads(); got != "/customers" {
		t.Errorf("signed in, and led to %s", got)
	}
	b.get("/customers").is(http.StatusOK).has("Wingtip Toys")
	if got := b.post("/sign-out").leads(); got != "/sign-in" {
		t.Errorf("signed out, and led to %s", got)
	}
	b.get("/customers").is(http.StatusSeeOther)
}

func TestASignInLeadsToNoOtherSite(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.org.SetPassword(context.Background(), system, s.actors["partner"].ID, password))
	for _, to := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "javascript:alert(1)", "evil"} {
		got := s.nobody().post("/sign-in", "email", "partner@contoso.example", "password", password, "return_to", to).leads()
		if got != "/" {
			t.Errorf("return_to %q leads to %s", to, got)
		}
	}
}

func TestAKeySignsInWithItsOwnScope(t *testing.T) {
	t.Parallel()
	s := begin(t)
	_, text, err := s.org.CreateKey(context.Background(), system, org.NewKey{Name: "Nightly import", Role: access.Viewer, Scope: access.Scope{Level: access.Customer, CustomerID: s.customer}})
	must(t, err)
	b := s.nobody()
	b.post("/sign-in/key", "key", "tcap_wrong").is(http.StatusUnauthorized).lacks("tcap_wrong")
	b.post("/sign-in/key", "key", text).leads()
	b.get("/customers/" + s.customer).is(http.StatusOK)
	b.get("/customers/" + s.otherCustomer).is(http.StatusNotFound)
	b.get("/settings/account").is(http.StatusOK).has("without an account of your own")
}

func TestALinkIsUsedUpByItsButtonAlone(t *testing.T) {
	t.Parallel()
	s := begin(t)
	token, err := s.org.InviteLink(context.Background(), system, s.actors["customer"].ID, time.Hour)
	must(t, err)
	b := s.nobody()
	b.get("/sign-in/link?token=" + token).is(http.StatusOK)
	b.get("/sign-in/link?token=" + token).is(http.StatusOK)
	b.get("/customers").is(http.StatusSeeOther)
	b.post("/sign-in/link", "token", token).leads()
	b.get("/settings/account").is(http.StatusOK).has("The customer")
	s.nobody().post("/sign-in/link", "token", token).is(http.StatusUnauthorized).has("used already", "Ask for a new one.")
}

func TestTheThemeIsKeptInACookieThatTheServerDraws(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("operator")
	if got := b.post("/theme", "theme", "dark", "return_to", "/customers?search=x").leads(); got != "/customers?search=x" {
		t.Errorf("led to %s", got)
	}
	b.get("/customers").has(`data-theme="dark"`)
}

func TestANewCustomerGetsItsService(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("partner")
	to := b.post("/customers", "name", "Litware", "cloud", "global", "kind", "operator-connect", "sync", "off").leads()
	b.get(to).is(http.StatusOK).has("Litware was added", "Operator Connect", "Without sync")
	b.get("/customers").has("Litware")
}

func TestAFormThatIsRefusedKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("operator")
	b.post("/customers", "name", "Proseware", "primaryDomain", "proseware.example", "kind", "none").is(http.StatusUnprocessableEntity).
		has("Choose whose customer it is.", `value="Proseware"`, `value="proseware.example"`, `aria-invalid="true"`)
	b.post("/customers", "name", "Proseware", "partnerId", s.partner, "cloud", "mars", "kind", "none").is(http.StatusUnprocessableEntity).has(`value="Proseware"`)
	b.post("/customers/"+s.customer+"/settings", "name", "", "primaryDomain", "kept.example").is(http.StatusUnprocessableEntity).has(`value="kept.example"`, `aria-invalid="true"`)
	b.post("/customers/"+s.customer+"/settings", "name", "Wingtip Toys", "seatLimit", "many").is(http.StatusUnprocessableEntity).has("Write a whole number", `value="many"`)
	b.post("/customers/"+s.customer+"/services", "kind", "direct-routing", "sync", "on").is(http.StatusConflict).has("already has a service")
	b.post("/services/"+s.direct+"/settings", "sync", "off", "voicePolicy", "Kept").is(http.StatusConflict).has("cannot be set up without sync", `value="Kept"`)
	b.post("/settings/brand", "name", "Fabrikam Telecom", "brand.accent", "reddish").is(http.StatusUnprocessableEntity).has(`value="reddish"`, `aria-invalid="true"`)
}

func TestACustomerIsChangedAndAnOlderFormIsRefused(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("partner")
	b.post("/customers/"+s.customer+"/settings", "name", "Wingtip Games", "version", "1", "seatLimit", "40").leads()
	b.get("/customers/"+s.customer+"/settings").has("Wingtip Games", `value="40"`, "Saved")
	b.post("/customers/"+s.customer+"/settings", "name", "Wingtip Old", "version", "1").is(http.StatusPreconditionFailed).has("changed by someone else", "Wingtip Old")
	b.get("/customers/" + s.customer).has("Wingtip Games").lacks("Wingtip Old")
}

func TestADeletionAsksForTheName(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("partner")
	b.post("/services/"+s.connect+"/delete", "confirm_name", "wingtip").is(http.StatusUnprocessableEntity).has("Type Wingtip Toys exactly")
	b.post("/customers/"+s.customer+"/delete", "confirm_name", "Wingtip Toys").is(http.StatusConflict)
	for _, id := range []string{s.connect, s.direct} {
		b.post("/services/"+id+"/delete", "confirm_name", "Wingtip Toys").leads()
	}
	b.get("/customers/" + s.customer).is(http.StatusOK).has("has no service yet")
	if got := b.post("/customers/"+s.customer+"/delete", "confirm_name", "Wingtip Toys").leads(); got != "/customers" {
		t.Errorf("led to %s", got)
	}
	b.get("/customers/" + s.customer).is(http.StatusNotFound)
}

func TestGrantAccessShowsWhatIsAskedAndLeadsToMicrosoft(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("customer")
	p := b.get("/services/"+s.direct+"/grant-access").is(http.StatusOK).has("Fabrikam Telecom with its partner Contoso Voice", "Read all users&#39; full profiles",
		"We do not read passwords", "Teams Administrator", "User Administrator", "https://login.microsoftonline.com", "Continue to Microsoft")
	if !strings.Contains(p.header.Get("Content-Security-Policy"), "form-action 'self' https://login.microsoftonline.com") {
		t.Error("the policy forbids the form to lead to Microsoft")
	}
	to, err := url.Parse(b.post("/services/" + s.direct + "/grant-access").leads())
	must(t, err)
	if to.Host != "login.microsoftonline.com" || to.Query().Get("state") == "" || to.Query().Get("code_challenge") == "" {
		t.Errorf("led to %s", to)
	}
	b.get("/services/" + s.connect + "/grant-access").is(http.StatusOK).has("works without sync").lacks("Continue to Microsoft")
	b.post("/services/" + s.connect + "/grant-access").is(http.StatusConflict).has("works without sync")
}

var shownLink = regexp.MustCompile(`http://[^"<\s]+/sign-in/link\?[^"<\s]+`)

func TestTheOnboardingLinkLetsAnAdministratorWithoutAccountGrantAccess(t *testing.T) {
	t.Parallel()
	s := begin(t)
	link := html.UnescapeString(shownLink.FindString(s.as("partner").post("/services/" + s.direct + "/link").is(http.StatusOK).text))
	u, err := url.Parse(link)
	must(t, err)
	guest := s.nobody()
	guest.get(u.RequestURI()).is(http.StatusOK).has("Opening this page has not used it up")
	to := guest.post("/sign-in/link", "token", u.Query().Get("token"), "return_to", u.Query().Get("return_to")).leads()
	if to != "/services/"+s.direct+"/grant-access" {
		t.Fatalf("the link leads to %q", to)
	}
	guest.get(to).is(http.StatusOK).has("Continue to Microsoft")
	guest.get("/services/" + s.otherService + "/grant-access").is(http.StatusNotFound)
	s.as("partner").get("/services/" + s.connect + "/link").is(http.StatusConflict)
}

func TestAKeyIsShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("customer")
	p := b.post("/settings/keys", "name", "Office", "role", "viewer", "days", "30").is(http.StatusOK).has("Copy your new API key")
	key := regexp.MustCompile(`tc-copy-value">([^<]+)<`).FindStringSubmatch(p.text)
	if key == nil {
		t.Fatal("the key is not shown")
	}
	list := b.get("/settings/keys").is(http.StatusOK).has("Office", "Ends on 1 Apr 2026").lacks(key[1])
	id := regexp.MustCompile(`/settings/keys/([^/]+)/revoke`).FindStringSubmatch(list.text)[1]
	b.get("/settings/keys/" + id + "/revoke").is(http.StatusOK).has("Revoke Office?")
	b.post("/settings/keys/" + id + "/revoke").leads()
	s.nobody().post("/sign-in/key", "key", key[1]).is(http.StatusUnauthorized)
	b.post("/settings/keys", "name", "Wide", "role", "viewer", "scope", "partner:"+s.partner).is(http.StatusNotFound)
}

func TestAMemberIsInvitedShutOutAndLetInAgain(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("operator")
	b.post("/settings/members", "name", "Ana", "email", "not an address", "role", "agent").is(http.StatusUnprocessableEntity).has(`value="not an address"`)
	p := b.post("/settings/members", "name", "Ana", "email", "ana@contoso.example", "role", "agent", "scope", "partner:"+s.partner).is(http.StatusOK)
	u, err := url.Parse(html.UnescapeString(shownLink.FindString(p.text)))
	must(t, err)
	ana := s.nobody()
	ana.post("/sign-in/link", "token", u.Query().Get("token"), "return_to", u.Query().Get("return_to")).leads()
	ana.post("/settings/account/password", "password", password, "repeat", "something else").is(http.StatusUnprocessableEntity).has("not what was typed above")
	ana.post("/settings/account/password", "password", "short", "repeat", "short").is(http.StatusUnprocessableEntity)
	ana.post("/settings/account/password", "password", password, "repeat", password).leads()
	ana.post("/settings/account/password", "current", "wrong", "password", password+"!", "repeat", password+"!").is(http.StatusUnprocessableEntity).has("This is not your password.")
	ana.get("/customers").is(http.StatusOK).has("Wingtip Toys").lacks("Tailspin")
	list := b.get("/settings/members").is(http.StatusOK)
	id := regexp.MustCompile(`aria-label="Shut out Ana"`).FindStringIndex(list.text)
	forms := regexp.MustCompile(`/settings/members/([^/]+)/disable`).FindAllStringSubmatch(list.text[:id[0]], -1)
	anaID := forms[len(forms)-1][1]
	b.post("/settings/members/" + anaID + "/disable").leads()
	ana.get("/customers").is(http.StatusSeeOther)
	b.post("/settings/members/" + anaID + "/enable").leads()
	b.post("/settings/members/" + s.actors["operator"].ID + "/disable").is(http.StatusConflict)
}

func TestAPasskeyPromptIsMadeAndAnAnswerThatProvesNothingIsRefused(t *testing.T) {
	t.Parallel()
	byNumber := begin(t)
	byNumber.nobody().get("/sign-in").is(http.StatusOK).lacks("passkey.js", "Sign in with a passkey")
	byNumber.nobody().post("/sign-in/passkey/begin").is(http.StatusConflict).has("host name")
	s := begin(t, func(o *portal.Options) { o.PublicURL = "http://localhost" })
	b := s.nobody()
	b.get("/sign-in").is(http.StatusOK).has("Sign in with a passkey", "passkey.js")
	b.post("/sign-in/passkey/begin").is(http.StatusOK).has(`"ceremony"`, `"challenge"`)
	b.post("/sign-in/passkey", "ceremony", "made up", "response", "{}").is(http.StatusUnauthorized).has("prompt took too long")
	me := s.as("partner")
	me.post("/settings/account/passkeys/begin").is(http.StatusOK).has(`"rp"`, `"user"`, "partner@contoso.example")
	me.post("/settings/account/passkeys", "ceremony", "made up", "response", "{}").is(http.StatusUnauthorized)
}

func TestTheAccentColourIsServedAsAStylesheet(t *testing.T) {
	t.Parallel()
	s := begin(t)
	b := s.as("operator")
	b.post("/settings/brand", "name", "Fabrikam Telecom", "brand.displayName", "Fabrikam Voice", "brand.accent", "#ffcc00").leads()
	p := b.get("/settings/brand").has("Fabrikam Voice", `class="brand-operator"`, "/brand/operator/ffcc00.css")
	_ = p
	css := s.nobody().get("/brand/operator/ffcc00.css").is(http.StatusOK).has(":root.brand-operator{")
	if got := css.header.Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("served as %s", got)
	}
	s.nobody().get("/brand/operator/red.css").is(http.StatusNotFound)
}

func TestThePaletteFindsInsideTheScopeAlone(t *testing.T) {
	t.Parallel()
	s := begin(t)
	p := s.as("partner").get("/search?q=wing", "HX-Request", "true").is(http.StatusOK).has(`role="option"`, "Wingtip Toys").lacks("<html")
	p.lacks("Tailspin")
	s.as("operator").get("/search?q=tail", "HX-Request", "true").has("Tailspin Airlines")
	s.as("partner").get("/search?q=set", "HX-Request", "true").has("Settings")
}

func TestTheDemoTellsTheSimulatedAdministratorsAccountAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	s := begin(t, func(o *portal.Options) {
		o.Demo = &portal.Demo{Administrator: func(context.Context, string) (string, string) { return "admin@wingtip.example", "simulated only" }}
	})
	s.as("partner").get("/services/"+s.direct+"/grant-access").is(http.StatusOK).has("admin@wingtip.example", "simulated only")
	plain := begin(t)
	plain.as("partner").get("/services/" + plain.direct + "/grant-access").is(http.StatusOK).lacks("This is the demo")
}
