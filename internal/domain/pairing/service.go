package pairing

import (
	"context"
	"fmt"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/remote/tenant"
)

// Of answers the pairing of a customer the actor may see; a customer without one is pending consent.
func (s *Pairings) Of(ctx context.Context, a access.Actor, customerID string) (Pairing, error) {
	if err := access.Can(a, access.Read); err != nil {
		return Pairing{}, err
	}
	c, err := s.o.Org.Customer(ctx, a, customerID)
	if err != nil {
		return Pairing{}, err
	}
	p, ok, err := read(ctx, s.o.DB.R, customerID)
	if !ok {
		p.Cloud = tenant.Cloud(c.Cloud)
	}
	return p, err
}

// Session is the application in a customer's tenant. A tenant that is not connected has none.
func (s *Pairings) Session(ctx context.Context, customerID string) (*tenant.Session, tenant.Ref, error) {
	p, _, err := read(ctx, s.o.DB.R, customerID)
	if err != nil {
		return nil, tenant.Ref{}, err
	}
	if p.TenantID == "" || p.State == PendingConsent || p.State == Disconnected {
		return nil, tenant.Ref{}, fault.New(fault.Conflict, "not-connected", "The customer's tenant is not connected.").
			WithAction("grant-access", "Grant access", "A Global Administrator of the customer grants access on the service card.")
	}
	return s.door.Session(p.Ref()), p.Ref(), nil
}

// App is the credential of the application that acts in a tenant; the door asks for it.
func (s *Pairings) App(_ context.Context, ref tenant.Ref) (tenant.Credential, error) {
	app, ok := s.o.Hosted[ref.Cloud]
	if !ok {
		return tenant.Credential{}, fmt.Errorf("no hosted application is configured for the cloud %q", ref.Cloud)
	}
	return app.Credential, nil
}

// Confirm binds a tenant whose administrator has consented, after somebody of the customer's scope has looked at its name
// and domains (S1.5). It names the tenant on the customer, and the waiting operation goes on.
func (s *Pairings) Confirm(ctx context.Context, a access.Actor, customerID, tenantID string) (operationID string, err error) {
	p, err := s.Of(ctx, a, customerID)
	if err != nil {
		return "", err
	}
	if err := access.Can(a, access.Connect); err != nil {
		return "", err
	}
	if p.Candidate == "" || !strings.EqualFold(p.Candidate, tenantID) {
		return "", fault.New(fault.Conflict, "nothing-to-confirm", "No administrator of this tenant has consented for this customer.").
			WithRemedy("Read the customer's connection again: it names the tenant that waits for confirmation.")
	}
	op, err := s.o.Operations.Get(ctx, a.Scope, p.OperationID)
	if err != nil {
		return "", err
	}
	if op.WaitingFor != operation.ForConfirmation {
		return "", fault.New(fault.Conflict, "nothing-to-confirm", "The connection is not waiting for a confirmation any more.")
	}
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := s.o.Org.LockCustomer(ctx, tx, customerID); err != nil {
			return err
		}
		domain := ""
		if len(p.TenantDomains) > 0 {
			domain = p.TenantDomains[0]
		}
		if _, err := s.o.Org.BindTenant(ctx, tx, a, customerID, p.Candidate, domain); err != nil {
			return err
		}
		if err := s.o.Operations.CheckNow(ctx, tx, p.OperationID); err != nil {
			return err
		}
		return audit.Append(ctx, s.o.DB, tx, audit.What{At: s.o.Clock.Now(), Actor: a, Action: "pairing.confirm", PartnerID: op.PartnerID, CustomerID: customerID,
			TargetKind: "customer", TargetID: customerID, OperationID: p.OperationID, Detail: map[string]any{"tenantId": p.Candidate, "name": p.TenantName, "domains": p.TenantDomains}})
	})
	return p.OperationID, err
}

// Frozen says whether a customer's cloud and tenant may no longer be changed by hand.
func (s *Pairings) Frozen(ctx context.Context, q db.Querier, customerID string) (bool, error) {
	p, _, err := read(ctx, q, customerID)
	return p.TenantID != "", err
}

// SyncEnded moves the pairing with the end of a sync: a tenant that refuses the application is degraded, with the cause in
// words; one that answers again is active. What is only passing changes nothing.
func (s *Pairings) SyncEnded(ctx context.Context, tx db.Tx, customerID, operationID string, failure *fault.Fault) error {
	p, ok, err := read(ctx, tx, customerID)
	if err != nil || !ok {
		return err
	}
	now, from := s.o.Clock.Now(), p.State
	p.LastCheckAt = now
	lost := lostBy(failure)
	switch {
	case failure == nil && p.State == Degraded:
		p.State, p.Cause, p.Failures = Active, nil, 0
	case lost != nil && (p.State == Active || p.State == Degraded):
		since := now
		if p.Cause != nil && p.Cause.Code == failure.Code {
			since = p.Cause.Since
		}
		p.State, p.Cause = Degraded, &Cause{Code: failure.Code, Detail: failure.Detail, Since: since, CorrelationID: lost.CorrelationID}
	}
	if err := s.save(ctx, tx, p); err != nil || p.State == from {
		return err
	}
	customer, err := s.o.Org.Customer(ctx, access.System("sync"), customerID)
	if err != nil {
		return err
	}
	if err := audit.Append(ctx, s.o.DB, tx, audit.What{At: now, Actor: access.System("sync"), Action: "pairing." + string(p.State), PartnerID: customer.PartnerID,
		CustomerID: customerID, TargetKind: "customer", TargetID: customerID, OperationID: operationID, Detail: map[string]any{"from": from, "to": p.State, "cause": p.Cause}}); err != nil {
		return err
	}
	return feed.Append(ctx, tx, feed.Line{At: now, Topic: "customer", Ref: customerID, PartnerID: customer.PartnerID, CustomerID: customerID})
}

// lostBy is the refusal that means the application has no access, or nil where the failure says nothing about that.
func lostBy(failure *fault.Fault) *tenant.Refusal {
	if failure == nil {
		return nil
	}
	r := tenant.AsRefusal(failure)
	if r == nil || (r.Class != tenant.AccessLost && r.Class != tenant.Config && r.Class != tenant.Refused) {
		return nil
	}
	return r
}
