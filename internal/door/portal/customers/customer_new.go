package customers

import (
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/customer"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// newView is the form of a new customer.
type newView struct {
	form     frame.Form
	partners []ui.Option // nil: the person's own partner
	kinds    []ui.Option
	frame    *frame.Frame
}

// may refuses those who cannot have new customers before a form is shown to them.
func may(who access.Actor) error {
	if err := access.Can(who, access.Manage); err != nil {
		return err
	}
	if who.Scope.Level == access.Customer {
		return fault.New(fault.Forbidden, "partner-only", "Only a partner or the operator adds customers.")
	}
	return nil
}

func (p pages) new(w http.ResponseWriter, r *http.Request) error {
	if err := may(frame.Actor(r)); err != nil {
		return err
	}
	return p.drawNew(w, r, http.StatusOK, frame.NewForm("cloud", org.CloudGlobal, "kind", org.DirectRouting, "sync", "on", "partnerId", r.URL.Query().Get("partner")))
}

func (p pages) drawNew(w http.ResponseWriter, r *http.Request, status int, form frame.Form) error {
	who := frame.Actor(r)
	none := ui.Option{Value: "none", Text: "None yet", Hint: "Add one later on the customer's page.", Selected: form.Get("kind") == "none"}
	v := newView{form: form, kinds: append(customer.ServiceKinds(form.Get("kind")), none), frame: p.Frame}
	if who.Scope.Level == access.Operator {
		var err error
		if v.partners, err = p.partnerOptions(r, who, "Choose a partner"); err != nil {
			return err
		}
	}
	page := p.Page(r, "New customer", ui.SectionCustomers)
	page.Path = "/customers/new"
	return p.Render(w, r, status, page, newPage(v))
}

func (p pages) create(w http.ResponseWriter, r *http.Request) error {
	who := frame.Actor(r)
	if err := may(who); err != nil {
		return err
	}
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	if who.Scope.Level == access.Operator && form.Get("partnerId") == "" {
		form.Mark("partnerId", "Choose whose customer it is.")
		return p.drawNew(w, r, http.StatusUnprocessableEntity, form)
	}
	c, err := p.Org.CreateCustomer(r.Context(), who, org.NewCustomer{PartnerID: form.Get("partnerId"), Name: form.Get("name"), Cloud: form.Get("cloud"),
		TenantID: form.Get("tenantId"), PrimaryDomain: form.Get("primaryDomain"), Country: form.Get("country")})
	if err != nil {
		if !form.Reject(err, "partnerId", "name", "cloud", "tenantId", "primaryDomain", "country") {
			return err
		}
		return p.drawNew(w, r, frame.StatusOf(err), form)
	}
	return p.withService(w, r, form, c)
}

// withService adds the service that was chosen. The customer is there already: where the service is refused, its own form
// tells why.
func (p pages) withService(w http.ResponseWriter, r *http.Request, form frame.Form, c org.Customer) error {
	kind := form.Get("kind")
	if kind == "none" || kind == "" {
		return p.Done(w, r, "/customers/"+c.ID, c.Name+" was added")
	}
	sync := form.Get("sync") != "off"
	if _, err := p.Org.AddService(r.Context(), frame.Actor(r), c.ID, org.NewService{Kind: kind, Sync: &sync}); err != nil {
		if !frame.Again(err) {
			return err
		}
		return p.Done(w, r, "/customers/"+c.ID+"/services/new", c.Name+" was added without a service: "+frame.ProblemOf(err).Happened)
	}
	return p.Done(w, r, "/customers/"+c.ID, c.Name+" was added")
}
