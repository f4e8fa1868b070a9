// Package feed tells watchers that something changed: a line written in the transaction that changed it, read by those who
// stream to browsers and programs. A line says what to look at, never what is in it; the reader asks with its own scope.
package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
)

// Line is one change. Topic is a noun (operation, number, customer, user, service), Ref its id.
type Line struct {
	Seq        int64
	At         time.Time
	Topic      string
	Ref        string
	PartnerID  string
	CustomerID string
}

// Append writes a line in the caller's transaction.
func Append(ctx context.Context, tx db.Tx, l Line) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO feed (at, topic, ref, partner_id, customer_id) VALUES ($1, $2, $3, $4, $5)`,
		db.Micros(l.At), l.Topic, l.Ref, db.Null(l.PartnerID), db.Null(l.CustomerID))
	if err != nil {
		return fmt.Errorf("writing a feed line: %w", err)
	}
	return nil
}

// Hub polls the feed once for all watchers of a process and hands each what lies in its scope.
type Hub struct {
	db    *db.DB
	every time.Duration

	mu       sync.Mutex
	watchers map[*watcher]bool
}

type watcher struct {
	scope access.Scope
	ch    chan Line
}

// NewHub makes a hub that asks the store every so often while anybody watches.
func NewHub(d *db.DB, every time.Duration) *Hub {
	return &Hub{db: d, every: every, watchers: map[*watcher]bool{}}
}

// Run reads until the context ends. Lines may be committed out of order on PostgreSQL, so the last few hundred are read
// again each time and known lines are skipped.
func (h *Hub) Run(ctx context.Context) error {
	last, err := h.end(ctx)
	if err != nil {
		return err
	}
	seen := map[int64]bool{}
	if last, err = h.pass(ctx, last, seen); err != nil {
		return err
	}
	tick := time.NewTicker(h.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if h.idle() {
			if end, err := h.end(ctx); err == nil {
				last = max(last, end) // whoever comes next is told of what happens from then on
			}
			continue
		}
		// The store may be away for a moment; the next pass then reads from the same place.
		last, _ = h.pass(ctx, last, seen)
	}
}

func (h *Hub) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watchers) == 0
}

func (h *Hub) end(ctx context.Context) (int64, error) {
	var last sql.NullInt64
	err := h.db.R.QueryRowContext(ctx, `SELECT max(seq) FROM feed`).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("reading the end of the feed: %w", err)
	}
	return last.Int64, nil
}

// overlap is how far back a pass looks for lines whose transaction committed late.
const overlap = 500

func (h *Hub) pass(ctx context.Context, last int64, seen map[int64]bool) (int64, error) {
	rows, err := h.db.R.QueryContext(ctx, `SELECT seq, at, topic, ref, partner_id, customer_id FROM feed WHERE seq > $1 ORDER BY seq LIMIT 2000`, last-overlap)
	if err != nil {
		return last, fmt.Errorf("reading the feed: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l Line
		var at sql.NullInt64
		var partner, customer sql.NullString
		if err := rows.Scan(&l.Seq, &at, &l.Topic, &l.Ref, &partner, &customer); err != nil {
			return last, fmt.Errorf("reading a feed line: %w", err)
		}
		if seen[l.Seq] {
			continue
		}
		seen[l.Seq] = true
		l.At, l.PartnerID, l.CustomerID = db.Time(at), partner.String, customer.String
		last = max(last, l.Seq)
		h.give(l)
	}
	for seq := range seen {
		if seq < last-2*overlap {
			delete(seen, seq)
		}
	}
	return last, rows.Err()
}

// give drops a line where a watcher is too slow. A line is only a reason to look; watchers look at each heartbeat as well.
func (h *Hub) give(l Line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		if !w.scope.Sees(l.PartnerID, l.CustomerID) {
			continue
		}
		select {
		case w.ch <- l:
		default:
		}
	}
}

// Prune forgets lines older than a time; nobody reads that far back.
func Prune(ctx context.Context, d *db.DB, before time.Time) error {
	return d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM feed WHERE at < $1`, db.Micros(before)); err != nil {
			return fmt.Errorf("pruning the feed: %w", err)
		}
		return nil
	})
}

// Watch answers lines inside the scope from now on, until stop is called.
func (h *Hub) Watch(scope access.Scope) (lines <-chan Line, stop func()) {
	w := &watcher{scope: scope, ch: make(chan Line, 256)}
	h.mu.Lock()
	h.watchers[w] = true
	h.mu.Unlock()
	return w.ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers, w)
	}
}
