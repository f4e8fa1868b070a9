package teams_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"tcap.cloud/m365sim/internal/teams"
	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

const users = "/Teams.User/users"

func TestTheRoleIsAskedForAsItIsNow(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	bearer := l.app()
	l.want(l.as(bearer, "GET", users, ""), 200, "")
	l.change(func(tn *world.Tenant) { tn.RoleAssignments.Delete("ours") })
	r := l.as(bearer, "GET", users, "")
	if r.status != 403 || r.text != `{"error":{"code":"Forbidden","message":"Access Denied."}}` {
		t.Fatalf("the wids claim is no proof: %d %s", r.status, r.text)
	}
	l.change(func(tn *world.Tenant) {
		tn.RoleAssignments.Put("ours", world.RoleAssignment{ID: "ours", PrincipalID: l.sp, RoleDefinitionID: world.RoleUserAdministrator, DirectoryScopeID: "/"})
	})
	l.want(l.as(bearer, "GET", users, ""), 403, "Access Denied.")
	l.change(func(tn *world.Tenant) {
		tn.RoleAssignments.Put("ours", world.RoleAssignment{ID: "ours", PrincipalID: l.sp, RoleDefinitionID: world.RoleGlobalAdministrator, DirectoryScopeID: "/"})
	})
	l.want(l.as(bearer, "GET", users, ""), 200, "")
	l.change(func(tn *world.Tenant) { tn.ServicePrincipals.Delete(l.sp) })
	l.want(l.as(bearer, "GET", users, ""), 403, "Access Denied.")
}

func TestPeopleNeedTheRoleToo(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	l.want(l.as(l.mint(token.Claims{ObjectID: l.admin.ID, Scopes: []string{"user_impersonation"}}), "GET", users, ""), 200, "")
	l.want(l.as(l.mint(token.Claims{ObjectID: l.user.ID, Scopes: []string{"user_impersonation"}}), "GET", users, ""), 403, "Access Denied.")
}

func TestTokensForSomethingElseAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	l.want(l.as("", "GET", users, ""), 401, "")
	l.want(l.as("rubbish", "GET", users, ""), 401, "")
	l.want(l.as(l.mint(token.Claims{Audience: "https://graph.microsoft.com", ObjectID: l.sp, AppOnly: true}), "GET", users, ""), 401, "audience")
	bearer := l.app()
	l.w.Advance(2 * time.Hour)
	l.want(l.as(bearer, "GET", users, ""), 401, "expired")
}

func TestWhatIsNotModelledSaysSo(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	for _, c := range [][2]string{{"GET", "/Teams.VoiceApps/callqueues"}, {"POST", "/Skype.Policy/groupPolicyAssignments"}, {"PATCH", "/Skype.Policy/tenants/policies/TenantDialPlan"},
		{"GET", "/Skype.Policy/configurations/Unheard"}, {"PATCH", "/Skype.Policy/configurations/TenantDialPlan"}, {"DELETE", users}} {
		l.want(l.do(c[0], c[1], ""), 501, c[1])
	}
}

func TestTheTenantTellsItsDomainsAndHosts(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	if r := l.do("GET", "/Teams.Tenant/serviceDiscovery", ""); r.body["Endpoints"].(map[string]any)["ConfigApiEndpoint"] == "" {
		t.Fatalf("have %s", r.text)
	}
	r := l.do("GET", "/Teams.Tenant/tenants", "")
	if len(r.list) != 1 || r.list[0]["tenantId"] != l.tenant || !strings.Contains(r.text, l.domain) {
		t.Fatalf("have %s", r.text)
	}
	l.change(func(tn *world.Tenant) {
		tn.Domains = append(tn.Domains, world.Domain{Name: "waiting.fabrikam.example"})
	})
	if r := l.do("GET", "/Teams.Tenant/VerifiedSipDomains", ""); strings.Contains(r.text, "waiting") || !strings.Contains(r.text, l.domain) {
		t.Fatalf("only verified domains: %s", r.text)
	}
}

func TestUsersArePaged(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	count := func(r reply) int { list, _ := r.body["users"].([]any); return len(list) }
	if n := count(l.do("GET", users, "")); n != 25 {
		t.Fatalf("have %d", n)
	}
	if n := count(l.do("GET", users+"?skip=20&top=10", "")); n != 5 {
		t.Fatalf("have %d", n)
	}
	total := 0
	for link := users + "?pageSize=10"; link != ""; {
		r := l.do("GET", link, "")
		total += count(r)
		link, _ = r.body["nextLink"].(string)
	}
	if total != 25 {
		t.Fatalf("have %d", total)
	}
	l.want(l.do("GET", users+"?top=x", ""), 400, "top")
	l.want(l.do("GET", users+"?skipToken=x", ""), 400, "skip token")
	l.want(l.do("GET", users+"/nobody@fabrikam.example", ""), 404, "nobody")
}

func TestFeaturesFollowFromLicences(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	if u := l.seen(l.user.ID); fmt.Sprint(u["featureTypes"]) != "[Teams PhoneSystem]" || u["accountType"] != "User" || u["lineUri"] != nil {
		t.Fatalf("have %v", u)
	}
	l.change(func(tn *world.Tenant) {
		u := l.user
		u.Licences = []world.Licence{{SKUID: u.Licences[0].SKUID, DisabledPlans: []string{"57ff2da0-773e-42df-b2af-ffb7a2317929"}}}
		tn.Users.Put(u.ID, u)
	})
	if u := l.seen(l.user.UserPrincipalName); fmt.Sprint(u["featureTypes"]) != "[]" || u["accountType"] != "IneligibleUser" {
		t.Fatalf("Teams Phone without Teams is nothing: %v", u)
	}
}

const assignments = "/Skype.TelephoneNumberMgmt/cmdlet/assignments"

func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return "?" + q.Encode()
}

func (l *lab) assign(identity, number, typ string) reply {
	l.t.Helper()
	return l.do("PUT", assignments+query("Identity", identity, "PhoneNumber", number, "PhoneNumberType", typ), "")
}

func TestADirectRoutingNumberIsGivenAndTaken(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	r := l.assign(l.user.UserPrincipalName, "+61255501001", "DirectRouting")
	if r.status != 200 || strings.TrimSpace(r.text) != `""` {
		t.Fatalf("success is an empty string: %d %s", r.status, r.text)
	}
	if u := l.seen(l.user.ID); u["lineUri"] != "tel:+61255501001" || u["enterpriseVoiceEnabled"] != true {
		t.Fatalf("have %v", u)
	}
	l.want(l.assign(l.user.ID, "61255501001", "directrouting"), 200, "")
	l.want(l.assign("sip:"+l.user.UserPrincipalName, "+61255501002", "DirectRouting"), 200, "")
	if u := l.seen(l.user.ID); u["lineUri"] != "tel:+61255501002" {
		t.Fatalf("a second number replaces the first: %v", u)
	}
	l.want(l.do("DELETE", assignments+"/"+l.user.ID+query("PhoneNumber", "+61255501002", "PhoneNumberType", "DirectRouting"), ""), 200, "")
	if u := l.seen(l.user.ID); u["lineUri"] != nil || u["enterpriseVoiceEnabled"] != false {
		t.Fatalf("have %v", u)
	}
	l.want(l.do("POST", assignments+query("Identity", l.user.ID, "PhoneNumber", "+61255501003", "PhoneNumberType", "DirectRouting"), ""), 200, "")
	l.want(l.do("DELETE", assignments+"/"+l.user.UserPrincipalName+"?RemoveAll=true", ""), 200, "")
	list := l.do("GET", assignments+query("TelephoneNumber", "+61255501003"), "")
	if !strings.Contains(list.text, `"PstnAssignmentStatus":"Unassigned"`) {
		t.Fatalf("have %s", list.text)
	}
	inventory := l.do("GET", "/Skype.TelephoneNumberMgmt/Tenants/"+l.tenant+"/telephone-numbers?skip=1&top=1", "")
	if n := inventory.body["TelephoneNumbers"].([]any); len(n) != 1 || n[0].(map[string]any)["TargetId"] != "00000000-0000-0000-0000-000000000000" {
		t.Fatalf("have %s", inventory.text)
	}
	l.want(l.do("GET", "/Skype.TelephoneNumberMgmt/Tenants/"+l.sp+"/telephone-numbers", ""), 403, "Access Denied.")
}

func TestNumbersAreRefusedInMicrosoftsWords(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	var other, plain, synced world.User
	l.change(func(tn *world.Tenant) {
		ids := tn.Users.IDs()
		other, _ = tn.Users.Get(ids[2])
		plain, _ = tn.Users.Get(ids[3])
		synced, _ = tn.Users.Get(ids[4])
		plain.Licences, synced.OnPremNumber = nil, "tel:+61255509999"
		tn.Users.Put(plain.ID, plain)
		tn.Users.Put(synced.ID, synced)
		tn.Numbers.Put("+61255502000", world.Number{TelephoneNumber: "+61255502000", Type: "OperatorConnect"})
		tn.Numbers.Put("+61255503000", world.Number{TelephoneNumber: "+61255503000", Type: "CallingPlan"})
	})
	l.want(l.assign(l.user.ID, "+61255501001", "DirectRouting"), 200, "")
	l.want(l.assign(other.ID, "+61255501001", "DirectRouting"), 400, "Telephone Number '+61255501001' has already been assigned to another user")
	l.want(l.assign(plain.ID, "+61255501009", "DirectRouting"), 400, "lacks appropriate licenses to assign a 'DirectRouting' number")
	l.want(l.assign(synced.ID, "+61255501009", "DirectRouting"), 400, "already has a telephone number set in the on-premises Active Directory")
	l.want(l.assign(other.ID, "+61255501008", "OperatorConnect"), 400, "Telephone Number '+61255501008' is not found from tenant '"+l.tenant+"'")
	l.want(l.assign(other.ID, "+61255502000", "DirectRouting"), 400, "is not found from tenant")
	l.want(l.assign(other.ID, "+61255503000", "CallingPlan"), 400, "lacks appropriate licenses to assign a 'CallingPlan' number")
	l.want(l.assign(other.ID, "+61255502000", "OperatorConnect"), 200, "")
	l.want(l.assign("nobody@fabrikam.example", "+61255501009", "DirectRouting"), 404, "nobody")
	l.want(l.assign(other.ID, "+61255501009", "Pigeon"), 400, "PhoneNumberType")
	l.want(l.assign(other.ID, "tel:+61255501009", "DirectRouting"), 400, "is not found from tenant")
	unescaped := l.do("PUT", assignments+"?Identity="+other.ID+"&PhoneNumber=+61255501009&PhoneNumberType=DirectRouting", "")
	l.want(unescaped, 400, "is not found from tenant")
	l.want(l.do("PUT", assignments+query("Identity", other.ID, "PhoneNumber", "+61255501009", "PhoneNumberType", "DirectRouting"), `{"Identity":"x"}`), 400, "body")
	l.want(l.do("PUT", assignments+query("Identity", other.ID), ""), 400, "known set")
	l.want(l.do("PUT", assignments+query("Identity", other.ID, "PhoneNumber", "+61255501009", "EnterpriseVoiceEnabled", "true"), ""), 400, "cannot be combined")
	l.want(l.do("DELETE", assignments+"/"+other.ID+query("PhoneNumber", "+61255501001", "PhoneNumberType", "DirectRouting"), ""), 400, "is not found from tenant")
	l.want(l.do("DELETE", assignments+"/"+other.ID, ""), 400, "RemoveAll")
	l.want(l.do("DELETE", assignments+"/nobody?RemoveAll=true", ""), 404, "nobody")
	l.want(l.do("PUT", assignments+query("PhoneNumber", "+61255509876", "LocationId", l.sp), ""), 400, "is not found from tenant")
	l.want(l.do("PUT", assignments+query("Identity", plain.ID, "EnterpriseVoiceEnabled", "true"), ""), 400, "lacks appropriate licenses")
}

func TestAttributesOfANumberAreChanged(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	l.want(l.assign(l.user.ID, "+61255501001", "DirectRouting"), 200, "")
	l.want(l.do("PUT", assignments+query("PhoneNumber", "+61255501001", "LocationId", l.sp), ""), 200, "")
	if r := l.do("GET", assignments, ""); !strings.Contains(r.text, l.sp) {
		t.Fatalf("have %s", r.text)
	}
	l.want(l.do("PUT", assignments+query("PhoneNumber", "+61255501001", "LocationId", "null"), ""), 200, "")
	if r := l.do("GET", assignments, ""); strings.Contains(r.text, l.sp) {
		t.Fatalf("have %s", r.text)
	}
	l.want(l.do("PUT", assignments+query("Identity", l.admin.ID, "EnterpriseVoiceEnabled", "true"), ""), 200, "")
	if l.seen(l.admin.ID)["enterpriseVoiceEnabled"] != true {
		t.Fatal("enterprise voice is still off")
	}
}

func TestTheMisleadingTextCanBeAskedFor(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{OnPremisesText: true})
	l.change(func(tn *world.Tenant) { u := l.user; u.Licences = nil; tn.Users.Put(u.ID, u) })
	l.want(l.assign(l.user.ID, "+61255501001", "DirectRouting"), 400, "on-premises Active Directory")
}
