package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/door/web"
	"tcap.cloud/internal/door/web/idempotency"
)

// Body limits, in bytes.
const (
	defaultBody = 1 << 20
	importBody  = 10 << 20
)

// Route is one method of one path, as it is registered and as the matrix test reads it.
type Route struct {
	Method string
	// Path below /api/v1.
	Path string
	// Name is the operation ID of the OpenAPI document, kebab-case.
	Name    string
	Tag     string
	Summary string
	// Action is what the caller's role must permit; asked before anything of the request is read.
	Action access.Action
	// Open routes ask for no key: Microsoft's callbacks and the documents.
	Open bool
	// Status of success; zero is 200, 201 or 204 as huma sees fit.
	Status int
	// Body is how long a body may be, in bytes; zero is 1 MiB.
	Body int64

	stream bool // has no end of its own: no time limit
}

// register mounts a handler: its input is decoded and checked by what its type says, its error becomes a problem.
func register[I, O any](a *api, r Route, h func(ctx context.Context, in *I) (*O, error)) {
	huma.Register(a.huma, a.operation(r), func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, a.refused(ctx, r, err)
		}
		return out, nil
	})
}

// raw mounts a handler that writes its answer itself (streams, redirects, files). An error it returns becomes a problem, so
// it returns one only while nothing is written. document completes what the OpenAPI document says; nil adds nothing.
func raw(a *api, r Route, document func(*huma.Operation), h func(w http.ResponseWriter, r *http.Request) error) {
	op := a.operation(r)
	if document != nil {
		document(&op)
	}
	a.huma.OpenAPI().AddOperation(&op)
	a.mount(r, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := h(w, req); err != nil {
			web.Fail(w, req, a.log, err)
		}
	}))
}

// operation is what huma and the OpenAPI document know of a route.
func (a *api) operation(r Route) huma.Operation {
	op := huma.Operation{Method: r.Method, Path: r.Path, OperationID: r.Name, Summary: r.Summary, Tags: []string{r.Tag}, DefaultStatus: r.Status,
		MaxBodyBytes: -1, // the door limits and reads it before huma does, for the idempotency key
		Responses:    map[string]*huma.Response{"default": a.problemResponse()},
		Metadata:     map[string]any{"route": r}}
	if !r.Open {
		op.Security = []map[string][]string{{"apiKey": {}}}
		op.Description = "Needs a role that may `" + string(r.Action) + "`."
	}
	if r.Method == http.MethodPost && !r.Open {
		longest := idempotency.MaxKey
		op.Parameters = append(op.Parameters, &huma.Param{Name: idempotency.Header, In: "header",
			Description: "Repeats with the same key answer the first response and do nothing again; kept 24 h for each API key.",
			Schema:      &huma.Schema{Type: huma.TypeString, MaxLength: &longest}})
	}
	return op
}

func (a *api) problemResponse() *huma.Response {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[web.Problem](), true, "Problem")
	return &huma.Response{Description: "Refused", Content: map[string]*huma.MediaType{web.ProblemType: {Schema: schema}}}
}

// Routes lists every route of the API, in the order of registration.
func Routes() []Route { return build(Options{}).list }
