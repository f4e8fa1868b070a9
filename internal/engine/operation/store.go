package operation

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// columns are a whole row; listed those of a listing, as an import's input may be megabytes and notes are the handler's own.
const (
	columns = first + `input, memo, ` + rest
	listed  = first + `'{}', '{}', ` + rest
	first   = `id, kind, title, partner_id, customer_id, service_id, subject, state, done, total, failed_lines, `
	rest    = `result, error, waiting_for, due_at, due_why, attempts, cancel_asked, undo_of, actor, actor_id, fence, correlation_id, created_at,
	started_at, finished_at, version`
)

func scan(row interface{ Scan(...any) error }) (Row, error) {
	var o Row
	var partner, customer, service, subject, result, problem, waiting, why, undo sql.NullString
	var due, created, started, finished sql.NullInt64
	var input, memo string
	err := row.Scan(&o.ID, &o.Kind, &o.Title, &partner, &customer, &service, &subject, &o.State, &o.Done, &o.Total, &o.FailedLines,
		&input, &memo, &result, &problem, &waiting, &due, &why, &o.Attempts, &o.CancelAsked, &undo, &o.Actor, &o.ActorID, &o.Fence,
		&o.CorrelationID, &created, &started, &finished, &o.Version)
	if err != nil {
		return Row{}, err
	}
	o.PartnerID, o.CustomerID, o.ServiceID, o.Subject = partner.String, customer.String, service.String, subject.String
	o.Input, o.Memo, o.Result = json.RawMessage(input), json.RawMessage(memo), json.RawMessage(result.String)
	o.WaitingFor, o.DueAt, o.DueWhy, o.UndoOf = WaitingFor(waiting.String), db.Time(due), why.String, undo.String
	o.CreatedAt, o.StartedAt, o.FinishedAt = db.Time(created), db.Time(started), db.Time(finished)
	if problem.Valid {
		o.Error = &Problem{}
		if err := json.Unmarshal([]byte(problem.String), o.Error); err != nil {
			return Row{}, fmt.Errorf("reading why operation %s failed: %w", o.ID, err)
		}
	}
	return o, nil
}

// Get answers an operation inside the scope.
func (e *Engine) Get(ctx context.Context, s access.Scope, id string) (Row, error) {
	cond, args := s.Where("partner_id", "customer_id", 2)
	o, err := scan(e.db.R.QueryRowContext(ctx, `SELECT `+columns+` FROM operation WHERE id = $1 AND `+cond, append([]any{id}, args...)...))
	if errors.Is(err, sql.ErrNoRows) {
		return Row{}, fault.Missing("operation")
	}
	if err != nil {
		return Row{}, fmt.Errorf("reading operation %s: %w", id, err)
	}
	return o, nil
}

// Query narrows a listing of operations, newest first.
type Query struct {
	CustomerID string
	ServiceID  string
	State      State
	Kind       string
	Unfinished bool
	Before     string // the cursor: id of the last one seen (ids sort by time)
	Limit      int
}

func (q Query) where(s access.Scope) (string, []any) {
	cond, args := s.Where("partner_id", "customer_id", 1)
	conds := []string{cond}
	for _, f := range []struct{ col, v string }{{"customer_id", q.CustomerID}, {"service_id", q.ServiceID}, {"state", string(q.State)}, {"kind", q.Kind}} {
		if f.v != "" {
			args = append(args, f.v)
			conds = append(conds, fmt.Sprintf("%s = $%d", f.col, len(args)))
		}
	}
	if q.Unfinished {
		conds = append(conds, "finished_at IS NULL")
	}
	return strings.Join(conds, " AND "), args
}

// List answers operations inside the scope, newest first, without their input and notes.
func (e *Engine) List(ctx context.Context, s access.Scope, q Query) ([]Row, error) {
	where, args := q.where(s)
	if q.Before != "" {
		args = append(args, q.Before)
		where += fmt.Sprintf(" AND id < $%d", len(args))
	}
	args = append(args, q.Limit)
	rows, err := e.db.R.QueryContext(ctx, fmt.Sprintf(`SELECT %s FROM operation WHERE %s ORDER BY id DESC LIMIT $%d`, listed, where, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("listing operations: %w", err)
	}
	defer rows.Close()
	var out []Row
	for rows.Next() {
		o, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading an operation: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// Count counts what List would answer without its limit, up to 10,000.
func (e *Engine) Count(ctx context.Context, s access.Scope, q Query) (int, error) {
	where, args := q.where(s)
	var n int
	err := e.db.R.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM operation WHERE `+where+` LIMIT 10001) AS counted`, args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting operations: %w", err)
	}
	return n, nil
}

// Steps answers the steps of an operation that the caller was allowed to Get.
func (e *Engine) Steps(ctx context.Context, id string) ([]Step, error) {
	rows, err := e.db.R.QueryContext(ctx, `SELECT ordinal, name, state, detail, started_at, finished_at FROM operation_step
		WHERE operation_id = $1 ORDER BY ordinal`, id)
	if err != nil {
		return nil, fmt.Errorf("reading the steps of %s: %w", id, err)
	}
	defer rows.Close()
	var out []Step
	for rows.Next() {
		var s Step
		var started, finished sql.NullInt64
		if err := rows.Scan(&s.Ordinal, &s.Name, &s.State, &s.Detail, &started, &finished); err != nil {
			return nil, fmt.Errorf("reading a step: %w", err)
		}
		s.StartedAt, s.FinishedAt = db.Time(started), db.Time(finished)
		out = append(out, s)
	}
	return out, rows.Err()
}

// Lines answers line outcomes after a line number; failedOnly leaves out what went well.
func (e *Engine) Lines(ctx context.Context, id string, after, limit int, failedOnly bool) ([]Line, error) {
	cond := ""
	if failedOnly {
		cond = " AND error IS NOT NULL"
	}
	rows, err := e.db.R.QueryContext(ctx, `SELECT line, input, outcome, error FROM operation_line
		WHERE operation_id = $1 AND line > $2`+cond+` ORDER BY line LIMIT $3`, id, after, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the lines of %s: %w", id, err)
	}
	defer rows.Close()
	var out []Line
	for rows.Next() {
		var l Line
		var problem sql.NullString
		if err := rows.Scan(&l.Line, &l.Input, &l.Outcome, &problem); err != nil {
			return nil, fmt.Errorf("reading a line: %w", err)
		}
		if problem.Valid {
			l.Error = &Problem{}
			if err := json.Unmarshal([]byte(problem.String), l.Error); err != nil {
				return nil, fmt.Errorf("reading why a line failed: %w", err)
			}
		}
		out = append(out, l)
	}
	return out, rows.Err()
}
