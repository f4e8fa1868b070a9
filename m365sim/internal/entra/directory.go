package entra

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// The functions of this file read one tenant inside World.View or World.Update; they call nothing of the World itself.

// servicePrincipal finds an application in the tenant; deleted says that it was there and was deleted.
func servicePrincipal(t *world.Tenant, appID string) (sp world.ServicePrincipal, found, deleted bool) {
	if sp, found = t.ServicePrincipalOf(appID); found {
		return sp, true, false
	}
	for _, gone := range t.DeletedSPs.All() {
		if strings.EqualFold(gone.AppID, appID) {
			return world.ServicePrincipal{}, false, true
		}
	}
	return world.ServicePrincipal{}, false, false
}

// directoryRoles lists the role template ids of a principal (claim wids), sorted.
func directoryRoles(t *world.Tenant, principalID string) []string {
	var ids []string
	for _, a := range t.RoleAssignments.All() {
		if a.PrincipalID == principalID && !slices.Contains(ids, a.RoleDefinitionID) {
			ids = append(ids, a.RoleDefinitionID)
		}
	}
	slices.Sort(ids)
	return ids
}

// mayConsent says whether the person may grant what needs an administrator: application permissions of Graph are left to
// Global Administrator and Privileged Role Administrator.
func mayConsent(t *world.Tenant, userID string) bool {
	return slices.ContainsFunc(directoryRoles(t, userID), func(role string) bool {
		return role == world.RoleGlobalAdministrator || role == world.RolePrivilegedRoleAdministrator
	})
}

// applicationRoles lists the application permissions granted on a resource (claim roles), sorted.
func applicationRoles(t *world.Tenant, principalID, resourceID string) []string {
	var names []string
	for _, a := range t.AppRoleGrants.All() {
		if a.PrincipalID == principalID && a.ResourceID == resourceID && !slices.Contains(names, a.Value) {
			names = append(names, a.Value)
		}
	}
	slices.Sort(names)
	return names
}

// delegatedScopes lists the delegated permissions granted to the client on the resource for the person (claim scp): those
// for everybody and the person's own. offline_access is no permission of the resource and stays out.
func delegatedScopes(t *world.Tenant, clientID, resourceID, userID string) []string {
	var names []string
	for _, g := range t.Grants.All() {
		if g.ClientID != clientID || g.ResourceID != resourceID {
			continue
		}
		if g.ConsentType == "Principal" && g.PrincipalID != userID {
			continue
		}
		for _, s := range strings.Fields(g.Scope) {
			if s != "offline_access" && !slices.Contains(names, s) {
				names = append(names, s)
			}
		}
	}
	slices.Sort(names)
	return names
}

// permissionsOnly drops the OIDC scopes.
func permissionsOnly(scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), isOIDC)
}

// blocked says whether conditional access keeps this token from being issued. "*" means every application that is not
// the tenant's own, and people only: workload policies do not reach a foreign multi-tenant application (facts/entra.md
// §5), unless the state names it.
func blocked(t *world.Tenant, app world.App, appOnly bool) bool {
	for id, on := range t.BlockedByConditionalAccess {
		if on && strings.EqualFold(id, app.AppID) {
			return true
		}
	}
	return t.BlockedByConditionalAccess["*"] && !appOnly && app.HomeTenant != t.ID
}

// subject is the pairwise identifier of a person for an application.
func subject(userID, appID string) string {
	sum := sha256.Sum256([]byte(userID + "\x00" + appID))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// passwordMark changes with the password, so that refresh tokens and sessions of before end (50173).
func passwordMark(u world.User) string {
	sum := sha256.Sum256([]byte(u.ID + "\x00" + u.Password))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
