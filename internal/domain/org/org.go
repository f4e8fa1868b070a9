// Package org is who there is: the operator, its partners, their customers and the services these bought; the members and
// API keys that act for them, and how they sign in. Everything else in the trade hangs below one of these.
//
// The rules, in words:
//   - An operator has partners, a partner customers, a customer at most one service of each kind. What still has something
//     below it is not removed.
//   - Whoever asks sees only what lies in his scope; what lies outside answers as if it did not exist.
//   - No key, member or invitation is ever wider than its maker: neither further in scope, nor in role, nor (for a key made
//     by a key) in time.
//   - Of keys, sessions, links and ceremonies only the SHA-256 is kept; of passwords an argon2id hash.
//   - A customer, partner or service that is removed is kept as a row, for the audit and for billing, and is seen no more.
package org

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
)

// Frozen says whether a customer was ever paired, so that its cloud and tenant may no longer be changed by hand. It is
// asked inside the write transaction, under LockCustomer.
type Frozen func(ctx context.Context, q db.Querier, customerID string) (bool, error)

// AllowService says whether a customer may have a service of this kind with or without sync; nil allows.
type AllowService func(customer Customer, kind string, sync bool) *fault.Fault

// MayDelete refuses, with a fault, the removal of a service that something still depends on. It is asked inside the write
// transaction, under LockCustomer.
type MayDelete func(ctx context.Context, q db.Querier, s Service) error

// MayDeleteCustomer is MayDelete for a customer without services.
type MayDeleteCustomer func(ctx context.Context, q db.Querier, c Customer) error

// Org is what can be asked of this room.
type Org struct {
	db       *db.DB
	clock    clock.Clock
	hasher   *hasher
	attempts *attempts

	frozen            Frozen
	allowService      AllowService
	mayDelete         MayDelete
	mayDeleteCustomer MayDeleteCustomer

	uses    sync.WaitGroup
	usesMu  sync.Mutex
	usedAt  map[string]time.Time // by key id: when this process last wrote its use
	closing bool
}

// Option is what rooms after this one have to say.
type Option func(*Org)

// WithFrozen supplies Frozen; without it no customer is frozen.
func WithFrozen(f Frozen) Option { return func(o *Org) { o.frozen = f } }

// WithAllowService supplies AllowService; without it every known kind is allowed.
func WithAllowService(f AllowService) Option { return func(o *Org) { o.allowService = f } }

// WithMayDelete supplies MayDelete; without it any service may be removed.
func WithMayDelete(f MayDelete) Option { return func(o *Org) { o.mayDelete = f } }

// WithMayDeleteCustomer supplies MayDeleteCustomer; without it any customer without services may be removed.
func WithMayDeleteCustomer(f MayDeleteCustomer) Option {
	return func(o *Org) { o.mayDeleteCustomer = f }
}

// New makes the room on a migrated store.
func New(d *db.DB, c clock.Clock, opts ...Option) *Org {
	o := &Org{db: d, clock: c, hasher: newHasher(), attempts: newAttempts(), usedAt: map[string]time.Time{}}
	for _, opt := range opts {
		opt(o)
	}
	return o
}

// LockCustomer serialises what must not happen to one customer at once (adding a service while it is removed, naming
// another tenant while it is paired) until the transaction ends. Rooms that pair or allot take it too.
func (o *Org) LockCustomer(ctx context.Context, tx db.Tx, customerID string) error {
	return o.db.Lock(ctx, tx, "customer:"+customerID)
}

func (o *Org) lockPartner(ctx context.Context, tx db.Tx, partnerID string) error {
	return o.db.Lock(ctx, tx, "partner:"+partnerID)
}

// event is one change as audit and feed are told of it.
type event struct {
	actor      access.Actor
	action     string
	noun       string
	id         string
	partnerID  string
	customerID string
	detail     any
}

// change is an audit detail with both sides.
type change struct {
	Before any `json:"before,omitempty"`
	After  any `json:"after,omitempty"`
}

// record writes the audit entry and the feed line of a change into its transaction.
func (o *Org) record(ctx context.Context, tx db.Tx, e event) error {
	now := o.clock.Now()
	err := audit.Append(ctx, o.db, tx, audit.What{At: now, Actor: e.actor, Action: e.action, PartnerID: e.partnerID,
		CustomerID: e.customerID, TargetKind: e.noun, TargetID: e.id, Detail: e.detail})
	if err != nil {
		return err
	}
	return feed.Append(ctx, tx, feed.Line{At: now, Topic: e.noun, Ref: e.id, PartnerID: e.partnerID, CustomerID: e.customerID})
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("making an id: %w", err)
	}
	return id.String(), nil
}

// matches refuses a change made on a version that is no longer the present one; 0 asks for none.
func matches(have, want int64, noun string) error {
	if want != 0 && want != have {
		return fault.StaleVersion(noun)
	}
	return nil
}
