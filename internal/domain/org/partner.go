package org

import (
	"context"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// Partner is a reseller; it sees its own customers only.
type Partner struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Brand     Brand     `json:"brand"`
	CreatedAt time.Time `json:"createdAt"`
	Version   int64     `json:"version"`
}

// NewPartner is what a partner begins with.
type NewPartner struct {
	Name  string
	Brand Brand
}

// PartnerPatch changes what is not nil.
type PartnerPatch struct {
	Name  *string
	Brand *Brand
}

// PartnerQuery narrows a list of partners. Sort is name, -name, createdAt or -createdAt.
type PartnerQuery struct {
	Search string
	Sort   string
	Cursor string
	Limit  int
}

func (p Partner) checked() (Partner, error) {
	var c check
	p.Name = c.text("name", p.Name, 1, maxName)
	p.Brand = p.Brand.checked(&c)
	return p, c.err()
}

// CreatePartner is for the operator alone.
func (o *Org) CreatePartner(ctx context.Context, actor access.Actor, n NewPartner) (Partner, error) {
	if err := access.Can(actor, access.Operate); err != nil {
		return Partner{}, err
	}
	p, err := Partner{Name: n.Name, Brand: n.Brand, CreatedAt: o.clock.Now(), Version: 1}.checked()
	if err != nil {
		return Partner{}, err
	}
	if p.ID, err = newID(); err != nil {
		return Partner{}, err
	}
	err = o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := insertPartner(ctx, tx, p); err != nil {
			return err
		}
		return o.record(ctx, tx, event{actor: actor, action: "partner.create", noun: "partner", id: p.ID, partnerID: p.ID, detail: change{After: p}})
	})
	if err != nil {
		return Partner{}, err
	}
	return p, nil
}

// Partner answers one; a partner may read itself.
func (o *Org) Partner(ctx context.Context, actor access.Actor, id string) (Partner, error) {
	if err := access.Can(actor, access.Read); err != nil {
		return Partner{}, err
	}
	return partnerIn(ctx, o.db.R, actor.Scope, id)
}

// Partners lists those in the actor's scope.
func (o *Org) Partners(ctx context.Context, actor access.Actor, q PartnerQuery) (Page[Partner], error) {
	if err := access.Can(actor, access.Read); err != nil {
		return Page[Partner]{}, err
	}
	return listPartners(ctx, o.db.R, actor.Scope, q)
}

// UpdatePartner is for the operator alone. ifVersion 0 changes whatever is there.
func (o *Org) UpdatePartner(ctx context.Context, actor access.Actor, id string, patch PartnerPatch, ifVersion int64) (Partner, error) {
	if err := access.Can(actor, access.Operate); err != nil {
		return Partner{}, err
	}
	var after Partner
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, err := partnerAt(ctx, tx, actor.Scope, id, ifVersion)
		if err != nil {
			return err
		}
		if after, err = patch.apply(before); err != nil || after == before {
			return err
		}
		if after, err = updatePartner(ctx, tx, after); err != nil {
			return err
		}
		return o.record(ctx, tx, event{actor: actor, action: "partner.update", noun: "partner", id: id, partnerID: id, detail: change{before, after}})
	})
	if err != nil {
		return Partner{}, err
	}
	return after, nil
}

func (p PartnerPatch) apply(to Partner) (Partner, error) {
	if p.Name != nil {
		to.Name = *p.Name
	}
	if p.Brand != nil {
		to.Brand = *p.Brand
	}
	return to.checked()
}

// DeletePartner answers 409 partner-has-customers while it has any. Its keys and members can do nothing from then on.
func (o *Org) DeletePartner(ctx context.Context, actor access.Actor, id string, ifVersion int64) error {
	if err := access.Can(actor, access.Operate); err != nil {
		return err
	}
	return o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := o.lockPartner(ctx, tx, clean(id)); err != nil {
			return err
		}
		before, err := partnerAt(ctx, tx, actor.Scope, id, ifVersion)
		if err != nil {
			return err
		}
		has, err := exists(ctx, tx, `SELECT 1 FROM customer WHERE partner_id = $1 AND deleted_at IS NULL LIMIT 1`, id)
		if err != nil {
			return err
		}
		if has {
			return fault.New(fault.Conflict, "partner-has-customers", "%s still has customers.", before.Name).
				WithRemedy("Remove its customers first.")
		}
		if err := deletePartner(ctx, tx, before, o.clock.Now()); err != nil {
			return err
		}
		return o.record(ctx, tx, event{actor: actor, action: "partner.delete", noun: "partner", id: id, partnerID: id, detail: change{Before: before}})
	})
}
