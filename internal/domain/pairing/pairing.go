// Package pairing is the link between a customer and its Microsoft 365 tenant: consent, the application that acts there, the
// roles it holds, and the state that every service card of the customer follows.
//
// A callback is a hint and proves nothing. The web role checks that the flow is ours and unused, seals what came to the
// worker, and that is all; the worker redeems the code, verifies who signed in, asks Graph whether that person is a Global
// Administrator who consented for the whole organisation, binds the tenant, places the roles by a plan, and proves the
// application's own sign-in (DESIGN.md, "Pairing"; facts/entra.md §1).
package pairing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/seal"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
)

// State of a pairing; the status of each of the customer's synced services follows from it (S4.2).
type State string

// The states.
const (
	PendingConsent State = "pending-consent"
	Activating     State = "activating"
	Active         State = "active"
	Degraded       State = "degraded"
	Suspended      State = "suspended"
	Disconnected   State = "disconnected"
)

// KindPair is the operation that makes a pairing of a reply from Microsoft.
const KindPair = "pairing"

// Cause says why a pairing is not well, in words and with what support needs.
type Cause struct {
	Code          string    `json:"code"`
	Detail        string    `json:"detail"`
	Since         time.Time `json:"since"`
	CorrelationID string    `json:"correlationId,omitempty"`
}

// Pairing is the link as it is kept. TenantID is empty until it is bound; Candidate is a tenant whose administrator has
// consented and that somebody of this customer must confirm first.
type Pairing struct {
	CustomerID         string
	State              State
	Cloud              tenant.Cloud
	TenantID           string
	Candidate          string
	TenantName         string
	TenantDomains      []string
	AppKind            string
	ApplicationID      string
	ServicePrincipalID string
	Cause              *Cause
	ConsentedBy        string
	ConsentedAt        time.Time
	ActivatedAt        time.Time
	OperationID        string
	LastCheckAt        time.Time
	NextCheckAt        time.Time
	Failures           int
	Version            int64
}

// Ref is the bound tenant.
func (p Pairing) Ref() tenant.Ref {
	return tenant.Ref{CustomerID: p.CustomerID, TenantID: p.TenantID, Cloud: p.Cloud}
}

// HostedApp is the operator's own multi-tenant registration in one cloud. Credential is empty where this process is no
// worker.
type HostedApp struct {
	AppID      string
	Name       string
	Credential tenant.Credential
}

// Syncer starts the first sync; the directory implements it.
type Syncer interface {
	StartSync(ctx context.Context, tx db.Tx, customer org.Customer, actor access.Actor) (operationID string, existing bool, err error)
}

// Options of the room. Door, Entra and Opener are nil or zero in a process that is no worker.
type Options struct {
	DB          *db.DB
	Clock       clock.Clock
	Org         *org.Org
	Operations  *operation.Engine
	Plans       *plan.Engine
	Directory   tenant.Directory
	Hosted      map[tenant.Cloud]HostedApp
	Recipients  *seal.Recipients
	Opener      seal.Opener
	Entra       *entra.Client
	RedirectURI string // <public URL>/api/v1/mstenantconsent, always on the operator's own host (S1.2)
}

// Pairings is what can be asked of the room.
type Pairings struct {
	o      Options
	door   *tenant.Door
	syncer Syncer
}

// New makes the room. UseDoor and UseSyncer close the two loops that the wiring needs: the door asks this room for
// credentials, the directory asks it for sessions.
func New(o Options) *Pairings { return &Pairings{o: o} }

// UseDoor gives the worker its door to tenants.
func (s *Pairings) UseDoor(d *tenant.Door) { s.door = d }

// UseSyncer gives the worker what starts the first sync.
func (s *Pairings) UseSyncer(y Syncer) { s.syncer = y }

// TokenLife is how long an administrator's token is believed to live where Microsoft names no time.
const TokenLife = 50 * time.Minute

// flowLife is how long a consent link is good (facts/anchors.md A11: 15–60 minutes).
const flowLife = time.Hour

func encode(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encoding: %w", err)
	}
	return string(raw), nil
}
