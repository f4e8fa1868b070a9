package world

import "context"

// Call is what the root handler knows of the HTTP call in hand; the services fill in what they learn of it.
type Call struct {
	Service       string // login, graph, teams, operator or control
	Cloud         Cloud  // by host name; "" when the host is not Microsoft's. login.microsoftonline.us is GCCHigh, and serves DoD as well
	Base          string // absolute URL prefix of this service as the caller sees it, no trailing slash
	Issuer        string // absolute URL prefix of the login service, for issuers; always https
	Tenant        string // tenant id, "" when unknown
	AppID         string // the calling application, "" when unknown
	ResourceUnits int    // what the call costs by Graph's throttling rules
	Wrote         bool   // something in a tenant changed
}

type callKey struct{}

// WithCall returns a context that carries the call.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallFrom is the call the context carries, or an empty one; never nil.
func CallFrom(ctx context.Context) *Call {
	if c, ok := ctx.Value(callKey{}).(*Call); ok {
		return c
	}
	return &Call{}
}
