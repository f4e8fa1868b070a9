// Package customer is the page of one customer: its service cards, its settings, and what services it has.
package customer

import (
	"context"
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/overview"
	"tcap.cloud/internal/door/portal/ui"
)

type pages struct{ *frame.Frame }

// Register adds the pages and forms of a customer and of its services.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/customers/{id}", p.show)
	f.Get("/customers/{id}/settings", p.settings)
	f.Post("/customers/{id}/settings", p.update)
	f.Get("/customers/{id}/delete", p.askDelete)
	f.Post("/customers/{id}/delete", p.delete)
	f.Post("/customers/{id}/sync", p.sync)
	f.Get("/customers/{id}/services/new", p.newService)
	f.Post("/customers/{id}/services", p.addService)
	f.Get("/services/{id}", p.service)
	f.Get("/services/{id}/settings", p.serviceSettings)
	f.Post("/services/{id}/settings", p.updateService)
	f.Get("/services/{id}/delete", p.askDeleteService)
	f.Post("/services/{id}/delete", p.deleteService)
}

// view is what the page of a customer draws.
type view struct {
	customer org.Customer
	cards    []ui.ServiceCardView
	live     bool // something is under way: the cards are asked for again
	mayAdd   bool
	history  []ui.Event
	frame    *frame.Frame
}

func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	who, id := frame.Actor(r), r.PathValue("id")
	c, err := p.Org.Customer(r.Context(), who, id)
	if err != nil {
		return err
	}
	cards, err := p.Cards.Cards(r.Context(), who, id)
	if err != nil {
		return err
	}
	v := view{customer: c, frame: p.Frame, mayAdd: frame.Can(r, access.Manage) && len(cards) < len(org.ServiceKinds())}
	primary := ui.Primary
	for _, card := range cards {
		v.cards = append(v.cards, p.card(r, card, primary))
		if card.Remedy != nil {
			primary = ui.Secondary
		}
		v.live = v.live || moving(card)
	}
	if v.history, err = p.recent(r.Context(), who, id); err != nil {
		return err
	}
	return p.Render(w, r, http.StatusOK, p.CustomerPage(r, c.Name, c), customerPage(v))
}

// moving says whether a card will change by itself soon.
func moving(c servicecard.Card) bool { return c.OperationID != "" || c.SyncID != "" }

func (p pages) recent(ctx context.Context, who access.Actor, customerID string) ([]ui.Event, error) {
	return overview.History(ctx, p.Frame, who, audit.Query{CustomerID: customerID})
}

// service leads to the card on the customer's page, so that a service has an address of its own.
func (p pages) service(w http.ResponseWriter, r *http.Request) error {
	s, c, err := p.Org.Service(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return frame.Redirect(w, r, "/customers/"+c.ID+"#"+cardID(s.ID))
}

func cardID(serviceID string) string { return "service-" + serviceID }
