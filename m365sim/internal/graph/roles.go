package graph

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/world"
)

// roleNames are the built-in roles the simulator knows, in a fixed order; the template id is also the definition's id.
func roleNames() [][2]string {
	return [][2]string{
		{world.RoleGlobalAdministrator, "Global Administrator"},
		{world.RolePrivilegedRoleAdministrator, "Privileged Role Administrator"},
		{world.RoleTeamsAdministrator, "Teams Administrator"},
		{world.RoleUserAdministrator, "User Administrator"},
		{world.RoleDomainNameAdministrator, "Domain Name Administrator"},
	}
}

func roleName(template string) (string, bool) {
	for _, r := range roleNames() {
		if strings.EqualFold(r[0], template) {
			return r[1], true
		}
	}
	return "", false
}

// directoryRoleID: an activated role has an id of its own in every tenant, unlike its template.
func directoryRoleID(t *world.Tenant, template string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(t.ID+"/directoryRole/"+template)).String()
}

func showDirectoryRole(t *world.Tenant, template string) map[string]any {
	name, _ := roleName(template)
	return map[string]any{"id": directoryRoleID(t, template), "displayName": orNull(name), "description": orNull(name), "roleTemplateId": template, "deletedDateTime": nil}
}

func (c *call) listDirectoryRoles() (answer, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		for _, r := range roleNames() {
			all = append(all, showDirectoryRole(t, r[0]))
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("directoryRoles", all)
}

// template finds the role an argument names: directoryRoles/{id} or directoryRoles/roleTemplateId={template}.
func template(t *world.Tenant, arg string) (string, error) {
	value, byTemplate := keyed(arg, "roleTemplateId")
	for _, r := range roleNames() {
		if (byTemplate && strings.EqualFold(r[0], value)) || (!byTemplate && strings.EqualFold(directoryRoleID(t, r[0]), value)) {
			return r[0], nil
		}
	}
	return "", notFound(value)
}

func (c *call) getDirectoryRole() (answer, error) {
	var m map[string]any
	err := c.view(func(t *world.Tenant) error {
		role, err := template(t, c.args[0])
		if err == nil {
			m = showDirectoryRole(t, role)
		}
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return c.single("directoryRoles", m)
}

func (c *call) listRoleMembers() (answer, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		role, err := template(t, c.args[0])
		if err != nil {
			return err
		}
		for _, a := range t.RoleAssignments.All() {
			if a.RoleDefinitionID == role {
				all = append(all, showMember(t, a.PrincipalID))
			}
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("directoryObjects", all)
}

func showMember(t *world.Tenant, id string) map[string]any {
	if u, found := t.Users.Get(id); found {
		m := showUser(t, u, usualUserProperties())
		m["@odata.type"] = "#microsoft.graph.user"
		return m
	}
	sp, _ := t.ServicePrincipals.Get(id)
	return map[string]any{"@odata.type": "#microsoft.graph.servicePrincipal", "id": id, "displayName": orNull(sp.DisplayName), "appId": orNull(sp.AppID)}
}

// addRoleMember is the older way to give a role: POST directoryRoles/…/members/$ref (facts/entra.md §1.5, step 4).
func (c *call) addRoleMember() (answer, error) {
	var ref struct {
		ID string `json:"@odata.id"`
	}
	if err := c.read(&ref); err != nil {
		return answer{}, err
	}
	principal := ref.ID[strings.LastIndex(ref.ID, "/")+1:]
	fresh := world.RoleAssignment{ID: c.w.NewID(), PrincipalID: principal, DirectoryScopeID: "/"}
	err := c.update(func(t *world.Tenant) error {
		role, err := template(t, c.args[0])
		if err != nil {
			return err
		}
		fresh.RoleDefinitionID = role
		if !principalExists(t, principal) {
			return notFound(principal)
		}
		if assigned(t, fresh) {
			return badRequest("One or more added object references already exist for the following modified properties: 'members'.")
		}
		t.RoleAssignments.Put(fresh.ID, fresh)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return noContent()
}

func principalExists(t *world.Tenant, id string) bool {
	_, user := t.Users.Get(id)
	_, sp := t.ServicePrincipals.Get(id)
	return user || sp
}

func assigned(t *world.Tenant, wanted world.RoleAssignment) bool {
	for _, a := range t.RoleAssignments.All() {
		if a.PrincipalID == wanted.PrincipalID && a.RoleDefinitionID == wanted.RoleDefinitionID && a.DirectoryScopeID == wanted.DirectoryScopeID {
			return true
		}
	}
	return false
}

func (c *call) listRoleDefinitions() (answer, error) {
	var all []map[string]any
	for _, r := range roleNames() {
		all = append(all, showDefinition(r))
	}
	return c.whole("roleManagement/directory/roleDefinitions", all)
}

func (c *call) getRoleDefinition() (answer, error) {
	name, known := roleName(c.args[0])
	if !known {
		return answer{}, notFound(c.args[0])
	}
	return c.single("roleManagement/directory/roleDefinitions", showDefinition([2]string{strings.ToLower(c.args[0]), name}))
}

func showDefinition(r [2]string) map[string]any {
	return map[string]any{"id": r[0], "templateId": r[0], "displayName": r[1], "description": r[1], "isBuiltIn": true, "isEnabled": true,
		"resourceScopes": []string{"/"}, "version": "1", "rolePermissions": []any{}}
}

func showAssignment(a world.RoleAssignment) map[string]any {
	return map[string]any{"id": a.ID, "principalId": a.PrincipalID, "roleDefinitionId": a.RoleDefinitionID, "directoryScopeId": a.DirectoryScopeID}
}

func (c *call) listRoleAssignments() (answer, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		for _, a := range t.RoleAssignments.All() {
			all = append(all, showAssignment(a))
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("roleManagement/directory/roleAssignments", all)
}

func (c *call) getRoleAssignment() (answer, error) {
	var m map[string]any
	err := c.view(func(t *world.Tenant) error {
		a, found := t.RoleAssignments.Get(c.args[0])
		if !found {
			return notFound(c.args[0])
		}
		m = showAssignment(a)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.single("roleManagement/directory/roleAssignments", m)
}

// createRoleAssignment gives a role in the whole directory (facts/entra.md §1.5, step 3).
func (c *call) createRoleAssignment() (answer, error) {
	var body struct {
		RoleDefinitionID string `json:"roleDefinitionId"`
		PrincipalID      string `json:"principalId"`
		DirectoryScopeID string `json:"directoryScopeId"`
	}
	if err := c.read(&body); err != nil {
		return answer{}, err
	}
	a := world.RoleAssignment{ID: c.w.NewID(), RoleDefinitionID: strings.ToLower(body.RoleDefinitionID), PrincipalID: body.PrincipalID, DirectoryScopeID: body.DirectoryScopeID}
	if _, known := roleName(a.RoleDefinitionID); !known {
		return answer{}, badRequest("The role definition '%s' does not exist.", body.RoleDefinitionID)
	}
	if a.DirectoryScopeID != "/" {
		return answer{}, unsupported("a role assignment with the directory scope '" + a.DirectoryScopeID + "'")
	}
	err := c.update(func(t *world.Tenant) error {
		if !principalExists(t, a.PrincipalID) {
			return notFound(a.PrincipalID)
		}
		if assigned(t, a) {
			return badRequest("A conflicting object with one or more of the specified property values is present in the directory.")
		}
		t.RoleAssignments.Put(a.ID, a)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	m := showAssignment(a)
	m["@odata.context"] = c.context("roleManagement/directory/roleAssignments/$entity")
	return answer{status: http.StatusCreated, body: m}, nil
}

func (c *call) deleteRoleAssignment() (answer, error) {
	err := c.update(func(t *world.Tenant) error {
		if !t.RoleAssignments.Delete(c.args[0]) {
			return notFound(c.args[0])
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return noContent()
}
