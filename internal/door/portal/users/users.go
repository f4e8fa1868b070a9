// Package users is the pages of a customer's people: who has which number, who cannot have one and why, and giving and taking
// numbers.
package users

import (
	"context"
	"net/http"
	"net/url"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

type pages struct{ *frame.Frame }

// Register adds the pages and forms of users.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/customers/{id}/users", p.list)
	f.Get("/customers/{id}/users/{uid}", p.show)
	f.Post("/customers/{id}/users/{uid}/managed", p.managed)
	f.Get("/customers/{id}/users/{uid}/preview", p.preview)
	f.Post("/customers/{id}/users/{uid}/assign", p.assign)
	f.Get("/customers/{id}/users/{uid}/unassign", p.askUnassign)
	f.Post("/customers/{id}/users/{uid}/unassign", p.unassign)
}

// person is a user with his customer.
type person struct {
	customer org.Customer
	user     directory.User
}

func (p person) base() string { return userHref(p.customer.ID, p.user.ID) }

// find reads a user inside the person's scope; 404 outside it.
func (p pages) find(ctx context.Context, who access.Actor, customerID, userID string) (person, error) {
	customer, err := p.Org.Customer(ctx, who, customerID)
	if err != nil {
		return person{}, err
	}
	u, err := p.Directory.User(ctx, who, customerID, userID)
	return person{customer, u}, err
}

// page is the frame of one user's page.
func (p pages) page(r *http.Request, at person) ui.Page {
	page := p.CustomerPage(r, at.user.DisplayName, at.customer)
	page.Scope = append(page.Scope, ui.Link{Text: "Users", Href: "/customers/" + at.customer.ID + "/users"})
	return page
}

func userHref(customerID, userID string) string {
	return "/customers/" + customerID + "/users/" + url.PathEscape(userID)
}

func numberHref(number string) string { return "/numbers/" + url.PathEscape(plain(number)) }
