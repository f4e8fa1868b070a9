// Package search finds customers, numbers, people and pages: as a page, and as the fragment of the palette.
package search

import (
	"context"
	"net/http"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

type pages struct{ *frame.Frame }

// How many of each are shown, and in how many customers people are looked for: a person is found inside a customer.
const (
	perKind         = 6
	peopleCustomers = 60
)

// Register adds the search page; the palette asks the same address.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/search", p.show)
}

func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	text := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(text) > 100 {
		text = strings.ToValidUTF8(text[:100], "")
	}
	page := p.Page(r, "Search", "")
	page.Query = text
	results := pagesNamed(page.Nav, text)
	if text != "" && frame.Can(r, access.Read) {
		found, err := p.find(r.Context(), frame.Actor(r), text)
		if err != nil {
			return err
		}
		results = append(results, found...)
	}
	if frame.IsFragment(r) {
		return p.Fragment(w, r, http.StatusOK, ui.PaletteResults(results))
	}
	return p.Render(w, r, http.StatusOK, page, searchPage(text, results))
}

// pagesNamed are the parts of the portal whose name begins so.
func pagesNamed(nav []ui.NavItem, text string) []ui.PaletteResult {
	var out []ui.PaletteResult
	for _, n := range nav {
		if strings.HasPrefix(strings.ToLower(n.Text), strings.ToLower(text)) {
			out = append(out, ui.PaletteResult{Icon: n.Icon, Text: n.Text, Note: "Page", Href: n.Href})
		}
	}
	return out
}

// find asks each room for its own, inside the person's scope.
func (p pages) find(ctx context.Context, who access.Actor, text string) ([]ui.PaletteResult, error) {
	customers, err := p.Org.Customers(ctx, who, org.CustomerQuery{Search: text, Limit: perKind})
	if err != nil {
		return nil, err
	}
	var out []ui.PaletteResult
	for _, c := range customers.Items {
		out = append(out, ui.PaletteResult{Icon: ui.IconBuilding, Text: c.Name, Note: "Customer of " + c.PartnerName, Href: "/customers/" + c.ID})
	}
	numbers, err := p.Numbers.Numbers(ctx, who, number.Query{Search: text, Limit: perKind})
	if err != nil {
		return nil, err
	}
	for _, n := range numbers.Items {
		out = append(out, ui.PaletteResult{Icon: ui.IconHash, Text: frame.Spell(n.Number), Note: "Number, " + strings.ToLower(ui.NumberState(string(n.State)).Word), Href: "/numbers/" + n.Number})
	}
	people, err := p.people(ctx, who, text)
	return append(out, people...), err
}

// people looks through the first customers by name; with three letters at least, for fewer find half the world.
func (p pages) people(ctx context.Context, who access.Actor, text string) ([]ui.PaletteResult, error) {
	if len([]rune(text)) < 3 {
		return nil, nil
	}
	customers, err := p.Org.Customers(ctx, who, org.CustomerQuery{Sort: "name", Limit: peopleCustomers})
	if err != nil {
		return nil, err
	}
	var out []ui.PaletteResult
	for _, c := range customers.Items {
		users, _, _, err := p.Directory.Users(ctx, who, c.ID, directory.Query{Search: text, Limit: perKind})
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			out = append(out, ui.PaletteResult{Icon: ui.IconUser, Text: u.DisplayName, Note: u.UserPrincipalName + " at " + c.Name, Href: "/customers/" + c.ID + "/users/" + u.ID})
		}
		if len(out) >= perKind {
			return out[:perKind], nil
		}
	}
	return out, nil
}
