// Package activity is the pages of the audit: who did what, where, from what to what, and whether the record still holds.
package activity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
	"tcap.cloud/internal/door/portal/ui"
)

type pages struct{ *frame.Frame }

// Register adds the pages of the audit.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/activity", p.list)
	f.Get("/activity/export.csv", p.export)
	f.Post("/activity/verify", p.verify)
	f.Get("/customers/{id}/activity", p.list)
	f.Get("/customers/{id}/activity/export.csv", p.export)
}

const pageSize = 50

// view is the list as it is drawn.
type view struct {
	query    listing.Query
	customer org.Customer // zero for everything in the scope
	entries  []audit.Entry
	names    map[string]string
	people   frame.Names
	choices  []listing.Choice
	paging   ui.Paging
	form     frame.Form
	verify   bool // the person may have the chain proven
	proof    *ui.ProblemView
	call     string
	frame    *frame.Frame
	now      time.Time
}

// asked reads the address: whose activity, and which of it.
func (p pages) asked(r *http.Request) (view, audit.Query, error) {
	who, ctx := frame.Actor(r), r.Context()
	v := view{query: listing.New("/activity", r.URL.Query()), now: p.Now(), form: frame.NewForm(), frame: p.Frame, verify: access.Can(who, access.Operate) == nil}
	q := audit.Query{Scope: who.Scope, Limit: pageSize + 1}
	if err := access.Can(who, access.Read); err != nil {
		return v, q, err
	}
	id := r.PathValue("id")
	if id == "" {
		id = v.query.Get("customer")
	}
	var err error
	if id != "" {
		if v.customer, err = p.Org.Customer(ctx, who, id); err != nil {
			return v, q, err
		}
		values := r.URL.Query()
		values.Del("customer")
		v.query = listing.New("/customers/"+id+"/activity", values)
	}
	q.CustomerID, q.Actor, q.Action, q.OperationID = v.customer.ID, v.query.Get("who"), v.query.Get("action"), v.query.Get("operation")
	if day := v.query.Get("since"); day != "" {
		if q.Since, err = time.Parse(time.DateOnly, day); err != nil {
			v.form.Mark("since", "A day, as 2026-11-23.")
		}
	}
	return v, q, nil
}

// list shows a page of the audit, newest first.
func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	v, q, err := p.asked(r)
	if err != nil {
		return err
	}
	return p.draw(w, r, v, q)
}

func (p pages) draw(w http.ResponseWriter, r *http.Request, v view, q audit.Query) error {
	ctx, who := r.Context(), frame.Actor(r)
	status := http.StatusOK
	if len(v.form.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	} else if err := p.fill(ctx, who, q, &v); err != nil {
		return err
	}
	var err error
	var customers []ui.Option
	if v.names, customers, err = listing.Customers(ctx, p.Frame, who); err != nil {
		return err
	}
	v.choices = v.filters(customers, who)
	v.call = "/audit"
	page := p.Page(r, "Activity", ui.SectionActivity)
	if v.customer.ID != "" {
		v.call += "?customerId=" + v.customer.ID
		page = p.CustomerPage(r, "Activity of "+v.customer.Name, v.customer)
	}
	return p.Render(w, r, status, page, listPage(v))
}

func (p pages) fill(ctx context.Context, who access.Actor, q audit.Query, v *view) error {
	var err error
	if text := v.query.Cursor(); text != "" {
		if q.Before, err = parse(text); err != nil {
			return err
		}
	}
	if v.entries, err = audit.List(ctx, p.DB.R, q); err != nil {
		return err
	}
	next := ""
	if len(v.entries) > pageSize {
		v.entries = v.entries[:pageSize]
		next = cursorOf(v.entries[pageSize-1])
	}
	v.people = p.People(ctx, who, v.entries)
	v.paging = v.query.Pager(next, len(v.entries), -1, false)
	return nil
}

// filters are the fields above the list.
func (v view) filters(customers []ui.Option, who access.Actor) []listing.Choice {
	options := []ui.Option{{Text: "Everything"}}
	known := actions()
	if a := v.query.Get("action"); a != "" && !slices.Contains(known, a) {
		known = append(known, a)
	}
	slices.SortFunc(known, func(a, b string) int { return strings.Compare(frame.ActionWords(a), frame.ActionWords(b)) })
	for _, a := range known {
		options = append(options, ui.Option{Value: a, Text: frame.ActionWords(a)})
	}
	out := []listing.Choice{
		{Field: ui.Field{Name: "who", Label: "Who", Value: v.query.Get("who"), Attrs: map[string]any{"autocomplete": "off"}}, Kind: "text"},
		{Field: ui.Field{Name: "action", Label: "What", Value: v.query.Get("action")}, Options: options},
		{Field: ui.Field{Name: "since", Label: "Since", Value: v.query.Get("since"), Error: v.form.Errors["since"]}, Kind: "date"},
	}
	if v.customer.ID == "" && who.Scope.Level != access.Customer {
		out = append(out, listing.Choice{Field: ui.Field{Name: "customer", Label: "Customer"}, Options: customers})
	}
	return out
}

// cursorOf is where a page ended.
func cursorOf(e audit.Entry) string {
	raw, _ := json.Marshal(audit.Cursor{At: e.At.UnixMicro(), Chain: e.Chain, Seq: e.Seq}) // two figures and a text cannot fail
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parse(text string) (*audit.Cursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	var c audit.Cursor
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "invalid-cursor", "This address leads to no page of the list.").WithRemedy("Begin again at the first page.").Because(err)
	}
	return &c, nil
}
