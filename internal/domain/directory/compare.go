package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/operation"
)

// goneBy is the condition on who is gone by a pass, with its argument as $1.
func goneBy(full bool, generation int64) (cond string, arg int64) {
	if full {
		return "generation <> $1", generation
	}
	return "generation = $1", -generation
}

// brakes says whether so many of all are too many to be removed unasked (B5).
func (d *Directory) brakes(remove, all int) bool {
	return remove >= d.o.BrakeLeast && remove*100 > d.o.BrakeShare*all
}

// compare removes who is gone and ends the pass. It comes after everything was read: a pass that broke off removes nobody.
func (p *pass) compare(ctx context.Context) (string, error) {
	st, _, err := readState(ctx, p.d.db.R, p.customerID)
	if err != nil || st.place == nil {
		return "", err
	}
	cond, arg := goneBy(st.place.Full, st.generation)
	var gone, all int
	err = p.d.db.R.QueryRowContext(ctx, `SELECT coalesce(sum(CASE WHEN `+cond+` THEN 1 ELSE 0 END), 0), count(*) FROM tenant_user
		WHERE customer_id = $2 AND removed_at IS NULL`, arg, p.customerID).Scan(&gone, &all)
	if err != nil {
		return "", fmt.Errorf("counting who is gone: %w", err)
	}
	if p.d.brakes(gone, all) && st.place.Released != p.id {
		return "", p.hold(ctx, *st.place, gone, all)
	}
	removed := 0
	for gone > 0 {
		n, err := p.remove(ctx, st, cond, arg)
		if err != nil {
			return "", err
		}
		if n == 0 {
			break
		}
		removed += n
	}
	return p.end(ctx, removed)
}

// hold has the operation wait for a person.
func (p *pass) hold(ctx context.Context, at place, gone, all int) error {
	at.Held = true
	err := p.w.Write(ctx, func(ctx context.Context, tx db.Tx) error { return putPlace(ctx, tx, p.customerID, &at) })
	if err != nil {
		return err
	}
	return operation.Wait{For: operation.ForConfirmation, Why: fmt.Sprintf(
		"Microsoft no longer lists %d of %d users. That is more than usual, so nobody was removed: confirm the removal, or cancel the sync.", gone, all)}
}

// remove marks up to a transaction's worth of users as removed. The audit has how many and a digest of their ids.
func (p *pass) remove(ctx context.Context, st state, cond string, arg int64) (int, error) {
	var ids []string
	err := p.w.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var err error
		if ids, err = p.goneIDs(ctx, tx, cond, arg); err != nil || len(ids) == 0 {
			return err
		}
		now := p.d.clock.Now()
		list, args := in(3, ids)
		_, err = tx.ExecContext(ctx, `UPDATE tenant_user SET removed_at = $1, updated_at = $1, version = version + 1
			WHERE customer_id = $2 AND id IN (`+list+`)`, append([]any{db.Micros(now), p.customerID}, args...)...)
		if err != nil {
			return fmt.Errorf("removing users: %w", err)
		}
		at := *st.place
		at.Changed += len(ids)
		if err := putPlace(ctx, tx, p.customerID, &at); err != nil {
			return err
		}
		if err := p.announce(ctx, tx, ids); err != nil {
			return err
		}
		digest := sha256.Sum256([]byte(strings.Join(ids, "\n")))
		return audit.Append(ctx, p.d.db, tx, audit.What{At: now, Actor: p.w.Actor(), Action: "user.remove", PartnerID: p.partner,
			CustomerID: p.customerID, TargetKind: "customer", TargetID: p.customerID, OperationID: p.id,
			Detail: map[string]any{"users": len(ids), "sha256": hex.EncodeToString(digest[:])}})
	})
	st.place.Changed += len(ids)
	return len(ids), err
}

func (p *pass) goneIDs(ctx context.Context, tx db.Tx, cond string, arg int64) ([]string, error) {
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(`SELECT id FROM tenant_user WHERE %s AND customer_id = $2 AND removed_at IS NULL ORDER BY id LIMIT %d`,
		cond, maxRows), arg, p.customerID)
	if err != nil {
		return nil, fmt.Errorf("looking for who is gone: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("looking for who is gone: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// end makes the pass's delta the beginning of the next.
func (p *pass) end(ctx context.Context, removed int) (string, error) {
	st, _, err := readState(ctx, p.d.db.R, p.customerID)
	if err != nil || st.place == nil {
		return "", err
	}
	users, err := p.d.countUsers(ctx, p.d.db.R, p.customerID)
	if err != nil {
		return "", err
	}
	err = p.w.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := closePass(ctx, tx, p.customerID, p.d.clock.Now(), *st.place, users); err != nil {
			return err
		}
		return p.w.Result(ctx, tx, map[string]any{"users": users, "changed": st.place.Changed, "removed": removed, "full": st.place.Full})
	})
	return fmt.Sprintf("%s, %d removed", counted(users, "user"), removed), err
}

// countUsers counts who is there: not removed, and no guest.
func (d *Directory) countUsers(ctx context.Context, q db.Querier, customerID string) (int, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT count(*) FROM tenant_user WHERE customer_id = $1 AND removed_at IS NULL AND account_type <> $2`, customerID, Guest).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting users: %w", err)
	}
	return n, nil
}

// ReleaseRemoval lets the sync that waits with a removal go on and do it. To refuse is to cancel the operation: the next sync
// then reads everybody anew.
func (d *Directory) ReleaseRemoval(ctx context.Context, actor access.Actor, customerID, operationID string) error {
	customer, err := d.customer(ctx, actor, access.Manage, customerID)
	if err != nil {
		return err
	}
	return d.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := d.db.Lock(ctx, tx, "operation:sync:"+customerID); err != nil {
			return err
		}
		st, found, err := readState(ctx, tx, customerID)
		if err != nil {
			return err
		}
		if !found || st.place == nil || !st.place.Held || st.operation != operationID {
			return fault.New(fault.Conflict, "nothing-held", "No removal of this sync waits for anybody.")
		}
		at := *st.place
		at.Held, at.Released = false, operationID
		if err := putPlace(ctx, tx, customerID, &at); err != nil {
			return err
		}
		if err := d.o.Operations.CheckNow(ctx, tx, operationID); err != nil {
			return err
		}
		return audit.Append(ctx, d.db, tx, audit.What{At: d.clock.Now(), Actor: actor, Action: "user.release-removal", PartnerID: customer.PartnerID,
			CustomerID: customerID, TargetKind: "operation", TargetID: operationID, OperationID: operationID})
	})
}
