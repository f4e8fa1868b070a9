package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
)

// UserPatch changes what is not nil. IfVersion 0 asks for no version.
type UserPatch struct {
	Managed   *bool
	IfVersion int64
}

// UpdateUser sets what is ours to say of a user: whether he is managed here.
func (d *Directory) UpdateUser(ctx context.Context, actor access.Actor, customerID, userID string, patch UserPatch) (User, error) {
	customer, err := d.customer(ctx, actor, access.Assign, customerID)
	if err != nil {
		return User{}, err
	}
	was, err := d.Find(ctx, d.db.R, customerID, userID)
	if err != nil {
		return User{}, err
	}
	if patch.IfVersion != 0 && patch.IfVersion != was.Version {
		return User{}, fault.StaleVersion("user")
	}
	if patch.Managed == nil || *patch.Managed == was.Managed {
		return was, nil
	}
	err = d.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		now := d.clock.Now()
		res, err := tx.ExecContext(ctx, `UPDATE tenant_user SET managed = $1, updated_at = $2, version = version + 1
			WHERE customer_id = $3 AND id = $4 AND version = $5`, *patch.Managed, db.Micros(now), customerID, was.ID, was.Version)
		if err := db.Changed(res, err, fault.StaleVersion("user")); err != nil {
			return err
		}
		err = audit.Append(ctx, d.db, tx, audit.What{At: now, Actor: actor, Action: "user.update", PartnerID: customer.PartnerID, CustomerID: customerID,
			TargetKind: "user", TargetID: was.ID, Detail: map[string]any{"user": was.UserPrincipalName,
				"before": map[string]bool{"managed": was.Managed}, "after": map[string]bool{"managed": *patch.Managed}}})
		if err != nil {
			return err
		}
		return d.tell(ctx, tx, customer.PartnerID, customerID, was.ID, now)
	})
	if err != nil {
		return User{}, err
	}
	return d.Find(ctx, d.db.R, customerID, userID)
}

func (d *Directory) tell(ctx context.Context, tx db.Tx, partnerID, customerID, userID string, now time.Time) error {
	return feed.Append(ctx, tx, feed.Line{At: now, Topic: "user", Ref: userID, PartnerID: partnerID, CustomerID: customerID})
}

// VoiceChange is voice state that was written to the tenant and read back. nil is unchanged, an empty text none.
type VoiceChange struct {
	Number      *string
	NumberType  *string
	VoicePolicy *string
	DialPlan    *string
}

// SetVoice shows a verified number or policy at once, without waiting for the next sync. The caller's transaction has the
// audit entry.
func (d *Directory) SetVoice(ctx context.Context, tx db.Tx, customerID, userID string, number *string, policy *string) error {
	return d.ApplyVoice(ctx, tx, customerID, userID, VoiceChange{Number: number, VoicePolicy: policy})
}

// ApplyVoice is SetVoice with all that can have changed. For a few minutes a list of Microsoft's that may be older does not
// overrule it.
func (d *Directory) ApplyVoice(ctx context.Context, tx db.Tx, customerID, userID string, v VoiceChange) error {
	// The first statement takes the row: what is read after it does not change before the transaction ends.
	res, err := tx.ExecContext(ctx, `UPDATE tenant_user SET version = version + 1 WHERE customer_id = $1 AND id = $2`, customerID, userID)
	if err := db.Changed(res, err, fault.Missing("user")); err != nil {
		return err
	}
	r, err := scanRow(tx.QueryRowContext(ctx, `SELECT `+rowColumns+` FROM tenant_user WHERE customer_id = $1 AND id = $2`, customerID, userID))
	if err != nil {
		return fmt.Errorf("reading a user: %w", err)
	}
	b, err := d.bookOf(ctx, tx, customerID)
	if err != nil {
		return err
	}
	r.apply(v)
	r.judge(b)
	now := d.clock.Now()
	_, err = tx.ExecContext(ctx, `UPDATE tenant_user SET number = $1, number_type = $2, voice_policy = $3, dial_plan = $4, enterprise_voice = $5,
		on_premises = $6, status = $7, reason = $8, licensed = $9, voice_hash = $10, updated_at = $11 WHERE customer_id = $12 AND id = $13`,
		db.Null(r.number), db.Null(r.numberType), db.Null(r.policy), db.Null(r.dialPlan), r.voice, r.onPremises, r.status, r.reason, r.licensed,
		settledMark(), db.Micros(now), customerID, userID)
	if err != nil {
		return fmt.Errorf("showing the voice state of a user: %w", err)
	}
	var partner sql.NullString
	err = tx.QueryRowContext(ctx, `SELECT partner_id FROM customer WHERE id = $1`, customerID).Scan(&partner)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("reading a customer: %w", err)
	}
	return d.tell(ctx, tx, partner.String, customerID, userID, now)
}

// apply: a number that is assigned in the cloud switches enterprise voice on, taking it away switches it off
// (facts/teams-admin.md B).
func (r *row) apply(v VoiceChange) {
	if v.Number != nil {
		r.number = lineNumber(*v.Number)
		r.voice, r.onPremises = r.number != "", false
		if r.number == "" {
			r.numberType = ""
		}
	}
	for _, c := range []struct {
		to   *string
		into *string
	}{{v.NumberType, &r.numberType}, {v.VoicePolicy, &r.policy}, {v.DialPlan, &r.dialPlan}} {
		if c.to != nil {
			*c.into = clean(*c.to)
		}
	}
}

// Policies lists the names of the tenant's policies of a type (OnlineVoiceRoutingPolicy, TenantDialPlan) as the last sync saw
// them, Global apart.
func (d *Directory) Policies(ctx context.Context, actor access.Actor, customerID, policyType string) ([]string, error) {
	if _, err := d.customer(ctx, actor, access.Read, customerID); err != nil {
		return nil, err
	}
	rows, err := d.db.R.QueryContext(ctx, `SELECT name FROM tenant_policy WHERE customer_id = $1 AND type = $2 AND name <> 'Global' ORDER BY name`,
		customerID, clean(policyType))
	if err != nil {
		return nil, fmt.Errorf("reading policies: %w", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("reading a policy: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// HasPolicy says whether the last sync saw a policy of that type and name in the tenant.
func (d *Directory) HasPolicy(ctx context.Context, q db.Querier, customerID, policyType, name string) (bool, error) {
	var one int
	err := q.QueryRowContext(ctx, `SELECT 1 FROM tenant_policy WHERE customer_id = $1 AND type = $2 AND name = $3`,
		customerID, clean(policyType), clean(name)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a policy: %w", err)
	}
	return true, nil
}
