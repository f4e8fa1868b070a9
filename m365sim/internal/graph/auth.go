package graph

import (
	"errors"
	"net/http"
	"strings"

	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

// forGraph says whether a token's audience is Graph: the application id, the host the call came to, or, where the
// simulator is called by its own address, any of Graph's hosts and its own /graph.
func (c *call) forGraph(audience string) bool {
	audience = strings.ToLower(strings.TrimRight(strings.TrimPrefix(audience, "api://"), "/"))
	call := world.CallFrom(c.ctx)
	switch {
	case audience == world.GraphAppID || audience == strings.ToLower(call.Base):
		return true
	case call.Cloud != "":
		return false
	}
	switch strings.TrimPrefix(audience, "https://") {
	case "graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn":
		return true
	}
	return strings.HasPrefix(audience, "https://") && strings.HasSuffix(audience, "/graph")
}

// authenticate checks the token, then that who calls is still there. Every failure of the token is 401
// InvalidAuthenticationToken; a principal that has gone is 403.
func (c *call) authenticate() error {
	raw, found := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !found || raw == "" {
		return unauthorised("Access token is empty.")
	}
	claims, err := token.Verify(c.w, raw)
	if err == nil && !c.forGraph(claims.Audience) {
		err = token.ErrAudience
	}
	if err != nil {
		return unauthorised(wording(err))
	}
	c.tenant = claims.Tenant
	info := world.CallFrom(c.ctx)
	info.Tenant, info.AppID = claims.Tenant, claims.AppID
	return c.view(func(t *world.Tenant) error { return c.identify(t, claims) })
}

// wording is Graph's message for what is wrong with a token.
func wording(err error) string {
	switch {
	case errors.Is(err, token.ErrExpired):
		return "Lifetime validation failed, the token is expired."
	case errors.Is(err, token.ErrNotYet):
		return "Lifetime validation failed, the token is not yet valid."
	case errors.Is(err, token.ErrAudience):
		return "Access token validation failure. Invalid audience."
	case errors.Is(err, token.ErrSignature):
		return "Signing key is invalid."
	}
	return "CompactToken parsing failed with error code: 80049217"
}

func unauthorised(message string) *problem {
	p := refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", message)
	p.header = map[string]string{"WWW-Authenticate": `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="` + world.GraphAppID + `"`}
	return p
}

// identify finds the calling principal. A disabled one is refused at once for an application of the tenant's own only:
// continuous access evaluation covers nothing else (facts/entra.md §5), so that a living token of a multi-tenant
// application works until it expires.
func (c *call) identify(t *world.Tenant, claims token.Claims) error {
	sp, found := t.ServicePrincipalOf(claims.AppID)
	if !found || (claims.AppOnly && claims.ObjectID != "" && claims.ObjectID != sp.ID) {
		return refuse(http.StatusForbidden, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.")
	}
	app, known := c.w.App(claims.AppID)
	if !sp.Enabled && known && !app.MultiTenant {
		return refuse(http.StatusForbidden, "Authorization_IdentityDisabled", "The identity of the calling application has been disabled.")
	}
	c.caller = caller{principal: sp.ID, appOnly: claims.AppOnly, permissions: claims.Roles}
	if !claims.AppOnly {
		if _, found := t.Users.Get(claims.ObjectID); !found {
			return refuse(http.StatusForbidden, "Authorization_IdentityNotFound", "The identity of the calling user could not be established.")
		}
		c.caller.principal, c.caller.permissions = claims.ObjectID, claims.Scopes
	}
	c.caller.roles = rolesHeld(t, c.caller.principal)
	return nil
}

// rolesHeld are the template ids of the directory roles a principal holds in the whole directory.
func rolesHeld(t *world.Tenant, principal string) []string {
	var held []string
	for _, a := range t.RoleAssignments.All() {
		if a.PrincipalID == principal && (a.DirectoryScopeID == "/" || a.DirectoryScopeID == "") {
			held = append(held, a.RoleDefinitionID)
		}
	}
	return held
}
