// Package audit keeps who did what, in the transaction that does it: no entry, no change. Entries form one hash chain for
// each customer and one for the operator, so that an altered, dropped or reordered entry is found.
package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
)

// OperatorChain holds what concerns no single customer.
const OperatorChain = "operator"

// Entry is one thing that was done. Detail holds before and after where there are such; never a secret.
type Entry struct {
	Chain       string          `json:"chain"`
	Seq         int64           `json:"seq"`
	At          time.Time       `json:"at"`
	Actor       string          `json:"actor"`
	ActorID     string          `json:"actorId"`
	Action      string          `json:"action"`
	PartnerID   string          `json:"partnerId,omitempty"`
	CustomerID  string          `json:"customerId,omitempty"`
	TargetKind  string          `json:"targetKind"`
	TargetID    string          `json:"targetId"`
	OperationID string          `json:"operationId,omitempty"`
	Detail      json.RawMessage `json:"detail"`
}

// What is what a caller says of an entry; the rest follows.
type What struct {
	At          time.Time
	Actor       access.Actor
	Action      string // noun.verb, for example number.assign
	PartnerID   string
	CustomerID  string // "" for the operator's chain
	TargetKind  string
	TargetID    string
	OperationID string
	Detail      any // encoded as JSON; nil is {}
}

// Append writes an entry in the caller's transaction.
func Append(ctx context.Context, d *db.DB, tx db.Tx, w What) error {
	chain := w.CustomerID
	if chain == "" {
		chain = OperatorChain
	}
	detail, err := encode(w.Detail)
	if err != nil {
		return fmt.Errorf("encoding an audit entry: %w", err)
	}
	if err := d.Lock(ctx, tx, "audit:"+chain); err != nil {
		return err
	}
	e := Entry{Chain: chain, At: w.At, Actor: w.Actor.Name, ActorID: w.Actor.Kind + ":" + w.Actor.ID, Action: w.Action,
		PartnerID: w.PartnerID, CustomerID: w.CustomerID, TargetKind: w.TargetKind, TargetID: w.TargetID,
		OperationID: w.OperationID, Detail: detail}
	prev, err := head(ctx, tx, chain, &e.Seq)
	if err != nil {
		return err
	}
	e.Seq++
	hash := sum(prev, e)
	_, err = tx.ExecContext(ctx, `INSERT INTO audit_entry (chain, seq, at, actor, actor_id, action, partner_id, customer_id,
		target_kind, target_id, operation_id, detail, prev_hash, hash) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
		chain, e.Seq, db.Micros(e.At), e.Actor, e.ActorID, e.Action, db.Null(e.PartnerID), db.Null(e.CustomerID),
		e.TargetKind, e.TargetID, db.Null(e.OperationID), string(detail), prev, hash)
	if err != nil {
		return fmt.Errorf("writing an audit entry: %w", err)
	}
	return nil
}

func encode(v any) (json.RawMessage, error) {
	if v == nil {
		return json.RawMessage("{}"), nil
	}
	return json.Marshal(v)
}

func head(ctx context.Context, q db.Querier, chain string, seq *int64) ([]byte, error) {
	var hash []byte
	err := q.QueryRowContext(ctx, `SELECT seq, hash FROM audit_entry WHERE chain = $1 ORDER BY seq DESC LIMIT 1`, chain).Scan(seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return make([]byte, sha256.Size), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the end of an audit chain: %w", err)
	}
	return hash, nil
}

// sum hashes the previous hash and every field, each preceded by its length so that none can run into the next.
func sum(prev []byte, e Entry) []byte {
	h := sha256.New()
	field := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	field(prev)
	field(binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
	field(binary.BigEndian.AppendUint64(nil, uint64(e.At.UnixMicro())))
	for _, s := range []string{e.Chain, e.Actor, e.ActorID, e.Action, e.PartnerID, e.CustomerID, e.TargetKind, e.TargetID, e.OperationID} {
		field([]byte(s))
	}
	field(e.Detail)
	return h.Sum(nil)
}

// Query narrows a listing. Before continues below a (at, chain, seq) cursor; zero starts at the newest.
type Query struct {
	Scope       access.Scope
	Actor       string
	CustomerID  string
	Action      string
	OperationID string
	TargetKind  string
	TargetID    string
	Since       time.Time
	Before      *Cursor
	Limit       int
}

// Cursor is where a listing went on.
type Cursor struct {
	At    int64
	Chain string
	Seq   int64
}

const columns = `chain, seq, at, actor, actor_id, action, partner_id, customer_id, target_kind, target_id, operation_id, detail`

// List answers entries inside the scope, newest first.
func List(ctx context.Context, q db.Querier, query Query) ([]Entry, error) {
	cond, args := query.Scope.Where("partner_id", "customer_id", 1)
	conds := []string{cond}
	add := func(c string, v any) {
		args = append(args, v)
		conds = append(conds, fmt.Sprintf(c, len(args)))
	}
	for _, f := range []struct{ col, v string }{{"customer_id", query.CustomerID}, {"action", query.Action},
		{"operation_id", query.OperationID}, {"target_kind", query.TargetKind}, {"target_id", query.TargetID}} {
		if f.v != "" {
			add(f.col+" = $%d", f.v)
		}
	}
	if query.Actor != "" {
		args = append(args, query.Actor)
		conds = append(conds, fmt.Sprintf("(actor = $%[1]d OR actor_id = $%[1]d)", len(args)))
	}
	if !query.Since.IsZero() {
		add("at >= $%d", query.Since.UnixMicro())
	}
	if b := query.Before; b != nil {
		n := len(args)
		args = append(args, b.At, b.Chain, b.Seq)
		conds = append(conds, fmt.Sprintf("(at, chain, seq) < ($%d, $%d, $%d)", n+1, n+2, n+3))
	}
	args = append(args, query.Limit)
	rows, err := q.QueryContext(ctx, fmt.Sprintf(`SELECT %s FROM audit_entry WHERE %s ORDER BY at DESC, chain DESC, seq DESC LIMIT $%d`,
		columns, strings.Join(conds, " AND "), len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("reading the audit: %w", err)
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

func scan(rows *sql.Rows, more ...any) (Entry, error) {
	var e Entry
	var at sql.NullInt64
	var partner, customer, op sql.NullString
	var detail string
	dest := append([]any{&e.Chain, &e.Seq, &at, &e.Actor, &e.ActorID, &e.Action, &partner, &customer, &e.TargetKind, &e.TargetID, &op, &detail}, more...)
	if err := rows.Scan(dest...); err != nil {
		return Entry{}, fmt.Errorf("reading an audit entry: %w", err)
	}
	e.At, e.PartnerID, e.CustomerID, e.OperationID, e.Detail = db.Time(at), partner.String, customer.String, op.String, json.RawMessage(detail)
	return e, nil
}

// Broken names the first entry of a chain that does not hold.
type Broken struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
	Why   string `json:"why"`
}

// Verify walks every chain from its beginning; it answers how many entries hold and what is broken. A chain cut short at
// its end is found only against a checkpoint kept elsewhere.
func Verify(ctx context.Context, q db.Querier) (entries int64, broken []Broken, err error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+`, prev_hash, hash FROM audit_entry ORDER BY chain, seq`)
	if err != nil {
		return 0, nil, fmt.Errorf("reading the audit: %w", err)
	}
	defer rows.Close()
	var chain string
	var want []byte
	var next int64
	bad := false
	for rows.Next() {
		var prev, hash []byte
		e, err := scan(rows, &prev, &hash)
		if err != nil {
			return entries, broken, err
		}
		if e.Chain != chain {
			chain, want, next, bad = e.Chain, make([]byte, sha256.Size), 1, false
		}
		if bad {
			continue
		}
		why := ""
		switch {
		case e.Seq != next:
			why = fmt.Sprintf("entry %d is missing", next)
		case !bytes.Equal(prev, want):
			why = "it does not follow the entry before it"
		case !bytes.Equal(hash, sum(prev, e)):
			why = "it was altered"
		}
		if why != "" {
			broken, bad = append(broken, Broken{e.Chain, e.Seq, why}), true
			continue
		}
		want, next, entries = hash, next+1, entries+1
	}
	return entries, broken, rows.Err()
}
