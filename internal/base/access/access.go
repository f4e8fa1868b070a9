// Package access says who is asking, how far that person or key sees (scope), and what the role permits.
// Scope narrows every query; the role is asked before anything is done.
package access

import (
	"context"
	"fmt"

	"tcap.cloud/internal/base/fault"
)

// Role is what an actor may do inside its scope (contracts/rest-api.md, "Authentication").
type Role string

// The roles. Billing and SBC are narrow: nothing but billing figures, nothing but admission.
const (
	Viewer  Role = "viewer"
	Agent   Role = "agent"
	Admin   Role = "admin"
	Billing Role = "billing"
	SBC     Role = "sbc"
	// Guest is a customer's administrator without an account, who came by a link: he sees that one customer and connects it.
	Guest Role = "guest"
)

// Level is how wide a scope is.
type Level string

// The levels of a scope.
const (
	Operator Level = "operator"
	Partner  Level = "partner"
	Customer Level = "customer"
)

// Scope is what an actor can see: everything, one partner's customers, or one customer.
type Scope struct {
	Level      Level  `json:"level"`
	PartnerID  string `json:"partnerId,omitempty"`
	CustomerID string `json:"customerId,omitempty"`
}

// Actor is who asks. Kind is api-key, member, consent (Microsoft's reply) or system.
type Actor struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Scope Scope  `json:"scope"`
	Role  Role   `json:"role"`
}

// System is the platform itself, acting for a reason of its own (a schedule, a sweep).
func System(name string) Actor {
	return Actor{Kind: "system", ID: name, Name: name, Scope: Scope{Level: Operator}, Role: Admin}
}

// Action is something a role may or may not do.
type Action string

// The actions. Read is everything that changes nothing.
const (
	Read         Action = "read"
	ReadBilling  Action = "read-billing"
	AskAdmission Action = "ask-admission"
	Assign       Action = "assign"     // numbers onto people, imports, resyncs
	Manage       Action = "manage"     // customers, services
	Connect      Action = "connect"    // grant access, confirm a tenant, sign in for a step
	Administer   Action = "administer" // keys, members, settings of the scope
	Operate      Action = "operate"    // partners, operator settings: operator scope only
)

var permits = map[Role]map[Action]bool{
	Viewer:  {Read: true, ReadBilling: true},
	Guest:   {Read: true, Connect: true},
	Agent:   {Read: true, ReadBilling: true, Assign: true, Manage: true, Connect: true},
	Admin:   {Read: true, ReadBilling: true, Assign: true, Manage: true, Connect: true, Administer: true, AskAdmission: true, Operate: true},
	Billing: {ReadBilling: true},
	SBC:     {AskAdmission: true},
}

// Can answers nil, or a Forbidden fault naming what the role lacks. Operate also asks for operator scope.
func Can(a Actor, act Action) error {
	if !permits[a.Role][act] {
		return fault.New(fault.Forbidden, "role-forbids", "The role %q may not do this (it needs %q).", a.Role, act).
			WithRemedy("Ask an administrator of your organisation for a role that may.")
	}
	if act == Operate && a.Scope.Level != Operator {
		return fault.New(fault.Forbidden, "operator-only", "Only the operator may do this.")
	}
	return nil
}

// Where is the condition that keeps a query inside the scope. partner and customer are the column names; arg is the
// number of the next placeholder. An empty scope sees nothing.
func (s Scope) Where(partner, customer string, arg int) (cond string, args []any) {
	switch {
	case s.Level == Operator:
		return "1=1", nil
	case s.Level == Partner && s.PartnerID != "":
		return fmt.Sprintf("%s = $%d", partner, arg), []any{s.PartnerID}
	case s.Level == Customer && s.CustomerID != "":
		return fmt.Sprintf("%s = $%d", customer, arg), []any{s.CustomerID}
	}
	return "1=0", nil
}

// Sees says whether a customer of this partner lies inside the scope.
func (s Scope) Sees(partnerID, customerID string) bool {
	switch s.Level {
	case Operator:
		return true
	case Partner:
		return s.PartnerID != "" && s.PartnerID == partnerID
	case Customer:
		return s.CustomerID != "" && s.CustomerID == customerID
	}
	return false
}

// Within says whether scope s is not wider than the other: a key or member is never given more than its maker has.
// partnerOf answers the partner of s.CustomerID ("" when unknown).
func (s Scope) Within(other Scope, partnerOf string) bool {
	switch other.Level {
	case Operator:
		return true
	case Partner:
		return other.PartnerID != "" &&
			((s.Level == Partner && s.PartnerID == other.PartnerID) || (s.Level == Customer && partnerOf == other.PartnerID))
	case Customer:
		return s.Level == Customer && s.CustomerID == other.CustomerID
	}
	return false
}

type actorKey struct{}

// With puts the actor into the context of a request.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// From is the actor of a request; the zero Actor sees nothing and may do nothing.
func From(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
