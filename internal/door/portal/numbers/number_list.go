package numbers

import (
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
	"tcap.cloud/internal/door/portal/ui"
)

const pageSize = 50

// listView is a list of numbers as it is drawn.
type listView struct {
	query    listing.Query
	customer org.Customer // zero for everything in the scope
	items    []number.Number
	counts   map[number.State]int
	names    map[string]string
	choices  []listing.Choice
	paging   ui.Paging
	mayWrite bool
	wide     bool // more than one customer is in sight
	call     string
	frame    *frame.Frame
}

// asked reads the address: whose numbers, and which of them.
func (p pages) asked(r *http.Request) (listView, number.Query, error) {
	who, values := frame.Actor(r), r.URL.Query()
	v := listView{frame: p.Frame, mayWrite: frame.Can(r, access.Assign)}
	id := r.PathValue("id")
	if id == "" {
		id = values.Get("customer")
	}
	if id == "" && who.Scope.Level == access.Customer {
		id = who.Scope.CustomerID
	}
	v.query = listing.New("/numbers", values)
	if id != "" {
		customer, err := p.Org.Customer(r.Context(), who, id)
		if err != nil {
			return v, number.Query{}, err
		}
		v.customer = customer
		values.Del("customer")
		v.query = listing.New("/customers/"+id+"/numbers", values)
	}
	v.wide = v.customer.ID == ""
	q := number.Query{CustomerID: v.customer.ID, State: number.State(v.query.Get("state")), Type: v.query.Get("type"), Search: v.query.Get("search"),
		Sort: v.query.Get("sort"), Cursor: v.query.Cursor(), Limit: pageSize}
	return v, q, nil
}

// list shows the numbers of the person's scope or of one customer.
func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), frame.Actor(r)
	v, q, err := p.asked(r)
	if err != nil {
		return err
	}
	found, err := p.Numbers.Numbers(ctx, who, q)
	if err != nil {
		return err
	}
	v.items = found.Items
	v.paging = v.query.Pager(found.Next, len(found.Items), found.Total, found.TotalIsLowerBound)
	if v.counts, err = p.Numbers.Counts(ctx, who, q); err != nil {
		return err
	}
	page := p.Page(r, "Numbers", ui.SectionNumbers)
	v.call = "/numbers"
	if !v.wide {
		page = p.CustomerPage(r, "Numbers of "+v.customer.Name, v.customer)
		v.call += "?customerId=" + v.customer.ID
		return p.Render(w, r, http.StatusOK, page, listPage(v))
	}
	var options []ui.Option
	if v.names, options, err = listing.Customers(ctx, p.Frame, who); err != nil {
		return err
	}
	v.choices = []listing.Choice{{Field: ui.Field{Name: "customer", Label: "Customer"}, Options: options}}
	return p.Render(w, r, http.StatusOK, page, listPage(v))
}

// path is where this list lives.
func (v listView) path() string {
	if v.wide {
		return "/numbers"
	}
	return "/customers/" + v.customer.ID + "/numbers"
}

func (v listView) filters() ui.Filters {
	f := ui.Filters{Action: v.path(), Label: "Search numbers, holders, tags", Value: v.query.Get("search"), Keep: v.query.Keep("search"),
		Clear: v.query.Clear("search", "state", "type"), Live: "#numbers"}
	for _, s := range number.States() {
		f.Chips = append(f.Chips, v.query.Chip(ui.NumberState(string(s)).Word, "state", string(s), v.counts[s]))
	}
	for _, kind := range []string{org.DirectRouting, org.OperatorConnect} {
		f.Chips = append(f.Chips, v.query.Chip(frame.KindWords(kind), "type", kind, -1))
	}
	return f
}

func (v listView) table() ui.Table {
	t := ui.Table{ID: "numbers", Caption: "Numbers", Empty: v.empty(), Columns: []ui.Column{v.query.Column("Number", "number", "number"),
		v.query.Column("State", "state", "number"), v.query.Column("Holder", "holder", "number")}}
	if v.wide {
		t.Columns = append(t.Columns, ui.Column{Title: "Customer"})
	}
	t.Columns = append(t.Columns, ui.Column{Title: "Service"}, ui.Column{Title: "Type"}, ui.Column{Title: "Tags"})
	for _, n := range v.items {
		t.Rows = append(t.Rows, ui.Row{Cells: v.cells(n)})
	}
	return t
}

func (v listView) cells(n number.Number) []ui.Cell {
	s := state(n)
	stateCell := ui.Cell{State: &s}
	if n.State == number.Quarantined && !n.QuarantineUntil.IsZero() {
		stateCell.Sub = "until " + n.QuarantineUntil.UTC().Format("2 Jan 2006")
	}
	holder := ui.Cell{Text: "—"}
	if n.Holder != nil {
		holder = ui.Cell{Text: n.Holder.Name, Href: userHref(n)}
	}
	cells := []ui.Cell{{Text: frame.Spell(n.Number), Href: href(n.Number)}, stateCell, holder}
	if v.wide {
		cells = append(cells, v.owner(n))
	}
	service := ui.Cell{Text: frame.KindWords(n.NumberType)}
	if n.ServiceID != "" {
		service.Href = "/services/" + n.ServiceID
	}
	return append(cells, service, ui.Cell{Text: typeWords(n)}, ui.Cell{Text: joined(n.Tags)})
}

func (v listView) owner(n number.Number) ui.Cell {
	if n.CustomerID == "" {
		return ui.Cell{Text: "In stock"}
	}
	name := v.names[n.CustomerID]
	if name == "" {
		name = "Open the customer"
	}
	return ui.Cell{Text: name, Href: "/customers/" + n.CustomerID}
}

// empty says why there is nothing, and what to do.
func (v listView) empty() ui.Empty {
	e := ui.Empty{Icon: ui.IconHash}
	switch {
	case v.query.Clear("search", "state", "type") != "":
		e.Sentence = "No number matches."
		e.Action = ui.LinkButton("Clear filters", v.query.Clear("search", "state", "type"), ui.Secondary)
	case v.wide:
		e.Sentence = "There are no numbers yet. Open a customer and import its numbers."
		e.Action = ui.LinkButton("Open customers", "/customers", ui.Primary)
	case v.mayWrite:
		e.Sentence = v.customer.Name + " has no numbers yet. Import them, then give them to people."
		e.Action = ui.LinkButton("Import numbers", v.path()+"/import", ui.Primary)
	default:
		e.Sentence = v.customer.Name + " has no numbers yet."
	}
	return e
}
