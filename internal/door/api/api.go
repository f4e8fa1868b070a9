package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/web"
	"tcap.cloud/internal/door/web/idempotency"
)

// base is where the API lives.
const base = "/api/v1"

type api struct {
	Options
	log  *slog.Logger
	mux  *http.ServeMux
	huma huma.API
	list []Route

	limits *limits
	repeat *idempotency.Keeper
}

// New makes the handler of everything under /api: the routes, the OpenAPI document and its readable page. It expects
// web.Observe around it.
func New(o Options) http.Handler {
	a := build(o)
	policy := web.Policy{HTTPS: o.HTTPS}
	mux := http.NewServeMux()
	mux.Handle("GET /api/openapi.json", policy.Data(http.HandlerFunc(a.document)))
	mux.Handle("GET /api/docs", policy.Pages(http.HandlerFunc(a.page)))
	mux.Handle("GET /api/docs/style.css", policy.Pages(http.HandlerFunc(style)))
	mux.Handle("/api/", policy.Data(http.HandlerFunc(a.serve)))
	return mux
}

func build(o Options) *api {
	a := &api{Options: o, log: o.Log, mux: http.NewServeMux()}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.limits = newLimits(o.Rate, o.Burst)
	a.repeat = idempotency.New(o.DB, o.Clock, a.log)
	a.huma = huma.NewAPI(a.config(), adapter{a})
	a.routes()
	a.tidy()
	return a
}

// adapter mounts what huma registers behind the layers of this door.
type adapter struct{ api *api }

// Handle mounts one operation.
func (t adapter) Handle(op *huma.Operation, h func(huma.Context)) {
	r, ok := op.Metadata["route"].(Route)
	if !ok {
		return // huma's own documents: this door serves its own
	}
	t.api.mount(r, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { h(humago.NewContext(op, req, w)) }))
}

// ServeHTTP serves what was mounted.
func (t adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.api.mux.ServeHTTP(w, r) }

// mount puts the layers around a handler: who asks, may he, how often, how long a body, and was it asked before.
func (a *api) mount(r Route, h http.Handler) {
	a.list = append(a.list, r)
	if r.Method == http.MethodPost && !r.Open {
		h = a.repeat.Once(presented, h)
	}
	if !r.stream {
		h = withTimeout(h)
	}
	h = a.bounded(r, h)
	if !r.Open {
		h = a.admitted(r, h)
	}
	a.mux.Handle(r.Method+" "+base+r.Path, h)
}

func withTimeout(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), idempotency.MaxTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// admitted asks for a key, its rate and its role. A portal's cookie is not looked at: no page can make a browser use the
// API.
func (a *api) admitted(route Route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, err := bearer(r)
		if err != nil {
			web.Fail(w, r, a.log, err)
			return
		}
		actor, err := a.Org.Authenticate(r.Context(), key)
		if err != nil {
			web.Fail(w, r, a.log, err)
			return
		}
		if p := a.limits.take(w.Header(), actor.ID); p != nil {
			p.Instance = web.Correlation(r.Context())
			web.WriteProblem(w, p)
			return
		}
		if err := access.Can(actor, route.Action); err != nil {
			web.Fail(w, r, a.log, err)
			return
		}
		ctx := context.WithValue(access.With(r.Context(), actor), presentedKey{}, key)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

type presentedKey struct{}

// presented is the text of the key that admitted a request.
func presented(ctx context.Context) string {
	key, _ := ctx.Value(presentedKey{}).(string)
	return key
}

func bearer(r *http.Request) (string, error) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(key) == "" {
		return "", fault.New(fault.Unauthenticated, "api-key-required", "This needs an API key.").
			WithRemedy("Send it as Authorization: Bearer <API key>.")
	}
	return strings.TrimSpace(key), nil
}

// bounded reads the body, at most as much as the route takes.
func (a *api) bounded(route Route, next http.Handler) http.Handler {
	limit := route.Body
	if limit == 0 {
		limit = defaultBody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		var over *http.MaxBytesError
		switch {
		case errors.As(err, &over):
			err = fault.New(fault.TooLarge, "body-too-large", "The body is longer than %d bytes.", limit).WithRemedy("Send it in parts.")
		case err != nil:
			err = fault.New(fault.Malformed, "body-unreadable", "The body could not be read to its end.").Because(err)
		case bytes.IndexByte(body, 0) >= 0 || bytes.Contains(body, []byte(`\u0000`)):
			err = web.NUL("body")
		}
		if err != nil {
			web.Fail(w, r, a.log, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// serve answers what no route takes as problems too: 404, and 405 with what is allowed.
func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	h, pattern := a.mux.Handler(r)
	if pattern != "" {
		a.mux.ServeHTTP(w, r)
		return
	}
	probe := web.NewRecorded()
	h.ServeHTTP(probe, r)
	p := web.Of(fault.New(fault.NotFound, "no-such-route", "There is nothing at this address.").
		WithRemedy("See /api/docs for what there is."), web.Correlation(r.Context()))
	if probe.Status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.Header().Get("Allow"))
		p.Status, p.Title, p.Code = probe.Status, http.StatusText(probe.Status), "method-not-allowed"
		p.Detail = "This address does not take " + r.Method + "."
	}
	web.WriteProblem(w, p)
}
