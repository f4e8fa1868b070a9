package number

import (
	"context"
	"fmt"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/e164"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

// AssignRequest gives a number to a person. VoicePolicy and DialPlan nil come from the service, and where the service has
// none nothing is granted; an empty text takes the person's own away. ServiceID only guards: the number must be that
// service's. PlanHash, where given, is the plan that was shown; IfVersion the number's version that was read (0: any).
type AssignRequest struct {
	CustomerID  string
	UserID      string
	Number      string
	VoicePolicy *string
	DialPlan    *string
	ServiceID   string
	PlanHash    string
	IfVersion   int64
}

// wish is what an operation is to make true at one person; it is the operation's input.
type wish struct {
	UserID     string `json:"userId"`
	UserName   string `json:"userName"`
	Number     string `json:"number"`        // given, or with Take taken
	NumberType string `json:"numberType"`    // as Teams spells it
	Old        string `json:"old,omitempty"` // of ours, replaced by Number
	Take       bool   `json:"take,omitempty"`
	// Unsure: an earlier operation left open whether the person has the number, so that failing to do this one says nothing.
	Unsure      bool    `json:"unsure,omitempty"`
	VoicePolicy *string `json:"voicePolicy,omitempty"` // nil: left as it is; empty: taken away
	DialPlan    *string `json:"dialPlan,omitempty"`
	PlanHash    string  `json:"planHash,omitempty"`
}

// items are the wish in the engine's words.
func (w wish) items() []plan.Item {
	var out []plan.Item
	if w.Take {
		out = append(out, kind.NoNumber(w.UserID, w.Number))
	} else {
		out = append(out, kind.Number(w.UserID, w.Number, w.NumberType, w.Number, w.Old))
	}
	for _, p := range []struct {
		typ  string
		name *string
	}{{kind.VoiceRoutingPolicy, w.VoicePolicy}, {kind.DialPlan, w.DialPlan}} {
		switch {
		case p.name == nil:
		case *p.name == "":
			out = append(out, kind.NoPolicy(w.UserID, p.typ))
		default:
			out = append(out, kind.Policy(w.UserID, p.typ, *p.name))
		}
	}
	return out
}

// prepared is a request that was found possible.
type prepared struct {
	customer org.Customer
	service  org.Service // zero where the number has none
	user     UserInfo
	number   Number
	held     []Number // what the person holds of the inventory
	wish     wish
	warnings []string
}

// prepare asks everything that can be asked before the tenant is.
func (s *Numbers) prepare(ctx context.Context, actor access.Actor, req AssignRequest) (prepared, error) {
	var p prepared
	var err error
	if err := access.Can(actor, access.Assign); err != nil {
		return p, err
	}
	if p.customer, err = s.o.Org.CustomerIn(ctx, s.o.DB.R, actor.Scope, req.CustomerID); err != nil {
		return p, err
	}
	if _, err := e164.Parse(req.Number, p.customer.Country); err != nil {
		return p, fault.New(fault.Invalid, "invalid-number", "The number is not one.").
			WithFields(fault.Field{Path: "number", Code: string(e164.ReasonOf(err)), Detail: sentence(err.Error())})
	}
	if p.user, err = s.o.Users.User(ctx, p.customer.ID, req.UserID); err != nil {
		return p, err
	}
	if !p.user.Licensed {
		return p, fault.New(fault.Conflict, "not-licensed", "%s cannot have a number: %s.", p.user.Name, p.user.Reason).
			WithRemedy("Give the person the licence in Microsoft 365; the next sync sees it.")
	}
	found, ok, err := find(ctx, s.o.DB.R, req.Number)
	switch {
	case err != nil:
		return p, err
	case !ok:
		return p, notYours(req.Number)
	}
	p.number = found
	if f := cannotGive(found, p.customer.ID, p.user.ID); f != nil {
		return p, s.orRunning(ctx, found, p, f)
	}
	if req.IfVersion != 0 && req.IfVersion != found.Version {
		return p, fault.StaleVersion("number")
	}
	if p.service, p.warnings, err = s.serviceOf(ctx, found, req.ServiceID); err != nil {
		return p, err
	}
	if p.held, err = heldBy(ctx, s.o.DB.R, p.customer.ID, p.user.ID); err != nil {
		return p, err
	}
	if err := p.wishFor(req); err != nil {
		return p, err
	}
	return p, s.checkPolicies(ctx, p)
}

// orRunning says that the person's own assignment is under way, where that is why the number is not free; else names the
// holder with his sign-in name.
func (s *Numbers) orRunning(ctx context.Context, n Number, p prepared, f *fault.Fault) *fault.Fault {
	if n.heldBy(p.user.ID) && n.OperationID != "" {
		return running(n.OperationID)
	}
	if f.Code != "number-held" {
		return f
	}
	holder, err := s.o.Users.User(ctx, p.customer.ID, n.holderID())
	if err != nil || holder.UPN == "" {
		return f
	}
	f.Detail = fmt.Sprintf("%s is held by %s (%s).", n.Number, holder.Name, holder.UPN)
	return f
}

// serviceOf asks whether the number's service may write to the tenant, and what the caller should know.
func (s *Numbers) serviceOf(ctx context.Context, n Number, want string) (org.Service, []string, error) {
	if want != "" && want != n.ServiceID {
		return org.Service{}, nil, fault.New(fault.Conflict, "other-service", "%s does not belong to this service.", n.Number)
	}
	if n.ServiceID == "" {
		return org.Service{}, nil, fault.New(fault.Conflict, "no-service", "%s belongs to no service yet.", n.Number).
			WithRemedy("Import the number for one of the customer's services.")
	}
	svc, _, err := s.o.Org.ServiceIn(ctx, s.o.DB.R, access.Scope{Level: access.Operator}, n.ServiceID)
	if err != nil {
		return svc, nil, err
	}
	if s.o.Allowed != nil {
		if err := s.o.Allowed(ctx, svc.ID); err != nil {
			return svc, nil, err
		}
	}
	if s.o.Warn == nil {
		return svc, nil, nil
	}
	return svc, s.o.Warn(ctx, svc.ID), nil
}

// wishFor fills in the service's defaults and finds the number that is replaced.
func (p *prepared) wishFor(req AssignRequest) error {
	p.wish = wish{UserID: p.user.ID, UserName: p.user.Name, Number: p.number.Number, NumberType: p.number.teamsType(),
		Unsure: p.number.State == Reserved, VoicePolicy: orDefault(req.VoicePolicy, p.service.VoicePolicy), DialPlan: orDefault(req.DialPlan, p.service.DialPlan), PlanHash: req.PlanHash}
	for _, h := range p.held {
		switch {
		case h.Number == p.number.Number:
		case h.State == Foreign:
			return kind.Foreign(h.Number)
		case h.OperationID != "":
			return running(h.OperationID)
		case h.State == Assigned:
			p.wish.Old = h.Number
		default:
			return unsure(h)
		}
	}
	if n, _, _ := strings.Cut(p.user.Number, ";"); n != "" && n != p.wish.Number && n != p.wish.Old {
		return kind.Foreign(n)
	}
	return nil
}

// orDefault is the caller's value, else the service's, else nothing at all.
func orDefault(given *string, standard string) *string {
	if given != nil || standard == "" {
		return given
	}
	return &standard
}

func (s *Numbers) checkPolicies(ctx context.Context, p prepared) error {
	var bad []fault.Field
	for _, c := range []struct {
		path, typ string
		name      *string
	}{{"voicePolicy", kind.VoiceRoutingPolicy, p.wish.VoicePolicy}, {"dialPlan", kind.DialPlan, p.wish.DialPlan}} {
		if c.name == nil || *c.name == "" {
			continue
		}
		has, err := s.o.Policies.Has(ctx, p.customer.ID, c.typ, *c.name)
		if err != nil {
			return fmt.Errorf("asking for the tenant's policies: %w", err)
		}
		if !has {
			bad = append(bad, fault.Field{Path: c.path, Code: "policy-not-found", Detail: fmt.Sprintf("The tenant has none named %q.", *c.name)})
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "policy-not-found", "A policy is not in the tenant.").
		WithRemedy("Make it in Teams admin center and start a sync, or choose one that is there.").WithFields(bad...)
}

// Preview answers the plan that Assign would carry out, from what the last sync saw; no tenant is called.
func (s *Numbers) Preview(ctx context.Context, actor access.Actor, req AssignRequest) (plan.Plan, []string, error) {
	p, err := s.prepare(ctx, actor, req)
	if err != nil {
		return plan.Plan{}, nil, err
	}
	made, err := s.decide(ctx, p.customer.ID, p.user, p.wish, append(p.held, p.number))
	return made, p.warnings, err
}

// decide compares a wish with what the last sync saw. The type of the person's number is told from the inventory.
func (s *Numbers) decide(ctx context.Context, customerID string, u UserInfo, w wish, known []Number) (plan.Plan, error) {
	typ := ""
	for _, n := range known {
		if n.Number == u.Number {
			typ = n.teamsType()
		}
	}
	seen := []plan.Observed{kind.NumberSeen(u.ID, u.Number, typ), kind.PolicySeen(u.ID, kind.VoiceRoutingPolicy, u.VoicePolicy),
		kind.PolicySeen(u.ID, kind.DialPlan, u.DialPlan)}
	items := w.items()
	managed, err := s.o.Plans.Managed(ctx, customerID, items)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Decide(items, seen, managed)
}

// Assign reserves the number and starts the operation that gives it: number, history, operation, audit, feed and wake in
// one transaction. Of two that want the same number, or the same person, one is refused with 409.
func (s *Numbers) Assign(ctx context.Context, actor access.Actor, req AssignRequest) (operationID string, warnings []string, err error) {
	p, err := s.prepare(ctx, actor, req)
	if err != nil {
		return "", nil, err
	}
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var err error
		operationID, err = s.begin(ctx, tx, actor, AssignKind, fmt.Sprintf("Assign %s to %s", p.number.Number, p.user.Name), p)
		if err != nil {
			return err
		}
		if err := s.reserve(ctx, tx, actor, p, operationID); err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "number.assign", p.number, operationID, map[string]any{"user": p.user.ID, "name": p.user.Name, "replaces": p.wish.Old,
			"voicePolicy": p.wish.VoicePolicy, "dialPlan": p.wish.DialPlan})
	})
	if err != nil {
		return "", nil, err
	}
	return operationID, p.warnings, nil
}

// begin writes the operation and its wake; one that is under way for the same person is a refusal.
func (s *Numbers) begin(ctx context.Context, tx db.Tx, actor access.Actor, k, title string, p prepared) (string, error) {
	id, existing, err := s.o.Operations.Start(ctx, tx, operation.New{Kind: k, Title: title, PartnerID: p.customer.PartnerID, CustomerID: p.customer.ID,
		ServiceID: p.number.ServiceID, Subject: subject(p.customer.ID, p.user.ID), Input: p.wish, Actor: actor})
	if err != nil {
		return "", err
	}
	if existing {
		return "", running(id)
	}
	return id, feed.Append(ctx, tx, feed.Line{At: s.o.Clock.Now(), Topic: "user", Ref: p.user.ID, PartnerID: p.customer.PartnerID, CustomerID: p.customer.ID})
}

// reserve takes the number, and lets the one that it replaces go. It looks again inside the transaction: whoever came
// first has it.
func (s *Numbers) reserve(ctx context.Context, tx db.Tx, actor access.Actor, p prepared, operationID string) error {
	holder := &Holder{Kind: "user", ID: p.user.ID, Name: p.user.Name}
	event := ReservedFor
	if p.number.State == Assigned { // his already: the plan finds what is left to do
		event = AskedAgain
	}
	_, err := s.move(ctx, tx, p.number, step{event: event, holder: holder, operation: operationID, by: actor, because: operationID})
	if fault.KindOf(err) == fault.Stale {
		return s.overtaken(ctx, tx, p, err)
	}
	if err != nil || p.wish.Old == "" {
		return err
	}
	for _, h := range p.held {
		if h.Number != p.wish.Old {
			continue
		}
		_, err = s.move(ctx, tx, h, step{event: ReleaseBegun, keep: true, operation: operationID, by: actor, because: operationID,
			detail: "Replaced by " + p.number.Number + "."})
	}
	return err
}

// overtaken says who was faster.
func (s *Numbers) overtaken(ctx context.Context, tx db.Tx, p prepared, stale error) error {
	now, ok, err := find(ctx, tx, p.number.Number)
	if err != nil {
		return err
	}
	if !ok {
		return notYours(p.number.Number)
	}
	if f := cannotGive(now, p.customer.ID, p.user.ID); f != nil {
		return f
	}
	return stale
}
