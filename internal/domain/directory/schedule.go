package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// atOnce is how many syncs one look at the clock starts; the rest follow at the next.
const atOnce = 200

// Schedule starts the syncs that are due. It is called every few seconds, in any number of processes: a customer has one
// sync at a time.
func (d *Directory) Schedule(ctx context.Context) error {
	due, err := d.dueSyncs(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, id := range due {
		if err := d.startDue(ctx, id); err != nil {
			failed = errors.Join(failed, fmt.Errorf("starting the due sync of %s: %w", id, err))
		}
	}
	return failed
}

func (d *Directory) dueSyncs(ctx context.Context) ([]string, error) {
	rows, err := d.db.R.QueryContext(ctx, `SELECT customer_id FROM sync_state WHERE next_at <= $1 ORDER BY next_at, customer_id LIMIT $2`,
		db.Micros(d.clock.Now()), atOnce)
	if err != nil {
		return nil, fmt.Errorf("looking for due syncs: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("looking for due syncs: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (d *Directory) startDue(ctx context.Context, customerID string) error {
	customer, err := d.org.CustomerIn(ctx, d.db.R, access.Scope{Level: access.Operator}, customerID)
	if fault.KindOf(err) == fault.NotFound {
		return d.reschedule(ctx, customerID, time.Time{})
	}
	if err != nil {
		return err
	}
	if d.o.Ready != nil {
		ready, err := d.o.Ready(ctx, customerID)
		if err != nil {
			return err
		}
		if !ready {
			return d.reschedule(ctx, customerID, d.clock.Now().Add(d.o.Every))
		}
	}
	return d.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, _, err := d.StartSync(ctx, tx, customer, access.System("schedule"))
		return err
	})
}

// reschedule sets when the next sync is due; the zero time is never.
func (d *Directory) reschedule(ctx context.Context, customerID string, next time.Time) error {
	return d.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sync_state SET next_at = $1, version = version + 1 WHERE customer_id = $2`, db.Micros(next), customerID)
		if err != nil {
			return fmt.Errorf("setting when the next sync is due: %w", err)
		}
		return nil
	})
}

// nightlyDue says whether a night's hour has passed in the zone since everything was last read.
func nightlyDue(last, now time.Time, zone *time.Location, hour int, after time.Duration) bool {
	if last.IsZero() {
		return true
	}
	local := now.In(zone)
	night := time.Date(local.Year(), local.Month(), local.Day(), hour, 0, 0, 0, zone).Add(after)
	if night.After(now) {
		night = time.Date(local.Year(), local.Month(), local.Day()-1, hour, 0, 0, 0, zone).Add(after)
	}
	return last.Before(night)
}

// spread puts the customers of one zone over two hours, each always at the same minute.
func spread(customerID string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(customerID))
	return time.Duration(h.Sum32()%120) * time.Minute
}

// zoneOf is the customer's time zone; UTC where it is not known.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC
	}
	return zone
}

// Sync is how the directory of a customer stands. Running is the operation that syncs now, empty for none.
type Sync struct {
	At      time.Time
	Began   time.Time
	FullAt  time.Time
	Users   int
	Changed int
	Running string
	Held    bool // a removal waits for a person
	NextAt  time.Time
}

// LastSync answers when the customer was last synced, and what came of it; the zero At is never.
func (d *Directory) LastSync(ctx context.Context, actor access.Actor, customerID string) (Sync, error) {
	if _, err := d.customer(ctx, actor, access.Read, customerID); err != nil {
		return Sync{}, err
	}
	st, _, err := readState(ctx, d.db.R, customerID)
	if err != nil {
		return Sync{}, err
	}
	return Sync{At: st.lastDone, Began: st.lastBegan, FullAt: st.lastFull, Users: st.users, Changed: st.changed, Running: st.operation,
		Held: st.place != nil && st.place.Held, NextAt: st.nextAt}, nil
}

// Stop ends the schedule of a customer who is disconnected; the next StartSync begins it again.
func (d *Directory) Stop(ctx context.Context, tx db.Tx, customerID string) error {
	_, err := tx.ExecContext(ctx, `UPDATE sync_state SET next_at = $1, version = version + 1 WHERE customer_id = $2`, sql.NullInt64{}, customerID)
	if err != nil {
		return fmt.Errorf("ending the schedule of %s: %w", customerID, err)
	}
	return nil
}
