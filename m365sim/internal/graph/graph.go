package graph

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/world"
)

// Options are the behaviours on which the sources disagree or are silent.
type Options struct {
	// StrictRoleAssignments refuses Directory.AccessAsUser.All on POST /roleManagement/directory/roleAssignments, whose
	// page lists RoleManagement.ReadWrite.Directory only (facts/entra.md §1.5). /directoryRoles/…/$ref accepts it always.
	StrictRoleAssignments bool
}

// New serves Graph from this world with the default options. Paths begin with /v1.0 or /beta.
func New(w *world.World) http.Handler { return NewWith(w, Options{}) }

// NewWith serves Graph with options of its own.
func NewWith(w *world.World, o Options) http.Handler {
	return &service{w: w, opt: o, routes: routes(o)}
}

type service struct {
	w      *world.World
	opt    Options
	routes []route
}

// call is one request on its way through the service.
type call struct {
	*service
	ctx    context.Context
	r      *http.Request
	caller caller
	tenant string
	args   []string // what the placeholders of the route's pattern matched
	query  url.Values
	root   string // absolute address of the API version, for links
}

// answer is what a handler gives back; body nil means none.
type answer struct {
	status int
	body   any
	header map[string]string
}

func ok(body any) (answer, error) { return answer{status: http.StatusOK, body: body}, nil }

func noContent() (answer, error) { return answer{status: http.StatusNoContent}, nil }

// ServeHTTP answers one request. Every answer carries request-id, and client-request-id as the client sent it.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.NewString()
	w.Header().Set("request-id", id)
	client := r.Header.Get("client-request-id")
	if client == "" {
		client = id
	}
	w.Header().Set("client-request-id", client)
	a, err := s.serve(w, r)
	if err != nil {
		s.writeProblem(w, err)
		return
	}
	write(w, a)
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) (answer, error) {
	version, segments := split(r.URL.EscapedPath())
	rt, args, found := s.match(r.Method, segments)
	if version == "" || !found {
		return answer{}, notModelled(r)
	}
	c := &call{service: s, ctx: r.Context(), r: r, args: args, query: r.URL.Query()}
	c.root = world.CallFrom(c.ctx).Base + "/" + version
	if err := c.authenticate(); err != nil {
		return answer{}, err
	}
	c.charge(w, rt.units)
	if !rt.access.allows(c.caller) {
		return answer{}, refuse(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	}
	if rt.globalOnly && c.cloud() != world.Global && c.cloud() != world.GCC {
		return answer{}, refuse(http.StatusBadRequest, "BadRequest", "Resource not found for the segment 'teams'.")
	}
	return rt.do(c)
}

// charge names what the call costs (contracts/README.md, Throttling): $select saves a unit, $expand adds one, a page
// under 20 saves one, and nothing costs less than one. Zero units: a part of Graph that is not counted this way.
func (c *call) charge(w http.ResponseWriter, units int) {
	if units == 0 {
		return
	}
	if c.option("select") != "" {
		units--
	}
	if c.option("expand") != "" {
		units++
	}
	if top, err := strconv.Atoi(c.option("top")); err == nil && top < 20 {
		units--
	}
	units = max(units, 1)
	world.CallFrom(c.ctx).ResourceUnits += units
	w.Header().Set("x-ms-resource-unit", itoa(units))
}

// option is a system query option; v1.0 takes it with and without the dollar sign.
func (c *call) option(name string) string {
	if v := c.query.Get("$" + name); v != "" {
		return v
	}
	return c.query.Get(name)
}

// cloud is the cloud the caller's tenant lives in.
func (c *call) cloud() world.Cloud {
	var cloud world.Cloud
	if err := c.view(func(t *world.Tenant) error { cloud = t.Cloud; return nil }); err != nil {
		return ""
	}
	return cloud
}

func (c *call) view(fn func(t *world.Tenant) error) error { return c.w.View(c.tenant, fn) }

func (c *call) update(fn func(t *world.Tenant) error) error { return c.w.Update(c.ctx, c.tenant, fn) }

// eventual says whether the caller accepts eventual consistency, which advanced queries ask for.
func (c *call) eventual() bool {
	return strings.EqualFold(c.r.Header.Get("ConsistencyLevel"), "eventual")
}
