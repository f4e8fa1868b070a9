package msgraph

import (
	"context"
	"strings"
)

// Grant is a delegated permission that the tenant, or one person of it, has given to an application.
type Grant struct {
	ID       string `json:"id"`
	ClientID string `json:"clientId"`
	// ConsentType is AllPrincipals (the whole organisation) or Principal (one person, PrincipalID).
	ConsentType string `json:"consentType"`
	PrincipalID string `json:"principalId"`
	ResourceID  string `json:"resourceId"`
	// Scope is the permissions' names with spaces between.
	Scope string `json:"scope"`
}

// Scopes are the permissions' names.
func (g Grant) Scopes() []string { return strings.Fields(g.Scope) }

// PermissionGrants reads the delegated permissions of a service principal (object id).
func (r *Reader) PermissionGrants(ctx context.Context, servicePrincipalID string) ([]Grant, error) {
	return all[Grant](ctx, r, "oauth2PermissionGrants.list", "/servicePrincipals/"+segment(servicePrincipalID)+"/oauth2PermissionGrants", nil)
}
