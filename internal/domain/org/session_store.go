package org

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tcap.cloud/internal/base/db"
)

// sweepBatch keeps a write transaction short.
const sweepBatch = 500

// signin is a session, a link or a ceremony; of the latter actor holds the state.
type signin struct {
	kind      string
	actor     string
	memberID  string
	createdAt time.Time
	expiresAt time.Time
}

func insertSignin(ctx context.Context, tx db.Tx, hash []byte, s signin) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO signin (token_hash, kind, actor, member_id, created_at, expires_at) VALUES ($1,$2,$3,$4,$5,$6)`,
		hash, s.kind, s.actor, db.Null(s.memberID), db.Micros(s.createdAt), db.Micros(s.expiresAt))
	if err != nil {
		return fmt.Errorf("keeping a %s: %w", s.kind, err)
	}
	return nil
}

func readSignin(ctx context.Context, q db.Querier, hash []byte, kind string) (signin, bool, error) {
	var s signin
	var member sql.NullString
	var created, expires sql.NullInt64
	err := q.QueryRowContext(ctx, `SELECT kind, actor, member_id, created_at, expires_at FROM signin WHERE token_hash = $1 AND kind = $2`, hash, kind).
		Scan(&s.kind, &s.actor, &member, &created, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return signin{}, false, nil
	}
	if err != nil {
		return signin{}, false, fmt.Errorf("reading a %s: %w", kind, err)
	}
	s.memberID, s.createdAt, s.expiresAt = member.String, db.Time(created), db.Time(expires)
	return s, true, nil
}

func deleteSignin(ctx context.Context, tx db.Tx, hash []byte) (int64, error) {
	res, err := tx.ExecContext(ctx, `DELETE FROM signin WHERE token_hash = $1`, hash)
	if err != nil {
		return 0, fmt.Errorf("ending a session: %w", err)
	}
	return res.RowsAffected()
}

// lockMember orders beginning and ending a member's sessions, and his passkeys, until the transaction ends.
func (o *Org) lockMember(ctx context.Context, tx db.Tx, memberID string) error {
	return o.db.Lock(ctx, tx, "member:"+memberID)
}

// endSignins ends a member's sessions and takes back his links, those too that are just being made.
func (o *Org) endSignins(ctx context.Context, tx db.Tx, memberID string) error {
	if err := o.lockMember(ctx, tx, memberID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM signin WHERE member_id = $1`, memberID); err != nil {
		return fmt.Errorf("ending the sessions of member %s: %w", memberID, err)
	}
	return nil
}

func sweepSignins(ctx context.Context, tx db.Tx, now time.Time) (int64, error) {
	res, err := tx.ExecContext(ctx, `DELETE FROM signin WHERE token_hash IN (SELECT token_hash FROM signin WHERE expires_at <= $1 LIMIT $2)`,
		db.Micros(now), sweepBatch)
	if err != nil {
		return 0, fmt.Errorf("sweeping sessions: %w", err)
	}
	return res.RowsAffected()
}
