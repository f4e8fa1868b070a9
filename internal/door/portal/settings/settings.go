// Package settings holds a person's own account, and what an administrator sets for his scope: name and brand, members, API
// keys.
package settings

import (
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

type pages struct{ *frame.Frame }

// Register adds the pages and forms of the settings.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/settings", p.first)
	f.Get("/settings/account", p.account)
	f.Post("/settings/account/password", p.setPassword)
	f.Post("/settings/account/passkeys/begin", p.beginPasskey)
	f.Post("/settings/account/passkeys", p.addPasskey)
	f.Post("/settings/account/passkeys/delete", p.deletePasskey)
	f.Get("/settings/brand", p.brand)
	f.Post("/settings/brand", p.saveBrand)
	f.Get("/settings/members", p.members)
	f.Post("/settings/members", p.createMember)
	f.Post("/settings/members/{id}/invite", p.invite)
	f.Post("/settings/members/{id}/role", p.changeRole)
	f.Post("/settings/members/{id}/disable", p.disable)
	f.Post("/settings/members/{id}/enable", p.enable)
	f.Get("/settings/keys", p.keys)
	f.Post("/settings/keys", p.createKey)
	f.Get("/settings/keys/{id}/revoke", p.askRevoke)
	f.Post("/settings/keys/{id}/revoke", p.revoke)
	f.Get("/settings/about", p.about)
}

// first leads to the part that the role may see.
func (p pages) first(w http.ResponseWriter, r *http.Request) error {
	return frame.Redirect(w, r, "/settings/account")
}

// tabs are the parts that the role may see.
func tabs(r *http.Request, current string) []ui.Tab {
	out := []ui.Tab{{Text: "My account", Href: "/settings/account"}}
	if frame.Can(r, access.Operate) {
		out = append(out, ui.Tab{Text: "Brand", Href: "/settings/brand"})
	}
	if frame.Can(r, access.Administer) {
		out = append(out, ui.Tab{Text: "Members", Href: "/settings/members"}, ui.Tab{Text: "API keys", Href: "/settings/keys"})
	}
	out = append(out, ui.Tab{Text: "About", Href: "/settings/about"})
	for i := range out {
		out[i].Current = out[i].Text == current
	}
	return out
}

// page is a page of the settings; its forms come back to path.
func (p pages) page(r *http.Request, title, path string) ui.Page {
	page := p.Page(r, title, ui.SectionSettings)
	page.Path = path
	return page
}

// roles are those that an actor may give, widest first. SBC is for keys alone.
func roles(keys bool) []ui.Option {
	out := []ui.Option{
		{Value: string(access.Viewer), Text: "Viewer", Hint: "Sees everything in the scope, changes nothing."},
		{Value: string(access.Agent), Text: "Agent", Hint: "Assigns numbers, adds customers and services, connects tenants."},
		{Value: string(access.Admin), Text: "Administrator", Hint: "An agent who also manages members and API keys."},
		{Value: string(access.Billing), Text: "Billing", Hint: "Sees billing figures only."},
	}
	if keys {
		out = append(out, ui.Option{Value: string(access.SBC), Text: "SBC", Hint: "For session border controllers: asks whether a call may pass, nothing else."})
	}
	return out
}

// scopes are the places an actor may give: his own, and the partners and customers below it, named "level:id".
func (p pages) scopes(r *http.Request) ([]ui.Option, error) {
	who := frame.Actor(r)
	own := map[access.Level]string{access.Operator: "Everything (operator)", access.Partner: "All customers of the partner", access.Customer: "This customer"}[who.Scope.Level]
	out := []ui.Option{{Value: "", Text: own}}
	if who.Scope.Level == access.Operator {
		partners, err := p.Org.Partners(r.Context(), who, org.PartnerQuery{Sort: "name", Limit: 500})
		if err != nil {
			return nil, err
		}
		for _, partner := range partners.Items {
			out = append(out, ui.Option{Value: "partner:" + partner.ID, Text: "Partner: " + partner.Name})
		}
	}
	if who.Scope.Level != access.Customer {
		customers, err := p.Org.Customers(r.Context(), who, org.CustomerQuery{Sort: "name", Limit: 500})
		if err != nil {
			return nil, err
		}
		for _, c := range customers.Items {
			out = append(out, ui.Option{Value: "customer:" + c.ID, Text: "Customer: " + c.Name})
		}
	}
	return out, nil
}

// about says which program this is and what its sealing protects.
func (p pages) about(w http.ResponseWriter, r *http.Request) error {
	return p.Render(w, r, http.StatusOK, p.page(r, "About", "/settings/about"), aboutPage(p, tabs(r, "About")))
}
