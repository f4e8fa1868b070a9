package customer

import (
	"net/http"
	"strconv"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// editView is the settings tab of a customer.
type editView struct {
	customer org.Customer
	form     frame.Form
	services []org.Service
	may      bool // change the customer
	partner  bool // change what only the partner may
	frozen   bool // cloud and tenant stay
	frame    *frame.Frame
}

// controls are the fields of a customer, named as the room names them.
func controls() []string {
	return []string{"name", "primaryDomain", "tenantId", "country", "timeZone", "billingReference", "seatLimit", "cloud"}
}

func customerForm(c org.Customer) frame.Form {
	limit := ""
	if c.SeatLimit != nil {
		limit = strconv.Itoa(*c.SeatLimit)
	}
	return frame.NewForm("name", c.Name, "primaryDomain", c.PrimaryDomain, "tenantId", c.TenantID, "country", c.Country, "timeZone", c.TimeZone,
		"billingReference", c.BillingReference, "seatLimit", limit, "cloud", c.Cloud, "version", strconv.FormatInt(c.Version, 10))
}

func (p pages) settings(w http.ResponseWriter, r *http.Request) error {
	c, err := p.Org.Customer(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.drawSettings(w, r, http.StatusOK, c, customerForm(c))
}

func (p pages) drawSettings(w http.ResponseWriter, r *http.Request, status int, c org.Customer, form frame.Form) error {
	who := frame.Actor(r)
	services, err := p.Org.Services(r.Context(), who, c.ID)
	if err != nil {
		return err
	}
	paired, err := p.Pairings.Of(r.Context(), who, c.ID)
	if err != nil {
		return err
	}
	v := editView{customer: c, form: form, services: services, frame: p.Frame, may: frame.Can(r, access.Manage),
		partner: who.Scope.Level != access.Customer, frozen: paired.TenantID != ""}
	page := p.CustomerPage(r, "Settings of "+c.Name, c)
	page.Path = "/customers/" + c.ID + "/settings"
	return p.Render(w, r, status, page, settingsPage(v))
}

func (p pages) update(w http.ResponseWriter, r *http.Request) error {
	who := frame.Actor(r)
	c, err := p.Org.Customer(r.Context(), who, r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	patch, err := patchOf(form)
	if err == nil {
		version, _ := strconv.ParseInt(form.Get("version"), 10, 64)
		_, err = p.Org.UpdateCustomer(r.Context(), who, c.ID, patch, version)
	}
	if err != nil {
		if !form.Reject(err, controls()...) {
			return err
		}
		return p.drawSettings(w, r, frame.StatusOf(err), c, form)
	}
	return p.Done(w, r, "/customers/"+c.ID+"/settings", "Saved")
}

// patchOf changes what the form had: controls that are not drawn for a role are not touched.
func patchOf(f frame.Form) (org.CustomerPatch, error) {
	patch := org.CustomerPatch{Name: f.Optional("name"), PrimaryDomain: f.Optional("primaryDomain"), TenantID: f.Optional("tenantId"),
		Country: f.Optional("country"), TimeZone: f.Optional("timeZone"), BillingReference: f.Optional("billingReference"), Cloud: f.Optional("cloud")}
	limit := f.Optional("seatLimit")
	if limit == nil {
		return patch, nil
	}
	if *limit == "" {
		patch.NoSeatLimit = true
		return patch, nil
	}
	n, err := strconv.Atoi(*limit)
	if err != nil {
		return patch, fault.New(fault.Invalid, "invalid-input", "The seat limit must be a whole number.").
			WithFields(fault.Field{Path: "seatLimit", Code: "not-a-number", Detail: "Write a whole number, or leave it empty for no limit."})
	}
	patch.SeatLimit = &n
	return patch, nil
}

func (p pages) askDelete(w http.ResponseWriter, r *http.Request) error {
	c, err := p.mayDelete(r)
	if err != nil {
		return err
	}
	return p.drawDelete(w, r, http.StatusOK, c, frame.NewForm())
}

// mayDelete asks for the right before the question is shown.
func (p pages) mayDelete(r *http.Request) (org.Customer, error) {
	if err := access.Can(frame.Actor(r), access.Manage); err != nil {
		return org.Customer{}, err
	}
	return p.Org.Customer(r.Context(), frame.Actor(r), r.PathValue("id"))
}

func (p pages) drawDelete(w http.ResponseWriter, r *http.Request, status int, c org.Customer, form frame.Form) error {
	page := p.CustomerPage(r, "Remove "+c.Name, c)
	return p.Render(w, r, status, page, ui.Join(ui.PageHeader("Remove "+c.Name, nil, "", nil), form.Above(), ui.ConfirmPage(ui.Confirm{Back: "/customers/" + c.ID + "/settings",
		ID: "delete", Title: "Remove " + c.Name + "?", Danger: true, TypeName: c.Name, Action: "/customers/" + c.ID + "/delete", Button: "Remove " + c.Name,
		Text: "Its members and API keys can do nothing from then on. Its history is kept. A customer that still has services is not removed: remove those first.",
	})))
}

func (p pages) delete(w http.ResponseWriter, r *http.Request) error {
	c, err := p.mayDelete(r)
	if err != nil {
		return err
	}
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	if err = notTyped(form, c.Name); err == nil {
		err = p.Org.DeleteCustomer(r.Context(), frame.Actor(r), c.ID, 0)
	}
	if err != nil {
		if !form.Reject(err) {
			return err
		}
		return p.drawDelete(w, r, frame.StatusOf(err), c, form)
	}
	return p.Done(w, r, "/customers", c.Name+" was removed")
}

func notTyped(form frame.Form, name string) error {
	if frame.Typed(form, name) {
		return nil
	}
	return fault.New(fault.Invalid, "name-differs", "What was typed is not the name.").WithRemedy("Type %s exactly as it is written.", name)
}

// sync starts a sync, or shows the one that runs.
func (p pages) sync(w http.ResponseWriter, r *http.Request) error {
	id, _, err := p.Directory.Resync(r.Context(), frame.Actor(r), r.PathValue("id"), false)
	if err != nil {
		return err
	}
	return frame.Redirect(w, r, "/operations/"+id)
}
