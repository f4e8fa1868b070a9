package org

import (
	"context"
	"reflect"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// Customer is a company with one Microsoft 365 tenant. Empty texts are not known; SeatLimit nil is no limit.
type Customer struct {
	ID               string    `json:"id"`
	PartnerID        string    `json:"partnerId"`
	PartnerName      string    `json:"partnerName"`
	Name             string    `json:"name"`
	Cloud            string    `json:"cloud"`
	TenantID         string    `json:"tenantId,omitempty"`
	PrimaryDomain    string    `json:"primaryDomain,omitempty"`
	Country          string    `json:"country,omitempty"`
	TimeZone         string    `json:"timeZone,omitempty"`
	BillingReference string    `json:"billingReference,omitempty"`
	SeatLimit        *int      `json:"seatLimit,omitempty"`
	CreatedAt        time.Time `json:"createdAt"`
	UpdatedAt        time.Time `json:"updatedAt"`
	Version          int64     `json:"version"`
}

// NewCustomer is what a customer begins with. Whoever has a partner's scope may leave PartnerID empty. The tenant may be
// named later (S1.5).
type NewCustomer struct {
	PartnerID        string
	Name             string
	Cloud            string
	TenantID         string
	PrimaryDomain    string
	Country          string
	TimeZone         string
	BillingReference string
	SeatLimit        *int
}

// CustomerPatch changes what is not nil; an empty text takes the value away, NoSeatLimit the limit.
type CustomerPatch struct {
	Name             *string
	Cloud            *string
	TenantID         *string
	PrimaryDomain    *string
	Country          *string
	TimeZone         *string
	BillingReference *string
	SeatLimit        *int
	NoSeatLimit      bool
}

// CustomerQuery narrows a list of customers. Search looks in names and domains and for a whole tenant ID. Sort is name,
// -name, createdAt or -createdAt.
type CustomerQuery struct {
	PartnerID string
	Cloud     string
	Search    string
	Sort      string
	Cursor    string
	Limit     int
}

// checked normalises a customer, or says everything that is wrong with it.
func (c Customer) checked() (Customer, error) {
	if err := checkCloud(c.Cloud); err != nil {
		return c, err
	}
	var k check
	c.Name = k.text("name", c.Name, 1, maxName)
	c.TenantID = k.tenantID("tenantId", c.TenantID)
	c.PrimaryDomain = k.domain("primaryDomain", c.PrimaryDomain)
	c.Country = k.country("country", c.Country)
	c.TimeZone = k.timeZone("timeZone", c.TimeZone)
	c.BillingReference = k.text("billingReference", c.BillingReference, 0, maxText)
	if c.SeatLimit != nil && (*c.SeatLimit < 0 || *c.SeatLimit > maxSeats) {
		k.add("seatLimit", "out-of-range", "seatLimit must be between 0 and %d.", maxSeats)
	}
	return c, k.err()
}

// notYours is the answer to a customer that reaches for what its partner decides.
func notYours(what string) error {
	return fault.New(fault.Forbidden, "partner-only", "A customer may not %s; its partner or the operator does.", what)
}

// CreateCustomer makes a customer of a partner in the actor's scope. Refusals: 403 partner-only for a customer's own
// people, 404 for another's partner, 422 unknown-cloud or invalid-input.
func (o *Org) CreateCustomer(ctx context.Context, actor access.Actor, n NewCustomer) (Customer, error) {
	if err := access.Can(actor, access.Manage); err != nil {
		return Customer{}, err
	}
	switch {
	case actor.Scope.Level == access.Customer:
		return Customer{}, notYours("make customers")
	case n.PartnerID == "" && actor.Scope.Level == access.Partner:
		n.PartnerID = actor.Scope.PartnerID
	}
	now := o.clock.Now()
	c, err := Customer{PartnerID: n.PartnerID, Name: n.Name, Cloud: n.Cloud, TenantID: n.TenantID, PrimaryDomain: n.PrimaryDomain,
		Country: n.Country, TimeZone: n.TimeZone, BillingReference: n.BillingReference, SeatLimit: n.SeatLimit,
		CreatedAt: now, UpdatedAt: now, Version: 1}.checked()
	if err != nil {
		return Customer{}, err
	}
	if n.PartnerID == "" {
		var k check
		k.add("partnerId", "required", "partnerId must name the partner whose customer this is.")
		return Customer{}, k.err()
	}
	if c.ID, err = newID(); err != nil {
		return Customer{}, err
	}
	err = o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := o.lockPartner(ctx, tx, clean(n.PartnerID)); err != nil {
			return err
		}
		p, err := partnerIn(ctx, tx, actor.Scope, n.PartnerID)
		if err != nil {
			return err
		}
		c.PartnerName = p.Name
		if err := insertCustomer(ctx, tx, c); err != nil {
			return err
		}
		return o.record(ctx, tx, c.event(actor, "customer.create", change{After: c}))
	})
	if err != nil {
		return Customer{}, err
	}
	return c, nil
}

func (c Customer) event(actor access.Actor, action string, detail any) event {
	return event{actor: actor, action: action, noun: "customer", id: c.ID, partnerID: c.PartnerID, customerID: c.ID, detail: detail}
}

// Customer answers one in the actor's scope.
func (o *Org) Customer(ctx context.Context, actor access.Actor, id string) (Customer, error) {
	if err := access.Can(actor, access.Read); err != nil {
		return Customer{}, err
	}
	return o.CustomerIn(ctx, o.db.R, actor.Scope, id)
}

// Customers lists those in the actor's scope.
func (o *Org) Customers(ctx context.Context, actor access.Actor, q CustomerQuery) (Page[Customer], error) {
	if err := access.Can(actor, access.Read); err != nil {
		return Page[Customer]{}, err
	}
	if q.Cloud != "" {
		if err := checkCloud(q.Cloud); err != nil {
			return Page[Customer]{}, err
		}
	}
	return listCustomers(ctx, o.db.R, actor.Scope, q)
}

// UpdateCustomer changes a customer. ifVersion 0 changes whatever is there. Once it was paired, cloud and tenant stay: 409
// tenant-frozen. Billing reference and seat limit are not the customer's own to change: 403 partner-only.
func (o *Org) UpdateCustomer(ctx context.Context, actor access.Actor, id string, p CustomerPatch, ifVersion int64) (Customer, error) {
	if err := access.Can(actor, access.Manage); err != nil {
		return Customer{}, err
	}
	if actor.Scope.Level == access.Customer && (p.BillingReference != nil || p.SeatLimit != nil || p.NoSeatLimit) {
		return Customer{}, notYours("change its billing reference or seat limit")
	}
	var after Customer
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, err := o.lockedCustomer(ctx, tx, actor.Scope, id, ifVersion)
		if err != nil {
			return err
		}
		if after, err = p.apply(before); err != nil || reflect.DeepEqual(after, before) {
			return err
		}
		if err := o.refuseFrozen(ctx, tx, before, after); err != nil {
			return err
		}
		after.UpdatedAt = o.clock.Now()
		if after, err = updateCustomer(ctx, tx, after); err != nil {
			return err
		}
		return o.record(ctx, tx, after.event(actor, "customer.update", change{before, after}))
	})
	if err != nil {
		return Customer{}, err
	}
	return after, nil
}

func (p CustomerPatch) apply(c Customer) (Customer, error) {
	for _, f := range []struct{ to, from *string }{{&c.Name, p.Name}, {&c.Cloud, p.Cloud}, {&c.TenantID, p.TenantID},
		{&c.PrimaryDomain, p.PrimaryDomain}, {&c.Country, p.Country}, {&c.TimeZone, p.TimeZone}, {&c.BillingReference, p.BillingReference}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if p.SeatLimit != nil {
		c.SeatLimit = p.SeatLimit
	}
	if p.NoSeatLimit {
		c.SeatLimit = nil
	}
	return c.checked()
}

// refuseFrozen: what was set up in one tenant does not move to another by editing a field.
func (o *Org) refuseFrozen(ctx context.Context, tx db.Tx, before, after Customer) error {
	if o.frozen == nil || (before.Cloud == after.Cloud && before.TenantID == after.TenantID) {
		return nil
	}
	frozen, err := o.frozen(ctx, tx, before.ID)
	if err != nil {
		return err
	}
	if frozen {
		return fault.New(fault.Conflict, "tenant-frozen", "%s has been paired with its tenant; cloud and tenant cannot be changed any more.", before.Name).
			WithRemedy("Make a new customer for the other tenant.")
	}
	return nil
}

// lockedCustomer reads a customer under its lock, at the version that a change was made on.
func (o *Org) lockedCustomer(ctx context.Context, tx db.Tx, s access.Scope, id string, ifVersion int64) (Customer, error) {
	if err := o.LockCustomer(ctx, tx, clean(id)); err != nil {
		return Customer{}, err
	}
	c, err := o.CustomerIn(ctx, tx, s, id)
	if err != nil {
		return Customer{}, err
	}
	return c, matches(c.Version, ifVersion, "customer")
}

// DeleteCustomer answers 409 customer-has-services while it has any. Its keys and members can do nothing from then on.
func (o *Org) DeleteCustomer(ctx context.Context, actor access.Actor, id string, ifVersion int64) error {
	if err := access.Can(actor, access.Manage); err != nil {
		return err
	}
	if actor.Scope.Level == access.Customer {
		return notYours("remove itself")
	}
	return o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, err := o.lockedCustomer(ctx, tx, actor.Scope, id, ifVersion)
		if err != nil {
			return err
		}
		has, err := exists(ctx, tx, `SELECT 1 FROM service WHERE customer_id = $1 AND deleted_at IS NULL LIMIT 1`, before.ID)
		if err != nil {
			return err
		}
		if has {
			return fault.New(fault.Conflict, "customer-has-services", "%s still has services.", before.Name).
				WithRemedy("Remove its services first.")
		}
		if o.mayDeleteCustomer != nil {
			if err := o.mayDeleteCustomer(ctx, tx, before); err != nil {
				return err
			}
		}
		if err := deleteCustomer(ctx, tx, before, o.clock.Now()); err != nil {
			return err
		}
		return o.record(ctx, tx, before.event(actor, "customer.delete", change{Before: before}))
	})
}

// BindTenant writes down, in the transaction that pairs a customer, which tenant it is (S1.5). The caller holds
// LockCustomer. A customer that names another tenant answers 409 tenant-differs; the same one again changes nothing. The
// domain, where given, fills a primary domain that is not known.
func (o *Org) BindTenant(ctx context.Context, tx db.Tx, actor access.Actor, customerID, tenantID, primaryDomain string) (Customer, error) {
	before, err := o.CustomerIn(ctx, tx, actor.Scope, customerID)
	if err != nil {
		return Customer{}, err
	}
	after := before
	after.TenantID = tenantID
	if before.PrimaryDomain == "" {
		after.PrimaryDomain = primaryDomain
	}
	if after, err = after.checked(); err != nil {
		return Customer{}, err
	}
	if after.TenantID == "" || (before.TenantID != "" && before.TenantID != after.TenantID) {
		return Customer{}, fault.New(fault.Conflict, "tenant-differs", "%s is another tenant than the one named for %s.", after.TenantID, before.Name)
	}
	if reflect.DeepEqual(before, after) {
		return before, nil
	}
	after.UpdatedAt = o.clock.Now()
	if after, err = updateCustomer(ctx, tx, after); err != nil {
		return Customer{}, err
	}
	return after, o.record(ctx, tx, after.event(actor, "customer.bind-tenant", change{before, after}))
}
