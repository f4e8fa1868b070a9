package api

import (
	"context"
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/capability"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
)

type resyncService struct {
	ID   string `path:"id"`
	Body *struct {
		Full bool `json:"full" required:"false" doc:"Read everybody anew, not only what changed"`
	}
}

func (a *api) resync() {
	register(a, Route{Method: http.MethodPost, Path: "/services/{id}/resync", Name: "resync-service", Tag: "services", Action: access.Assign,
		Status: http.StatusAccepted, Summary: "Bring the customer's users up to date; while that runs, the running operation is answered"}, a.startSync)
}

func (a *api) startSync(ctx context.Context, in *resyncService) (*effect, error) {
	actor := access.From(ctx)
	service, customer, err := a.Org.Service(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	p, err := a.Pairings.Of(ctx, actor, customer.ID)
	if err != nil {
		return nil, err
	}
	if f := cannotSync(servicecard.Asked(service, customer, p), p); f != nil {
		return nil, f
	}
	id, _, err := a.Directory.Resync(ctx, actor, customer.ID, in.Body != nil && in.Body.Full)
	if err != nil {
		return nil, err
	}
	return a.begin(ctx, id)
}

// cannotSync refuses where there is no tenant to read: without sync, and before and after there is a connection (S8.1). A
// degraded or suspended service may try: an answer mends it.
func cannotSync(s capability.Service, p pairing.Pairing) *fault.Fault {
	if s.Sync && p.TenantID != "" && p.State != pairing.PendingConsent && p.State != pairing.Disconnected {
		return nil
	}
	d := capability.Check(capability.ReadUsers, s)
	if d.Allowed { // the table and the connection disagree: there is nothing to read all the same
		return fault.New(fault.Conflict, "not-connected", "The customer's tenant is not connected.").
			WithAction("grant-access", "Grant access", "A Global Administrator of the customer grants access on the service card.")
	}
	return fault.New(fault.Conflict, string(d.Code), "%s", d.Reason).WithAction(string(d.Remedy.Action), d.Remedy.Label, d.Remedy.Label)
}
