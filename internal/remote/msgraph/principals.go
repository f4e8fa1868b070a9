package msgraph

import "context"

// ServicePrincipal is an application as it stands in the tenant.
type ServicePrincipal struct {
	ID             string `json:"id"`
	AppID          string `json:"appId"`
	DisplayName    string `json:"displayName"`
	AccountEnabled bool   `json:"accountEnabled"`
	// AppOwnerOrganizationID is the tenant of the registration.
	AppOwnerOrganizationID string `json:"appOwnerOrganizationId"`
}

// ServicePrincipalByAppID reads an application by its application id. Just after consent it may not be found for seconds to minutes
// (facts/entra.md §1.5).
func (r *Reader) ServicePrincipalByAppID(ctx context.Context, appID string) (ServicePrincipal, error) {
	var sp ServicePrincipal
	err := r.get(ctx, "servicePrincipals.get", "/servicePrincipals(appId="+segment(quoted(appID))+")",
		selecting("id", "appId", "displayName", "accountEnabled", "appOwnerOrganizationId"), &sp)
	return sp, err
}

// AppRoleAssignment is an application permission that the tenant has given.
type AppRoleAssignment struct {
	ID          string `json:"id"`
	AppRoleID   string `json:"appRoleId"`
	PrincipalID string `json:"principalId"`
	ResourceID  string `json:"resourceId"`
}

// AppRoleAssignments reads which application permissions a service principal (object id) was given.
func (r *Reader) AppRoleAssignments(ctx context.Context, servicePrincipalID string) ([]AppRoleAssignment, error) {
	return all[AppRoleAssignment](ctx, r, "appRoleAssignments.list", "/servicePrincipals/"+segment(servicePrincipalID)+"/appRoleAssignments", nil)
}
