package graph_test

import (
	"strings"
	"testing"

	"tcap.cloud/m365sim/internal/world"
)

const assignments = "/roleManagement/directory/roleAssignments"

func assignment(role, principal string) string {
	return `{"@odata.type":"#microsoft.graph.unifiedRoleAssignment","roleDefinitionId":"` + role + `","principalId":"` + principal + `","directoryScopeId":"/"}`
}

func TestAnAdministratorGivesRolesToTheApplication(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	admin := l.person(l.admin, "Directory.AccessAsUser.All", "User.Read")
	made := l.do("POST", assignments, admin, assignment(world.RoleTeamsAdministrator, l.hosted))
	l.want(made, 201, "")
	second := l.do("POST", assignments, admin, assignment(world.RoleTeamsAdministrator, l.hosted))
	l.want(second, 400, "Request_BadRequest")
	if !strings.Contains(second.message(), "conflicting object") {
		t.Fatalf("have %s", second.text)
	}
	ref := `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + l.hosted + `"}`
	l.want(l.do("POST", "/directoryRoles/roleTemplateId="+world.RoleUserAdministrator+"/members/$ref", admin, ref), 204, "")
	l.want(l.do("POST", "/directoryRoles(roleTemplateId='"+world.RoleUserAdministrator+"')/members/$ref", admin, ref), 400, "Request_BadRequest")
	filter := "?$filter=principalId eq '" + l.hosted + "' and roleDefinitionId eq '" + world.RoleUserAdministrator + "'"
	if n := len(l.get(assignments+filter, admin).items()); n != 1 {
		t.Fatalf("both routes give the same kind of assignment: have %d", n)
	}
	members := l.get("/directoryRoles/roleTemplateId="+world.RoleTeamsAdministrator+"/members", admin).items()
	if len(members) != 1 || members[0]["id"] != l.hosted {
		t.Fatalf("have %v", members)
	}
	l.want(l.do("DELETE", assignments+"/"+made.text1("id"), admin, ""), 204, "")
	l.want(l.do("DELETE", assignments+"/"+made.text1("id"), admin, ""), 404, "Request_ResourceNotFound")
}

func TestRolesAreRefusedToWhomeverMayNotGiveThem(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	body := assignment(world.RoleTeamsAdministrator, l.hosted)
	l.want(l.do("POST", assignments, l.person(l.user, "Directory.AccessAsUser.All", "RoleManagement.ReadWrite.Directory"), body), 403, "Authorization_RequestDenied")
	l.want(l.do("POST", assignments, l.person(l.admin, "User.Read.All"), body), 403, "Authorization_RequestDenied")
	l.giveRole(l.hosted, world.RoleUserAdministrator)
	l.want(l.do("POST", assignments, l.app("RoleManagement.Read.All"), body), 403, "Authorization_RequestDenied")
	admin := l.person(l.admin, "RoleManagement.ReadWrite.Directory")
	l.want(l.do("POST", assignments, admin, assignment("00000000-0000-0000-0000-000000000001", l.hosted)), 400, "Request_BadRequest")
	l.want(l.do("POST", assignments, admin, assignment(world.RoleTeamsAdministrator, "00000000-0000-0000-0000-000000000001")), 404, "Request_ResourceNotFound")
	l.want(l.do("POST", assignments, admin, `{"roleDefinitionId":"`+world.RoleTeamsAdministrator+`","principalId":"x","directoryScopeId":"/administrativeUnits/1"}`), 501, "NotModelled")
	l.want(l.do("POST", "/directoryRoles/roleTemplateId=nope/members/$ref", admin, `{}`), 404, "Request_ResourceNotFound")
	l.want(l.do("POST", "/directoryRoles/roleTemplateId="+world.RoleTeamsAdministrator+"/members/$ref", admin, `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/nobody"}`), 404, "")
}

func TestMeTellsAboutThePerson(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	if got := l.get("/me", l.person(l.user, "User.Read")).body["id"]; got != l.user.ID {
		t.Fatalf("have %v", got)
	}
	l.want(l.get("/me", l.app("User.Read.All")), 400, "BadRequest")
	l.want(l.get("/me", l.person(l.user, "Mail.Read")), 403, "Authorization_RequestDenied")
	const path = "/me/transitiveMemberOf/microsoft.graph.directoryRole"
	roles := l.get(path, l.person(l.admin, "User.Read", "Directory.AccessAsUser.All")).items()
	if len(roles) != 1 || roles[0]["roleTemplateId"] != world.RoleGlobalAdministrator {
		t.Fatalf("have %v", roles)
	}
	hidden := l.get(path, l.person(l.admin, "User.Read")).items()
	if len(hidden) != 1 || hidden[0]["roleTemplateId"] != nil {
		t.Fatalf("User.Read alone shows no properties of a role: %v", hidden)
	}
	if n := len(l.get(path, l.person(l.user, "Directory.AccessAsUser.All")).items()); n != 0 {
		t.Fatalf("an ordinary person holds no role, have %d", n)
	}
}
