package operations

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/engine/operation"
)

const (
	pageSize   = 50
	maxRunning = 100
)

// listView is the list as it is drawn: what runs first, then what has ended, newest first.
type listView struct {
	query   listing.Query
	running []operation.Row
	ended   []operation.Row
	choices []listing.Choice
	names   map[string]string
	paging  ui.Paging
	only    bool // what has ended was not asked for
	total   int  // of what runs
	now     time.Time
}

// list shows the operations of the person's scope.
func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	who, ctx := frame.Actor(r), r.Context()
	if err := access.Can(who, access.Read); err != nil {
		return err
	}
	v := listView{query: listing.New("/operations", r.URL.Query()), now: p.Now()}
	q := operation.Query{CustomerID: v.query.Get("customer"), Kind: v.query.Get("kind"), State: operation.State(v.query.Get("state"))}
	if !known(q.State) {
		return fault.New(fault.Invalid, "unknown-state", "Operations have no such state.").WithRemedy("Choose one of the filters above the list.")
	}
	v.only = v.query.Get("unfinished") == "true"
	if err := p.fill(ctx, who, q, &v); err != nil {
		return err
	}
	var err error
	if v.names, v.choices, err = p.filters(ctx, who, v.query); err != nil {
		return err
	}
	return p.Render(w, r, http.StatusOK, p.Page(r, "Operations", ui.SectionActivity), listPage(v))
}

func known(s operation.State) bool {
	switch s {
	case "", operation.Queued, operation.Running, operation.Waiting, operation.Succeeded, operation.Failed, operation.Cancelled:
		return true
	}
	return false
}

// fill reads what runs, on the first page, and a page of what has ended.
func (p pages) fill(ctx context.Context, who access.Actor, q operation.Query, v *listView) error {
	var err error
	first := v.query.Cursor() == ""
	if first && !q.State.Final() {
		running := q
		running.Unfinished, running.Limit = true, maxRunning
		if v.running, err = p.Operations.List(ctx, who.Scope, running); err != nil {
			return err
		}
		if v.total, err = p.Operations.Count(ctx, who.Scope, running); err != nil {
			return err
		}
	}
	if v.only || (q.State != "" && !q.State.Final()) {
		v.only = true
		return nil
	}
	q.Before, q.Limit = v.query.Cursor(), pageSize+1
	rows, err := p.Operations.List(ctx, who.Scope, q)
	if err != nil {
		return err
	}
	next := ""
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		next = rows[pageSize-1].ID
	}
	for _, o := range rows {
		if o.State.Final() {
			v.ended = append(v.ended, o)
		}
	}
	v.paging = v.query.Pager(next, len(rows), -1, false)
	v.paging.Shown = ""
	return nil
}

// filters are the closed lists above the table, and the customers' names.
func (p pages) filters(ctx context.Context, who access.Actor, q listing.Query) (map[string]string, []listing.Choice, error) {
	kindOptions := []ui.Option{{Text: "Every kind"}}
	for _, k := range kinds() {
		kindOptions = append(kindOptions, ui.Option{Value: k, Text: KindWords(k)})
	}
	choices := []listing.Choice{{Field: ui.Field{Name: "kind", Label: "Kind", Value: q.Get("kind")}, Options: kindOptions}}
	names, options, err := listing.Customers(ctx, p.Frame, who)
	if err != nil || who.Scope.Level == access.Customer {
		return names, choices, err
	}
	return names, append(choices, listing.Choice{Field: ui.Field{Name: "customer", Label: "Customer", Value: q.Get("customer")}, Options: options}), nil
}

func (v listView) filters() ui.Filters {
	chip := func(text, state string) ui.Chip { return v.query.Chip(text, "state", state, -1) }
	return ui.Filters{Chips: []ui.Chip{v.query.Chip("Unfinished", "unfinished", "true", -1), chip("Running", "running"), chip("Waiting", "waiting"),
		chip("Failed", "failed"), chip("Done", "succeeded"), chip("Cancelled", "cancelled")}, Clear: v.query.Clear("unfinished", "state", "kind", "customer")}
}

func (v listView) table(id, caption string, rows []operation.Row, empty string) ui.Table {
	t := ui.Table{ID: id, Caption: caption, ShowTitle: true, Empty: ui.Empty{Icon: ui.IconActivity, Sentence: empty},
		Columns: []ui.Column{{Title: "What"}, {Title: "State"}, {Title: "Progress", Number: true}, {Title: "Customer"}, {Title: "Asked for by"}, {Title: "Begun"}}}
	for _, o := range rows {
		o = spelled(o)
		state := ui.OperationState(string(o.State))
		c := ui.Cell{Text: v.names[o.CustomerID], Href: "/customers/" + o.CustomerID}
		if c.Text == "" {
			c = ui.Cell{Text: "—"}
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: o.Title, Href: "/operations/" + o.ID, Sub: sub(o)}, {State: &state}, {Text: done(o)}, c,
			{Text: o.Actor}, {Body: ui.Time(o.CreatedAt, v.now)}}})
	}
	return t
}

// sub is the line under a title: what is waited for, or why it failed.
func sub(o operation.Row) string {
	switch {
	case o.State == operation.Waiting && o.DueWhy != "":
		return o.DueWhy
	case o.State == operation.Waiting:
		return waitWords(o.WaitingFor)
	case o.State == operation.Failed && o.Error != nil:
		return o.Error.Detail
	case o.FailedLines > 0:
		return strconv.Itoa(o.FailedLines) + " lines failed"
	default:
		return ""
	}
}

func done(o operation.Row) string {
	if o.Total == 0 {
		return "—"
	}
	return strconv.Itoa(o.Done) + " of " + strconv.Itoa(o.Total)
}

// failedTable is the lines of a batch that failed.
func failedTable(v view) ui.Table {
	t := ui.Table{ID: "failed-lines", Caption: "Failed lines", Columns: []ui.Column{{Title: "Line"}, {Title: "What it said"}, {Title: "Why not"}}}
	for _, l := range v.failed {
		why := ui.Cell{Text: l.Outcome}
		if l.Error != nil {
			why.Text = frame.Spell(l.Error.Detail)
			if l.Error.Remedy != nil {
				why.Sub = l.Error.Remedy.Text
			}
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: strconv.Itoa(l.Line)}, {Text: l.Input}, why}})
	}
	return t
}

// cancelDialog is the dialog that the button opens; a page that is not live has none and leads to the question's own page.
func cancelDialog(v view) string {
	if v.live {
		return "cancel"
	}
	return ""
}
