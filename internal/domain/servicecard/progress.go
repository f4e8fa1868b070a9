package servicecard

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/domain/pairing"
)

// progress reads what is being done for the card, when the tenant was last read, and what was made in it.
func (s *Cards) progress(ctx context.Context, c *Card, p pairing.Pairing) error {
	if p.State == pairing.Activating {
		c.OperationID = p.OperationID
		if err := s.step(ctx, c); err != nil {
			return err
		}
	}
	var done, next sql.NullInt64
	var running sql.NullString
	last := LastSync{}
	err := s.db.R.QueryRowContext(ctx, `SELECT s.last_done_at, s.users, s.changed, s.next_at, o.id FROM sync_state s
		LEFT JOIN operation o ON o.subject = 'sync:' || s.customer_id AND o.finished_at IS NULL WHERE s.customer_id = $1`, c.Customer.ID).
		Scan(&done, &last.Users, &last.Changed, &next, &running)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("reading the last sync: %w", err)
	}
	if done.Valid {
		last.At = db.Time(done)
		c.LastSync = &last
	}
	if c.NextTry.IsZero() && p.State != pairing.PendingConsent {
		c.NextTry = db.Time(next)
	}
	c.SyncID = running.String
	return s.made(ctx, c)
}

// step says which step of how many is being done: "step 3 of 6, placing the two roles".
func (s *Cards) step(ctx context.Context, c *Card) error {
	rows, err := s.db.R.QueryContext(ctx, `SELECT name, state FROM operation_step WHERE operation_id = $1 ORDER BY ordinal`, c.OperationID)
	if err != nil {
		return fmt.Errorf("reading the steps of a connection: %w", err)
	}
	defer rows.Close()
	n, at, name := 0, 0, ""
	for rows.Next() {
		var title, state string
		if err := rows.Scan(&title, &state); err != nil {
			return fmt.Errorf("reading a step: %w", err)
		}
		n++
		if at == 0 && state != "done" {
			at, name = n, title
		}
	}
	if at > 0 {
		c.Sentence = fmt.Sprintf(": step %d of %d, %s", at, n, strings.ToLower(name[:1])+name[1:])
	}
	return rows.Err()
}

// made lists what we made in the tenant, in words, from what the plans recorded.
func (s *Cards) made(ctx context.Context, c *Card) error {
	// Every number is a value of its own: they are counted as one row, or a large customer's would not fit under the limit.
	rows, err := s.db.R.QueryContext(ctx, `SELECT kind, CASE WHEN kind = 'user-number' THEN NULL ELSE last_applied END, count(*) FROM managed
		WHERE customer_id = $1 GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 1000`, c.Customer.ID)
	if err != nil {
		return fmt.Errorf("reading what was made in a tenant: %w", err)
	}
	defer rows.Close()
	numbers, policies := 0, map[string]int{}
	for rows.Next() {
		var kind string
		var applied sql.NullString
		var n int
		if err := rows.Scan(&kind, &applied, &n); err != nil {
			return fmt.Errorf("reading what was made: %w", err)
		}
		var value map[string]any
		if applied.Valid {
			if err := json.Unmarshal([]byte(applied.String), &value); err != nil {
				return fmt.Errorf("reading what was made: %w", err)
			}
		}
		switch kind {
		case "role-assignment":
			c.Made = append(c.Made, "Directory role "+roleName(value)+" on the application")
		case "user-number":
			numbers += n
		case "policy-grant":
			policies[fmt.Sprint(field(value, "policy"))] += n
		}
	}
	if numbers > 0 {
		c.Made = append(c.Made, fmt.Sprintf("Telephone number on %d people", numbers))
	}
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		c.Made = append(c.Made, fmt.Sprintf("Policy %s on %d people", name, policies[name]))
	}
	return rows.Err()
}

func field(value map[string]any, name string) any {
	for k, v := range value {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

func roleName(value map[string]any) string {
	id := fmt.Sprint(field(value, "role"))
	for _, r := range pairing.HostedRoles() {
		if r.TemplateID == id {
			return r.Name
		}
	}
	return id
}
