package kind

import (
	"context"
	"strings"
	"time"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/msgraph"
	"tcap.cloud/internal/remote/tenant"
)

// RoleAssignment is a directory role that an application holds for the whole tenant (facts/entra.md 1.5).
type RoleAssignment struct {
	// Role is the role's template id, in small letters.
	Role string `json:"role"`
}

// rolesVisible: Entra's replication shows a new assignment within minutes (facts/entra.md 1.5).
const rolesVisible = 5 * time.Minute

// RoleAssignments is the kind "role-assignment"; its key is "<service principal id>|<role template id>".
func RoleAssignments() *plan.KindOf[RoleAssignment] {
	return plan.Define(plan.Spec[RoleAssignment]{
		Name: "role-assignment", Version: 1, Area: tenant.AreaGraph, Visible: rolesVisible,
		Title:     roleTitle,
		Get:       getRole,
		Normalise: func(r RoleAssignment) RoleAssignment { return RoleAssignment{strings.ToLower(r.Role)} },
		Create:    giveRole,
		Update: func(ctx context.Context, w *tenant.Writer, key string, _, after RoleAssignment) (plan.Written, error) {
			return giveRole(ctx, w, key, after)
		},
		Delete: takeRole,
	})
}

// Role is the wish that the service principal (object id) holds the role (template id).
func Role(servicePrincipalID, roleTemplateID string) plan.Item {
	return RoleAssignments().Want(pair(servicePrincipalID, roleTemplateID), RoleAssignment{Role: roleTemplateID})
}

// pair is a key of two parts.
func pair(a, b string) string { return a + "|" + b }

// parts takes such a key apart; a key that is none is an error of the program.
func parts(key string) (a, b string, err error) {
	a, b, ok := strings.Cut(key, "|")
	if !ok || a == "" || b == "" {
		return "", "", fault.New(fault.Internal, "bad-key", "The key %q does not have two parts.", key)
	}
	return a, b, nil
}

// roleTitle is shown to the customer's administrator before the consent.
func roleTitle(action plan.Action, key string, _, _ *RoleAssignment) string {
	_, template, err := parts(key)
	if err != nil {
		return "Change a directory role"
	}
	if action == plan.Delete {
		return "Take " + roleName(template) + " from the app TCAP"
	}
	return "Give " + roleName(template) + " to the app TCAP"
}

func roleName(template string) string {
	switch strings.ToLower(template) {
	case msgraph.RoleTeamsAdministrator:
		return "Teams Administrator"
	case msgraph.RoleUserAdministrator:
		return "User Administrator"
	case msgraph.RoleGlobalAdministrator:
		return "Global Administrator"
	case msgraph.RolePrivilegedRoleAdministrator:
		return "Privileged Role Administrator"
	}
	return "the directory role " + template
}

// getRole looks for the role on the whole tenant; one on an administrative unit does not let Teams be administered.
func getRole(ctx context.Context, s *tenant.Session, key string) (RoleAssignment, bool, error) {
	principal, template, err := parts(key)
	if err != nil {
		return RoleAssignment{}, false, err
	}
	held, err := msgraph.NewReader(s).RoleAssignments(ctx, principal)
	if err != nil {
		return RoleAssignment{}, false, err
	}
	for _, a := range held {
		if strings.EqualFold(a.RoleDefinitionID, template) && (a.DirectoryScopeID == "/" || a.DirectoryScopeID == "") {
			return RoleAssignment{Role: template}, true, nil
		}
	}
	return RoleAssignment{}, false, nil
}

// giveRole is safe to repeat: a role that is held already is success, and the older route is tried where the first is
// refused (msgraph.AssignRole).
func giveRole(ctx context.Context, w *tenant.Writer, key string, _ RoleAssignment) (plan.Written, error) {
	principal, template, err := parts(key)
	if err != nil {
		return plan.Written{}, err
	}
	return plan.Written{}, msgraph.NewWriter(w).AssignRole(ctx, principal, template)
}

func takeRole(ctx context.Context, w *tenant.Writer, key string, _ RoleAssignment) (plan.Written, error) {
	principal, template, err := parts(key)
	if err != nil {
		return plan.Written{}, err
	}
	return plan.Written{}, msgraph.NewWriter(w).RemoveRole(ctx, principal, template)
}
