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

const keyColumns = `id, name, hint, level, partner_id, customer_id, role, created_at, created_by, expires_at, revoked_at, last_used_at, version`

func scanKey(r row) (Key, error) {
	var k Key
	var level string
	var partner, customer sql.NullString
	var created, expires, revoked, used sql.NullInt64
	err := r.Scan(&k.ID, &k.Name, &k.Hint, &level, &partner, &customer, &k.Role, &created, &k.CreatedBy, &expires, &revoked, &used, &k.Version)
	if err != nil {
		return Key{}, err
	}
	k.place = placeOf(level, partner.String, customer.String)
	k.Scope, k.CreatedAt, k.ExpiresAt, k.RevokedAt, k.LastUsedAt = k.place.scope, db.Time(created), db.Time(expires), db.Time(revoked), db.Time(used)
	return k, nil
}

func keyIn(ctx context.Context, q db.Querier, s access.Scope, id string) (Key, error) {
	cond, args := s.Where("partner_id", "customer_id", 2)
	k, err := scanKey(q.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM api_key WHERE id = $1 AND `+cond, append([]any{clean(id)}, args...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return Key{}, fault.Missing("API key")
	}
	if err != nil {
		return Key{}, fmt.Errorf("reading API key %s: %w", id, err)
	}
	return k, nil
}

func keyAt(ctx context.Context, q db.Querier, s access.Scope, id string, ifVersion int64) (Key, error) {
	k, err := keyIn(ctx, q, s, id)
	if err != nil {
		return Key{}, err
	}
	return k, matches(k.Version, ifVersion, "API key")
}

func keyByHash(ctx context.Context, q db.Querier, hash []byte) (Key, bool, error) {
	k, err := scanKey(q.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM api_key WHERE hash = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return Key{}, false, nil
	}
	if err != nil {
		return Key{}, false, fmt.Errorf("looking up an API key: %w", err)
	}
	return k, true, nil
}

func listKeys(ctx context.Context, q db.Querier, s access.Scope, query KeyQuery) (Page[Key], error) {
	cond, args := s.Where("partner_id", "customer_id", 1)
	l := &listing{columns: keyColumns, from: "api_key", conds: []string{cond}, args: args, id: "id", cursor: query.Cursor, limit: query.Limit}
	if err := l.sorted("", "-createdAt", map[string]order{"-createdAt": {column: "created_at", desc: true, number: true}}); err != nil {
		return Page[Key]{}, err
	}
	if text := clean(query.Search); text != "" {
		l.also(`(lower(name) LIKE lower(%s) ESCAPE '\' OR hint = %s)`, l.arg(db.Like(text)), l.arg(text))
	}
	return fetch(ctx, q, l, scanKey, func(k Key) (string, string) { return sortKey(l.order, k.Name, k.CreatedAt), k.ID })
}

func insertKey(ctx context.Context, tx db.Tx, k Key, hash []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO api_key (id, name, hash, hint, level, partner_id, customer_id, role, created_at, created_by, expires_at, version)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)`,
		k.ID, k.Name, hash, k.Hint, string(k.Scope.Level), db.Null(k.place.partnerID), db.Null(k.place.customerID()), string(k.Role),
		db.Micros(k.CreatedAt), k.CreatedBy, db.Micros(k.ExpiresAt), k.Version)
	if err != nil {
		return fmt.Errorf("making an API key: %w", err)
	}
	return nil
}

func updateKey(ctx context.Context, tx db.Tx, k Key) (Key, error) {
	res, err := tx.ExecContext(ctx, `UPDATE api_key SET name = $1, expires_at = $2, revoked_at = $3, version = version + 1 WHERE id = $4 AND version = $5`,
		k.Name, db.Micros(k.ExpiresAt), db.Micros(k.RevokedAt), k.ID, k.Version)
	k.Version++
	return k, db.Changed(res, err, fault.StaleVersion("API key"))
}

// touchKey is no change of the key: it has no version, audit entry or feed line.
func touchKey(ctx context.Context, tx db.Tx, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE api_key SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at <= $3)`,
		db.Micros(at), id, db.Micros(at.Add(-useEvery)))
	if err != nil {
		return fmt.Errorf("writing the use of an API key: %w", err)
	}
	return nil
}
