package idempotency

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/door/web"
)

// How long an answer is kept, and how long a request may be being done before another may try. A door ends requests that
// take longer than MaxTime.
const (
	keptFor     = 24 * time.Hour
	inFlightFor = 60 * time.Second
)

// MaxTime is how long a request may take at most, so that none is taken over while it is being done.
const MaxTime = inFlightFor - 15*time.Second

// claim is one request under one idempotency key.
type claim struct {
	keyID, key, route string
	bodyHash          []byte
	at                time.Time
}

// stored is what is there of a key. Status 0 is being done.
type stored struct {
	route    string
	bodyHash []byte
	status   int
	headers  string
	body     []byte
	at       time.Time
}

// begin claims the key and answers nil, or what is there already.
func (k *Keeper) begin(ctx context.Context, c claim) (first *stored, err error) {
	err = k.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		first = nil
		if n, err := rows(tx.ExecContext(ctx, `INSERT INTO idempotency (key_id, key, route, body_hash, created_at) VALUES ($1,$2,$3,$4,$5)
			ON CONFLICT DO NOTHING`, c.keyID, c.key, c.route, c.bodyHash, db.Micros(c.at))); err != nil || n == 1 {
			return err
		}
		if n, err := rows(tx.ExecContext(ctx, `UPDATE idempotency SET route = $1, body_hash = $2, status = NULL, headers = NULL, body = NULL,
			created_at = $3 WHERE key_id = $4 AND key = $5 AND (created_at <= $6 OR (status IS NULL AND route = $1 AND body_hash = $2 AND created_at <= $7))`,
			c.route, c.bodyHash, db.Micros(c.at), c.keyID, c.key, db.Micros(c.at.Add(-keptFor)), db.Micros(c.at.Add(-inFlightFor)))); err != nil || n == 1 {
			return err
		}
		s, err := read(ctx, tx, c)
		first = &s
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claiming an idempotency key: %w", err)
	}
	return first, nil
}

func read(ctx context.Context, q db.Querier, c claim) (stored, error) {
	var s stored
	var status, at sql.NullInt64
	var headers sql.NullString
	err := q.QueryRowContext(ctx, `SELECT route, body_hash, status, headers, body, created_at FROM idempotency WHERE key_id = $1 AND key = $2`, c.keyID, c.key).
		Scan(&s.route, &s.bodyHash, &status, &headers, &s.body, &at)
	if errors.Is(err, sql.ErrNoRows) { // let go between the two statements: the repeat may try
		return stored{route: c.route, bodyHash: c.bodyHash}, nil
	}
	if err != nil {
		return stored{}, fmt.Errorf("reading an idempotency key: %w", err)
	}
	s.status, s.headers, s.at = int(status.Int64), headers.String, db.Time(at)
	return s, nil
}

// complete keeps the answer, unless somebody took the key over meanwhile.
func (k *Keeper) complete(ctx context.Context, v vault, c claim, answer *web.Recorded) error {
	answer.WriteHeader(http.StatusOK)
	headers, err := json.Marshal(answer.Kept)
	if err != nil {
		return fmt.Errorf("encoding headers: %w", err)
	}
	sealed := v.seal(answer.Body.Bytes(), c.bound())
	return k.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE idempotency SET status = $1, headers = $2, body = $3 WHERE key_id = $4 AND key = $5 AND status IS NULL AND created_at = $6`,
			answer.Status, string(headers), sealed, c.keyID, c.key, db.Micros(c.at))
		return err
	})
}

// release lets go of a key whose request had no effect.
func (k *Keeper) release(ctx context.Context, c claim) error {
	return k.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM idempotency WHERE key_id = $1 AND key = $2 AND status IS NULL AND created_at = $3`, c.keyID, c.key, db.Micros(c.at))
		return err
	})
}

// bound is what a kept body is bound to, so that no row's body can be put into another's.
func (c claim) bound() []byte { return []byte(c.keyID + "\x00" + c.key + "\x00" + c.route) }

func (s stored) answer(v vault, c claim) (*web.Recorded, error) {
	out := web.NewRecorded()
	if err := json.Unmarshal([]byte(s.headers), &out.Kept); err != nil {
		return nil, fmt.Errorf("reading kept headers: %w", err)
	}
	body, err := v.open(s.body, c.bound())
	if err != nil {
		return nil, fmt.Errorf("opening a kept answer: %w", err)
	}
	out.Status = s.status
	out.Body.Write(body)
	return out, nil
}

func rows(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Sweep forgets answers that are no longer kept, at most 1,000 at once; it answers how many went. Nothing depends on it:
// what is too old is not answered all the same.
func (k *Keeper) Sweep(ctx context.Context) (n int64, err error) {
	err = k.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		n, err = rows(tx.ExecContext(ctx, `DELETE FROM idempotency WHERE (key_id, key) IN
			(SELECT key_id, key FROM idempotency WHERE created_at <= $1 LIMIT 1000)`, db.Micros(k.clock.Now().Add(-keptFor))))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forgetting kept answers: %w", err)
	}
	return n, nil
}
