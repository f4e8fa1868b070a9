package number

import (
	"context"
	"fmt"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/plan"
)

// UnassignRequest takes a person's number back. Number may be left out: a person has one. With Number and no UserID the
// number's holder is meant.
type UnassignRequest struct {
	CustomerID string
	UserID     string
	Number     string
	PlanHash   string
	IfVersion  int64
}

// prepareUnassign asks everything that can be asked before the tenant is.
func (s *Numbers) prepareUnassign(ctx context.Context, actor access.Actor, req UnassignRequest) (prepared, error) {
	var p prepared
	var err error
	if err := access.Can(actor, access.Assign); err != nil {
		return p, err
	}
	if p.customer, err = s.o.Org.CustomerIn(ctx, s.o.DB.R, actor.Scope, req.CustomerID); err != nil {
		return p, err
	}
	if p.number, err = s.numberToTake(ctx, req, p.customer.ID); err != nil {
		return p, err
	}
	if f := cannotTake(p.number); f != nil {
		return p, f
	}
	if req.IfVersion != 0 && req.IfVersion != p.number.Version {
		return p, fault.StaleVersion("number")
	}
	if p.service, p.warnings, err = s.serviceOf(ctx, p.number, ""); err != nil {
		return p, err
	}
	p.user, err = s.o.Users.User(ctx, p.customer.ID, p.number.holderID())
	switch {
	case fault.KindOf(err) == fault.NotFound: // somebody who left the tenant leaves his number
		p.user = UserInfo{ID: p.number.holderID(), Name: p.number.holderName()}
	case err != nil:
		return p, err
	}
	p.wish = wish{UserID: p.user.ID, UserName: p.user.Name, Number: p.number.Number, NumberType: p.number.teamsType(), Take: true, Unsure: p.number.State != Assigned, PlanHash: req.PlanHash}
	return p, s.takeOurPolicies(ctx, &p)
}

// numberToTake finds what is meant.
func (s *Numbers) numberToTake(ctx context.Context, req UnassignRequest, customerID string) (Number, error) {
	if req.Number != "" {
		n, ok, err := find(ctx, s.o.DB.R, req.Number)
		switch {
		case err != nil:
			return n, err
		case !ok || n.CustomerID != customerID:
			return n, notYours(req.Number)
		case req.UserID != "" && !n.heldBy(req.UserID):
			return n, fault.New(fault.Conflict, "not-the-holder", "This person does not have %s.", req.Number)
		}
		return n, nil
	}
	held, err := heldBy(ctx, s.o.DB.R, customerID, req.UserID)
	if err != nil {
		return Number{}, err
	}
	for _, n := range held {
		if n.State == Assigned {
			return n, nil
		}
	}
	if len(held) > 0 {
		return held[0], nil
	}
	u, err := s.o.Users.User(ctx, customerID, req.UserID)
	if err != nil {
		return Number{}, err
	}
	if u.Number != "" {
		return Number{}, kind.Foreign(u.Number)
	}
	return Number{}, fault.New(fault.Conflict, "no-number", "%s has no number.", u.Name)
}

// cannotTake refuses to take a number back that is not simply assigned. One left over from an operation whose outcome is
// not known may be taken: taking is safe where there is nothing to take.
func cannotTake(n Number) *fault.Fault {
	switch {
	case n.OperationID != "":
		return running(n.OperationID)
	case n.State == Assigned, n.State == Releasing, n.State == Reserved:
		return nil
	case n.State == Foreign:
		return kind.Foreign(n.Number)
	}
	return fault.New(fault.Conflict, "no-number", "Nobody has %s.", n.Number)
}

// unsure refuses to build on a number of which nobody knows yet whether its holder has it.
func unsure(n Number) *fault.Fault {
	return fault.New(fault.Conflict, "outcome-unknown", "Whether %s has %s is not known until the next sync.", n.holderName(), n.Number).
		WithRemedy("Start a sync, or take %s back, then try again.", n.Number)
}

// takeOurPolicies wishes the grants away that were made here; any other stays.
func (s *Numbers) takeOurPolicies(ctx context.Context, p *prepared) error {
	none := ""
	for _, c := range []struct {
		typ  string
		wish **string
	}{{kind.VoiceRoutingPolicy, &p.wish.VoicePolicy}, {kind.DialPlan, &p.wish.DialPlan}} {
		ours, err := s.o.Plans.Managed(ctx, p.customer.ID, []plan.Item{kind.NoPolicy(p.user.ID, c.typ)})
		if err != nil {
			return err
		}
		if len(ours) > 0 {
			*c.wish = &none
		}
	}
	return nil
}

// PreviewUnassign answers the plan that Unassign would carry out, from what the last sync saw.
func (s *Numbers) PreviewUnassign(ctx context.Context, actor access.Actor, req UnassignRequest) (plan.Plan, error) {
	p, err := s.prepareUnassign(ctx, actor, req)
	if err != nil {
		return plan.Plan{}, err
	}
	return s.decide(ctx, p.customer.ID, p.user, p.wish, []Number{p.number})
}

// Unassign starts the operation that takes the number back; it is free once the tenant was seen without it.
func (s *Numbers) Unassign(ctx context.Context, actor access.Actor, req UnassignRequest) (operationID string, err error) {
	p, err := s.prepareUnassign(ctx, actor, req)
	if err != nil {
		return "", err
	}
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var err error
		operationID, err = s.begin(ctx, tx, actor, UnassignKind, fmt.Sprintf("Take %s back from %s", p.number.Number, p.user.Name), p)
		if err != nil {
			return err
		}
		if _, err = s.move(ctx, tx, p.number, step{event: ReleaseBegun, keep: true, operation: operationID, by: actor, because: operationID}); err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "number.unassign", p.number, operationID, map[string]any{"user": p.user.ID, "name": p.user.Name})
	})
	if err != nil {
		return "", err
	}
	return operationID, nil
}
