package entra

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/world"
)

// need is what a request asks the person to consent to.
type need struct {
	ask          bool // the page must be shown
	admin        bool // the person may consent for the organisation
	adminMissing bool // somebody who may, is needed, and the person is not (90094)
	delegated    []string
	application  []string
}

// scopeOf is what the request asks for; v1 has no scope and means the whole registration, which is what v2 calls
// /.default (facts/entra.md §1.2).
func scopeOf(r *http.Request, cloud world.Cloud, q request) (ask, *refusal) {
	if q.Kind == askAdminV1 {
		return ask{resource: world.GraphAppID, audience: world.GraphAppID, all: true}, nil
	}
	a, no := parseScope(r, cloud, q.Scope)
	if no == nil && a.resource == "" {
		a.resource, a.audience = world.GraphAppID, world.GraphAppID
	}
	return a, no
}

// wanted lists the permissions of a scope: those named, or the registration's.
func wanted(a ask, app world.App) (delegated, application []string) {
	if !a.all {
		return a.names, nil
	}
	if a.resource != world.GraphAppID {
		return nil, nil // registrations of the simulator list permissions of Graph only
	}
	return app.Delegated, app.Application
}

func (s *service) consentNeeded(r *http.Request, f flow, app world.App) (n need, no *refusal) {
	var a ask
	err := s.w.View(f.Who.Tenant, func(t *world.Tenant) error {
		if a, no = scopeOf(r, t.Cloud, f.Request); no != nil {
			return nil
		}
		n, no = weigh(t, f, app, a)
		return nil
	})
	if err != nil {
		return n, internal(err)
	}
	return n, no
}

// weigh compares what is asked for with what is granted.
func weigh(t *world.Tenant, f flow, app world.App, a ask) (need, *refusal) {
	resource, no := findResource(t, a)
	if no != nil {
		return need{}, no
	}
	sp, present, _ := servicePrincipal(t, app.AppID)
	granted := delegatedScopes(t, sp.ID, resource.ID, f.Who.User)
	roles := applicationRoles(t, sp.ID, resource.ID)
	n := need{admin: mayConsent(t, f.Who.User)}
	n.delegated, n.application = wanted(a, app)
	lacking := without(n.delegated, granted)
	n.ask = !present || f.Request.Prompt == "consent" || f.admin()
	if a.all {
		n.ask = n.ask || len(n.delegated) > 0 && len(permissionsOnly(granted)) == 0
	} else {
		n.ask = n.ask || len(lacking) > 0
	}
	if n.ask && !n.admin {
		n.adminMissing = f.admin() || slices.ContainsFunc(lacking, needsAdmin) || len(without(n.application, roles)) > 0
	}
	n.delegated = append(slices.Clone(a.oidc), n.delegated...)
	return n, nil
}

func without(list, have []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(n string) bool { return containsFold(have, n) })
}

// decide is the consent page's answer.
func (x exchange) decide(f flow, decision string) {
	app := x.s.app(f.Request.ClientID)
	if no := x.s.admit(f, app); no != nil {
		x.dead(no)
		return
	}
	n, no := x.s.consentNeeded(x.r, f, app)
	switch {
	case no != nil:
		x.sendError(f, no)
		return
	case decision == "cancel":
		no := refuse(65004, "User declined to consent to access the app.")
		if f.Request.Kind == askAdminV2 {
			no.kind = "consent_required" // facts/entra.md §1.1
		}
		x.sendError(f, no)
		return
	case n.adminMissing:
		x.sendError(f, refuse(90094, "%s needs permission to access resources in your organization that only an administrator can grant.", app.Name))
		return
	case decision != "accept" && (decision != "accept-for-me" || f.admin()):
		x.consentPage(f, app, n)
		return
	}
	if err := x.s.grant(x.r, f, n, decision == "accept" && n.admin); err != nil {
		x.dead(internal(err))
		return
	}
	x.finish(f)
}

// grant writes the consent down: the service principal, the delegated permissions for everybody or for the person, and
// for everybody the application permissions too.
func (s *service) grant(r *http.Request, f flow, n need, everybody bool) error {
	ctx := context.WithoutCancel(r.Context()) // a browser that leaves does not undo half of a consent
	sp, err := s.ensure(ctx, f)
	if err != nil {
		return fmt.Errorf("making the service principal: %w", err)
	}
	now := s.w.Now()
	err = s.w.Update(ctx, f.Who.Tenant, func(t *world.Tenant) error {
		a, no := scopeOf(r, t.Cloud, f.Request)
		if no != nil {
			return no
		}
		resource, no := findResource(t, a)
		if no != nil {
			return no
		}
		putGrant(t, sp.ID, resource.ID, f.Who.User, n.delegated, everybody)
		if !everybody {
			return nil
		}
		for _, name := range without(n.application, applicationRoles(t, sp.ID, resource.ID)) {
			id := uuid.NewString()
			t.AppRoleGrants.Put(id, world.AppRoleAssignment{
				ID: id, PrincipalID: sp.ID, ResourceID: resource.ID, AppRoleID: AppRoleID(name), Value: name, CreatedAt: now,
			})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("granting permissions: %w", err)
	}
	return nil
}

// putGrant adds the scopes to the grant there is, or makes one: a client has one grant for everybody on a resource and one
// for each person.
func putGrant(t *world.Tenant, clientID, resourceID, userID string, scopes []string, everybody bool) {
	g := world.Grant{ID: uuid.NewString(), ClientID: clientID, ConsentType: "Principal", PrincipalID: userID, ResourceID: resourceID}
	if everybody {
		g.ConsentType, g.PrincipalID = "AllPrincipals", ""
	}
	for _, have := range t.Grants.All() {
		if have.ClientID == clientID && have.ResourceID == resourceID && have.ConsentType == g.ConsentType && have.PrincipalID == g.PrincipalID {
			g = have
		}
	}
	held := strings.Fields(g.Scope)
	fresh := without(scopes, held)
	if len(fresh) == 0 {
		return
	}
	g.Scope = strings.Join(append(held, fresh...), " ")
	t.Grants.Put(g.ID, g)
}
