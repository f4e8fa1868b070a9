package org

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// operatorID is the one row there is.
const operatorID = "operator"

// Brand is how a portal looks and whom it names for help (B9). What a partner leaves empty is the operator's.
type Brand struct {
	DisplayName  string `json:"displayName,omitempty"`
	Accent       string `json:"accent,omitempty"` // #rrggbb; the portal sees to the contrast
	LogoURL      string `json:"logoUrl,omitempty"`
	SupportEmail string `json:"supportEmail,omitempty"`
	SupportURL   string `json:"supportUrl,omitempty"`
}

// Operator runs the platform.
type Operator struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Brand     Brand     `json:"brand"`
	CreatedAt time.Time `json:"createdAt"`
	Version   int64     `json:"version"`
}

// OperatorPatch changes what is not nil.
type OperatorPatch struct {
	Name  *string
	Brand *Brand
}

var hexColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func (b Brand) checked(c *check) Brand {
	b.DisplayName = c.text("brand.displayName", b.DisplayName, 0, maxName)
	if b.Accent != "" && !hexColour.MatchString(b.Accent) {
		c.add("brand.accent", "not-a-colour", "brand.accent must be a colour such as #1f6feb.")
	}
	b.LogoURL = c.link("brand.logoUrl", b.LogoURL)
	if b.SupportEmail != "" {
		b.SupportEmail = c.email("brand.supportEmail", b.SupportEmail)
	}
	b.SupportURL = c.link("brand.supportUrl", b.SupportURL)
	return b
}

// EnsureOperator makes the operator at the first start and answers the one there is ever after; a name changed since is
// kept.
func (o *Org) EnsureOperator(ctx context.Context, name string) (Operator, error) {
	var c check
	name = c.text("name", name, 1, maxName)
	if err := c.err(); err != nil {
		return Operator{}, err
	}
	var out Operator
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO operator (id, name, brand, created_at, version) VALUES ($1, $2, '{}', $3, 1)
			ON CONFLICT DO NOTHING`, operatorID, name, db.Micros(o.clock.Now()))
		if err != nil {
			return fmt.Errorf("making the operator: %w", err)
		}
		if out, err = readOperator(ctx, tx); err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return o.record(ctx, tx, event{actor: access.System("start"), action: "operator.create", noun: "operator", id: operatorID,
			detail: change{After: out}})
	})
	return out, err
}

// Operator answers the operator; anybody may know whose platform this is.
func (o *Org) Operator(ctx context.Context) (Operator, error) { return readOperator(ctx, o.db.R) }

func readOperator(ctx context.Context, q db.Querier) (Operator, error) {
	var out Operator
	var brand string
	var created sql.NullInt64
	err := q.QueryRowContext(ctx, `SELECT id, name, brand, created_at, version FROM operator WHERE id = $1`, operatorID).
		Scan(&out.ID, &out.Name, &brand, &created, &out.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return Operator{}, fault.Missing("operator")
	}
	if err == nil {
		err = json.Unmarshal([]byte(brand), &out.Brand)
	}
	if err != nil {
		return Operator{}, fmt.Errorf("reading the operator: %w", err)
	}
	out.CreatedAt = db.Time(created)
	return out, nil
}

// UpdateOperator changes name or brand. ifVersion 0 changes whatever is there.
func (o *Org) UpdateOperator(ctx context.Context, actor access.Actor, p OperatorPatch, ifVersion int64) (Operator, error) {
	if err := access.Can(actor, access.Operate); err != nil {
		return Operator{}, err
	}
	var after Operator
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, err := readOperator(ctx, tx)
		if err != nil {
			return err
		}
		if err := matches(before.Version, ifVersion, "operator"); err != nil {
			return err
		}
		if after, err = p.apply(before); err != nil || after == before {
			return err
		}
		after.Version++
		brand, err := json.Marshal(after.Brand)
		if err != nil {
			return fmt.Errorf("encoding a brand: %w", err)
		}
		res, err := tx.ExecContext(ctx, `UPDATE operator SET name = $1, brand = $2, version = $3 WHERE id = $4 AND version = $5`,
			after.Name, string(brand), after.Version, operatorID, before.Version)
		if err := db.Changed(res, err, fault.StaleVersion("operator")); err != nil {
			return err
		}
		return o.record(ctx, tx, event{actor: actor, action: "operator.update", noun: "operator", id: operatorID, detail: change{before, after}})
	})
	if err != nil {
		return Operator{}, err
	}
	return after, nil
}

func (p OperatorPatch) apply(op Operator) (Operator, error) {
	var c check
	if p.Name != nil {
		op.Name = c.text("name", *p.Name, 1, maxName)
	}
	if p.Brand != nil {
		op.Brand = p.Brand.checked(&c)
	}
	return op, c.err()
}
