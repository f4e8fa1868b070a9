package graph

import (
	"slices"

	"tcap.cloud/m365sim/internal/world"
)

// accessAsUser gives an application the rights of the signed-in person in the directory.
const accessAsUser = "Directory.AccessAsUser.All"

// access says who may call an operation.
//
//	application token: one of the permissions, or (directory resources only) one of the roles that stand in
//	delegated token:   one of the scopes, or Directory.AccessAsUser.All where it counts, and one of the person's own roles
type access struct {
	app          []string // application permissions: x-application-permissions of the contract
	scopes       []string // delegated permissions; nil means the same names as app
	standIn      []string // directory roles an application may hold instead of a permission
	person       []string // directory roles a person needs besides the scope; nil means that any member may
	accessAsUser bool     // Directory.AccessAsUser.All counts as a scope
	open         bool     // nothing is asked for: the operation checks inside
}

func (a access) allows(c caller) bool {
	switch {
	case a.open:
		return true
	case c.appOnly:
		return c.has(a.app) || c.holds(a.standIn)
	}
	scopes := a.scopes
	if scopes == nil {
		scopes = a.app
	}
	if !c.has(scopes) && !(a.accessAsUser && c.has([]string{accessAsUser})) {
		return false
	}
	return a.person == nil || c.holds(a.person)
}

// caller is who calls: an application, or a person by means of one.
type caller struct {
	principal   string   // object id of the service principal or of the person
	appOnly     bool     //
	permissions []string // roles claim or scopes
	roles       []string // template ids of the directory roles held now
}

func (c caller) has(any []string) bool {
	return slices.ContainsFunc(any, func(p string) bool { return slices.Contains(c.permissions, p) })
}

func (c caller) holds(any []string) bool {
	return slices.ContainsFunc(any, func(r string) bool { return slices.Contains(c.roles, r) })
}

// admins adds Global Administrator, who may do everything in the directory.
func admins(roles ...string) []string { return append(roles, world.RoleGlobalAdministrator) }

func anyone() access { return access{open: true} }

// directory is an access to an Entra resource: roles stand in, and Directory.AccessAsUser.All counts.
func directory(app, standIn, person []string) access {
	return access{app: app, standIn: standIn, person: person, accessAsUser: true}
}

func readOrganization() access {
	a := directory([]string{"Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All", "User.Read.All",
		"DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All",
		"DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"},
		admins(world.RoleUserAdministrator, world.RoleTeamsAdministrator, world.RoleDomainNameAdministrator), nil)
	a.scopes = append(slices.Clone(a.app), "User.Read") // a person with User.Read sees the organisation's basic properties
	return a
}

func readDomains() access {
	return directory([]string{"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All"},
		admins(world.RoleUserAdministrator, world.RoleDomainNameAdministrator), nil)
}

func readUsers() access {
	a := readUsersFully()
	a.app = append(a.app, "User.ReadBasic.All", "User.ReadWrite.CrossCloud")
	return a
}

// readUsersFully is asked for by delta, for which User.ReadBasic.All does not do.
func readUsersFully() access {
	return directory([]string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
		admins(world.RoleUserAdministrator, world.RoleTeamsAdministrator), nil)
}

func writeUsers() access {
	return directory([]string{"User.ReadWrite.All", "Directory.ReadWrite.All"},
		admins(world.RoleUserAdministrator), admins(world.RoleUserAdministrator))
}

func deleteUsers() access {
	return directory([]string{"User.ReadWrite.All", "User.DeleteRestore.All", "User.ReadWrite.CrossCloud"},
		admins(world.RoleUserAdministrator), admins(world.RoleUserAdministrator))
}

func readLicences() access {
	return directory([]string{"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All", "User.Read.All", "User.ReadWrite.All"},
		admins(world.RoleUserAdministrator, world.RoleTeamsAdministrator), nil)
}

func writeLicences() access {
	return directory([]string{"LicenseAssignment.ReadWrite.All", "Directory.ReadWrite.All", "User.ReadWrite.All"},
		admins(world.RoleUserAdministrator), admins(world.RoleUserAdministrator))
}

func readSKUs() access {
	return directory([]string{"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All", "Organization.Read.All", "Organization.ReadWrite.All"},
		admins(world.RoleUserAdministrator, world.RoleTeamsAdministrator), nil)
}

// readMe: an application has no "me"; the operations answer it in Graph's own words.
func readMe() access {
	return access{open: true}
}

func readPrincipals() access {
	return directory([]string{"Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.Read.All", "Directory.ReadWrite.All"},
		admins(world.RoleUserAdministrator), nil)
}

// writePrincipals leaves Application.ReadWrite.OwnedBy out for what the caller does not own: ownership is not modelled.
func writePrincipals() access {
	return directory([]string{"Application.ReadWrite.All", "Directory.ReadWrite.All"}, admins(), admins())
}

func readAppRoles() access {
	return directory([]string{"Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.Read.All", "Directory.ReadWrite.All"},
		admins(world.RoleUserAdministrator), nil)
}

func readGrants() access {
	return directory([]string{"Directory.Read.All", "Directory.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"},
		admins(world.RoleUserAdministrator), nil)
}

func readRoles() access {
	return directory([]string{"RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory", "Directory.Read.All", "Directory.ReadWrite.All"},
		admins(world.RolePrivilegedRoleAdministrator), nil)
}

// writeRoles: only these two roles may give roles away (facts/entra.md §1.5).
func writeRoles(asUser bool) access {
	a := directory([]string{"RoleManagement.ReadWrite.Directory"},
		admins(world.RolePrivilegedRoleAdministrator), admins(world.RolePrivilegedRoleAdministrator))
	a.accessAsUser = asUser
	return a
}

// The telephone numbers are no directory resource: no role stands in for the permission (contracts/simulator.md).
func readNumbers() access {
	return access{app: []string{"TeamsTelephoneNumber.Read.All", "TeamsTelephoneNumber.ReadWrite.All"}, person: admins(world.RoleTeamsAdministrator)}
}

func writeNumbers() access {
	return access{app: []string{"TeamsTelephoneNumber.ReadWrite.All"}, person: admins(world.RoleTeamsAdministrator)}
}
