package org

import (
	"context"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// Service is Direct Routing or Operator Connect, bought by a customer. VoicePolicy and DialPlan are what a number is
// assigned with where the caller names none.
type Service struct {
	ID          string    `json:"id"`
	CustomerID  string    `json:"customerId"`
	Kind        string    `json:"kind"`
	Sync        bool      `json:"sync"`
	VoicePolicy string    `json:"voicePolicy,omitempty"`
	DialPlan    string    `json:"dialPlan,omitempty"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
	Version     int64     `json:"version"`
}

// NewService is what a service begins with; Sync nil is on (S1.1).
type NewService struct {
	Kind        string
	Sync        *bool
	VoicePolicy string
	DialPlan    string
}

// ServicePatch changes what is not nil; an empty text takes the default away.
type ServicePatch struct {
	Sync        *bool
	VoicePolicy *string
	DialPlan    *string
}

func (s Service) checked() (Service, error) {
	if err := checkKind(s.Kind); err != nil {
		return s, err
	}
	var c check
	s.VoicePolicy = c.text("voicePolicy", s.VoicePolicy, 0, maxText)
	s.DialPlan = c.text("dialPlan", s.DialPlan, 0, maxText)
	return s, c.err()
}

func (s Service) event(actor access.Actor, c Customer, action string, detail any) event {
	return event{actor: actor, action: action, noun: "service", id: s.ID, partnerID: c.PartnerID, customerID: s.CustomerID, detail: detail}
}

// allowed asks the capability table through its hook.
func (o *Org) allowed(c Customer, s Service) error {
	if o.allowService == nil {
		return nil
	}
	if f := o.allowService(c, s.Kind, s.Sync); f != nil {
		return f
	}
	return nil
}

// AddService gives a customer a service. Refusals: 422 unknown-service-kind, what AllowService says (Direct Routing without
// sync), 409 service-exists for a second one of its kind.
func (o *Org) AddService(ctx context.Context, actor access.Actor, customerID string, n NewService) (Service, error) {
	if err := access.Can(actor, access.Manage); err != nil {
		return Service{}, err
	}
	now := o.clock.Now()
	s, err := Service{Kind: n.Kind, Sync: n.Sync == nil || *n.Sync, VoicePolicy: n.VoicePolicy, DialPlan: n.DialPlan,
		CreatedAt: now, UpdatedAt: now, Version: 1}.checked()
	if err != nil {
		return Service{}, err
	}
	if s.ID, err = newID(); err != nil {
		return Service{}, err
	}
	err = o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		c, err := o.lockedCustomer(ctx, tx, actor.Scope, customerID, 0)
		if err != nil {
			return err
		}
		if err := o.allowed(c, s); err != nil {
			return err
		}
		s.CustomerID = c.ID
		taken := fault.New(fault.Conflict, "service-exists", "%s already has a service of the kind %s.", c.Name, s.Kind)
		if err := insertService(ctx, tx, s, taken); err != nil {
			return err
		}
		return o.record(ctx, tx, s.event(actor, c, "service.create", change{After: s}))
	})
	if err != nil {
		return Service{}, err
	}
	return s, nil
}

// Service answers one in the actor's scope, with its customer.
func (o *Org) Service(ctx context.Context, actor access.Actor, id string) (Service, Customer, error) {
	if err := access.Can(actor, access.Read); err != nil {
		return Service{}, Customer{}, err
	}
	return o.ServiceIn(ctx, o.db.R, actor.Scope, id)
}

// Services lists a customer's, in the order in which they were added. A customer has at most one of each kind.
func (o *Org) Services(ctx context.Context, actor access.Actor, customerID string) ([]Service, error) {
	if err := access.Can(actor, access.Read); err != nil {
		return nil, err
	}
	if _, err := o.CustomerIn(ctx, o.db.R, actor.Scope, customerID); err != nil {
		return nil, err
	}
	return o.ServicesIn(ctx, o.db.R, customerID)
}

// UpdateService changes sync or the defaults. ifVersion 0 changes whatever is there. Where AllowService does not allow the
// service as it would be (Direct Routing without sync), it refuses.
func (o *Org) UpdateService(ctx context.Context, actor access.Actor, id string, p ServicePatch, ifVersion int64) (Service, error) {
	if err := access.Can(actor, access.Manage); err != nil {
		return Service{}, err
	}
	var after Service
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, c, err := o.lockedService(ctx, tx, actor.Scope, id, ifVersion)
		if err != nil {
			return err
		}
		if after, err = p.apply(before); err != nil || after == before {
			return err
		}
		if after.Sync != before.Sync {
			if err := o.allowed(c, after); err != nil {
				return err
			}
		}
		after.UpdatedAt = o.clock.Now()
		if after, err = updateService(ctx, tx, after); err != nil {
			return err
		}
		return o.record(ctx, tx, after.event(actor, c, "service.update", change{before, after}))
	})
	if err != nil {
		return Service{}, err
	}
	return after, nil
}

func (p ServicePatch) apply(s Service) (Service, error) {
	if p.Sync != nil {
		s.Sync = *p.Sync
	}
	if p.VoicePolicy != nil {
		s.VoicePolicy = *p.VoicePolicy
	}
	if p.DialPlan != nil {
		s.DialPlan = *p.DialPlan
	}
	return s.checked()
}

// lockedService reads a service under its customer's lock. It is read twice: whose it is says which lock, and only what is
// read under the lock counts.
func (o *Org) lockedService(ctx context.Context, tx db.Tx, s access.Scope, id string, ifVersion int64) (Service, Customer, error) {
	_, c, err := o.ServiceIn(ctx, tx, s, id)
	if err != nil {
		return Service{}, Customer{}, err
	}
	if err := o.LockCustomer(ctx, tx, c.ID); err != nil {
		return Service{}, Customer{}, err
	}
	svc, c, err := o.ServiceIn(ctx, tx, s, id)
	if err != nil {
		return Service{}, Customer{}, err
	}
	return svc, c, matches(svc.Version, ifVersion, "service")
}

// DeleteService removes a service that MayDelete lets go.
func (o *Org) DeleteService(ctx context.Context, actor access.Actor, id string, ifVersion int64) error {
	if err := access.Can(actor, access.Manage); err != nil {
		return err
	}
	return o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, c, err := o.lockedService(ctx, tx, actor.Scope, id, ifVersion)
		if err != nil {
			return err
		}
		if o.mayDelete != nil {
			if err := o.mayDelete(ctx, tx, before); err != nil {
				return err
			}
		}
		if err := deleteService(ctx, tx, before, o.clock.Now()); err != nil {
			return err
		}
		return o.record(ctx, tx, before.event(actor, c, "service.delete", change{Before: before}))
	})
}
