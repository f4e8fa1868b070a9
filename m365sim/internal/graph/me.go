package graph

import (
	"net/http"

	"tcap.cloud/m365sim/internal/world"
)

// signedIn refuses an application that calls for itself, and a person's token without any of the scopes.
func (c *call) signedIn(scopes ...string) error {
	if c.caller.appOnly {
		return refuse(http.StatusBadRequest, "BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	if !c.caller.has(append(scopes, accessAsUser)) {
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	}
	return nil
}

func (c *call) me() (answer, error) {
	if err := c.signedIn("User.Read", "User.ReadWrite", "User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"); err != nil {
		return answer{}, err
	}
	return c.showUserNamed(c.caller.principal)
}

// myRoles lists the directory roles of the person. With User.Read alone only type and id of each are shown: the
// properties of roles ask for a permission to read the directory or its roles.
func (c *call) myRoles() (answer, error) {
	if err := c.signedIn("User.Read", "User.Read.All", "GroupMember.Read.All", "Directory.Read.All", "Directory.ReadWrite.All", "RoleManagement.Read.Directory"); err != nil {
		return answer{}, err
	}
	mayRead := c.caller.has([]string{accessAsUser, "Directory.Read.All", "Directory.ReadWrite.All", "RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"})
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		for _, template := range rolesHeld(t, c.caller.principal) {
			m := showDirectoryRole(t, template)
			m["@odata.type"] = "#microsoft.graph.directoryRole"
			if !mayRead {
				m["displayName"], m["description"], m["roleTemplateId"] = nil, nil, nil
			}
			all = append(all, m)
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("directoryObjects", all)
}
