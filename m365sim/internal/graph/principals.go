package graph

import (
	"errors"
	"net/http"
	"strings"

	"tcap.cloud/m365sim/internal/entra"
	"tcap.cloud/m365sim/internal/world"
)

// principalOf finds a service principal by object id or by appId='…'.
func principalOf(t *world.Tenant, arg string) (world.ServicePrincipal, error) {
	value, byApp := keyed(arg, "appId")
	if byApp {
		if sp, found := t.ServicePrincipalOf(value); found {
			return sp, nil
		}
		return world.ServicePrincipal{}, notFound(value)
	}
	if sp, found := t.ServicePrincipals.Get(strings.ToLower(value)); found {
		return sp, nil
	}
	return world.ServicePrincipal{}, notFound(value)
}

func (c *call) listPrincipals() (answer, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		for _, sp := range t.ServicePrincipals.All() {
			all = append(all, c.showPrincipal(sp))
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("servicePrincipals", all)
}

func (c *call) getPrincipal() (answer, error) {
	var m map[string]any
	err := c.view(func(t *world.Tenant) error {
		sp, err := principalOf(t, c.args[0])
		if err == nil {
			m = c.showPrincipal(sp)
		}
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return c.single("servicePrincipals", m)
}

func (c *call) showPrincipal(sp world.ServicePrincipal) map[string]any {
	m := map[string]any{"id": sp.ID, "appId": sp.AppID, "displayName": sp.DisplayName, "appDisplayName": sp.DisplayName,
		"accountEnabled": sp.Enabled, "appRoleAssignmentRequired": false, "servicePrincipalType": "Application",
		"servicePrincipalNames": []string{sp.AppID}, "createdDateTime": stamp(sp.CreatedAt), "deletedDateTime": nil, "tags": []string{},
		"appRoles": []any{}, "oauth2PermissionScopes": []any{}, "keyCredentials": []any{}, "passwordCredentials": []any{},
		"replyUrls": []string{}, "signInAudience": "AzureADMultipleOrgs", "appOwnerOrganizationId": nil, "disabledByMicrosoftStatus": nil}
	if sp.AppID == world.GraphAppID {
		m["appRoles"], m["servicePrincipalNames"] = graphRoles(), []string{sp.AppID, "https://graph.microsoft.com"}
		m["oauth2PermissionScopes"] = graphScopes()
	}
	if app, known := c.w.App(sp.AppID); known {
		m["replyUrls"], m["appOwnerOrganizationId"] = list(app.RedirectURIs), orNull(app.HomeTenant)
		if !app.MultiTenant {
			m["signInAudience"] = "AzureADMyOrg"
		}
	}
	return m
}

// graphRoles are Graph's application permissions, as far as the simulator knows operations that ask for them.
func graphRoles() []map[string]any {
	all := []map[string]any{}
	seen := map[string]bool{}
	names := []string{"TeamMember.Read.All", "CallRecords.Read.All", "CallRecord-PstnCalls.Read.All", "GroupMember.ReadWrite.All", "Reports.Read.All"}
	for _, rt := range routes(Options{}) {
		names = append(names, rt.access.app...)
	}
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			all = append(all, map[string]any{"id": entra.AppRoleID(name), "value": name, "displayName": name, "description": name,
				"isEnabled": true, "allowedMemberTypes": []string{"Application"}, "origin": "Application"})
		}
	}
	return all
}

// graphScopes are the delegated permissions whose ids facts/entra.md §4 gives.
func graphScopes() []map[string]any {
	all := []map[string]any{}
	for _, s := range [][3]string{
		{"e1fe6dd8-ba31-4d61-89e7-88639da4683d", "User.Read", "User"},
		{"a154be20-db9c-4678-8ab7-66f6cc099a59", "User.Read.All", "Admin"},
		{"0e263e50-5827-48a4-b97c-d940288653c7", accessAsUser, "Admin"},
	} {
		all = append(all, map[string]any{"id": s[0], "value": s[1], "type": s[2], "isEnabled": true, "adminConsentDisplayName": s[1]})
	}
	return all
}

// patchPrincipal changes accountEnabled and displayName; with Prefer: create-if-missing and appId='…' it makes the
// service principal of a registered application (201).
func (c *call) patchPrincipal() (answer, error) {
	var change struct {
		AccountEnabled *bool   `json:"accountEnabled"`
		DisplayName    *string `json:"displayName"`
	}
	if err := c.read(&change); err != nil {
		return answer{}, err
	}
	created, err := c.createIfMissing()
	if err != nil {
		return answer{}, err
	}
	var m map[string]any
	err = c.update(func(t *world.Tenant) error {
		sp, err := principalOf(t, c.args[0])
		if err != nil {
			return err
		}
		if change.AccountEnabled != nil {
			sp.Enabled = *change.AccountEnabled
		}
		if change.DisplayName != nil {
			sp.DisplayName = *change.DisplayName
		}
		t.ServicePrincipals.Put(sp.ID, sp)
		m = c.showPrincipal(sp)
		return nil
	})
	switch {
	case err != nil:
		return answer{}, err
	case created:
		m["@odata.context"] = c.context("servicePrincipals/$entity")
		return answer{status: http.StatusCreated, body: m}, nil
	}
	return noContent()
}

func (c *call) createIfMissing() (bool, error) {
	appID, byApp := keyed(c.args[0], "appId")
	if !byApp || !strings.Contains(strings.ToLower(c.r.Header.Get("Prefer")), "create-if-missing") {
		return false, nil
	}
	there := false
	if err := c.view(func(t *world.Tenant) error { _, there = t.ServicePrincipalOf(appID); return nil }); err != nil || there {
		return false, err
	}
	_, err := c.w.EnsureServicePrincipal(c.ctx, c.tenant, appID)
	if errors.Is(err, world.ErrNoApp) {
		return false, badRequest("The appId '%s' of the service principal does not reference a valid application object.", appID)
	}
	return err == nil, err
}

// deletePrincipal moves it to the deleted items. What was granted to it goes: consents, permissions and roles.
func (c *call) deletePrincipal() (answer, error) {
	now := c.w.Now()
	err := c.update(func(t *world.Tenant) error {
		sp, err := principalOf(t, c.args[0])
		if err != nil {
			return err
		}
		strip(t, sp.ID)
		t.ServicePrincipals.Delete(sp.ID)
		sp.DeletedAt = now
		t.DeletedSPs.Put(sp.ID, sp)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return noContent()
}

func strip(t *world.Tenant, principal string) {
	dropWhere(&t.Grants, func(g world.Grant) bool { return g.ClientID == principal })
	dropWhere(&t.AppRoleGrants, func(a world.AppRoleAssignment) bool { return a.PrincipalID == principal })
	dropWhere(&t.RoleAssignments, func(a world.RoleAssignment) bool { return a.PrincipalID == principal })
}

func dropWhere[T any](table *world.Table[T], gone func(T) bool) {
	var ids []string
	for id, v := range table.All() {
		if gone(v) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		table.Delete(id)
	}
}

func (c *call) listAppRoles() (answer, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		sp, err := principalOf(t, c.args[0])
		if err != nil {
			return err
		}
		for _, a := range t.AppRoleGrants.All() {
			if a.PrincipalID != sp.ID {
				continue
			}
			resource, _ := t.ServicePrincipals.Get(a.ResourceID)
			all = append(all, map[string]any{"id": a.ID, "appRoleId": a.AppRoleID, "createdDateTime": stamp(a.CreatedAt), "deletedDateTime": nil,
				"principalId": sp.ID, "principalDisplayName": sp.DisplayName, "principalType": "ServicePrincipal",
				"resourceId": a.ResourceID, "resourceDisplayName": orNull(resource.DisplayName)})
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("appRoleAssignments", all)
}

func (c *call) listPrincipalGrants() (answer, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		sp, err := principalOf(t, c.args[0])
		if err != nil {
			return err
		}
		all = grants(t, func(g world.Grant) bool { return g.ClientID == sp.ID })
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("oauth2PermissionGrants", all)
}

func (c *call) listGrants() (answer, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		all = grants(t, func(world.Grant) bool { return true })
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("oauth2PermissionGrants", all)
}

func grants(t *world.Tenant, wanted func(world.Grant) bool) []map[string]any {
	var all []map[string]any
	for _, g := range t.Grants.All() {
		if wanted(g) {
			all = append(all, map[string]any{"id": g.ID, "clientId": g.ClientID, "consentType": g.ConsentType,
				"principalId": orNull(g.PrincipalID), "resourceId": g.ResourceID, "scope": g.Scope})
		}
	}
	return all
}
