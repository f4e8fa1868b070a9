package control

import (
	"context"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

// deleteServicePrincipal moves it to the deleted items. Its grants and roles stay recorded and are good again when it is
// restored; a new consent makes another service principal, without them.
func deleteServicePrincipal(c scene) (int, error) {
	found, err := c.principals(&c.t.ServicePrincipals)
	for _, sp := range found {
		c.t.ServicePrincipals.Delete(sp.ID)
		sp.DeletedAt = c.world.Now()
		c.t.DeletedSPs.Put(sp.ID, sp)
	}
	return len(found), err
}

func restoreServicePrincipal(c scene) (int, error) {
	found, err := c.principals(&c.t.DeletedSPs)
	if err != nil {
		return 0, err
	}
	latest := map[string]world.ServicePrincipal{} // of several deleted ones of an application
	for _, sp := range found {
		if _, ok := c.t.ServicePrincipalOf(sp.AppID); ok {
			return 0, conflict("Application %s has a service principal again.", sp.AppID)
		}
		latest[sp.AppID] = sp
	}
	for _, sp := range latest {
		c.t.DeletedSPs.Delete(sp.ID)
		sp.DeletedAt = time.Time{}
		c.t.ServicePrincipals.Put(sp.ID, sp)
	}
	return len(latest), nil
}

func enable(on bool) func(scene) (int, error) {
	return func(c scene) (int, error) {
		found, err := c.principals(&c.t.ServicePrincipals)
		for _, sp := range found {
			sp.Enabled = on
			c.t.ServicePrincipals.Put(sp.ID, sp)
		}
		return len(found), err
	}
}

// revokeConsent takes the delegated permissions away; the application permissions, and with them application-only access, and
// the service principal stay: those have actions of their own.
func revokeConsent(c scene) (int, error) {
	found, err := c.principals(&c.t.ServicePrincipals)
	n := 0
	for _, sp := range found {
		n += remove(&c.t.Grants, func(g world.Grant) bool { return g.ClientID == sp.ID })
	}
	return n, err
}

func removePermission(c scene) (int, error) {
	found, err := c.principals(&c.t.ServicePrincipals)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, sp := range found {
		n += remove(&c.t.AppRoleGrants, func(g world.AppRoleAssignment) bool {
			return g.PrincipalID == sp.ID && (c.Permission == "" || strings.EqualFold(g.Value, c.Permission))
		})
	}
	if n == 0 {
		return 0, notFound("No such application permission is granted: %q.", c.Permission)
	}
	return n, nil
}

// remove deletes what matches and says how much.
func remove[T any](t *world.Table[T], matches func(T) bool) int {
	var ids []string
	for id, v := range t.All() {
		if matches(v) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		t.Delete(id)
	}
	return len(ids)
}

// roleNames are the directory roles by display name (facts/entra.md §1.5).
func roleNames() map[string]string {
	return map[string]string{
		"Global Administrator":          world.RoleGlobalAdministrator,
		"Privileged Role Administrator": world.RolePrivilegedRoleAdministrator,
		"Teams Administrator":           world.RoleTeamsAdministrator,
		"User Administrator":            world.RoleUserAdministrator,
		"Domain Name Administrator":     world.RoleDomainNameAdministrator,
	}
}

// roleID takes a display name, with spaces or hyphens, or a template id.
func roleID(role string) (string, error) {
	for name, id := range roleNames() {
		if strings.EqualFold(strings.ReplaceAll(role, "-", " "), name) || strings.EqualFold(role, id) {
			return id, nil
		}
	}
	return "", badRequest("There is no role %q.", role)
}

// holders are the ids of whom an action about roles means: the person, or the service principals.
func (c scene) holders() ([]string, error) {
	if c.UPN != "" {
		u, err := c.user()
		return []string{u.ID}, err
	}
	found, err := c.principals(&c.t.ServicePrincipals)
	var ids []string
	for _, sp := range found {
		ids = append(ids, sp.ID)
	}
	return ids, err
}

func removeRole(c scene) (int, error) {
	holders, err := c.holders()
	if err != nil {
		return 0, err
	}
	role := ""
	if c.Role != "" {
		if role, err = roleID(c.Role); err != nil {
			return 0, err
		}
	}
	n := 0
	for _, id := range holders {
		n += remove(&c.t.RoleAssignments, func(a world.RoleAssignment) bool {
			return a.PrincipalID == id && (role == "" || a.RoleDefinitionID == role)
		})
	}
	if n == 0 {
		return 0, notFound("Nobody meant holds the role %q.", c.Role)
	}
	return n, nil
}

func assignRole(c scene) (int, error) {
	role, err := roleID(c.Role)
	if err != nil {
		return 0, err
	}
	holders, err := c.holders()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, id := range holders {
		if c.holds(id, role) {
			continue
		}
		a := world.RoleAssignment{ID: c.world.NewID(), PrincipalID: id, RoleDefinitionID: role, DirectoryScopeID: "/"}
		c.t.RoleAssignments.Put(a.ID, a)
		n++
	}
	return n, nil
}

func (c scene) holds(principal, role string) bool {
	for _, a := range c.t.RoleAssignments.All() {
		if a.PrincipalID == principal && a.RoleDefinitionID == role {
			return true
		}
	}
	return false
}

// block has conditional access refuse an application; without appId every one that is not the tenant's own. What that means
// for application-only tokens is the login service's to say: such policies do not reach a foreign multi-tenant application
// (facts/entra.md §5), which is therefore blocked by name only.
func block(c scene) (int, error) {
	blocked := map[string]bool{}
	for id := range c.t.BlockedByConditionalAccess {
		blocked[id] = true
	}
	if c.AppID == "" {
		blocked["*"] = true
	} else {
		blocked[c.AppID] = true
	}
	c.t.BlockedByConditionalAccess = blocked
	return 1, nil
}

// lift ends a block of one application, or without appId all blocks and the demand for a second factor.
func lift(c scene) (int, error) {
	if c.AppID == "" {
		n := len(c.t.BlockedByConditionalAccess)
		if c.t.RequireMFA {
			n++
		}
		c.t.BlockedByConditionalAccess, c.t.RequireMFA = nil, false
		return n, nil
	}
	if !c.t.BlockedByConditionalAccess[c.AppID] {
		return 0, notFound("Application %s is not blocked by name.", c.AppID)
	}
	left := map[string]bool{}
	for id := range c.t.BlockedByConditionalAccess {
		if id != c.AppID {
			left[id] = true
		}
	}
	c.t.BlockedByConditionalAccess = left
	return 1, nil
}

func requireMFA(c scene) (int, error) {
	c.t.RequireMFA = true
	return 1, nil
}

func expireSecret(s *service, ctx context.Context, tenant string, a action) (int, error) {
	ended := s.world.Now().Add(-time.Second)
	return s.secrets(ctx, tenant, a, func(app *world.App) {
		kept := make([]world.Secret, len(app.Secrets))
		for i, secret := range app.Secrets {
			secret.End = ended
			kept[i] = secret
		}
		app.Secrets = kept
	})
}

func deleteSecret(s *service, ctx context.Context, tenant string, a action) (int, error) {
	return s.secrets(ctx, tenant, a, func(app *world.App) { app.Secrets = nil })
}

// secrets changes the registrations that are meant: secrets are the registration's, wherever it is.
func (s *service) secrets(ctx context.Context, tenant string, a action, change func(*world.App)) (int, error) {
	apps := map[string]world.App{}
	if app, ok := s.world.App(a.AppID); ok {
		apps[app.AppID] = app
	} else if a.AppID != "" {
		return 0, notFound("There is no application %s.", a.AppID)
	} else if err := s.world.View(tenant, func(t *world.Tenant) error {
		found, err := scene{s, t, a}.principals(&t.ServicePrincipals)
		for _, sp := range found {
			apps[sp.AppID], _ = s.world.App(sp.AppID)
		}
		return err
	}); err != nil {
		return 0, err
	}
	n := 0
	for _, app := range apps {
		n += len(app.Secrets)
		change(&app)
		if err := s.world.PutApp(ctx, app); err != nil {
			return n, err
		}
	}
	return n, nil
}
