package control

import (
	"context"
	"net/http"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// action is what an administrator of a tenant does. AppID "" means every application that is not the tenant's own.
type action struct {
	Action     string  `json:"action"`
	AppID      string  `json:"appId"`
	UPN        string  `json:"upn"`
	Role       string  `json:"role"`       // display name or template id; "" with remove-role is all of them
	Number     *string `json:"number"`     // E.164; null or "" takes the number away
	Count      int     `json:"count"`      // of users
	SKU        string  `json:"sku"`        // part number or id; "" is all of them
	Permission string  `json:"permission"` // "" is all of them
	Domain     string  `json:"domain"`
}

// doer does one action in a tenant and says how many things it changed.
type doer func(s *service, ctx context.Context, tenant string, a action) (int, error)

// doers are the actions there are.
func doers() map[string]doer {
	return map[string]doer{
		"delete-service-principal":      inTenant(deleteServicePrincipal),
		"restore-service-principal":     inTenant(restoreServicePrincipal),
		"disable-service-principal":     inTenant(enable(false)),
		"enable-service-principal":      inTenant(enable(true)),
		"revoke-consent":                inTenant(revokeConsent),
		"remove-application-permission": inTenant(removePermission),
		"remove-role":                   inTenant(removeRole),
		"assign-role":                   inTenant(assignRole),
		"block-by-conditional-access":   inTenant(block),
		"lift-conditional-access":       inTenant(lift),
		"require-mfa":                   inTenant(requireMFA),
		"expire-secret":                 expireSecret,
		"delete-secret":                 deleteSecret,
		"delete-user":                   inTenant(deleteUser),
		"restore-user":                  inTenant(restoreUser),
		"remove-licence":                inTenant(removeLicence),
		"set-number":                    inTenant(setNumber),
		"add-users":                     addUsers,
		"delete-users":                  inTenant(deleteUsers),
		"delete-domain":                 inTenant(deleteDomain),
		"delete-tenant":                 inTenant(deleteTenant),
	}
}

// notYet are the actions of the contract that touch what this world does not hold.
func notYet(name string) bool {
	switch name {
	case "edit-voice-route", "create-service-account", "consent-to-operator", "withdraw-operator-consent":
		return true
	}
	return false
}

// scene is what an action within one tenant works on.
type scene struct {
	*service
	t *world.Tenant
	action
}

// inTenant runs the action under the tenant's lock. Like all who call Update it checks first and puts last.
func inTenant(do func(scene) (int, error)) doer {
	return func(s *service, ctx context.Context, tenant string, a action) (n int, err error) {
		err = s.world.Update(ctx, tenant, func(t *world.Tenant) error {
			n, err = do(scene{s, t, a})
			return err
		})
		return n, err
	}
}

func (s *service) act(w http.ResponseWriter, r *http.Request) {
	tenant, err := s.tenant(r)
	if err != nil {
		fail(w, err)
		return
	}
	var a action
	if err := read(r, &a); err != nil {
		fail(w, err)
		return
	}
	n, err := s.perform(r.Context(), tenant, a)
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, map[string]any{"action": a.Action, "changed": n})
}

func (s *service) perform(ctx context.Context, tenant string, a action) (int, error) {
	do, ok := doers()[a.Action]
	switch {
	case !ok && notYet(a.Action):
		return 0, problem{http.StatusNotImplemented, "The simulator does not model the action " + a.Action + "."}
	case !ok:
		return 0, badRequest("There is no action %q.", a.Action)
	}
	return do(s, ctx, tenant, a)
}

// principals are the service principals an action about applications means, in the given table.
func (c scene) principals(in *world.Table[world.ServicePrincipal]) ([]world.ServicePrincipal, error) {
	var found []world.ServicePrincipal
	for _, sp := range in.All() {
		app, known := c.world.App(sp.AppID)
		if c.AppID == "" && known && app.HomeTenant != c.t.ID || c.AppID != "" && strings.EqualFold(sp.AppID, c.AppID) {
			found = append(found, sp)
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case c.AppID != "":
		return nil, notFound("The tenant has no such service principal of application %s.", c.AppID)
	default:
		return nil, notFound("The tenant has no such service principal of an application that is not its own.")
	}
}

func (c scene) user() (world.User, error) {
	if c.UPN == "" {
		return world.User{}, badRequest("The action %s takes upn.", c.Action)
	}
	u, ok := c.t.UserByName(c.UPN)
	if !ok {
		return u, notFound("The tenant has no user %s.", c.UPN)
	}
	return u, nil
}
