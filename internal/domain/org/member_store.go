package org

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

const memberColumns = `id, email, name, level, partner_id, customer_id, role, password_hash IS NOT NULL, created_at, disabled_at, version`

// scanMember reads a member, and what follows it in the row.
func scanMember(r row, more ...any) (Member, error) {
	var m Member
	var level string
	var partner, customer sql.NullString
	var created, disabled sql.NullInt64
	dest := []any{&m.ID, &m.Email, &m.Name, &level, &partner, &customer, &m.Role, &m.HasPassword, &created, &disabled, &m.Version}
	if err := r.Scan(append(dest, more...)...); err != nil {
		return Member{}, err
	}
	m.place = placeOf(level, partner.String, customer.String)
	m.Scope, m.CreatedAt, m.DisabledAt = m.place.scope, db.Time(created), db.Time(disabled)
	return m, nil
}

func memberIn(ctx context.Context, q db.Querier, s access.Scope, id string) (Member, error) {
	cond, args := s.Where("partner_id", "customer_id", 2)
	m, err := scanMember(q.QueryRowContext(ctx, `SELECT `+memberColumns+` FROM member WHERE id = $1 AND `+cond, append([]any{clean(id)}, args...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return Member{}, fault.Missing("member")
	}
	if err != nil {
		return Member{}, fmt.Errorf("reading member %s: %w", id, err)
	}
	return m, nil
}

// memberByEmail answers a zero member and no hash where there is none: signing in goes on as if there were.
func memberByEmail(ctx context.Context, q db.Querier, email string) (Member, string, error) {
	var hash sql.NullString
	m, err := scanMember(q.QueryRowContext(ctx, `SELECT `+memberColumns+`, password_hash FROM member WHERE email_key = $1`, emailKey(email)), &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return Member{}, "", nil
	}
	if err != nil {
		return Member{}, "", fmt.Errorf("looking up a member: %w", err)
	}
	return m, hash.String, nil
}

func listMembers(ctx context.Context, q db.Querier, s access.Scope, query MemberQuery) (Page[Member], error) {
	cond, args := s.Where("partner_id", "customer_id", 1)
	l := &listing{columns: memberColumns, from: "member", conds: []string{cond}, args: args, id: "id", cursor: query.Cursor, limit: query.Limit}
	if err := l.sorted("", "email", map[string]order{"email": {column: "email_key"}}); err != nil {
		return Page[Member]{}, err
	}
	if text := emailKey(query.Search); text != "" {
		l.also(`(email_key LIKE %[1]s ESCAPE '\' OR lower(name) LIKE %[1]s ESCAPE '\')`, l.arg(db.Like(text)))
	}
	scan := func(r row) (Member, error) { return scanMember(r) }
	return fetch(ctx, q, l, scan, func(m Member) (string, string) { return emailKey(m.Email), m.ID })
}

// insertMember answers 409 member-exists where the address is taken. It says no more: whose member that is may be none of
// the maker's business.
func insertMember(ctx context.Context, tx db.Tx, m Member, hash string) error {
	res, err := tx.ExecContext(ctx, `INSERT INTO member (id, email, email_key, name, level, partner_id, customer_id, role, password_hash, created_at, version)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) ON CONFLICT DO NOTHING`,
		m.ID, m.Email, emailKey(m.Email), m.Name, string(m.Scope.Level), db.Null(m.place.partnerID), db.Null(m.place.customerID()),
		string(m.Role), db.Null(hash), db.Micros(m.CreatedAt), m.Version)
	if err != nil {
		return fmt.Errorf("making a member: %w", err)
	}
	return db.Changed(res, nil, fault.New(fault.Conflict, "member-exists", "This e-mail address is already in use.").
		WithRemedy("Use another address, or change the member who has it."))
}

func updateMember(ctx context.Context, tx db.Tx, m Member) (Member, error) {
	res, err := tx.ExecContext(ctx, `UPDATE member SET name = $1, level = $2, partner_id = $3, customer_id = $4, role = $5, disabled_at = $6,
		version = version + 1 WHERE id = $7 AND version = $8`, m.Name, string(m.Scope.Level), db.Null(m.place.partnerID),
		db.Null(m.place.customerID()), string(m.Role), db.Micros(m.DisabledAt), m.ID, m.Version)
	m.Version++
	return m, db.Changed(res, err, fault.StaleVersion("member"))
}

func setPassword(ctx context.Context, tx db.Tx, m Member, hash string) error {
	res, err := tx.ExecContext(ctx, `UPDATE member SET password_hash = $1, version = version + 1 WHERE id = $2 AND version = $3`, hash, m.ID, m.Version)
	return db.Changed(res, err, fault.StaleVersion("member"))
}

// livingMember answers a member who may act now: not disabled, and whose partner or customer is still there.
func livingMember(ctx context.Context, q db.Querier, id string) (Member, bool, error) {
	m, err := memberIn(ctx, q, access.Scope{Level: access.Operator}, id)
	if fault.KindOf(err) == fault.NotFound {
		return Member{}, false, nil
	}
	if err != nil {
		return Member{}, false, err
	}
	if !m.DisabledAt.IsZero() {
		return Member{}, false, nil
	}
	lives, err := scopeLives(ctx, q, m.Scope)
	return m, lives, err
}
