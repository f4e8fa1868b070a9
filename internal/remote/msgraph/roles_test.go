package msgraph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"tcap.cloud/internal/remote/msgraph"
	"tcap.cloud/internal/remote/tenant"
)

const (
	assignments = "/v1.0/roleManagement/directory/roleAssignments"
	members     = "/v1.0/directoryRoles/roleTemplateId=" + msgraph.RoleTeamsAdministrator + "/members"
	held        = `{"value":[{"id":"ra-1","principalId":"sp","roleDefinitionId":"` + msgraph.RoleTeamsAdministrator + `","directoryScopeId":"/"},` +
		`{"id":"ra-2","principalId":"sp","roleDefinitionId":"` + msgraph.RoleTeamsAdministrator + `","directoryScopeId":"/administrativeUnits/x"},` +
		`{"id":"ra-3","principalId":"sp","roleDefinitionId":"` + msgraph.RoleUserAdministrator + `","directoryScopeId":"/"}]}`
)

func (g *graph) methods() []string {
	var list []string
	for _, c := range g.calls {
		path, _, _ := strings.Cut(c, "?")
		list = append(list, path)
	}
	return list
}

func TestARoleIsAssignedByRoleManagement(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("POST "+assignments, answer(201, `{"id":"ra-1"}`))
	if err := g.writer().AssignRole(t.Context(), "sp", msgraph.RoleTeamsAdministrator); err != nil {
		t.Fatal(err)
	}
	want := `{"@odata.type":"#microsoft.graph.unifiedRoleAssignment","directoryScopeId":"/","principalId":"sp","roleDefinitionId":"` + msgraph.RoleTeamsAdministrator + `"}`
	if g.bodies[0] != want {
		t.Errorf("sent %s", g.bodies[0])
	}
}

func TestARoleThatIsHeldAlreadyIsSuccess(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"conflicting": refuse(400, "Request_BadRequest", "A conflicting object with one or more of the specified property values is present in the directory."),
		"409":         refuse(409, "Conflict", "exists"),
	} {
		g := newGraph(t)
		g.on("POST "+assignments, h)
		if err := g.writer().AssignRole(t.Context(), "sp", msgraph.RoleTeamsAdministrator); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	g := newGraph(t)
	g.on("POST "+assignments, refuse(400, "Request_BadRequest", "Invalid principal."))
	if err := g.writer().AssignRole(t.Context(), "sp", msgraph.RoleTeamsAdministrator); tenant.ClassOf(err) != tenant.Invalid {
		t.Errorf("any other 400: %v", err)
	}
}

func TestWhereRoleManagementIsRefusedTheOlderRouteIsTaken(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("POST "+assignments, refuse(403, "Authorization_RequestDenied", ""))
	g.on("POST "+members+"/$ref", refuse(404, "Request_ResourceNotFound", "role is not activated"), answer(204, ""))
	g.on("POST /v1.0/directoryRoles", answer(201, `{"id":"role"}`))
	if err := g.writer().AssignRole(t.Context(), "sp", msgraph.RoleTeamsAdministrator); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(g.methods(), []string{"POST " + assignments, "POST " + members + "/$ref", "POST /v1.0/directoryRoles", "POST " + members + "/$ref"}) {
		t.Errorf("asked %v", g.methods())
	}
	if g.bodies[1] != `{"@odata.id":"`+g.server.URL+`/v1.0/directoryObjects/sp"}` || g.bodies[2] != `{"roleTemplateId":"`+msgraph.RoleTeamsAdministrator+`"}` {
		t.Errorf("sent %v", g.bodies)
	}
}

func TestTheOlderRouteToo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		h     http.HandlerFunc
		class tenant.Class
	}{
		"held already": {refuse(400, "Request_BadRequest", "One or more added object references already exist for the following modified properties: 'members'."), ""},
		"refused":      {refuse(403, "Authorization_RequestDenied", ""), tenant.Refused},
	} {
		g := newGraph(t)
		g.on("POST "+assignments, refuse(403, "Authorization_RequestDenied", ""))
		g.on("POST "+members+"/$ref", c.h)
		if err := g.writer().AssignRole(t.Context(), "sp", msgraph.RoleTeamsAdministrator); tenant.ClassOf(err) != c.class {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALostAssignmentIsNotTriedByAnotherRoute(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("POST "+assignments, refuse(504, "", ""))
	err := g.writer().AssignRole(t.Context(), "sp", msgraph.RoleTeamsAdministrator)
	if r := tenant.AsRefusal(err); r == nil || !r.Maybe || len(g.calls) != 1 {
		t.Errorf("%v after %v", err, g.calls)
	}
}

func TestARoleIsRemovedForTheWholeTenantOnly(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("GET "+assignments, answer(200, held))
	g.on("DELETE "+assignments+"/ra-1", answer(204, ""))
	if err := g.writer().RemoveRole(t.Context(), "sp", msgraph.RoleTeamsAdministrator); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(g.calls, []string{"GET " + assignments + "?$filter=principalId%20eq%20%27sp%27", "DELETE " + assignments + "/ra-1"}) {
		t.Errorf("asked %v", g.calls)
	}
}

func TestARoleIsRemovedByTheOlderRouteWhereTheFirstIsRefused(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("GET "+assignments, answer(200, held))
	g.on("DELETE "+assignments+"/ra-1", refuse(403, "Authorization_RequestDenied", ""))
	g.on("DELETE "+members+"/sp/$ref", refuse(404, "Request_ResourceNotFound", ""))
	if err := g.writer().RemoveRole(t.Context(), "sp", msgraph.RoleTeamsAdministrator); err != nil {
		t.Errorf("gone meanwhile: %v", err)
	}
	g.on("DELETE "+members+"/sp/$ref", refuse(403, "Authorization_RequestDenied", ""))
	if err := g.writer().RemoveRole(t.Context(), "sp", msgraph.RoleTeamsAdministrator); tenant.ClassOf(err) != tenant.Refused {
		t.Errorf("refused: %v", err)
	}
}

func TestMyDirectoryRoles(t *testing.T) {
	t.Parallel()
	g := newGraph(t)
	g.on("GET /v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole", answer(200, `{"value":[{"id":"x","roleTemplateId":"`+msgraph.RoleGlobalAdministrator+`","displayName":"Global Administrator"}]}`))
	roles, err := g.reader().MyDirectoryRoles(t.Context())
	if err != nil || len(roles) != 1 || roles[0].RoleTemplateID != msgraph.RoleGlobalAdministrator {
		t.Errorf("%+v, %v", roles, err)
	}
}
