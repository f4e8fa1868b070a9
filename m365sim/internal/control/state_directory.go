package control

import (
	"maps"
	"slices"

	"tcap.cloud/m365sim/internal/world"
)

func keys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

// namer finds the name of whatever has an id, so that the state tells something without ids too.
type namer struct{ t *world.Tenant }

func (n namer) name(id string) string {
	if u, ok := n.t.Users.Get(id); ok {
		return u.UserPrincipalName
	}
	if u, ok := n.t.DeletedUsers.Get(id); ok {
		return u.UserPrincipalName
	}
	if sp, ok := n.t.ServicePrincipals.Get(id); ok {
		return sp.DisplayName
	}
	sp, _ := n.t.DeletedSPs.Get(id)
	return sp.DisplayName
}

func skus(t *world.Tenant) []any {
	out := []any{}
	for _, s := range t.SKUs.All() {
		out = append(out, object{"skuId": s.ID, "skuPartNumber": s.PartNumber, "enabled": s.Enabled})
	}
	return out
}

func principals(of *world.Table[world.ServicePrincipal]) []any {
	out := []any{}
	for _, sp := range of.All() {
		o := object{
			"id": sp.ID, "appId": sp.AppID, "displayName": sp.DisplayName, "accountEnabled": sp.Enabled, "createdDateTime": sp.CreatedAt,
		}
		if !sp.DeletedAt.IsZero() {
			o["deletedDateTime"], o["kind"] = sp.DeletedAt, "servicePrincipal"
		}
		out = append(out, o)
	}
	return out
}

// grants are the delegated permissions granted, appRoles the application permissions.
func grants(n namer) []any {
	out := []any{}
	for _, g := range n.t.Grants.All() {
		out = append(out, object{
			"id": g.ID, "kind": "delegated", "clientId": g.ClientID, "client": n.name(g.ClientID), "resourceId": g.ResourceID,
			"resource": n.name(g.ResourceID), "consentType": g.ConsentType, "principalId": g.PrincipalID,
			"principal": n.name(g.PrincipalID), "scope": g.Scope,
		})
	}
	return out
}

func appRoles(n namer) []any {
	out := []any{}
	for _, g := range n.t.AppRoleGrants.All() {
		out = append(out, object{
			"id": g.ID, "kind": "application", "principalId": g.PrincipalID, "principal": n.name(g.PrincipalID),
			"resourceId": g.ResourceID, "resource": n.name(g.ResourceID), "appRoleId": g.AppRoleID, "value": g.Value,
			"createdDateTime": g.CreatedAt,
		})
	}
	return out
}

func roles(n namer) []any {
	out, names := []any{}, map[string]string{}
	for name, id := range roleNames() {
		names[id] = name
	}
	for _, a := range n.t.RoleAssignments.All() {
		out = append(out, object{
			"id": a.ID, "principalId": a.PrincipalID, "principal": n.name(a.PrincipalID), "roleDefinitionId": a.RoleDefinitionID,
			"role": names[a.RoleDefinitionID], "directoryScopeId": a.DirectoryScopeID,
		})
	}
	return out
}

// applications are the registrations that live in the tenant; of a secret only its end shows.
func applications(t *world.Tenant, all []world.App) []any {
	out := []any{}
	for _, a := range all {
		if a.HomeTenant != t.ID {
			continue
		}
		out = append(out, object{
			"id": a.ObjectID, "appId": a.AppID, "displayName": a.Name, "redirectUris": a.RedirectURIs, "multiTenant": a.MultiTenant,
			"delegated": a.Delegated, "application": a.Application, "createdDateTime": a.CreatedAt,
			"secrets": list(a.Secrets, func(s world.Secret) any { return object{"keyId": s.KeyID, "endDateTime": s.End} }),
		})
	}
	return out
}
