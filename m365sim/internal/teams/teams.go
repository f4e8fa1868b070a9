package teams

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

// Options are the behaviours a test may want otherwise.
type Options struct {
	// GrantDelay is how long a policy grant takes to show; zero means 30 to 45 s, different for each user and policy
	// type, but the same each time. A negative one shows at once.
	GrantDelay time.Duration
	// OnPremisesText answers a missing Teams Phone licence with the text about a number synchronised from on premises, as
	// Microsoft wrongly did (facts/teams-admin.md section F).
	OnPremisesText bool
}

// New serves the API from this world with the default options.
func New(w *world.World) http.Handler { return NewWith(w, Options{}) }

// NewWith serves the API with options of its own.
func NewWith(w *world.World, o Options) http.Handler { return &service{w: w, opt: o} }

type service struct {
	w   *world.World
	opt Options
}

// call is one request that was let in.
type call struct {
	*service
	ctx    context.Context
	r      *http.Request
	tenant string
	path   []string
	query  url.Values
}

// ServeHTTP answers one request.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Get("X-MS-Correlation-Id"); id != "" {
		w.Header().Set("X-MS-Correlation-Id", id)
	}
	c := &call{service: s, ctx: r.Context(), r: r, query: r.URL.Query()}
	for segment := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			writeProblem(w, refuse(http.StatusBadRequest, "BadRequest", "The path cannot be read."))
			return
		}
		c.path = append(c.path, plain)
	}
	do := c.route()
	if do == nil {
		writeProblem(w, refuse(http.StatusNotImplemented, "NotModelled", "The simulator does not model "+r.Method+" "+r.URL.Path+" of the Teams administration API."))
		return
	}
	if err := c.admit(); err != nil {
		writeProblem(w, err)
		return
	}
	body, err := do()
	if err != nil {
		writeProblem(w, err)
		return
	}
	write(w, http.StatusOK, body)
}

type handler func() (any, error)

// route finds what is to be done; nil when it is not modelled. Path segments match without regard to letter case.
func (c *call) route() handler {
	read := c.r.Method == http.MethodGet
	switch {
	case read && c.at("Teams.Tenant", "serviceDiscovery"):
		return c.serviceDiscovery
	case read && c.at("Teams.Tenant", "tenants"):
		return c.tenants
	case read && c.at("Teams.Tenant", "VerifiedSipDomains"):
		return c.sipDomains
	case read && c.at("Teams.User", "users"):
		return c.listUsers
	case read && c.at("Teams.User", "users", ""):
		return c.getUser
	case read && c.at("Skype.TelephoneNumberMgmt", "Tenants", "", "telephone-numbers"):
		return c.inventory
	case c.at("Skype.TelephoneNumberMgmt", "cmdlet", "assignments"):
		return c.assignments()
	case c.r.Method == http.MethodDelete && c.at("Skype.TelephoneNumberMgmt", "cmdlet", "assignments", ""):
		return c.unassign
	case c.r.Method == http.MethodPut && c.at("Skype.Policy", "users", ""):
		return c.grant
	case c.at("Skype.Policy", "configurations", ""):
		return c.policies()
	case c.at("Skype.Policy", "configurations", "", "configuration", ""):
		return c.policy()
	}
	return nil
}

// at compares the path; "" stands for any segment.
func (c *call) at(pattern ...string) bool {
	if len(pattern) != len(c.path) {
		return false
	}
	for i, p := range pattern {
		if p != "" && !strings.EqualFold(p, c.path[i]) || c.path[i] == "" {
			return false
		}
	}
	return true
}

// admit checks the token and the role. The API follows no continuous evaluation: a disabled principal's token lives on;
// a deleted principal holds no role any more.
func (c *call) admit() error {
	raw, _ := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	claims, err := token.Verify(c.w, raw)
	if err == nil && !c.forTeams(claims.Audience) {
		err = token.ErrAudience
	}
	if err != nil {
		return refuse(http.StatusUnauthorized, "Unauthorized", "Authentication failed: "+reason(err)+".")
	}
	c.tenant = claims.Tenant
	info := world.CallFrom(c.ctx)
	info.Tenant, info.AppID = claims.Tenant, claims.AppID
	return c.w.View(c.tenant, func(t *world.Tenant) error {
		if !mayAdminister(t, claims) {
			return refuse(http.StatusForbidden, "Forbidden", "Access Denied.")
		}
		return nil
	})
}

func (c *call) forTeams(audience string) bool {
	audience = strings.ToLower(strings.TrimRight(strings.TrimPrefix(audience, "api://"), "/"))
	call := world.CallFrom(c.ctx)
	return audience == world.TeamsAdminAppID || audience == strings.ToLower(call.Base) ||
		call.Cloud == "" && strings.HasPrefix(audience, "https://") && strings.HasSuffix(audience, "/teams")
}

func reason(err error) string {
	for _, known := range []error{token.ErrExpired, token.ErrNotYet, token.ErrAudience, token.ErrSignature, token.ErrTenant} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return token.ErrMalformed.Error()
}

// mayAdminister: the principal exists and holds Teams Administrator or Global Administrator now, whatever the token's
// wids claim says (facts/teams-admin.md section C).
func mayAdminister(t *world.Tenant, claims token.Claims) bool {
	sp, found := t.ServicePrincipalOf(claims.AppID)
	if !found {
		return false
	}
	principal := sp.ID
	if !claims.AppOnly {
		if _, found := t.Users.Get(claims.ObjectID); !found {
			return false
		}
		principal = claims.ObjectID
	} else if claims.ObjectID != "" && claims.ObjectID != sp.ID {
		return false
	}
	for _, a := range t.RoleAssignments.All() {
		if a.PrincipalID == principal && (a.RoleDefinitionID == world.RoleTeamsAdministrator || a.RoleDefinitionID == world.RoleGlobalAdministrator) {
			return true
		}
	}
	return false
}

func (c *call) view(fn func(t *world.Tenant) error) error { return c.w.View(c.tenant, fn) }

func (c *call) update(fn func(t *world.Tenant) error) error { return c.w.Update(c.ctx, c.tenant, fn) }
