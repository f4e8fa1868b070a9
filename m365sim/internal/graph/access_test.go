package graph_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tcap.cloud/m365sim/internal/graph"
	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

func TestWhoeverHasNoValidTokenIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	old := l.app("User.Read.All")
	l.want(l.get("/users", ""), 401, "InvalidAuthenticationToken")
	l.want(l.get("/users", "rubbish"), 401, "InvalidAuthenticationToken")
	l.want(l.get("/users", l.mint(token.Claims{AppID: hostedApp, ObjectID: l.hosted, AppOnly: true, Audience: world.TeamsAdminAppID, Roles: []string{"User.Read.All"}})), 401, "InvalidAuthenticationToken")
	l.want(l.get("/users", old), 200, "")
	l.w.Advance(2 * time.Hour)
	r := l.get("/users", old)
	l.want(r, 401, "InvalidAuthenticationToken")
	if !strings.Contains(r.message(), "expired") || r.header.Get("WWW-Authenticate") == "" {
		t.Fatalf("an expired token must be named so: %s", r.text)
	}
}

func TestErrorsHaveGraphsShape(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	r := l.get("/users/nobody@fabrikam.example", l.app("User.Read.All"), "client-request-id", "my-own-id")
	l.want(r, 404, "Request_ResourceNotFound")
	inner := r.body["error"].(map[string]any)["innerError"].(map[string]any)
	if r.header.Get("client-request-id") != "my-own-id" || inner["client-request-id"] != "my-own-id" ||
		inner["request-id"] != r.header.Get("request-id") || inner["request-id"] == "" {
		t.Fatalf("ids must be echoed in headers and body: %v %s", r.header, r.text)
	}
	l.want(l.get("/groups", l.app("Group.Read.All")), 501, "NotModelled")
	l.want(l.do(http.MethodPut, "/users", l.app(), ""), 501, "NotModelled")
}

func TestAnApplicationNeedsThePermissionOrARoleThatStandsIn(t *testing.T) {
	t.Parallel()
	const phone = "/admin/teams/telephoneNumberManagement/numberAssignments"
	for _, c := range []struct {
		name, path, permission, role string
		want                         int
	}{
		{"nothing at all", "/users", "", "", 403},
		{"users by permission", "/users", "User.Read.All", "", 200},
		{"users by another permission", "/users", "Group.Read.All", "", 403},
		{"users by User Administrator", "/users", "", world.RoleUserAdministrator, 200},
		{"users by Teams Administrator", "/users", "", world.RoleTeamsAdministrator, 200},
		{"delta with basic permission", "/users/delta", "User.ReadBasic.All", "", 403},
		{"organisation by Teams Administrator", "/organization", "", world.RoleTeamsAdministrator, 200},
		{"products by Teams Administrator", "/subscribedSkus", "", world.RoleTeamsAdministrator, 200},
		{"domains by Teams Administrator", "/domains", "", world.RoleTeamsAdministrator, 403},
		{"domains by User Administrator", "/domains", "", world.RoleUserAdministrator, 200},
		{"service principals by User Administrator", "/servicePrincipals", "", world.RoleUserAdministrator, 200},
		{"service principals by Teams Administrator", "/servicePrincipals", "", world.RoleTeamsAdministrator, 403},
		{"role assignments by User Administrator", "/roleManagement/directory/roleAssignments", "", world.RoleUserAdministrator, 403},
		{"role assignments by permission", "/roleManagement/directory/roleAssignments", "RoleManagement.Read.Directory", "", 200},
		{"numbers by Teams Administrator", phone, "", world.RoleTeamsAdministrator, 403},
		{"numbers by Global Administrator", phone, "", world.RoleGlobalAdministrator, 403},
		{"numbers by permission", phone, "TeamsTelephoneNumber.Read.All", "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, 3)
			if c.role != "" {
				l.giveRole(l.hosted, c.role)
			}
			r := l.get(c.path, l.app(c.permission))
			l.want(r, c.want, "")
			if c.want == 403 && r.code() != "Authorization_RequestDenied" {
				t.Fatalf("have %s", r.text)
			}
		})
	}
}

func TestARoleThatWasTakenAwayNoLongerStandsIn(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	l.giveRole(l.hosted, world.RoleUserAdministrator)
	bearer := l.app()
	l.want(l.get("/users", bearer), 200, "")
	l.change(func(t *world.Tenant) { t.RoleAssignments.Delete(l.hosted + world.RoleUserAdministrator) })
	l.want(l.get("/users", bearer), 403, "Authorization_RequestDenied")
}

func TestAPersonNeedsScopeAndRole(t *testing.T) {
	t.Parallel()
	l := newLab(t, 4)
	body := `{"department":"Sales"}`
	path := "/users/" + l.user.ID
	l.want(l.do("PATCH", path, l.person(l.user, "User.ReadWrite.All"), body), 403, "Authorization_RequestDenied")
	l.want(l.do("PATCH", path, l.person(l.admin, "User.Read"), body), 403, "Authorization_RequestDenied")
	l.want(l.do("PATCH", path, l.person(l.admin, "User.ReadWrite.All"), body), 204, "")
	l.want(l.do("PATCH", path, l.person(l.admin, "Directory.AccessAsUser.All"), body), 204, "")
	l.want(l.do("PATCH", path, l.person(l.user, "Directory.AccessAsUser.All"), body), 403, "Authorization_RequestDenied")
	l.want(l.get("/users", l.person(l.user, "User.Read.All")), 200, "")
	l.want(l.get("/admin/teams/telephoneNumberManagement/numberAssignments", l.person(l.admin, "Directory.AccessAsUser.All")), 403, "Authorization_RequestDenied")
}

func TestADisabledPrincipalsTokenLivesOnForMultiTenantApplicationsOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	hosted, custom := l.app("User.Read.All"), l.appOf(customApp, l.custom, "User.Read.All")
	l.change(func(t *world.Tenant) {
		for _, id := range []string{l.hosted, l.custom} {
			sp, _ := t.ServicePrincipals.Get(id)
			sp.Enabled = false
			t.ServicePrincipals.Put(id, sp)
		}
	})
	l.want(l.get("/users", hosted), 200, "")
	l.want(l.get("/users", custom), 403, "Authorization_IdentityDisabled")
}

func TestADeletedPrincipalIsNotFound(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	bearer := l.app("User.Read.All")
	admin := l.person(l.admin, "Directory.AccessAsUser.All")
	l.change(func(t *world.Tenant) { t.ServicePrincipals.Delete(l.hosted) })
	l.want(l.get("/users", bearer), 403, "Authorization_IdentityNotFound")
	l.want(l.get("/users", admin), 403, "Authorization_IdentityNotFound")
	l.principal(hostedApp) // consented to again: another object, so that the old token stays dead
	l.want(l.get("/users", bearer), 403, "Authorization_IdentityNotFound")
}

func TestADeletedPersonIsNotFound(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	bearer := l.person(l.user, "User.Read")
	l.change(func(t *world.Tenant) { t.Users.Delete(l.user.ID) })
	l.want(l.get("/me", bearer), 403, "Authorization_IdentityNotFound")
}

func TestStrictOptionsRefuseAccessAsUserForRoleAssignments(t *testing.T) {
	t.Parallel()
	l := newLabWith(t, 3, graph.Options{StrictRoleAssignments: true})
	admin := l.person(l.admin, "Directory.AccessAsUser.All")
	body := `{"roleDefinitionId":"` + world.RoleTeamsAdministrator + `","principalId":"` + l.hosted + `","directoryScopeId":"/"}`
	l.want(l.do("POST", "/roleManagement/directory/roleAssignments", admin, body), 403, "Authorization_RequestDenied")
	ref := `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + l.hosted + `"}`
	l.want(l.do("POST", "/directoryRoles/roleTemplateId="+world.RoleTeamsAdministrator+"/members/$ref", admin, ref), 204, "")
}
