package entra

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

// personTokens issues what the scopes ask for: an access token always, a refresh token with offline_access, an ID token
// with openid.
func (s *service) personTokens(r *http.Request, c client, who signedIn, scope, nonce string) (answer, *refusal) {
	if scope == "" {
		return answer{}, missing("scope")
	}
	a, no := parseScope(r, s.cloud(who.Tenant), scope)
	if no != nil {
		return answer{}, no
	}
	if a.resource == "" { // OIDC scopes alone give a token for Graph's profile endpoint
		a.resource, a.audience = world.GraphAppID, world.GraphAppID
	}
	world.CallFrom(r.Context()).Tenant = who.Tenant
	user, claims, no := s.personClaims(c, who, a)
	if no != nil {
		return answer{}, no
	}
	raw, err := token.Mint(s.w, claims)
	if err != nil {
		return answer{}, internal(err)
	}
	out := answer{Access: raw, Scope: spellScopes(a, claims.Scopes)}
	if a.has("openid") {
		if out.ID, err = token.Mint(s.w, idClaims(base(r), c.app, user, who.Tenant, nonce)); err != nil {
			return answer{}, internal(err)
		}
	}
	if a.has("offline_access") {
		out.Refresh, err = s.newRefresh(r.Context(), c.app.AppID, who, scope)
		if err != nil {
			return answer{}, internal(err)
		}
	}
	return out, nil
}

// personClaims checks that the person may still have a token and gathers what is in it.
func (s *service) personClaims(c client, who signedIn, a ask) (user world.User, claims token.Claims, no *refusal) {
	err := s.w.View(who.Tenant, func(t *world.Tenant) error {
		resource, stop := findResource(t, a)
		if no = stop; no != nil {
			return nil
		}
		if user, no = stillWelcome(t, c.app, who); no != nil {
			return nil
		}
		scopes := delegatedScopes(t, c.sp.ID, resource.ID, user.ID)
		if no = ungranted(a, scopes, c.app); no != nil {
			return nil
		}
		claims = token.Claims{
			Audience: a.audience, Issuer: token.AccessIssuer(t.ID), Tenant: t.ID, AppID: c.app.AppID, ObjectID: user.ID,
			Subject: subject(user.ID, c.app.AppID), Scopes: scopes, RoleIDs: directoryRoles(t, user.ID),
			UPN: user.UserPrincipalName, Name: user.DisplayName, ClientAuth: c.auth,
		}
		return nil
	})
	if err != nil {
		return user, claims, internal(err)
	}
	return user, claims, no
}

// stillWelcome refuses a person who is gone (50034), disabled (50057), has another password (50173), needs a second
// factor (50076) or is kept out by conditional access (53003).
func stillWelcome(t *world.Tenant, app world.App, who signedIn) (world.User, *refusal) {
	u, ok := t.Users.Get(who.User)
	switch {
	case !ok:
		return u, refuse(50034, "The user account does not exist in the directory.")
	case !u.AccountEnabled:
		return u, refuse(50057, "The user account is disabled.")
	case passwordMark(u) != who.Mark:
		return u, refuse(50173, "The provided grant has expired due to it being revoked, a fresh token is needed. The user may have changed or reset their password.")
	case t.RequireMFA && !who.MFA:
		no := refuse(50076, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication.")
		no.suberror = "basic_action"
		return u, no
	case blocked(t, app, false):
		return u, conditionalAccess()
	}
	return u, nil
}

// ungranted refuses permissions nobody consented to (65001).
func ungranted(a ask, granted []string, app world.App) *refusal {
	lacking := len(a.names) > 0 && slices.ContainsFunc(a.names, func(n string) bool { return !containsFold(granted, n) })
	if !lacking && !(a.all && len(permissionsOnly(granted)) == 0) {
		return nil
	}
	no := refuse(65001, "The user or administrator has not consented to use the application with ID '%s' named '%s'. Send an interactive authorization request for this user and resource.", app.AppID, app.Name)
	no.suberror = "consent_required"
	return no
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, name) })
}

// spellScopes words the granted permissions as the request worded the resource.
func spellScopes(a ask, granted []string) string {
	var out []string
	for _, g := range granted {
		if !isOIDC(g) && !strings.EqualFold(a.audience, world.GraphAppID) {
			g = a.prefix() + g
		}
		out = append(out, g)
	}
	for _, o := range a.oidc {
		if o != "offline_access" && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return strings.Join(out, " ")
}

func (s *service) newRefresh(ctx context.Context, appID string, who signedIn, scope string) (string, error) {
	raw := opaque("1.")
	held := refreshTicket{signedIn: who, AppID: appID, Scope: scope, Expires: s.w.Now().Add(refreshLife)}
	if err := s.w.PutTicket(ctx, kindRefresh, raw, held, refreshLife+refreshGrace); err != nil {
		return "", fmt.Errorf("keeping a refresh token: %w", err)
	}
	return raw, nil
}

// idClaims are those of an ID token (facts/entra.md §1.4).
func idClaims(root string, app world.App, u world.User, tenantID, nonce string) token.Claims {
	return token.Claims{
		Audience: app.AppID, Issuer: token.IDIssuer(root, tenantID), Tenant: tenantID, ObjectID: u.ID,
		Subject: subject(u.ID, app.AppID), UPN: u.UserPrincipalName, Name: u.DisplayName, Nonce: nonce,
	}
}
