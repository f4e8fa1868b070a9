package number

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

// Query narrows a list of numbers. Search finds any part of the number, the holder's name or a tag. Sort is number, state
// or holder, with a minus for descending; empty is number.
type Query struct {
	CustomerID string
	PartnerID  string
	ServiceID  string
	State      State
	Type       string // numberType: direct-routing, operator-connect
	Search     string
	Sort       string
	Cursor     string
	Limit      int
}

const (
	defaultLimit = 50
	maxLimit     = 1000
	maxTotal     = 10_000
)

type cursor struct {
	Sort string `json:"s"`
	Key  string `json:"k"`
	ID   string `json:"i"`
}

// where is the condition of a query inside a scope, with its arguments.
func (q Query) where(s access.Scope) (string, []any) {
	cond, args := s.Where("partner_id", "customer_id", 1)
	conds := []string{cond}
	for _, f := range []struct{ col, v string }{{"customer_id", q.CustomerID}, {"partner_id", q.PartnerID}, {"service_id", q.ServiceID},
		{"state", string(q.State)}, {"number_type", q.Type}} {
		if f.v != "" {
			args = append(args, f.v)
			conds = append(conds, fmt.Sprintf("%s = $%d", f.col, len(args)))
		}
	}
	if text := strings.ToLower(strings.TrimSpace(q.Search)); text != "" {
		args = append(args, db.Like(digits(text)), db.Like(text))
		conds = append(conds, fmt.Sprintf(`(e164 LIKE $%[1]d ESCAPE '\' OR lower(coalesce(holder_name, '')) LIKE $%[2]d ESCAPE '\' OR lower(tags) LIKE $%[2]d ESCAPE '\')`,
			len(args)-1, len(args)))
	}
	return strings.Join(conds, " AND "), args
}

// digits leaves out what people put between the digits of a number; a text that is no number stays as it is.
func digits(text string) string {
	plain := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "\u00a0", "").Replace(text)
	if strings.Trim(plain, "+0123456789") == "" && plain != "" {
		return plain
	}
	return text
}

// order is the column that a sort goes by; %q in its place is never formatted from input.
func order(sort string) (column string, desc bool, err error) {
	name, desc := strings.CutPrefix(sort, "-")
	switch name {
	case "", "number":
		return "e164", desc, nil
	case "state":
		return "state", desc, nil
	case "holder":
		return "coalesce(holder_name, '')", desc, nil
	}
	return "", false, fault.New(fault.Invalid, "unknown-sort", "This list cannot be sorted so.").
		WithFields(fault.Field{Path: "sort", Code: "unknown-sort", Detail: "Known here: number, state, holder, each also with a minus."})
}

// Numbers answers one page of the inventory inside the actor's scope.
func (s *Numbers) Numbers(ctx context.Context, actor access.Actor, q Query) (org.Page[Number], error) {
	page := org.Page[Number]{Items: []Number{}}
	if err := access.Can(actor, access.Read); err != nil {
		return page, err
	}
	column, desc, err := order(q.Sort)
	if err != nil {
		return page, err
	}
	where, args := q.where(actor.Scope)
	err = s.o.DB.R.QueryRowContext(ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 AS one FROM number WHERE %s LIMIT %d) AS counted`, where, maxTotal+1), args...).Scan(&page.Total)
	if err != nil {
		return page, fmt.Errorf("counting numbers: %w", err)
	}
	if page.Total > maxTotal {
		page.Total, page.TotalIsLowerBound = maxTotal, true
	}
	limit := min(max(q.Limit, 0), maxLimit)
	if limit == 0 {
		limit = defaultLimit
	}
	way, than := "", ">"
	if desc {
		way, than = " DESC", "<"
	}
	if q.Cursor != "" {
		c, err := parseCursor(q.Cursor, q.Sort)
		if err != nil {
			return page, err
		}
		args = append(args, c.Key, c.ID)
		where += fmt.Sprintf(" AND (%s, e164) %s ($%d, $%d)", column, than, len(args)-1, len(args))
	}
	page.Items, err = some(ctx, s.o.DB.R, fmt.Sprintf(`%s ORDER BY %s%s, e164%s LIMIT %d`, where, column, way, way, limit+1), args...)
	if err != nil || len(page.Items) <= limit {
		return page, err
	}
	page.Items = page.Items[:limit]
	page.Next = nextCursor(page.Items[limit-1], q.Sort)
	return page, nil
}

func nextCursor(n Number, sort string) string {
	key := n.Number
	switch strings.TrimPrefix(sort, "-") {
	case "state":
		key = string(n.State)
	case "holder":
		key = n.holderName()
	}
	raw, _ := json.Marshal(cursor{sort, key, n.Number}) // three texts cannot fail
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parseCursor(text, sort string) (cursor, error) {
	var c cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Sort != sort || strings.ContainsRune(c.Key+c.ID, 0) {
		return cursor{}, fault.New(fault.Invalid, "invalid-cursor", "This cursor belongs to no page of this list.").
			WithRemedy("Begin again without a cursor, with the same sort and filters throughout.").Because(err)
	}
	return c, nil
}

// Number answers one number in the actor's scope.
func (s *Numbers) Number(ctx context.Context, actor access.Actor, e164 string) (Number, error) {
	if err := access.Can(actor, access.Read); err != nil {
		return Number{}, err
	}
	return findIn(ctx, s.o.DB.R, actor.Scope, e164)
}

// Counts answers how many numbers of the query are in each state; the query's own state, order and page do not count.
func (s *Numbers) Counts(ctx context.Context, actor access.Actor, q Query) (map[State]int, error) {
	if err := access.Can(actor, access.Read); err != nil {
		return nil, err
	}
	q.State = ""
	where, args := q.where(actor.Scope)
	rows, err := s.o.DB.R.QueryContext(ctx, `SELECT state, count(*) FROM number WHERE `+where+` GROUP BY state`, args...)
	if err != nil {
		return nil, fmt.Errorf("counting numbers by state: %w", err)
	}
	defer rows.Close()
	out := map[State]int{}
	for rows.Next() {
		var state State
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("reading a count: %w", err)
		}
		out[state] = n
	}
	return out, rows.Err()
}

// NextFree answers the lowest free number of a service; 404 where none is left.
func (s *Numbers) NextFree(ctx context.Context, actor access.Actor, serviceID string) (Number, error) {
	if err := access.Can(actor, access.Read); err != nil {
		return Number{}, err
	}
	cond, args := actor.Scope.Where("partner_id", "customer_id", 2)
	found, err := some(ctx, s.o.DB.R, `service_id = $1 AND state = 'free' AND `+cond+` ORDER BY e164 LIMIT 1`, append([]any{serviceID}, args...)...)
	if err != nil {
		return Number{}, err
	}
	if len(found) == 0 {
		return Number{}, fault.New(fault.NotFound, "no-free-number", "This service has no free number.").
			WithRemedy("Import numbers for the service, or take one back.")
	}
	return found[0], nil
}

// OfService counts a service's numbers, whatever their state: a service that has any is not removed.
func (s *Numbers) OfService(ctx context.Context, q db.Querier, serviceID string) (int, error) {
	var n int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM number WHERE service_id = $1`, serviceID).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting the numbers of service %s: %w", serviceID, err)
	}
	return n, nil
}

// HistoryLine is one thing that happened to a number.
type HistoryLine struct {
	At          time.Time `json:"at"`
	Event       Event     `json:"event"`
	From        State     `json:"from,omitempty"`
	To          State     `json:"to"`
	CustomerID  string    `json:"customerId,omitempty"`
	Holder      *Holder   `json:"holder"`
	OperationID string    `json:"operationId,omitempty"`
	Actor       string    `json:"actor"`
	Detail      string    `json:"detail,omitempty"`
}

// History answers everything that ever happened to a number, oldest first. A customer sees the lines of its own time only, a
// partner those of its customers and, since the number came into its inventory, those of its stock: whom a number belonged
// to before is not for the next owner.
func (s *Numbers) History(ctx context.Context, actor access.Actor, e164 string) ([]HistoryLine, error) {
	if err := access.Can(actor, access.Read); err != nil {
		return nil, err
	}
	if _, err := findIn(ctx, s.o.DB.R, actor.Scope, e164); err != nil {
		return nil, err
	}
	cond, args := "1=1", []any{e164}
	switch actor.Scope.Level {
	case access.Customer:
		cond, args = "customer_id = $2", append(args, actor.Scope.CustomerID)
	case access.Partner: // only by way of a removal does a number come to another partner
		cond, args = `(customer_id IN (SELECT id FROM customer WHERE partner_id = $2) OR (customer_id IS NULL
			AND seq > coalesce((SELECT max(seq) FROM number_event WHERE e164 = $1 AND event = 'removed'), 0)))`, append(args, actor.Scope.PartnerID)
	}
	rows, err := s.o.DB.R.QueryContext(ctx, `SELECT at, event, from_state, to_state, customer_id, holder_id, holder_name, operation_id, actor, detail
		FROM number_event WHERE e164 = $1 AND `+cond+` ORDER BY seq`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s: %w", e164, err)
	}
	defer rows.Close()
	out := []HistoryLine{}
	for rows.Next() {
		var l HistoryLine
		var at sql.NullInt64
		var from, customer, id, name, op sql.NullString
		if err := rows.Scan(&at, &l.Event, &from, &l.To, &customer, &id, &name, &op, &l.Actor, &l.Detail); err != nil {
			return nil, fmt.Errorf("reading a line of history: %w", err)
		}
		l.At, l.From, l.CustomerID, l.OperationID = db.Time(at), State(from.String), customer.String, op.String
		if id.Valid {
			l.Holder = &Holder{Kind: "user", ID: id.String, Name: name.String}
		}
		out = append(out, l)
	}
	return out, rows.Err()
}
