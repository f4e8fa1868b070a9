package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tcap.cloud/internal/base/db"
)

// errMoved: a row is no longer as it was read. The page is read and judged again.
var errMoved = errors.New("a user was changed meanwhile")

// marks is what a page compares first: nothing is decoded of a row whose hash is the same.
type marks struct {
	directoryHash, voiceHash []byte
	removed                  bool
	updated                  time.Time
	name                     string
}

// in makes "$first,$first+1,…" and the arguments for ids.
func in(first int, ids []string) (string, []any) {
	var b strings.Builder
	args := make([]any, len(ids))
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("$" + strconv.Itoa(first+i))
		args[i] = id
	}
	return b.String(), args
}

func readMarks(ctx context.Context, q db.Querier, customerID string, ids []string) (map[string]marks, error) {
	out := make(map[string]marks, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	list, args := in(2, ids)
	rows, err := q.QueryContext(ctx, `SELECT id, display_name, directory_hash, voice_hash, removed_at, updated_at FROM tenant_user
		WHERE customer_id = $1 AND id IN (`+list+`)`, append([]any{customerID}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("reading the hashes of users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var m marks
		var removed, updated sql.NullInt64
		if err := rows.Scan(&id, &m.name, &m.directoryHash, &m.voiceHash, &removed, &updated); err != nil {
			return nil, fmt.Errorf("reading the hash of a user: %w", err)
		}
		m.removed, m.updated = removed.Valid, db.Time(updated)
		out[id] = m
	}
	return out, rows.Err()
}

const rowColumns = `id, upn, display_name, enabled, usage_location, account_type, plans, products, licensed, number, number_type,
	voice_policy, dial_plan, enterprise_voice, on_premises, status, reason, directory_hash, voice_hash, generation, voice_generation,
	updated_at, removed_at, version`

func scanRow(s interface{ Scan(...any) error }) (row, error) {
	var r row
	var location, number, numberType, policy, plan sql.NullString
	var updated, removed sql.NullInt64
	err := s.Scan(&r.id, &r.upn, &r.name, &r.enabled, &location, &r.accountType, &r.plans, &r.products, &r.licensed, &number, &numberType,
		&policy, &plan, &r.voice, &r.onPremises, &r.status, &r.reason, &r.directoryHash, &r.voiceHash, &r.generation, &r.voiceGeneration,
		&updated, &removed, &r.version)
	r.location, r.number, r.numberType, r.policy, r.dialPlan = location.String, number.String, numberType.String, policy.String, plan.String
	r.updated, r.removed = db.Time(updated), removed.Valid
	return r, err
}

// readRows answers whole rows by id; most pages need few of them.
func readRows(ctx context.Context, q db.Querier, customerID string, ids []string) (map[string]row, error) {
	out := make(map[string]row, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	list, args := in(2, ids)
	rows, err := q.QueryContext(ctx, `SELECT `+rowColumns+` FROM tenant_user WHERE customer_id = $1 AND id IN (`+list+`)`,
		append([]any{customerID}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, fmt.Errorf("reading a user: %w", err)
		}
		out[r.id] = r
	}
	return out, rows.Err()
}

// insertRows adds users seen for the first time. They are managed until somebody says otherwise.
func insertRows(ctx context.Context, tx db.Tx, customerID string, now time.Time, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	st, err := tx.PrepareContext(ctx, `INSERT INTO tenant_user (customer_id, id, upn, upn_key, display_name, name_key, enabled, usage_location,
		account_type, plans, products, licensed, managed, enterprise_voice, on_premises, status, reason, directory_hash, generation,
		voice_generation, first_seen_at, updated_at, version)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,0,$20,$20,1) ON CONFLICT (customer_id, id) DO NOTHING`)
	if err != nil {
		return fmt.Errorf("adding users: %w", err)
	}
	defer st.Close()
	for _, r := range rows {
		res, err := st.ExecContext(ctx, customerID, r.id, r.upn, fold(r.upn), r.name, fold(r.name), r.enabled, db.Null(r.location), r.accountType,
			r.plans, r.products, r.licensed, true, r.voice, r.onPremises, r.status, r.reason, r.directoryHash, r.generation, db.Micros(now))
		if err := db.Changed(res, err, errMoved); err != nil {
			return fmt.Errorf("adding a user: %w", err)
		}
	}
	return nil
}

// updateRows writes users that differ, each on the version that was read. Who is written is not removed.
func updateRows(ctx context.Context, tx db.Tx, customerID string, now time.Time, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	st, err := tx.PrepareContext(ctx, `UPDATE tenant_user SET upn = $1, upn_key = $2, display_name = $3, name_key = $4, enabled = $5,
		usage_location = $6, account_type = $7, plans = $8, products = $9, licensed = $10, number = $11, number_type = $12, voice_policy = $13,
		dial_plan = $14, enterprise_voice = $15, on_premises = $16, status = $17, reason = $18, directory_hash = $19, voice_hash = $20,
		generation = $21, voice_generation = $22, updated_at = $23, removed_at = NULL, version = version + 1
		WHERE customer_id = $24 AND id = $25 AND version = $26`)
	if err != nil {
		return fmt.Errorf("changing users: %w", err)
	}
	defer st.Close()
	for _, r := range rows {
		res, err := st.ExecContext(ctx, r.upn, fold(r.upn), r.name, fold(r.name), r.enabled, db.Null(r.location), r.accountType, r.plans, r.products,
			r.licensed, db.Null(r.number), db.Null(r.numberType), db.Null(r.policy), db.Null(r.dialPlan), r.voice, r.onPremises, r.status,
			r.reason, r.directoryHash, r.voiceHash, r.generation, r.voiceGeneration, db.Micros(now), customerID, r.id, r.version)
		if err := db.Changed(res, err, errMoved); err != nil {
			return fmt.Errorf("changing a user: %w", err)
		}
	}
	return nil
}

// rehashRows notes that another wording of the same was seen: neither version nor time moves.
func rehashRows(ctx context.Context, tx db.Tx, customerID string, rows []row) error {
	for _, r := range rows {
		res, err := tx.ExecContext(ctx, `UPDATE tenant_user SET directory_hash = $1, voice_hash = $2, generation = $3
			WHERE customer_id = $4 AND id = $5 AND version = $6`, r.directoryHash, r.voiceHash, r.generation, customerID, r.id, r.version)
		if err := db.Changed(res, err, errMoved); err != nil {
			return fmt.Errorf("noting a hash: %w", err)
		}
	}
	return nil
}

// markRows sets the generation alone: seen unchanged in a full pass, or (negative) gone in a delta.
func markRows(ctx context.Context, tx db.Tx, customerID string, ids []string, generation int64) error {
	if len(ids) == 0 {
		return nil
	}
	list, args := in(3, ids)
	_, err := tx.ExecContext(ctx, `UPDATE tenant_user SET generation = $1 WHERE customer_id = $2 AND id IN (`+list+`)`,
		append([]any{generation, customerID}, args...)...)
	if err != nil {
		return fmt.Errorf("marking users: %w", err)
	}
	return nil
}
