package org

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

const partnerColumns = `p.id, p.name, p.brand, p.created_at, p.version`

func scanPartner(r row) (Partner, error) {
	var p Partner
	var brand string
	var created sql.NullInt64
	if err := r.Scan(&p.ID, &p.Name, &brand, &created, &p.Version); err != nil {
		return Partner{}, err
	}
	if err := json.Unmarshal([]byte(brand), &p.Brand); err != nil {
		return Partner{}, fmt.Errorf("reading the brand of partner %s: %w", p.ID, err)
	}
	p.CreatedAt = db.Time(created)
	return p, nil
}

// partnerScope: a customer sees no partner, so its column is a text that no id equals.
func partnerScope(s access.Scope, arg int) (string, []any) { return s.Where("p.id", "''", arg) }

func partnerIn(ctx context.Context, q db.Querier, s access.Scope, id string) (Partner, error) {
	cond, args := partnerScope(s, 2)
	p, err := scanPartner(q.QueryRowContext(ctx, `SELECT `+partnerColumns+` FROM partner p WHERE p.id = $1 AND p.deleted_at IS NULL AND `+cond,
		append([]any{clean(id)}, args...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return Partner{}, fault.Missing("partner")
	}
	if err != nil {
		return Partner{}, fmt.Errorf("reading partner %s: %w", id, err)
	}
	return p, nil
}

// partnerAt is partnerIn at the version that a change was made on.
func partnerAt(ctx context.Context, q db.Querier, s access.Scope, id string, ifVersion int64) (Partner, error) {
	p, err := partnerIn(ctx, q, s, id)
	if err != nil {
		return Partner{}, err
	}
	return p, matches(p.Version, ifVersion, "partner")
}

func listPartners(ctx context.Context, q db.Querier, s access.Scope, query PartnerQuery) (Page[Partner], error) {
	cond, args := partnerScope(s, 1)
	l := &listing{columns: partnerColumns, from: "partner p", conds: []string{"p.deleted_at IS NULL", cond}, args: args,
		id: "p.id", cursor: query.Cursor, limit: query.Limit}
	if err := l.sorted(query.Sort, "name", byNameOrAge("p")); err != nil {
		return Page[Partner]{}, err
	}
	if key := fold(query.Search); key != "" {
		l.also(`p.name_key LIKE %s ESCAPE '\'`, l.arg(db.Like(key)))
	}
	return fetch(ctx, q, l, scanPartner, func(p Partner) (string, string) { return sortKey(l.order, p.Name, p.CreatedAt), p.ID })
}

// byNameOrAge are the orders of partners and customers.
func byNameOrAge(alias string) map[string]order {
	name, created := alias+".name_key", alias+".created_at"
	return map[string]order{"name": {column: name}, "-name": {column: name, desc: true},
		"createdAt": {column: created, number: true}, "-createdAt": {column: created, desc: true, number: true}}
}

func sortKey(o order, name string, created time.Time) string {
	if o.number {
		return strconv.FormatInt(created.UnixMicro(), 10)
	}
	return fold(name)
}

func insertPartner(ctx context.Context, tx db.Tx, p Partner) error {
	brand, err := json.Marshal(p.Brand)
	if err != nil {
		return fmt.Errorf("encoding a brand: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO partner (id, name, name_key, brand, created_at, version) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.ID, p.Name, fold(p.Name), string(brand), db.Micros(p.CreatedAt), p.Version)
	if err != nil {
		return fmt.Errorf("making a partner: %w", err)
	}
	return nil
}

func updatePartner(ctx context.Context, tx db.Tx, p Partner) (Partner, error) {
	brand, err := json.Marshal(p.Brand)
	if err != nil {
		return Partner{}, fmt.Errorf("encoding a brand: %w", err)
	}
	res, err := tx.ExecContext(ctx, `UPDATE partner SET name = $1, name_key = $2, brand = $3, version = version + 1
		WHERE id = $4 AND version = $5 AND deleted_at IS NULL`, p.Name, fold(p.Name), string(brand), p.ID, p.Version)
	p.Version++
	return p, db.Changed(res, err, fault.StaleVersion("partner"))
}

func deletePartner(ctx context.Context, tx db.Tx, p Partner, at time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE partner SET deleted_at = $1, version = version + 1 WHERE id = $2 AND version = $3 AND deleted_at IS NULL`,
		db.Micros(at), p.ID, p.Version)
	return db.Changed(res, err, fault.StaleVersion("partner"))
}

// exists says whether a query answers a row.
func exists(ctx context.Context, q db.Querier, query string, args ...any) (bool, error) {
	var one int
	err := q.QueryRowContext(ctx, query, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a row: %w", err)
	}
	return true, nil
}
