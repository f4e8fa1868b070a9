package org

import (
	"context"
	"slices"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// actions is everything a role may permit; roleWithin compares by it.
func actions() []access.Action {
	return []access.Action{access.Read, access.ReadBilling, access.AskAdmission, access.Assign, access.Manage, access.Administer, access.Operate}
}

// roles are those a key may have; members have all but sbc.
func roles() []access.Role {
	return []access.Role{access.Viewer, access.Agent, access.Admin, access.Billing, access.SBC}
}

// roleWithin says whether role r permits nothing that the other does not.
func roleWithin(r, other access.Role) bool {
	everywhere := access.Scope{Level: access.Operator} // the role alone is compared
	for _, act := range actions() {
		narrow := access.Actor{Role: r, Scope: everywhere}
		wide := access.Actor{Role: other, Scope: everywhere}
		if access.Can(narrow, act) == nil && access.Can(wide, act) != nil {
			return false
		}
	}
	return slices.Contains(roles(), r)
}

// covers is the rule that nobody hands out more than he has. partnerOf is the partner of s.CustomerID.
func covers(maker access.Actor, s access.Scope, r access.Role, partnerOf string) bool {
	return s.Within(maker.Scope, partnerOf) && roleWithin(r, maker.Role)
}

// place is a scope with the partner it lies under: what the rows of keys and members hold, so that a partner finds those of
// its customers.
type place struct {
	scope     access.Scope
	partnerID string
}

func (p place) customerID() string { return p.scope.CustomerID }

// placeOf rebuilds a place from a row.
func placeOf(level, partnerID, customerID string) place {
	s := access.Scope{Level: access.Level(level)}
	switch s.Level {
	case access.Partner:
		s.PartnerID = partnerID
	case access.Customer:
		s.CustomerID = customerID
	}
	return place{s, partnerID}
}

// locate answers where a scope lies, for the audit of what its actor does. What is gone has no partner any more.
func locate(ctx context.Context, q db.Querier, s access.Scope) (place, error) {
	p := placeOf(string(s.Level), s.PartnerID, s.CustomerID)
	if s.Level != access.Customer {
		return p, nil
	}
	rows, err := q.QueryContext(ctx, `SELECT partner_id FROM customer WHERE id = $1`, clean(s.CustomerID))
	if err != nil {
		return p, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&p.partnerID); err != nil {
			return p, err
		}
	}
	return p, rows.Err()
}

// grant finds the place of a scope that the actor wants to hand out with a role (an empty scope is his own). Refusals: 404
// for a partner or customer that is not his, 403 wider-than-maker, 422 for what does not exist.
func (o *Org) grant(ctx context.Context, q db.Querier, actor access.Actor, s access.Scope, r access.Role) (place, error) {
	if s == (access.Scope{}) {
		s = actor.Scope
	}
	if !slices.Contains(roles(), r) {
		return place{}, refuseField("role", "unknown-role", "The role must be one of viewer, agent, admin, billing, sbc.")
	}
	var p place
	switch s.Level {
	case access.Operator:
		p = placeOf(string(access.Operator), "", "")
	case access.Partner:
		partner, err := partnerIn(ctx, q, actor.Scope, s.PartnerID)
		if err != nil {
			return place{}, err
		}
		p = placeOf(string(access.Partner), partner.ID, "")
	case access.Customer:
		customer, err := o.CustomerIn(ctx, q, actor.Scope, s.CustomerID)
		if err != nil {
			return place{}, err
		}
		p = placeOf(string(access.Customer), customer.PartnerID, customer.ID)
	default:
		return place{}, refuseField("scope.level", "unknown-level", "The level of a scope must be one of operator, partner, customer.")
	}
	if !covers(actor, p.scope, r, p.partnerID) {
		return place{}, tooWide("Nobody may hand out a wider scope or role than his own.")
	}
	return p, nil
}

func refuseField(path, code, detail string) error {
	var c check
	c.add(path, code, "%s", detail)
	return c.err()
}

func tooWide(detail string) error {
	return fault.New(fault.Forbidden, "wider-than-maker", "%s", detail).WithRemedy("Choose a narrower one, or ask somebody who has it.")
}
