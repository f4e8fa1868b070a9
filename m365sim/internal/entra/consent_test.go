package entra_test

import (
	"net/url"
	"strings"
	"testing"

	"tcap.cloud/m365sim/internal/world"
)

func TestAcceptGrantsForEverybodyAndTheApplicationPermissionsToo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pair(authorizeURL("organizations", l.hosted), l.contoso.GlobalAdmin, "accept")
	delegated, roles := l.grants(l.hosted)
	if len(delegated) != 1 || delegated[0].ConsentType != "AllPrincipals" || delegated[0].PrincipalID != "" ||
		delegated[0].Scope != "openid profile offline_access User.Read Directory.AccessAsUser.All" {
		t.Fatalf("grants %+v", delegated)
	}
	if len(roles) != 2 {
		t.Fatalf("application permissions %v", roles)
	}
}

func TestAcceptForMeGrantsForThatPersonAlone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pair(authorizeURL("organizations", l.hosted), l.contoso.GlobalAdmin, "accept-for-me")
	delegated, roles := l.grants(l.hosted)
	if len(delegated) != 1 || delegated[0].ConsentType != "Principal" || delegated[0].PrincipalID == "" || len(roles) != 0 {
		t.Fatalf("grants %+v, application permissions %v", delegated, roles)
	}
}

func TestCancelGrantsNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	tells(t, l.pair(authorizeURL("organizations", l.hosted), l.contoso.GlobalAdmin, "cancel"), "access_denied", "65004")
	delegated, roles := l.grants(l.hosted)
	if len(delegated)+len(roles) != 0 {
		t.Fatalf("granted %v %v", delegated, roles)
	}
}

func TestConsentIsAskedOnceAndAgainAfterItWasRevoked(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	path := authorizeURL("organizations", l.hosted)
	page := func(path string) page { b := l.browser(); b.open(path); return b.signIn(l.contoso.GlobalAdmin) }
	l.pair(path, l.contoso.GlobalAdmin, "accept")
	if p := page(path); p.answer.Get("code") == "" {
		t.Fatalf("asked again: %q", p.name)
	}
	if p := page(authorizeURL("organizations", l.hosted, "scope", "Mail.Read")); p.name != "consent" || !strings.Contains(p.html, "Mail.Read") {
		t.Fatalf("a new permission is not asked for: %q", p.name)
	}
	l.update(l.contoso.TenantID, func(tn *world.Tenant) {
		for _, id := range append([]string{}, tn.Grants.IDs()...) {
			tn.Grants.Delete(id)
		}
	})
	if p := page(path); p.name != "consent" {
		t.Fatalf("not asked after a revocation: %q", p.name)
	}
}

func TestAPersonWithoutRoleConsentsToWhatIsTheirs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := l.pair(authorizeURL("organizations", l.hosted, "scope", "openid User.Read"), l.contoso.User, "accept")
	if p.answer.Get("code") == "" {
		t.Fatalf("page %q %v", p.name, p.answer)
	}
	delegated, _ := l.grants(l.hosted)
	if len(delegated) != 1 || delegated[0].ConsentType != "Principal" {
		t.Fatalf("grants %+v", delegated)
	}
}

func TestAPersonWithoutRoleIsSentToAnAdministrator(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, path := range []string{
		authorizeURL("organizations", l.hosted),
		authorizeURL("organizations", l.hosted, "scope", "User.Read.All"),
		adminURL("organizations/v2.0", l.hosted, graph+"/.default"),
		adminURL("common", l.hosted, ""),
	} {
		tells(t, l.pair(path, l.contoso.User, "accept"), "consent_required", "90094")
	}
	if delegated, roles := l.grants(l.hosted); len(delegated)+len(roles) != 0 {
		t.Fatalf("granted %v %v", delegated, roles)
	}
}

func TestAPrivilegedRoleAdministratorMayConsentForEverybody(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.update(l.contoso.TenantID, func(tn *world.Tenant) {
		u, _ := tn.UserByName(l.contoso.User.UPN)
		tn.RoleAssignments.Put("x", world.RoleAssignment{ID: "x", PrincipalID: u.ID, RoleDefinitionID: world.RolePrivilegedRoleAdministrator, DirectoryScopeID: "/"})
	})
	l.pair(authorizeURL("organizations", l.hosted), l.contoso.User, "accept")
	if delegated, _ := l.grants(l.hosted); len(delegated) != 1 || delegated[0].ConsentType != "AllPrincipals" {
		t.Fatalf("grants %+v", delegated)
	}
}

func adminURL(where string, app world.App, scope string) string {
	v := url.Values{"client_id": {app.AppID}, "redirect_uri": {callback}, "state": {"s&t"}}
	return "/" + where + "/adminconsent?" + with(v, "scope", scope).Encode()
}

func TestV2AdminConsentAnswersAsMicrosoftDescribes(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := l.pair(adminURL("organizations/v2.0", l.hosted, graph+"/.default"), l.contoso.GlobalAdmin, "accept")
	want := url.Values{
		"admin_consent": {"True"}, "tenant": {l.contoso.TenantID}, "state": {"s&t"},
		"scope": {graph + "/User.Read " + graph + "/Directory.AccessAsUser.All " + graph + "/.default"},
	}
	if p.how != "query" || p.answer.Encode() != want.Encode() {
		t.Fatalf("answered %v, want %v", p.answer, want)
	}
	if _, roles := l.grants(l.hosted); len(roles) != 2 {
		t.Fatalf("application permissions %v", roles)
	}
}

func TestV2AdminConsentToNamedScopesGrantsNoApplicationPermission(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pair(adminURL(l.contoso.TenantID+"/v2.0", l.hosted, graph+"/User.Read.All"), l.contoso.GlobalAdmin, "accept")
	if delegated, roles := l.grants(l.hosted); len(roles) != 0 || len(delegated) != 1 || delegated[0].Scope != "User.Read.All" {
		t.Fatalf("grants %+v, application permissions %v", delegated, roles)
	}
}

func TestV1AdminConsentAnswersWithoutScope(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := l.pair(adminURL("common", l.hosted, ""), l.contoso.GlobalAdmin, "accept")
	want := url.Values{"admin_consent": {"True"}, "tenant": {l.contoso.TenantID}, "state": {"s&t"}}
	if p.answer.Encode() != want.Encode() {
		t.Fatalf("answered %v", p.answer)
	}
	if delegated, roles := l.grants(l.hosted); len(roles) != 2 || len(delegated) != 1 {
		t.Fatalf("grants %+v, application permissions %v", delegated, roles)
	}
}

func TestARefusedAdminConsentAlsoSaysAdminConsentTrue(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := l.pair(adminURL("organizations/v2.0", l.hosted, graph+"/.default"), l.contoso.GlobalAdmin, "cancel")
	tells(t, p, "consent_required", "65004")
	if p.answer.Get("admin_consent") != "True" || p.answer.Get("state") != "s&t" {
		t.Fatalf("answered %v", p.answer)
	}
	p = l.pair(adminURL("common", l.hosted, ""), l.contoso.GlobalAdmin, "cancel")
	tells(t, p, "access_denied", "65004")
	if p.answer.Get("admin_consent") != "True" {
		t.Fatalf("answered %v", p.answer)
	}
	p = l.browser().open(adminURL("organizations/v2.0", l.hosted, ""))
	tells(t, p, "invalid_request", "900144")
	p = l.pair(adminURL("organizations/v2.0", l.hosted, graph+"/.default"), l.contoso.GlobalAdmin, "accept-for-me")
	if p.name != "consent" {
		t.Fatalf("consent for one person at admin consent: %q %v", p.name, p.answer)
	}
}

func TestAConsentAfterTheServicePrincipalWasDeletedWorksAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pair(authorizeURL("organizations", l.hosted), l.contoso.GlobalAdmin, "accept")
	l.update(l.contoso.TenantID, func(tn *world.Tenant) {
		sp, _ := tn.ServicePrincipalOf(l.hosted.AppID)
		tn.ServicePrincipals.Delete(sp.ID)
		tn.DeletedSPs.Put(sp.ID, sp)
	})
	l.refused(l.token(l.contoso.TenantID, credentials(l.hosted)), 700016, "unauthorized_client", 400)
	l.pair(authorizeURL("organizations", l.hosted), l.contoso.GlobalAdmin, "accept")
	if c := l.verify(l.token(l.contoso.TenantID, credentials(l.hosted)).Access, graph); len(c.Roles) != 2 {
		t.Fatalf("claims %+v", c)
	}
}
