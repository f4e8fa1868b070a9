// Package grant is how a Global Administrator lets this portal into a tenant: what is asked and why, what will be made there,
// the way to Microsoft, and what is told afterwards. It is also what somebody without an account sees behind the onboarding
// link.
package grant

import (
	"fmt"
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/engine/plan"
)

type pages struct{ *frame.Frame }

// Register adds the pages and forms around the consent.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/services/{id}/grant-access", p.show)
	f.Post("/services/{id}/grant-access", p.grant)
	f.Get("/services/{id}/granted", p.granted)
	f.Get("/services/{id}/link", p.askLink)
	f.Post("/services/{id}/link", p.link)
	f.Get("/customers/{id}/confirm-tenant", p.candidate)
	f.Post("/customers/{id}/confirm-tenant", p.confirm)
}

// asker is who asks the administrator, by name and where to turn to.
type asker struct {
	operator, partner    string
	supportMail, helpURL string
}

// who names those who ask, in one breath.
func (a asker) who() string {
	if a.partner == "" || a.partner == a.operator {
		return a.operator
	}
	return a.operator + " with its partner " + a.partner
}

// view is what the three steps draw.
type view struct {
	service     org.Service
	customer    org.Customer
	asker       asker
	permissions []ui.Permission
	made        []ui.Permission
	host        string // of Microsoft's sign-in page
	may         bool
	connected   bool // already: granting renews what was allowed
	problem     *ui.ProblemView
	demoUser    string // with demoSecret: the account of the simulated administrator
	demoSecret  string
}

func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	return p.draw(w, r, http.StatusOK, nil)
}

func (p pages) draw(w http.ResponseWriter, r *http.Request, status int, refusal error) error {
	s, c, err := p.Org.Service(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	v := view{service: s, customer: c, permissions: permissions(pairing.HostedPermissions()), host: p.SignInHost(c.Cloud), may: frame.Can(r, access.Connect)}
	if v.made, err = willMake(); err != nil {
		return err
	}
	if v.asker, err = p.asker(r, c); err != nil {
		return err
	}
	if card, err := p.Cards.Card(r.Context(), frame.Actor(r), s.ID); err == nil {
		v.connected = card.Status == string(pairing.Active)
	}
	if p.Demo != nil && p.Demo.Administrator != nil {
		v.demoUser, v.demoSecret = p.Demo.Administrator(r.Context(), c.ID)
	}
	if refusal == nil && !s.Sync {
		refusal = fault.New(fault.Conflict, "sync-off", "This service works without sync: nothing is connected, so there is nothing to grant.").
			WithRemedy("Turn sync on in the settings of the service to connect the tenant.")
	}
	if refusal != nil {
		problem := frame.ProblemOf(refusal)
		v.problem = &problem
	}
	page := p.CustomerPage(r, "Grant access to "+c.Name, c)
	page.Path = "/services/" + s.ID + "/grant-access"
	return p.Render(w, r, status, page, grantPage(v))
}

// asker names the operator and the partner; both are known to anybody who may see the customer.
func (p pages) asker(r *http.Request, c org.Customer) (asker, error) {
	op, err := p.Org.Operator(r.Context())
	if err != nil {
		return asker{}, fmt.Errorf("reading who asks: %w", err)
	}
	a := asker{operator: op.Name, partner: c.PartnerName, supportMail: op.Brand.SupportEmail, helpURL: op.Brand.SupportURL}
	partner, err := p.Org.Partner(r.Context(), access.System("portal"), c.PartnerID)
	if err != nil {
		return a, nil // a partner that is gone has no brand; the operator's stays
	}
	if partner.Brand.SupportEmail != "" {
		a.supportMail = partner.Brand.SupportEmail
	}
	if partner.Brand.SupportURL != "" {
		a.helpURL = partner.Brand.SupportURL
	}
	return a, nil
}

func permissions(ps []pairing.Permission) []ui.Permission {
	out := make([]ui.Permission, 0, len(ps))
	for _, q := range ps {
		out = append(out, ui.Permission{Name: q.Title, Use: q.UsedFor, Never: q.Never})
	}
	return out
}

// willMake tells from the very plan of the pairing what will be made in the tenant, with what each role is for.
func willMake() ([]ui.Permission, error) {
	decided, err := plan.Decide(pairing.RoleItems("application"), nil, nil)
	if err != nil {
		return nil, fmt.Errorf("planning what will be made: %w", err)
	}
	roles := pairing.HostedRoles()
	var out []ui.Permission
	for i, change := range decided.Changes {
		made := ui.Permission{Name: change.Title}
		if i < len(roles) {
			made.Use = roles[i].UsedFor
		}
		out = append(out, made)
	}
	return out, nil
}

// grant makes the link and leads to Microsoft.
func (p pages) grant(w http.ResponseWriter, r *http.Request) error {
	g, err := p.Pairings.GrantAccess(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		if !frame.Again(err) {
			return err
		}
		return p.draw(w, r, frame.StatusOf(err), err)
	}
	return frame.Redirect(w, r, p.Consent(g.ConsentURL))
}

// granted is what an administrator keeps: what was made, and how to take it back.
func (p pages) granted(w http.ResponseWriter, r *http.Request) error {
	card, err := p.Cards.Card(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	a, err := p.asker(r, card.Customer)
	if err != nil {
		return err
	}
	page := p.CustomerPage(r, "What "+card.Customer.Name+" allowed", card.Customer)
	return p.Render(w, r, http.StatusOK, page, grantedPage(p, card, a))
}

// connected says whether the card's tenant is connected now.
func connected(c servicecard.Card) bool {
	return c.Tenant != nil && c.Status != string(pairing.Disconnected)
}

// RefusalPage answers the page for an administrator whom Microsoft sent back and whose consent was not taken. The API's
// callback shows it, for that is where Microsoft sends people.
func RefusalPage(f *frame.Frame) func(w http.ResponseWriter, r *http.Request, refusal *fault.Fault) {
	return func(w http.ResponseWriter, r *http.Request, refusal *fault.Fault) {
		f.Outside(w, r, func(w http.ResponseWriter, r *http.Request) error {
			page := f.Page(r, "Access was not granted", ui.SectionCustomers)
			page.Path = "/"
			return f.Render(w, r, frame.StatusOf(refusal), page, refusalPage(f.Known(r, refusal)))
		})
	}
}
