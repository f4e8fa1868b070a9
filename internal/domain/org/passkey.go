package org

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// maxPasskeys is how many one member may have.
const maxPasskeys = 20

// Passkey is a WebAuthn credential of a member. Credential is the door's JSON of it (public key, counter, flags), which the
// store does not read. A zero UsedAt is never.
type Passkey struct {
	ID         []byte
	MemberID   string
	Name       string
	Credential string
	CreatedAt  time.Time
	UsedAt     time.Time
}

// told is what the audit says of a passkey.
func (p Passkey) told() map[string]string {
	return map[string]string{"passkey": base64.RawURLEncoding.EncodeToString(p.ID), "name": p.Name}
}

// AddPasskey keeps a credential that the door has verified. Only the member himself adds one: 403 otherwise. 409
// passkey-exists or too-many-passkeys.
func (o *Org) AddPasskey(ctx context.Context, actor access.Actor, id []byte, name, credential string) (Passkey, error) {
	if actor.Kind != KindMember {
		return Passkey{}, fault.New(fault.Forbidden, "members-only", "Only a member can have a passkey.")
	}
	var c check
	p := Passkey{ID: id, MemberID: actor.ID, Name: c.text("name", name, 1, maxName), Credential: credential, CreatedAt: o.clock.Now()}
	if len(id) == 0 || len(id) > 1023 { // WebAuthn Level 3, section 4, "Credential ID"
		c.add("id", "out-of-range", "A credential ID has 1 to 1023 bytes.")
	}
	if err := c.err(); err != nil {
		return Passkey{}, err
	}
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := o.lockMember(ctx, tx, actor.ID); err != nil {
			return err
		}
		m, lives, err := livingMember(ctx, tx, actor.ID)
		if err != nil {
			return err
		}
		if !lives {
			return fault.Missing("member")
		}
		if err := insertPasskey(ctx, tx, p); err != nil {
			return err
		}
		return o.record(ctx, tx, m.event(actor, "member.add-passkey", p.told()))
	})
	if err != nil {
		return Passkey{}, err
	}
	return p, nil
}

func insertPasskey(ctx context.Context, tx db.Tx, p Passkey) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM passkey WHERE member_id = $1`, p.MemberID).Scan(&n); err != nil {
		return fmt.Errorf("counting passkeys: %w", err)
	}
	if n >= maxPasskeys {
		return fault.New(fault.Conflict, "too-many-passkeys", "A member may have at most %d passkeys.", maxPasskeys).WithRemedy("Remove one first.")
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO passkey (id, member_id, name, credential, created_at) VALUES ($1,$2,$3,$4,$5) ON CONFLICT DO NOTHING`,
		p.ID, p.MemberID, p.Name, p.Credential, db.Micros(p.CreatedAt))
	if err != nil {
		return fmt.Errorf("adding a passkey: %w", err)
	}
	return db.Changed(res, nil, fault.New(fault.Conflict, "passkey-exists", "This passkey is already in use."))
}

// Passkeys lists a member's, oldest first, for himself or an administrator of his scope.
func (o *Org) Passkeys(ctx context.Context, actor access.Actor, memberID string) ([]Passkey, error) {
	m, err := o.Member(ctx, actor, memberID)
	if err != nil {
		return nil, err
	}
	return passkeysOf(ctx, o.db.R, m.ID)
}

// MemberForPasskey answers the member whom a WebAuthn user handle names, with his passkeys, so that the door can verify a
// sign-in. 401 sign-in-refused where he may not sign in.
func (o *Org) MemberForPasskey(ctx context.Context, memberID string) (Member, []Passkey, error) {
	m, lives, err := livingMember(ctx, o.db.R, memberID)
	if err != nil {
		return Member{}, nil, err
	}
	if !lives {
		return Member{}, nil, refusedPasskey()
	}
	keys, err := passkeysOf(ctx, o.db.R, m.ID)
	return m, keys, err
}

func refusedPasskey() error {
	return fault.New(fault.Unauthenticated, "sign-in-refused", "This passkey cannot sign in here.").
		WithRemedy("Use another passkey or your password, or ask an administrator of your organisation for a sign-in link.")
}

// UsePasskey signs a member in with a passkey whose assertion the door has verified against used.Credential, and keeps the
// credential as it is afterwards (its counter). Where two use the same counter at once, one is refused: 401
// sign-in-refused.
func (o *Org) UsePasskey(ctx context.Context, used Passkey, after string) (access.Actor, error) {
	var who access.Actor
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE passkey SET credential = $1, used_at = $2 WHERE id = $3 AND member_id = $4 AND credential = $5
			AND (used_at IS NULL OR used_at = $6)`, after, db.Micros(o.clock.Now()), used.ID, used.MemberID, used.Credential, used.UsedAt.UnixMicro())
		if err := db.Changed(res, err, refusedPasskey()); err != nil {
			return err
		}
		m, lives, err := livingMember(ctx, tx, used.MemberID)
		if err != nil {
			return err
		}
		if !lives {
			return refusedPasskey()
		}
		who = m.Actor()
		return o.record(ctx, tx, m.event(who, "member.sign-in", signedIn{Method: "passkey"}))
	})
	if err != nil {
		return access.Actor{}, err
	}
	return who, nil
}

// DeletePasskey removes a member's passkey, by himself or an administrator of his scope.
func (o *Org) DeletePasskey(ctx context.Context, actor access.Actor, memberID string, id []byte) error {
	s, err := mayTouch(actor, memberID)
	if err != nil {
		return err
	}
	return o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		m, err := memberIn(ctx, tx, s, memberID)
		if err != nil {
			return err
		}
		p, err := scanPasskey(tx.QueryRowContext(ctx, `SELECT `+passkeyColumns+` FROM passkey WHERE id = $1 AND member_id = $2`, id, m.ID))
		if errors.Is(err, sql.ErrNoRows) {
			return fault.Missing("passkey")
		}
		if err != nil {
			return fmt.Errorf("reading a passkey: %w", err)
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM passkey WHERE id = $1 AND member_id = $2`, id, m.ID)
		if err := db.Changed(res, err, fault.Missing("passkey")); err != nil {
			return err
		}
		return o.record(ctx, tx, m.event(actor, "member.delete-passkey", p.told()))
	})
}

const passkeyColumns = `id, member_id, name, credential, created_at, used_at`

func scanPasskey(r row) (Passkey, error) {
	var p Passkey
	var created, used sql.NullInt64
	err := r.Scan(&p.ID, &p.MemberID, &p.Name, &p.Credential, &created, &used)
	p.CreatedAt, p.UsedAt = db.Time(created), db.Time(used)
	return p, err
}

func passkeysOf(ctx context.Context, q db.Querier, memberID string) ([]Passkey, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+passkeyColumns+` FROM passkey WHERE member_id = $1 ORDER BY created_at, id`, memberID)
	if err != nil {
		return nil, fmt.Errorf("reading passkeys: %w", err)
	}
	defer rows.Close()
	out := []Passkey{}
	for rows.Next() {
		p, err := scanPasskey(rows)
		if err != nil {
			return nil, fmt.Errorf("reading passkeys: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}
