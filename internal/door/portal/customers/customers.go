// Package customers is the list of customers and the forms for a new one, and the partners for the operator.
package customers

import (
	"net/http"
	"slices"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
	"tcap.cloud/internal/door/portal/overview"
	"tcap.cloud/internal/door/portal/ui"
)

type pages struct{ *frame.Frame }

// perPage is how many customers a page shows.
const perPage = 50

// Register adds the pages and forms of customers and partners.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/customers", p.list)
	f.Get("/customers/new", p.new)
	f.Post("/customers", p.create)
	f.Get("/partners", p.partners)
	f.Get("/partners/new", p.newPartner)
	f.Post("/partners", p.createPartner)
}

// listView is what the list draws.
type listView struct {
	filters ui.Filters
	bar     []listing.Choice
	query   listing.Query
	table   ui.Table
	pager   ui.Paging
	cut     bool
	mayAdd  bool
	partner bool // the operator looks: partners are shown
	frame   *frame.Frame
}

func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	who := frame.Actor(r)
	q := listing.New("/customers", r.URL.Query())
	lines, pager, cut, err := p.find(r, who, q)
	if err != nil {
		return err
	}
	operator := who.Scope.Level == access.Operator
	v := listView{query: q, pager: pager, cut: cut, partner: operator, frame: p.Frame,
		mayAdd: frame.Can(r, access.Manage) && who.Scope.Level != access.Customer}
	v.filters = ui.Filters{Action: "/customers", Label: "Search customers", Value: q.Get("search"), Keep: q.Keep("search"), Live: "#customers",
		Clear: q.Clear("search", "status", "cloud", "partner")}
	for _, s := range overview.Statuses() {
		v.filters.Chips = append(v.filters.Chips, q.Chip(overview.State(s).Word, "status", s, -1))
	}
	if v.bar, err = p.choices(r, who, q); err != nil {
		return err
	}
	v.table = p.table(q, lines, operator, v.mayAdd)
	page := p.Page(r, "Customers", ui.SectionCustomers)
	return p.Render(w, r, http.StatusOK, page, listPage(v))
}

// find reads one page; with a filter by state it walks the customers, for the store does not know their state.
func (p pages) find(r *http.Request, who access.Actor, q listing.Query) ([]overview.Line, ui.Paging, bool, error) {
	query := org.CustomerQuery{PartnerID: q.Get("partner"), Cloud: q.Get("cloud"), Search: q.Get("search"), Sort: q.Get("sort"), Cursor: q.Cursor(), Limit: perPage}
	if status := q.Get("status"); status != "" {
		lines, cut, err := overview.Walk(r.Context(), p.Frame, who, query, func(l overview.Line) bool { return l.Status == status })
		return lines, q.Pager("", len(lines), len(lines), cut), cut, err
	}
	found, err := p.Org.Customers(r.Context(), who, query)
	if err != nil {
		return nil, ui.Paging{}, false, err
	}
	var lines []overview.Line
	for _, c := range found.Items {
		l, err := overview.Of(r.Context(), p.Frame, who, c)
		if err != nil {
			return nil, ui.Paging{}, false, err
		}
		lines = append(lines, l)
	}
	return lines, q.Pager(found.Next, len(lines), found.Total, found.TotalIsLowerBound), false, nil
}

// choices are the filters with too many values for chips.
func (p pages) choices(r *http.Request, who access.Actor, q listing.Query) ([]listing.Choice, error) {
	clouds := []ui.Option{{Text: "Every cloud"}}
	for _, c := range org.Clouds() {
		clouds = append(clouds, ui.Option{Value: c, Text: frame.CloudWords(c)})
	}
	out := []listing.Choice{{Field: ui.Field{Name: "cloud", Label: "Cloud", Value: q.Get("cloud")}, Options: clouds}}
	if who.Scope.Level != access.Operator {
		return out, nil
	}
	partners, err := p.partnerOptions(r, who, "Every partner")
	if err != nil {
		return nil, err
	}
	return append(out, listing.Choice{Field: ui.Field{Name: "partner", Label: "Partner", Value: q.Get("partner")}, Options: partners}), nil
}

func (p pages) partnerOptions(r *http.Request, who access.Actor, none string) ([]ui.Option, error) {
	all, err := p.Org.Partners(r.Context(), who, org.PartnerQuery{Sort: "name", Limit: 1000})
	if err != nil {
		return nil, err
	}
	out := []ui.Option{{Text: none}}
	for _, partner := range all.Items {
		out = append(out, ui.Option{Value: partner.ID, Text: partner.Name})
	}
	return out, nil
}

func (p pages) table(q listing.Query, lines []overview.Line, partners, mayAdd bool) ui.Table {
	t := ui.Table{ID: "customers", Caption: "Customers", Columns: []ui.Column{q.Column("Customer", "name", "name"), {Title: "State"}, {Title: "Services"}, {Title: "Cloud"}}}
	if partners {
		t.Columns = append(t.Columns, ui.Column{Title: "Partner"})
	}
	t.Columns = append(t.Columns, q.Column("Since", "createdAt", "name"))
	for _, l := range lines {
		state := overview.State(l.Status)
		cells := []ui.Cell{{Text: l.Customer.Name, Sub: l.Customer.PrimaryDomain, Href: "/customers/" + l.Customer.ID}, {State: &state},
			{Text: serviceWords(l.Services)}, {Text: frame.CloudWords(l.Customer.Cloud)}}
		if partners {
			cells = append(cells, ui.Cell{Text: l.Customer.PartnerName, Href: q.With("partner", l.Customer.PartnerID)})
		}
		cells = append(cells, ui.Cell{Body: ui.Time(l.Customer.CreatedAt, p.Now())})
		t.Rows = append(t.Rows, ui.Row{Cells: cells})
	}
	t.Empty = ui.Empty{Icon: ui.IconBuilding, Sentence: "No customer matches. Take a filter away, or search for part of a name or domain.", Action: ui.LinkButton("Show all customers", "/customers", ui.Secondary)}
	if q.Clear("search", "status", "cloud", "partner") == "" {
		t.Empty.Sentence, t.Empty.Action = "No customers yet.", nil
		if mayAdd {
			t.Empty.Sentence = "No customers yet. Add the first one: its name is enough to begin."
			t.Empty.Action = ui.LinkButton("New customer", "/customers/new", ui.Primary)
		}
	}
	return t
}

func serviceWords(services []org.Service) string {
	var out []string
	for _, s := range services {
		out = append(out, frame.KindWords(s.Kind))
	}
	slices.Sort(out)
	if len(out) == 0 {
		return "None"
	}
	return strings.Join(out, ", ")
}
