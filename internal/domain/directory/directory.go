// Package directory knows the people and resource accounts of each customer's tenant: who holds which licence, number and
// policy, who may hold a number, and who can really call out (S4.1, S8.1).
//
// A sync reads users by Graph's delta and voice state from the Teams administration API, page by page: each page is one
// write transaction together with the place to go on from. Nobody is removed but by a separate step at the end of a complete
// pass, and a removal that is larger than usual waits for a person (B5).
package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/remote/tenant"
)

// KindSync is the operation that brings the directory of a customer up to date.
const KindSync = "sync"

// Sessions opens a customer's tenant. A customer without a working pairing is answered with a fault.
type Sessions interface {
	Session(ctx context.Context, customerID string) (*tenant.Session, tenant.Ref, error)
}

// Pairings hears how each sync ended, in the transaction that ends it: nil is success. A tenant's refusal is in the
// failure's chain (tenant.AsRefusal).
type Pairings interface {
	SyncEnded(ctx context.Context, tx db.Tx, customerID, operationID string, failure *fault.Fault) error
}

// VoiceSeen is the voice state of an account as the tenant has it now. Number is E.164 without an extension, empty for none;
// NumberType is DirectRouting, OperatorConnect, CallingPlan, or empty where the tenant's list of numbers does not say.
type VoiceSeen struct {
	UserID     string
	Name       string
	Number     string
	Extension  string
	NumberType string
}

// Reconcile is told of every account of a page in the page's own transaction, after the page is written, and also of those
// whose voice state is unchanged. An account that was removed from the tenant is not told of: the tenant keeps its number for
// it for 30 days.
type Reconcile interface {
	Observed(ctx context.Context, tx db.Tx, customerID string, seen []VoiceSeen) error
}

// Options of the room. Zero values are the shipped defaults, named beside each.
type Options struct {
	DB         *db.DB
	Clock      clock.Clock
	Org        *org.Org
	Operations *operation.Engine
	Sessions   Sessions // nil in a process that is no worker
	Pairings   Pairings
	// Ready says whether a scheduled sync of the customer makes sense now; nil: always.
	Ready func(ctx context.Context, customerID string) (bool, error)
	// Every is how often changes are read; 0: 15 minutes.
	Every time.Duration
	// NightHour is when everything is read anew, in the customer's time zone and spread over two hours; 0: 2 o'clock.
	NightHour int
	// BrakeShare (percent) and BrakeLeast (users) bound what a sync may remove unasked: more than the share, and at least so
	// many, waits for a person; 0: 5 % and 20.
	BrakeShare, BrakeLeast int
	Log                    *slog.Logger
}

// Directory is what can be asked of the room.
type Directory struct {
	o         Options
	db        *db.DB
	clock     clock.Clock
	org       *org.Org
	catalogue *Catalogue
	reconcile Reconcile
}

// New makes the room and says to the engine who does its syncs.
func New(o Options) (*Directory, error) {
	if o.DB == nil || o.Clock == nil || o.Org == nil || o.Operations == nil {
		return nil, errors.New("making the directory: store, clock, customers and operations are required")
	}
	c, err := LoadCatalogue()
	if err != nil {
		return nil, fmt.Errorf("making the directory: %w", err)
	}
	d := &Directory{o: o.withDefaults(), db: o.DB, clock: o.Clock, org: o.Org, catalogue: c}
	o.Operations.Handle(KindSync, handler{d})
	return d, nil
}

func (o Options) withDefaults() Options {
	if o.Every <= 0 {
		o.Every = 15 * time.Minute
	}
	if o.NightHour <= 0 {
		o.NightHour = 2
	}
	if o.BrakeShare <= 0 {
		o.BrakeShare = 5
	}
	if o.BrakeLeast <= 0 {
		o.BrakeLeast = 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// UseReconcile says who matches what a sync sees with the inventory of numbers. To be called before anything runs.
func (d *Directory) UseReconcile(r Reconcile) { d.reconcile = r }
