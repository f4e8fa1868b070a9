package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"tcap.cloud/m365sim/internal/world"
)

func TestOrganisationAndDomains(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	bearer := l.app("Organization.Read.All", "Domain.Read.All")
	org := l.get("/organization", bearer).items()[0]
	if org["id"] != l.tenant || org["displayName"] != "Contoso" || len(org["verifiedDomains"].([]any)) == 0 {
		t.Fatalf("have %v", org)
	}
	if d := l.get("/domains/"+l.domain, bearer).body; d["id"] != l.domain || d["isVerified"] != true {
		t.Fatalf("have %v", d)
	}
	l.want(l.get("/domains/fabrikam.example", bearer), 404, "Request_ResourceNotFound")
	l.want(l.get("/organization/"+l.hosted, bearer), 404, "Request_ResourceNotFound")
}

func TestLicencesAreGivenAndTaken(t *testing.T) {
	t.Parallel()
	l := newLab(t, 4, func(n *world.NewTenant) { n.LicensedShare = 0 })
	bearer := l.app("User.ReadWrite.All", "Organization.Read.All")
	var phone world.SKU
	l.change(func(tn *world.Tenant) {
		u := l.user
		u.Licences, u.UsageLocation = nil, ""
		tn.Users.Put(u.ID, u)
		for _, s := range tn.SKUs.All() {
			if s.PartNumber == "ENTERPRISEPREMIUM_NOPSTNCONF" {
				phone = s
			}
		}
	})
	path := "/users/" + l.user.ID + "/assignLicense"
	add := `{"addLicenses":[{"skuId":"` + phone.ID + `","disabledPlans":["` + phone.Plans[0].ID + `"]}],"removeLicenses":[]}`
	refused := l.do("POST", path, bearer, add)
	l.want(refused, 400, "Request_BadRequest")
	if !strings.Contains(refused.message(), "usage location") {
		t.Fatalf("have %s", refused.text)
	}
	l.want(l.do("PATCH", "/users/"+l.user.ID, bearer, `{"usageLocation":"AU"}`), 204, "")
	l.want(l.do("POST", path, bearer, add), 200, "")
	u := l.get("/users/"+l.user.ID+"?$select=assignedPlans,licenseAssignmentStates", bearer).body
	plans := map[any]any{}
	for _, p := range u["assignedPlans"].([]any) {
		plans[p.(map[string]any)["servicePlanId"]] = p.(map[string]any)["capabilityStatus"]
	}
	if plans[phone.Plans[0].ID] != "Deleted" || plans[phone.Plans[1].ID] != "Enabled" {
		t.Fatalf("a disabled plan is Deleted: %v", plans)
	}
	if s := u["licenseAssignmentStates"].([]any)[0].(map[string]any); s["state"] != "Active" || s["error"] != "None" {
		t.Fatalf("have %v", s)
	}
	if d := l.get("/users/"+l.user.ID+"/licenseDetails", bearer).items(); len(d) != 1 || d[0]["skuPartNumber"] != phone.PartNumber {
		t.Fatalf("have %v", d)
	}
	remove := `{"addLicenses":[],"removeLicenses":["` + phone.ID + `"]}`
	l.want(l.do("POST", path, bearer, remove), 200, "")
	for _, bad := range []string{remove, `{"addLicenses":[]}`, `{"addLicenses":[{"skuId":"00000000-0000-0000-0000-000000000001"}],"removeLicenses":[]}`,
		`{"addLicenses":[{"skuId":"` + phone.ID + `","disabledPlans":["nope"]}],"removeLicenses":[]}`} {
		l.want(l.do("POST", path, bearer, bad), 400, "Request_BadRequest")
	}
	l.want(l.do("POST", path, l.app("User.Read.All"), add), 403, "Authorization_RequestDenied")
}

func TestAProductThatIsUsedUpIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, 4, func(n *world.NewTenant) { n.LicensedShare = 0 })
	sku := world.SKU{ID: "440eaaa8-b3e0-484b-a8be-62870b9ba70a", PartNumber: "PHONESYSTEM_VIRTUALUSER", Enabled: 1, Plans: []world.ServicePlan{{ID: "f47330e9-c134-43b3-9993-e7f004506889", Name: "MCOEV_VIRTUALUSER"}}}
	l.change(func(tn *world.Tenant) { tn.SKUs.Put(sku.ID, sku) })
	bearer := l.app("User.ReadWrite.All", "Organization.Read.All")
	for _, u := range []world.User{l.user, l.admin} {
		l.do("PATCH", "/users/"+u.ID, bearer, `{"usageLocation":"AU"}`)
	}
	add := `{"addLicenses":[{"skuId":"` + sku.ID + `"}],"removeLicenses":[]}`
	l.want(l.do("POST", "/users/"+l.user.ID+"/assignLicense", bearer, add), 200, "")
	r := l.do("POST", "/users/"+l.admin.ID+"/assignLicense", bearer, add)
	l.want(r, 400, "Request_BadRequest")
	if !strings.Contains(r.message(), "does not have any available licenses") {
		t.Fatalf("have %s", r.text)
	}
	for _, s := range l.get("/subscribedSkus", bearer).items() {
		if s["skuId"] == sku.ID && s["consumedUnits"] != 1.0 {
			t.Fatalf("have %v", s["consumedUnits"])
		}
	}
}

func TestServicePrincipalsAreFoundChangedAndDeleted(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	bearer := l.app("Application.ReadWrite.All", "Directory.Read.All")
	l.change(func(tn *world.Tenant) {
		g, _ := tn.ServicePrincipalOf(world.GraphAppID)
		tn.AppRoleGrants.Put("a1", world.AppRoleAssignment{ID: "a1", PrincipalID: l.custom, ResourceID: g.ID, AppRoleID: "741f803b-c850-494e-b5df-cde7c675a1ca", Value: "User.ReadWrite.All"})
		tn.Grants.Put("g1", world.Grant{ID: "g1", ClientID: l.custom, ConsentType: "AllPrincipals", ResourceID: g.ID, Scope: "User.Read"})
	})
	l.giveRole(l.custom, world.RoleTeamsAdministrator)
	byFilter := l.get("/servicePrincipals?$filter=appId eq '"+customApp+"'", bearer).items()
	byKey := l.get("/servicePrincipals(appId='"+customApp+"')?$select=id", bearer).body
	if len(byFilter) != 1 || byFilter[0]["id"] != l.custom || byKey["id"] != l.custom || byKey["displayName"] != nil {
		t.Fatalf("have %v, %v", byFilter, byKey)
	}
	if n := len(l.get("/servicePrincipals/"+l.custom+"/appRoleAssignments", bearer).items()); n != 1 {
		t.Fatalf("have %d permissions", n)
	}
	if n := len(l.get("/servicePrincipals/"+l.custom+"/oauth2PermissionGrants", bearer).items()); n != 1 {
		t.Fatalf("have %d grants", n)
	}
	if n := len(l.get("/oauth2PermissionGrants?$filter=clientId eq '"+l.custom+"'", bearer).items()); n != 1 {
		t.Fatalf("have %d grants", n)
	}
	if g := l.get("/servicePrincipals(appId='"+world.GraphAppID+"')?$select=appRoles", bearer).text; !strings.Contains(g, "741f803b-c850-494e-b5df-cde7c675a1ca") {
		t.Fatalf("Graph's own principal lists its permissions: %s", g)
	}
	l.want(l.do("PATCH", "/servicePrincipals(appId='"+customApp+"')", bearer, `{"accountEnabled":false}`), 204, "")
	if l.get("/servicePrincipals/"+l.custom, bearer).body["accountEnabled"] != false {
		t.Fatal("it is still enabled")
	}
	l.want(l.do("DELETE", "/servicePrincipals/"+l.custom, l.app("Directory.Read.All"), ""), 403, "Authorization_RequestDenied")
	l.want(l.do("DELETE", "/servicePrincipals/"+l.custom, bearer, ""), 204, "")
	l.want(l.get("/servicePrincipals/"+l.custom, bearer), 404, "Request_ResourceNotFound")
	l.view(func(tn *world.Tenant) {
		if tn.AppRoleGrants.Len()+tn.Grants.Len() != 0 || tn.RoleAssignments.Len() != 1 {
			t.Error("what was granted to a deleted principal must go")
		}
	})
	l.want(l.do("PATCH", "/servicePrincipals(appId='"+customApp+"')", bearer, `{}`), 404, "Request_ResourceNotFound")
	l.want(l.do("PATCH", "/servicePrincipals(appId='"+customApp+"')", bearer, `{}`, "Prefer", "create-if-missing"), 201, "")
	l.want(l.do("PATCH", "/servicePrincipals(appId='33333333-3333-4333-8333-333333333333')", bearer, `{}`, "Prefer", "create-if-missing"), 400, "Request_BadRequest")
}

const phoneNumbers = "/admin/teams/telephoneNumberManagement/numberAssignments"

func TestANumberIsAssignedByAnOperation(t *testing.T) {
	t.Parallel()
	l := newLab(t, 4, func(n *world.NewTenant) { n.LicensedShare = 1 })
	bearer := l.app("TeamsTelephoneNumber.ReadWrite.All")
	body := `{"telephoneNumber":"61255501001","assignmentTargetId":"` + l.user.ID + `","numberType":"directRouting"}`
	l.want(l.do("POST", phoneNumbers+"/assignNumber", l.app("TeamsTelephoneNumber.Read.All"), body), 403, "Authorization_RequestDenied")
	r := l.do("POST", phoneNumbers+"/microsoft.graph.teamsAdministration.assignNumber", bearer, body)
	if r.status != http.StatusAccepted || r.text != "" {
		t.Fatalf("have %d %s", r.status, r.text)
	}
	if op := l.get(r.header.Get("Location"), bearer).body; op["status"] != "succeeded" {
		t.Fatalf("have %v", op)
	}
	n := l.get(phoneNumbers+"?$filter=assignmentStatus eq 'userAssigned' and capabilities/any(c:c eq 'userAssignment')", bearer).items()
	if len(n) != 1 || n[0]["telephoneNumber"] != "+61255501001" || n[0]["assignmentTargetId"] != l.user.ID || n[0]["numberType"] != "directRouting" {
		t.Fatalf("have %v", n)
	}
	taken := l.do("POST", phoneNumbers+"/assignNumber", bearer, strings.Replace(body, l.user.ID, l.admin.ID, 1))
	op := l.get(taken.header.Get("Location"), bearer)
	if op.body["status"] != "failed" || !strings.Contains(op.text, "already been assigned") {
		t.Fatalf("have %s", op.text)
	}
	un := l.do("POST", phoneNumbers+"/unassignNumber", bearer, `{"telephoneNumber":"+61255501001","numberType":"directRouting"}`)
	if op := l.get(un.header.Get("Location"), bearer).body; un.status != 202 || op["status"] != "succeeded" {
		t.Fatalf("have %v", op)
	}
	for _, bad := range []string{`{"telephoneNumber":"tel:+1"}`, `{"telephoneNumber":"+61255501001","numberType":"carrierPigeon"}`, `{"telephoneNumber":"+61255501001","numberType":"directRouting"}`} {
		l.want(l.do("POST", phoneNumbers+"/assignNumber", bearer, bad), 400, "BadRequest")
	}
	l.want(l.get("/admin/teams/telephoneNumberManagement/operations('bm9uZQ')", bearer), 404, "")
}

func TestGovernmentCloudsHaveNoNumbersInGraph(t *testing.T) {
	t.Parallel()
	l := newLab(t, 4, func(n *world.NewTenant) { n.Cloud = world.GCCHigh })
	l.want(l.get(phoneNumbers, l.app("TeamsTelephoneNumber.Read.All")), 400, "BadRequest")
}

func TestABatchRunsEachRequestByItself(t *testing.T) {
	t.Parallel()
	l := newLab(t, 4)
	bearer := l.app("User.Read.All")
	r := l.do("POST", "/$batch", bearer, `{"requests":[
		{"id":"1","method":"GET","url":"/users/`+l.user.ID+`"},
		{"id":"2","method":"GET","url":"/domains"},
		{"id":"3","method":"GET","url":"/users","dependsOn":["2"]},
		{"id":"4","method":"POST","url":"/$batch"}]}`)
	l.want(r, 200, "")
	got := map[any]any{}
	for _, x := range r.body["responses"].([]any) {
		got[x.(map[string]any)["id"]] = x.(map[string]any)["status"]
	}
	if got["1"] != 200.0 || got["2"] != 403.0 || got["3"] != 424.0 || got["4"] != 501.0 {
		t.Fatalf("have %v", got)
	}
	many := strings.TrimSuffix(strings.Repeat(`{"id":"x","method":"GET","url":"/me"},`, 21), ",")
	l.want(l.do("POST", "/$batch", bearer, `{"requests":[`+many+`]}`), 400, "BadRequest")
	l.want(l.do("POST", "/$batch", bearer, `{"requests":[{"id":"x","method":"GET","url":"/me"},{"id":"x","method":"GET","url":"/me"}]}`), 400, "BadRequest")
	l.want(l.do("POST", "/$batch", "", `{}`), 401, "InvalidAuthenticationToken")
}
