package msgraph

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tcap.cloud/internal/remote/tenant"
)

// Template ids of the directory roles that pairing asks for and places; the id of a built-in role definition is the same (facts/
// entra.md §1.5).
const (
	RoleGlobalAdministrator         = "62e90394-69f5-4237-9190-012177145e10"
	RolePrivilegedRoleAdministrator = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	RoleTeamsAdministrator          = "69091246-20e8-4a56-aa4d-066075b2a7a8"
	RoleUserAdministrator           = "fe930be7-5e62-47db-91af-98c3a49a38b1"
)

// DirectoryRole is a role that is active in the tenant.
type DirectoryRole struct {
	ID             string `json:"id"`
	DisplayName    string `json:"displayName"`
	RoleTemplateID string `json:"roleTemplateId"`
}

// MyDirectoryRoles are the roles of the person whose token the session has, also those held through a group. Who is eligible by PIM has
// a role only while it is activated.
func (r *Reader) MyDirectoryRoles(ctx context.Context) ([]DirectoryRole, error) {
	return all[DirectoryRole](ctx, r, "me.directoryRoles", "/me/transitiveMemberOf/microsoft.graph.directoryRole", selecting("id", "displayName", "roleTemplateId"))
}

// RoleAssignment is a directory role that somebody or something holds.
type RoleAssignment struct {
	ID               string `json:"id"`
	PrincipalID      string `json:"principalId"`
	RoleDefinitionID string `json:"roleDefinitionId"`
	DirectoryScopeID string `json:"directoryScopeId"`
}

// RoleAssignments are the directory roles of a principal (object id).
func (r *Reader) RoleAssignments(ctx context.Context, principalID string) ([]RoleAssignment, error) {
	return all[RoleAssignment](ctx, r, "roleAssignments.list", "/roleManagement/directory/roleAssignments",
		url.Values{"$filter": {"principalId eq " + quoted(principalID)}})
}

// AssignRole gives a principal (object id) a directory role (template id) for the whole tenant. That it holds it already is success.
//
// Two routes, as no source proves that Directory.AccessAsUser.All is enough for the first (facts/entra.md §1.5): roleManagement, and
// where that is refused with 403 the older directoryRoles/members.
func (w *Writer) AssignRole(ctx context.Context, principalID, templateID string) error {
	err := w.send(ctx, "roleAssignments.create", http.MethodPost, "/roleManagement/directory/roleAssignments", map[string]string{
		"@odata.type":      "#microsoft.graph.unifiedRoleAssignment",
		"roleDefinitionId": templateID, "principalId": principalID, "directoryScopeId": "/",
	}, nil)
	if tenant.ClassOf(err) == tenant.Refused {
		err = w.addRoleMember(ctx, principalID, templateID)
	}
	if alreadyThere(err) {
		return nil
	}
	return err
}

// addRoleMember is the older route. A role that nobody ever held is not active yet and answers 404: it is activated first.
func (w *Writer) addRoleMember(ctx context.Context, principalID, templateID string) error {
	base, err := w.session.Base(tenant.AreaGraph)
	if err != nil {
		return err
	}
	add := func() error {
		return w.send(ctx, "directoryRoles.addMember", http.MethodPost, rolePath(templateID)+"/members/$ref", map[string]string{
			"@odata.id": base + version + "/directoryObjects/" + segment(principalID),
		}, nil)
	}
	err = add()
	if tenant.ClassOf(err) != tenant.NotFound {
		return err
	}
	activated := w.send(ctx, "directoryRoles.activate", http.MethodPost, "/directoryRoles", map[string]string{"roleTemplateId": templateID}, nil)
	if activated != nil && !alreadyThere(activated) {
		return fmt.Errorf("activating the role: %w", activated)
	}
	return add()
}

// RemoveRole takes a directory role (template id) from a principal (object id). That it does not hold it is success.
func (w *Writer) RemoveRole(ctx context.Context, principalID, templateID string) error {
	held, err := w.RoleAssignments(ctx, principalID)
	if err != nil {
		return fmt.Errorf("finding the role: %w", err)
	}
	for _, a := range held {
		if !strings.EqualFold(a.RoleDefinitionID, templateID) || (a.DirectoryScopeID != "/" && a.DirectoryScopeID != "") {
			continue
		}
		err := w.send(ctx, "roleAssignments.delete", http.MethodDelete, "/roleManagement/directory/roleAssignments/"+segment(a.ID), nil, nil)
		if tenant.ClassOf(err) == tenant.Refused {
			err = w.send(ctx, "directoryRoles.removeMember", http.MethodDelete, rolePath(templateID)+"/members/"+segment(principalID)+"/$ref", nil, nil)
		}
		if err != nil && tenant.ClassOf(err) != tenant.NotFound {
			return err
		}
	}
	return nil
}

func rolePath(templateID string) string {
	return "/directoryRoles/roleTemplateId=" + segment(templateID)
}

// alreadyThere recognises what Graph says of a role that is held already: 400 with "conflicting object" or "already exist" in its text
// (facts/entra.md §1.5), or a plain conflict.
func alreadyThere(err error) bool {
	refusal := tenant.AsRefusal(err)
	if refusal == nil || refusal.Maybe {
		return false
	}
	text := strings.ToLower(refusal.Detail())
	return refusal.Class == tenant.Conflict ||
		refusal.Status == http.StatusBadRequest && (strings.Contains(text, "conflicting object") || strings.Contains(text, "already exist"))
}
