package org

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

const (
	customerColumns = `c.id, c.partner_id, p.name, c.name, c.cloud, c.tenant_id, c.primary_domain, c.country, c.time_zone,
	c.billing_reference, c.seat_limit, c.created_at, c.updated_at, c.version`
	customerFrom = `customer c JOIN partner p ON p.id = c.partner_id`
)

// customerRow takes the columns of a customer, alone or behind those of a service.
type customerRow struct {
	c                                        Customer
	tenant, domain, country, zone, reference sql.NullString
	seats, created, updated                  sql.NullInt64
}

func (r *customerRow) dest() []any {
	return []any{&r.c.ID, &r.c.PartnerID, &r.c.PartnerName, &r.c.Name, &r.c.Cloud, &r.tenant, &r.domain, &r.country, &r.zone,
		&r.reference, &r.seats, &r.created, &r.updated, &r.c.Version}
}

func (r *customerRow) customer() Customer {
	c := r.c
	c.TenantID, c.PrimaryDomain, c.Country, c.TimeZone = r.tenant.String, r.domain.String, r.country.String, r.zone.String
	c.BillingReference, c.CreatedAt, c.UpdatedAt = r.reference.String, db.Time(r.created), db.Time(r.updated)
	if r.seats.Valid {
		n := int(r.seats.Int64)
		c.SeatLimit = &n
	}
	return c
}

func scanCustomer(r row) (Customer, error) {
	var cr customerRow
	if err := r.Scan(cr.dest()...); err != nil {
		return Customer{}, err
	}
	return cr.customer(), nil
}

func seats(n *int) any {
	if n == nil {
		return nil
	}
	return *n
}

// CustomerIn answers a customer inside a scope as the caller's transaction (or the reader) sees it; 404 otherwise. It is for
// rooms that have asked access.Can themselves.
func (o *Org) CustomerIn(ctx context.Context, q db.Querier, s access.Scope, id string) (Customer, error) {
	cond, args := s.Where("c.partner_id", "c.id", 2)
	c, err := scanCustomer(q.QueryRowContext(ctx, `SELECT `+customerColumns+` FROM `+customerFrom+` WHERE c.id = $1 AND c.deleted_at IS NULL AND `+cond,
		append([]any{clean(id)}, args...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return Customer{}, fault.Missing("customer")
	}
	if err != nil {
		return Customer{}, fmt.Errorf("reading customer %s: %w", id, err)
	}
	return c, nil
}

func listCustomers(ctx context.Context, q db.Querier, s access.Scope, query CustomerQuery) (Page[Customer], error) {
	cond, args := s.Where("c.partner_id", "c.id", 1)
	l := &listing{columns: customerColumns, from: customerFrom, conds: []string{"c.deleted_at IS NULL", cond}, args: args,
		id: "c.id", cursor: query.Cursor, limit: query.Limit}
	if err := l.sorted(query.Sort, "name", byNameOrAge("c")); err != nil {
		return Page[Customer]{}, err
	}
	if query.PartnerID != "" {
		l.also("c.partner_id = %s", l.arg(clean(query.PartnerID)))
	}
	if query.Cloud != "" {
		l.also("c.cloud = %s", l.arg(query.Cloud))
	}
	if key := fold(query.Search); key != "" {
		pattern := l.arg(db.Like(key))
		l.also(`(c.name_key LIKE %[1]s ESCAPE '\' OR c.primary_domain LIKE %[1]s ESCAPE '\' OR c.tenant_id = %[2]s)`, pattern, l.arg(key))
	}
	return fetch(ctx, q, l, scanCustomer, func(c Customer) (string, string) { return sortKey(l.order, c.Name, c.CreatedAt), c.ID })
}

func insertCustomer(ctx context.Context, tx db.Tx, c Customer) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO customer (id, partner_id, name, name_key, cloud, tenant_id, primary_domain, country, time_zone,
		billing_reference, seat_limit, created_at, updated_at, version) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
		c.ID, c.PartnerID, c.Name, fold(c.Name), c.Cloud, db.Null(c.TenantID), db.Null(c.PrimaryDomain), db.Null(c.Country), db.Null(c.TimeZone),
		db.Null(c.BillingReference), seats(c.SeatLimit), db.Micros(c.CreatedAt), db.Micros(c.UpdatedAt), c.Version)
	if err != nil {
		return fmt.Errorf("making a customer: %w", err)
	}
	return nil
}

func updateCustomer(ctx context.Context, tx db.Tx, c Customer) (Customer, error) {
	res, err := tx.ExecContext(ctx, `UPDATE customer SET name = $1, name_key = $2, cloud = $3, tenant_id = $4, primary_domain = $5, country = $6,
		time_zone = $7, billing_reference = $8, seat_limit = $9, updated_at = $10, version = version + 1
		WHERE id = $11 AND version = $12 AND deleted_at IS NULL`,
		c.Name, fold(c.Name), c.Cloud, db.Null(c.TenantID), db.Null(c.PrimaryDomain), db.Null(c.Country), db.Null(c.TimeZone),
		db.Null(c.BillingReference), seats(c.SeatLimit), db.Micros(c.UpdatedAt), c.ID, c.Version)
	c.Version++
	return c, db.Changed(res, err, fault.StaleVersion("customer"))
}

func deleteCustomer(ctx context.Context, tx db.Tx, c Customer, at time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE customer SET deleted_at = $1, updated_at = $1, version = version + 1
		WHERE id = $2 AND version = $3 AND deleted_at IS NULL`, db.Micros(at), c.ID, c.Version)
	return db.Changed(res, err, fault.StaleVersion("customer"))
}

// scopeLives says whether the partner or customer that a key, member or link belongs to is still there.
func scopeLives(ctx context.Context, q db.Querier, s access.Scope) (bool, error) {
	switch s.Level {
	case access.Operator:
		return true, nil
	case access.Partner:
		return exists(ctx, q, `SELECT 1 FROM partner WHERE id = $1 AND deleted_at IS NULL`, s.PartnerID)
	case access.Customer:
		return exists(ctx, q, `SELECT 1 FROM `+customerFrom+` WHERE c.id = $1 AND c.deleted_at IS NULL AND p.deleted_at IS NULL`, s.CustomerID)
	}
	return false, nil
}
