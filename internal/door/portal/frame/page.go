package frame

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/engine/operation"
)

// Now is the time by which pages tell how long ago something was.
func (f *Frame) Now() time.Time { return f.Clock.Now() }

// Page is the frame of a page: who, where, what runs. Pages of one customer add to it with InCustomer.
func (f *Frame) Page(r *http.Request, title string, section ui.Section) ui.Page {
	who := Actor(r)
	p := ui.Page{Title: title, Section: section, Theme: theme(r), Path: r.URL.RequestURI()}
	if r.Method != http.MethodGet {
		p.Path = r.URL.Path
	}
	p.Brand, p.Scope = f.place(r.Context(), who)
	if who.Kind == "" {
		return p
	}
	p.Nav = navigation(who)
	p.Viewer = &ui.Viewer{Name: who.Name, Role: RoleWords(who)}
	if m, err := f.Org.Member(r.Context(), who, who.ID); who.Kind == org.KindMember && err == nil {
		p.Viewer.Name, p.Viewer.Mail = m.Name, m.Email
	}
	if access.Can(who, access.Read) == nil {
		if n, err := f.Operations.Count(r.Context(), who.Scope, operation.Query{Unfinished: true}); err == nil {
			p.Running = ui.Running{Count: n, Href: "/operations?unfinished=true"}
		}
	}
	return p
}

// CustomerPage is Page with the scope down to one customer.
func (f *Frame) CustomerPage(r *http.Request, title string, c org.Customer) ui.Page {
	p := f.Page(r, title, ui.SectionCustomers)
	who := Actor(r)
	if who.Scope.Level == access.Operator && c.PartnerName != "" {
		p.Scope = append(p.Scope, ui.Link{Text: c.PartnerName, Href: "/customers?partner=" + c.PartnerID})
	}
	if who.Scope.Level != access.Customer {
		p.Scope = append(p.Scope, ui.Link{Text: c.Name, Href: "/customers/" + c.ID})
	}
	return p
}

// place answers brand and the upper part of the scope: the operator's, or the partner's own where somebody of a partner
// looks. A name that cannot be read leaves the product's.
func (f *Frame) place(ctx context.Context, who access.Actor) (ui.Brand, []ui.Link) {
	op, err := f.Org.Operator(ctx)
	if err != nil {
		return ui.Brand{}, nil
	}
	b, scope := brand("operator", op.Name, op.Brand), []ui.Link{}
	if who.Kind == "" {
		return b, scope
	}
	scope = append(scope, ui.Link{Text: b.Name, Href: "/"})
	partnerID := who.Scope.PartnerID
	if who.Scope.Level == access.Customer {
		if c, err := f.Org.CustomerIn(ctx, f.DB.R, who.Scope, who.Scope.CustomerID); err == nil {
			partnerID = c.PartnerID
			scope = append(scope, ui.Link{Text: c.PartnerName}, ui.Link{Text: c.Name, Href: "/customers/" + c.ID})
		}
	}
	if partnerID == "" {
		return b, scope
	}
	p, err := f.Org.Partner(ctx, access.System("portal"), partnerID)
	if err != nil {
		return b, scope
	}
	if who.Scope.Level == access.Partner {
		scope = append(scope, ui.Link{Text: p.Name, Href: "/customers"})
	}
	return overlay(b, "partner-"+p.ID, p.Brand), scope
}

func brand(id, name string, b org.Brand) ui.Brand {
	return overlay(ui.Brand{Name: name}, id, b)
}

// overlay lays a brand over another: what it leaves empty stays.
func overlay(under ui.Brand, id string, b org.Brand) ui.Brand {
	if b.DisplayName != "" {
		under.Name = b.DisplayName
	}
	if strings.HasPrefix(b.LogoURL, "/") { // pages load pictures from their own origin only
		under.LogoURL = b.LogoURL
	}
	if b.Accent != "" {
		under.Class, under.Stylesheet = "brand-"+id, "/brand/"+id+"/"+b.Accent[1:]+".css"
	}
	return under
}

// RoleWords says an actor's role in the trade's words: "Partner agent".
func RoleWords(a access.Actor) string {
	level := map[access.Level]string{access.Operator: "Operator", access.Partner: "Partner", access.Customer: "Customer"}[a.Scope.Level]
	role := map[access.Role]string{access.Viewer: "viewer", access.Guest: "guest", access.Agent: "agent", access.Admin: "administrator", access.Billing: "billing", access.SBC: "SBC"}[a.Role]
	return level + " " + role
}

// navigation lists what the role may see.
func navigation(a access.Actor) []ui.NavItem {
	items := []ui.NavItem{}
	read := access.Can(a, access.Read) == nil
	for _, n := range ui.DefaultNav() {
		if !read && n.Section != ui.SectionSettings {
			continue
		}
		if a.Scope.Level == access.Customer && n.Section == ui.SectionHome {
			continue // its own page is the start page
		}
		if a.Scope.Level == access.Customer && n.Section == ui.SectionCustomers {
			n.Text, n.Href = "Calling", "/customers/"+a.Scope.CustomerID
		}
		items = append(items, n)
	}
	return items
}

// Can says whether a person may do something, so that a page draws no button that would be refused.
func Can(r *http.Request, act access.Action) bool { return access.Can(Actor(r), act) == nil }

// theme reads the theme cookie.
func theme(r *http.Request) ui.Theme {
	c, err := r.Cookie(ui.ThemeCookie)
	if err != nil {
		return ui.ThemeSystem
	}
	return ui.ParseTheme(c.Value)
}

// Render draws a page in the frame of somebody who is signed in, or in the bare one where page.Viewer is nil. It is drawn
// whole before anything is sent, so that a failure is not half a page.
func (f *Frame) Render(w http.ResponseWriter, r *http.Request, status int, page ui.Page, body templ.Component) error {
	if text := f.flash(w, r); text != "" {
		page.Toasts = append(page.Toasts, ui.Toast{Text: text})
	}
	layout := ui.Layout(page)
	if page.Viewer == nil {
		layout = ui.Bare(page)
	}
	return f.Fragment(w, r, status, templ.ComponentFunc(func(ctx context.Context, out io.Writer) error {
		return layout.Render(templ.WithChildren(ctx, body), out)
	}))
}

// Fragment draws a part of a page.
func (f *Frame) Fragment(w http.ResponseWriter, r *http.Request, status int, body templ.Component) error {
	var b bytes.Buffer
	if err := body.Render(r.Context(), &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a reader who left is no failure of ours
	return nil
}
