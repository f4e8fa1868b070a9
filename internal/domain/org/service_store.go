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

const serviceColumns = `s.id, s.customer_id, s.kind, s.sync, s.voice_policy, s.dial_plan, s.created_at, s.updated_at, s.version`

// scanService reads a service, and what follows it in the row.
func scanService(r row, more ...any) (Service, error) {
	var s Service
	var policy, plan sql.NullString
	var created, updated sql.NullInt64
	dest := []any{&s.ID, &s.CustomerID, &s.Kind, &s.Sync, &policy, &plan, &created, &updated, &s.Version}
	if err := r.Scan(append(dest, more...)...); err != nil {
		return Service{}, err
	}
	s.VoicePolicy, s.DialPlan, s.CreatedAt, s.UpdatedAt = policy.String, plan.String, db.Time(created), db.Time(updated)
	return s, nil
}

// ServiceIn answers a service inside a scope, with its customer, as the caller's transaction (or the reader) sees it; 404
// otherwise. It is for rooms that have asked access.Can themselves.
func (o *Org) ServiceIn(ctx context.Context, q db.Querier, s access.Scope, id string) (Service, Customer, error) {
	cond, args := s.Where("c.partner_id", "c.id", 2)
	var cr customerRow
	svc, err := scanService(q.QueryRowContext(ctx, `SELECT `+serviceColumns+`, `+customerColumns+`
		FROM service s JOIN customer c ON c.id = s.customer_id JOIN partner p ON p.id = c.partner_id
		WHERE s.id = $1 AND s.deleted_at IS NULL AND c.deleted_at IS NULL AND `+cond, append([]any{clean(id)}, args...)...), cr.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return Service{}, Customer{}, fault.Missing("service")
	}
	if err != nil {
		return Service{}, Customer{}, fmt.Errorf("reading service %s: %w", id, err)
	}
	return svc, cr.customer(), nil
}

// ServicesIn answers a customer's services as the caller's transaction (or the reader) sees them, oldest first. It asks no
// scope: whoever calls has read the customer.
func (o *Org) ServicesIn(ctx context.Context, q db.Querier, customerID string) ([]Service, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+serviceColumns+` FROM service s WHERE s.customer_id = $1 AND s.deleted_at IS NULL
		ORDER BY s.created_at, s.id`, clean(customerID))
	if err != nil {
		return nil, fmt.Errorf("reading the services of customer %s: %w", customerID, err)
	}
	defer rows.Close()
	out := []Service{}
	for rows.Next() {
		s, err := scanService(rows)
		if err != nil {
			return nil, fmt.Errorf("reading the services of customer %s: %w", customerID, err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// insertService answers taken where the customer has one of this kind.
func insertService(ctx context.Context, tx db.Tx, s Service, taken error) error {
	res, err := tx.ExecContext(ctx, `INSERT INTO service (id, customer_id, kind, sync, voice_policy, dial_plan, created_at, updated_at, version)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT DO NOTHING`,
		s.ID, s.CustomerID, s.Kind, s.Sync, db.Null(s.VoicePolicy), db.Null(s.DialPlan), db.Micros(s.CreatedAt), db.Micros(s.UpdatedAt), s.Version)
	if err != nil {
		return fmt.Errorf("adding a service: %w", err)
	}
	return db.Changed(res, nil, taken)
}

func updateService(ctx context.Context, tx db.Tx, s Service) (Service, error) {
	res, err := tx.ExecContext(ctx, `UPDATE service SET sync = $1, voice_policy = $2, dial_plan = $3, updated_at = $4, version = version + 1
		WHERE id = $5 AND version = $6 AND deleted_at IS NULL`,
		s.Sync, db.Null(s.VoicePolicy), db.Null(s.DialPlan), db.Micros(s.UpdatedAt), s.ID, s.Version)
	s.Version++
	return s, db.Changed(res, err, fault.StaleVersion("service"))
}

func deleteService(ctx context.Context, tx db.Tx, s Service, at time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE service SET deleted_at = $1, updated_at = $1, version = version + 1
		WHERE id = $2 AND version = $3 AND deleted_at IS NULL`, db.Micros(at), s.ID, s.Version)
	return db.Changed(res, err, fault.StaleVersion("service"))
}
