package users

import (
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
	"tcap.cloud/internal/door/portal/ui"
)

const pageSize = 50

// listView is a customer's users as they are drawn.
type listView struct {
	query    listing.Query
	customer org.Customer
	items    []directory.User
	counts   directory.Counts
	sync     directory.Sync
	paging   ui.Paging
	mayWrite bool
	now      time.Time
	frame    *frame.Frame
}

// list shows a customer's users.
func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx, who, id := r.Context(), frame.Actor(r), r.PathValue("id")
	customer, err := p.Org.Customer(ctx, who, id)
	if err != nil {
		return err
	}
	v := listView{query: listing.New("/customers/"+id+"/users", r.URL.Query()), customer: customer, mayWrite: frame.Can(r, access.Assign), now: p.Now(), frame: p.Frame}
	q, err := v.asked()
	if err != nil {
		return err
	}
	items, next, total, err := p.Directory.Users(ctx, who, id, q)
	if err != nil {
		return err
	}
	v.items = items
	v.paging = v.query.Pager(next, len(items), min(total, directory.TooMany-1), total >= directory.TooMany)
	if v.counts, err = p.Directory.Counts(ctx, who, id); err != nil {
		return err
	}
	if v.sync, err = p.Directory.LastSync(ctx, who, id); err != nil {
		return err
	}
	return p.Render(w, r, http.StatusOK, p.CustomerPage(r, "Users of "+customer.Name, customer), listPage(v))
}

// asked reads the filters of the address.
func (v listView) asked() (directory.Query, error) {
	q := directory.Query{Status: directory.Status(v.query.Get("status")), Number: v.query.Get("number"), Search: v.query.Get("search"), Sort: v.query.Get("sort"),
		Cursor: v.query.Cursor(), Limit: pageSize}
	for _, f := range []struct {
		name string
		into **bool
	}{{"managed", &q.Managed}, {"canCallOut", &q.CanCallOut}} {
		switch v.query.Get(f.name) {
		case "":
		case "true", "false":
			on := v.query.Get(f.name) == "true"
			*f.into = &on
		default:
			return q, fault.New(fault.Invalid, "invalid-filter", "The filter %s is true or false.", f.name).WithRemedy("Choose one of the filters above the list.")
		}
	}
	return q, nil
}

// filterNames are the parameters that narrow the list.
func filterNames() []string { return []string{"search", "status", "number", "managed", "canCallOut"} }

func (v listView) filters() ui.Filters {
	f := ui.Filters{Action: "/customers/" + v.customer.ID + "/users", Label: "Search names, addresses, numbers", Value: v.query.Get("search"), Keep: v.query.Keep("search"),
		Clear: v.query.Clear(filterNames()...), Live: "#users"}
	f.Chips = []ui.Chip{
		v.query.Chip("No number", "number", "none", -1),
		v.query.Chip("Has a number", "number", "has", -1),
		v.query.Chip("Not licensed", "status", string(directory.NotLicensed), v.counts.NotLicensed),
		v.query.Chip("Not allocated", "status", string(directory.NotAllocated), v.counts.NotAllocated),
		v.query.Chip("Allocated", "status", string(directory.Allocated), v.counts.Allocated),
		v.query.Chip("Can't call out", "canCallOut", "false", v.counts.Total-v.counts.CanCallOut),
		v.query.Chip("Not managed", "managed", "false", -1),
	}
	return f
}

func (v listView) table() ui.Table {
	t := ui.Table{ID: "users", Caption: "Users", Empty: v.empty(), Columns: []ui.Column{v.query.Column("Name", "name", "name"), v.query.Column("Number", "number", "name"),
		v.query.Column("Status", "status", "name"), {Title: "Voice policy"}, {Title: "Dial plan"}, {Title: "Managed by TCAP"}}}
	for _, u := range v.items {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: name(u), Sub: u.UserPrincipalName, Href: userHref(v.customer.ID, u.ID)}, v.number(u), status(u),
			{Text: orGlobal(u.VoicePolicy)}, {Text: orGlobal(u.DialPlan)}, {Body: v.managed(u)}}})
	}
	return t
}

// number is the number's cell: the number, or the way to one.
func (v listView) number(u directory.User) ui.Cell {
	switch {
	case u.Number != "":
		return ui.Cell{Text: frame.Spell(plain(u.Number)), Sub: extension(u.Number), Href: numberHref(u.Number)}
	case v.mayWrite && u.Licensed:
		return ui.Cell{Text: "Assign", Href: userHref(v.customer.ID, u.ID) + "#assign"}
	default:
		return ui.Cell{Text: "—"}
	}
}

// status is a user's status with the reason why; an allocated one who cannot call says that.
func status(u directory.User) ui.Cell {
	s := ui.UserState(string(u.Status))
	if u.Reason == "" && u.Number != "" && !u.CanCallOut {
		return ui.Cell{State: &s, Warn: "Can't call out: " + u.WhyNot}
	}
	return ui.Cell{State: &s, Sub: capital(u.Reason)}
}

// managed is the switch, or its word where the person may not turn it.
func (v listView) managed(u directory.User) templ.Component {
	return managedSwitch(person{v.customer, u}, v.mayWrite, v.query.At("/customers/"+v.customer.ID+"/users"))
}

func (v listView) empty() ui.Empty {
	e := ui.Empty{Icon: ui.IconUser}
	switch {
	case v.query.Clear(filterNames()...) != "":
		e.Sentence, e.Action = "No user matches.", ui.LinkButton("Clear filters", v.query.Clear(filterNames()...), ui.Secondary)
	case v.sync.At.IsZero() && v.sync.Running != "":
		e.Sentence, e.Action = "The first sync is reading the tenant's users.", ui.LinkButton("Open the sync", "/operations/"+v.sync.Running, ui.Secondary)
	case v.sync.At.IsZero():
		e.Sentence = "The users are read from the tenant once it is connected. Connect it on the service card."
		e.Action = ui.LinkButton("Open the service cards", "/customers/"+v.customer.ID, ui.Primary)
	default:
		e.Sentence = "The tenant has no users."
	}
	return e
}

func name(u directory.User) string {
	if u.DisplayName == "" {
		return u.UserPrincipalName
	}
	return u.DisplayName
}

// capital begins a reason as a line of its own does.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func orGlobal(policy string) string {
	if policy == "" {
		return "Global"
	}
	return policy
}

// plain is the number without its extension (facts/teams-admin.md A2: LineUri may carry ";ext=").
func plain(number string) string {
	n, _, _ := strings.Cut(number, ";")
	return n
}

func extension(number string) string {
	_, ext, ok := strings.Cut(number, ";ext=")
	if !ok {
		return ""
	}
	return "extension " + ext
}
