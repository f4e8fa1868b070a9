// Package number is the inventory of telephone numbers: whose each one is, who holds it, and everything that ever happened
// to it. Numbers reach people by operations that write to the customer's tenant; the inventory moves only in the
// transaction that records what the tenant was seen to have.
//
// The rules, in words:
//   - A number has at most one holder, and exactly while it is reserved, assigned, releasing or foreign.
//   - Each move is a compare-and-swap on the number's version and writes a line of its history.
//   - A call whose outcome is not known moves nothing: the number stays with its holder until the next sync has looked.
//   - Who holds a number that was not given here is left alone; the number is foreign.
package number

import (
	"context"
	"time"

	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/tenant"
)

// UserInfo is a person as the last sync saw him.
type UserInfo struct {
	ID          string
	Name        string
	UPN         string
	Licensed    bool
	Reason      string // why he may not have a number
	Number      string // E.164, empty for none
	VoicePolicy string // empty: Global
	DialPlan    string // empty: Global
}

// Users is what the directory knows of a customer's people. User answers a NotFound fault for somebody unknown; SetVoice
// shows a verified change without waiting for the next sync, nil leaving a value as it is and an empty text taking it away.
type Users interface {
	User(ctx context.Context, customerID, userID string) (UserInfo, error)
	SetVoice(ctx context.Context, tx db.Tx, customerID, userID string, number, voicePolicy *string) error
}

// Policies says whether the last sync saw a policy of this type (kind.VoiceRoutingPolicy, kind.DialPlan) in the tenant.
type Policies interface {
	Has(ctx context.Context, customerID, policyType, name string) (bool, error)
}

// Sessions opens a customer's tenant.
type Sessions interface {
	Session(ctx context.Context, customerID string) (*tenant.Session, tenant.Ref, error)
}

// Options are what the room is made of.
type Options struct {
	DB         *db.DB
	Clock      clock.Clock
	Org        *org.Org
	Operations *operation.Engine
	Plans      *plan.Engine
	Users      Users
	Policies   Policies
	Sessions   Sessions
	// Allowed refuses, with a fault, writing to the tenant for a service (the capability table, the service's state).
	Allowed func(ctx context.Context, serviceID string) error
	// Warn says what a caller should know although the assignment is allowed (not-activated); nil says nothing.
	Warn func(ctx context.Context, serviceID string) []string
	// Quarantine is how long a released number rests; 0 is 30 days.
	Quarantine time.Duration
	// Visible is how long Microsoft may take to show a write; until then a sync proves nothing. 0 is 3 minutes (facts/
	// teams-admin.md A2 says 30 to 45 s; the rest is margin).
	Visible time.Duration
}

// Numbers is what can be asked of this room.
type Numbers struct{ o Options }

// The kinds of operation of this room.
const (
	AssignKind   = "number-assign"
	UnassignKind = "number-unassign"
	ImportKind   = "number-import"
)

// New makes the room and says who does its operations.
func New(o Options) *Numbers {
	if o.Quarantine == 0 {
		o.Quarantine = 30 * 24 * time.Hour
	}
	if o.Visible == 0 {
		o.Visible = 3 * time.Minute
	}
	s := &Numbers{o}
	o.Operations.Handle(AssignKind, worker{s})
	o.Operations.Handle(UnassignKind, worker{s})
	o.Operations.Handle(ImportKind, importer{s})
	return s
}

// Holder is who has a number.
type Holder struct {
	Kind string `json:"kind"` // user
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Number is one number of the inventory. Empty texts are not known or not set.
type Number struct {
	Number          string    `json:"number"`
	PartnerID       string    `json:"partnerId"`
	CustomerID      string    `json:"customerId,omitempty"` // empty: in the partner's stock
	ServiceID       string    `json:"serviceId,omitempty"`
	NumberType      string    `json:"numberType"` // direct-routing, operator-connect
	State           State     `json:"state"`
	Country         string    `json:"country"` // ISO 3166 alpha-2; empty for a number of no country
	Type            string    `json:"type"`    // e164.Kind
	Holder          *Holder   `json:"holder"`
	OperationID     string    `json:"operationId,omitempty"` // the unfinished one that has the number in hand
	VoicePolicy     string    `json:"voicePolicy,omitempty"`
	CallerID        string    `json:"callerId,omitempty"`
	Usage           string    `json:"usage,omitempty"`
	TrunkID         string    `json:"trunkId,omitempty"`
	LocationID      string    `json:"locationId,omitempty"`
	Tags            []string  `json:"tags"`
	QuarantineUntil time.Time `json:"quarantineUntil,omitzero"`
	CreatedAt       time.Time `json:"createdAt"`
	UpdatedAt       time.Time `json:"updatedAt"`
	Version         int64     `json:"version"`
}

// heldBy says whether this person holds the number.
func (n Number) heldBy(userID string) bool { return n.Holder != nil && n.Holder.ID == userID }

func (n Number) holderID() string {
	if n.Holder == nil {
		return ""
	}
	return n.Holder.ID
}

func (n Number) holderName() string {
	if n.Holder == nil {
		return ""
	}
	return n.Holder.Name
}

// teamsType is the number's type as Teams administration spells it (facts/teams-admin.md B, Set-CsPhoneNumberAssignment).
func (n Number) teamsType() string {
	if n.NumberType == org.OperatorConnect {
		return "OperatorConnect"
	}
	return "DirectRouting"
}

// subject names what at most one unfinished operation may be about: the number of one person.
func subject(customerID, userID string) string { return "user-number:" + customerID + ":" + userID }

func running(operationID string) *fault.Fault {
	return fault.New(fault.Conflict, "assignment-running", "The number of this person is being changed by operation %s.", operationID).
		WithRemedy("Wait for its end, or cancel it, then try again.")
}
