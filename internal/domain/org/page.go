package org

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// Page is one page of a list (contracts/rest-api.md, "Manners"). Next is empty on the last one. Total is counted up to
// 10,000; beyond that TotalIsLowerBound is set.
type Page[T any] struct {
	Items             []T
	Next              string
	Total             int
	TotalIsLowerBound bool
}

// The sizes of a page.
const (
	defaultLimit = 50
	maxLimit     = 1000
	maxTotal     = 10_000
)

// cursor is where a page ended. Sort is kept so that a cursor of one order is not taken for another's.
type cursor struct {
	Sort string `json:"s"`
	Key  string `json:"k"`
	ID   string `json:"i"`
}

func (c cursor) String() string {
	raw, _ := json.Marshal(c) // three texts cannot fail
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parseCursor(s, sort string) (cursor, error) {
	var c cursor
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Sort != sort || clean(c.Key) != c.Key || clean(c.ID) != c.ID {
		return cursor{}, fault.New(fault.Invalid, "invalid-cursor", "This cursor belongs to no page of this list.").
			WithRemedy("Begin again without a cursor, with the same sort and filters throughout.").Because(err)
	}
	return c, nil
}

// order is one way to sort: by a column, then by id.
type order struct {
	column string
	desc   bool
	number bool // the column holds a number, not a text
}

// listing is a query in parts. Placeholders are handed out by arg.
type listing struct {
	columns, from string
	conds         []string
	args          []any
	id            string // the column that breaks ties
	sort          string
	order         order
	cursor        string
	limit         int
}

// arg adds an argument and answers its placeholder.
func (l *listing) arg(v any) string {
	l.args = append(l.args, v)
	return "$" + strconv.Itoa(len(l.args))
}

// also adds a condition.
func (l *listing) also(format string, args ...any) {
	l.conds = append(l.conds, fmt.Sprintf(format, args...))
}

// sorted picks the order by its name; what is unknown answers 422 naming those that exist.
func (l *listing) sorted(name, standard string, known map[string]order) error {
	if name == "" {
		name = standard
	}
	o, ok := known[name]
	if !ok {
		return fault.New(fault.Invalid, "unknown-sort", "This list cannot be sorted so.").
			WithFields(fault.Field{Path: "sort", Code: "unknown-sort", Detail: "The standard order is " + standard + "."})
	}
	l.sort, l.order = name, o
	return nil
}

// row is what one line of a list scans from, or a single row.
type row interface{ Scan(...any) error }

// fetch reads one page. keyOf answers the sort column's value of an item, as text, and its id.
func fetch[T any](ctx context.Context, q db.Querier, l *listing, scan func(row) (T, error), keyOf func(T) (key, id string)) (Page[T], error) {
	page := Page[T]{Items: []T{}}
	where := strings.Join(l.conds, " AND ")
	err := q.QueryRowContext(ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 AS one FROM %s WHERE %s LIMIT %d) AS counted`,
		l.from, where, maxTotal+1), l.args...).Scan(&page.Total)
	if err != nil {
		return page, fmt.Errorf("counting a list: %w", err)
	}
	if page.Total > maxTotal {
		page.Total, page.TotalIsLowerBound = maxTotal, true
	}
	if err := l.after(); err != nil {
		return page, err
	}
	limit := l.limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	rows, err := q.QueryContext(ctx, l.text(limit+1), l.args...)
	if err != nil {
		return page, fmt.Errorf("reading a list: %w", err)
	}
	return page.fill(rows, l.sort, limit, scan, keyOf)
}

// after continues behind the cursor.
func (l *listing) after() error {
	if l.cursor == "" {
		return nil
	}
	c, err := parseCursor(l.cursor, l.sort)
	if err != nil {
		return err
	}
	var key any = c.Key
	if l.order.number {
		if key, err = strconv.ParseInt(c.Key, 10, 64); err != nil {
			return fault.New(fault.Invalid, "invalid-cursor", "This cursor belongs to no page of this list.").Because(err)
		}
	}
	than := ">"
	if l.order.desc {
		than = "<"
	}
	l.also("(%s, %s) %s (%s, %s)", l.order.column, l.id, than, l.arg(key), l.arg(c.ID))
	return nil
}

func (l *listing) text(limit int) string {
	way := ""
	if l.order.desc {
		way = " DESC"
	}
	return fmt.Sprintf(`SELECT %s FROM %s WHERE %s ORDER BY %s%s, %s%s LIMIT %d`, l.columns, l.from,
		strings.Join(l.conds, " AND "), l.order.column, way, l.id, way, limit)
}

func (p Page[T]) fill(rows *sql.Rows, sort string, limit int, scan func(row) (T, error), keyOf func(T) (string, string)) (Page[T], error) {
	defer rows.Close()
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return p, fmt.Errorf("reading a line of a list: %w", err)
		}
		if len(p.Items) == limit {
			key, id := keyOf(p.Items[limit-1])
			p.Next = cursor{sort, key, id}.String()
			continue
		}
		p.Items = append(p.Items, item)
	}
	return p, rows.Err()
}
