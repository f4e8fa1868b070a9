package customer

import (
	"net/http"
	"strconv"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// serviceView is the form of a service, new or kept.
type serviceView struct {
	customer org.Customer
	service  org.Service // ID empty: a new one
	kinds    []ui.Option
	form     frame.Form
}

// ServiceKinds are the choices of a new service, with what each means. taken are those the customer has.
func ServiceKinds(chosen string, taken ...string) []ui.Option {
	out := []ui.Option{
		{Value: org.DirectRouting, Text: "Direct Routing", Hint: "Calls go through the operator's own session border controllers; the tenant gets a domain, routes and policies."},
		{Value: org.OperatorConnect, Text: "Operator Connect", Hint: "Calls go through Microsoft's operator programme; the customer accepts the operator in Teams admin center."},
	}
	for i := range out {
		out[i].Selected = out[i].Value == chosen
		for _, t := range taken {
			out[i].Disabled = out[i].Disabled || out[i].Value == t
		}
	}
	return out
}

// SyncModes are the two ways to run a service, and what each means (REQUIREMENTS S1.1).
func SyncModes(chosen string) []ui.Option {
	return []ui.Option{
		{Value: "on", Text: "With sync", Selected: chosen != "off",
			Hint: "We read the tenant's users and write numbers and policies for you. A Global Administrator of the customer allows it once."},
		{Value: "off", Text: "Without sync", Selected: chosen == "off",
			Hint: "We never touch the tenant. Numbers are kept here, and the customer assigns them in Teams admin center. Only for Operator Connect."},
	}
}

// mayManage answers the customer, if the person may change what it has.
func (p pages) mayManage(r *http.Request) (org.Customer, []org.Service, error) {
	who := frame.Actor(r)
	if err := access.Can(who, access.Manage); err != nil {
		return org.Customer{}, nil, err
	}
	c, err := p.Org.Customer(r.Context(), who, r.PathValue("id"))
	if err != nil {
		return c, nil, err
	}
	services, err := p.Org.Services(r.Context(), who, c.ID)
	return c, services, err
}

func (p pages) newService(w http.ResponseWriter, r *http.Request) error {
	c, services, err := p.mayManage(r)
	if err != nil {
		return err
	}
	return p.drawNew(w, r, http.StatusOK, c, services, frame.NewForm("sync", "on"))
}

func (p pages) drawNew(w http.ResponseWriter, r *http.Request, status int, c org.Customer, have []org.Service, form frame.Form) error {
	var taken []string
	for _, s := range have {
		taken = append(taken, s.Kind)
	}
	v := serviceView{customer: c, form: form, kinds: ServiceKinds(form.Get("kind"), taken...)}
	page := p.CustomerPage(r, "Add a service to "+c.Name, c)
	page.Path = "/customers/" + c.ID + "/services/new"
	return p.Render(w, r, status, page, newServicePage(v))
}

func (p pages) addService(w http.ResponseWriter, r *http.Request) error {
	c, services, err := p.mayManage(r)
	if err != nil {
		return err
	}
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	sync := form.Get("sync") != "off"
	s, err := p.Org.AddService(r.Context(), frame.Actor(r), c.ID, org.NewService{Kind: form.Get("kind"), Sync: &sync})
	if err != nil {
		if !form.Reject(err, "kind", "sync") {
			return err
		}
		return p.drawNew(w, r, frame.StatusOf(err), c, services, form)
	}
	return p.Done(w, r, "/customers/"+c.ID, frame.KindWords(s.Kind)+" was added")
}

// managed answers the service of a path, if the person may change it.
func (p pages) managed(r *http.Request) (org.Service, org.Customer, error) {
	who := frame.Actor(r)
	s, c, err := p.Org.Service(r.Context(), who, r.PathValue("id"))
	if err != nil {
		return s, c, err
	}
	return s, c, access.Can(who, access.Manage)
}

func (p pages) serviceSettings(w http.ResponseWriter, r *http.Request) error {
	s, c, err := p.managed(r)
	if err != nil {
		return err
	}
	sync := "on"
	if !s.Sync {
		sync = "off"
	}
	return p.drawService(w, r, http.StatusOK, c, s, frame.NewForm("sync", sync, "voicePolicy", s.VoicePolicy, "dialPlan", s.DialPlan,
		"version", strconv.FormatInt(s.Version, 10)))
}

func (p pages) drawService(w http.ResponseWriter, r *http.Request, status int, c org.Customer, s org.Service, form frame.Form) error {
	page := p.CustomerPage(r, frame.KindWords(s.Kind)+" of "+c.Name, c)
	page.Path = "/services/" + s.ID + "/settings"
	return p.Render(w, r, status, page, serviceSettingsPage(serviceView{customer: c, service: s, form: form}))
}

func (p pages) updateService(w http.ResponseWriter, r *http.Request) error {
	s, c, err := p.managed(r)
	if err != nil {
		return err
	}
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	sync := form.Get("sync") != "off"
	version, _ := strconv.ParseInt(form.Get("version"), 10, 64)
	patch := org.ServicePatch{Sync: &sync, VoicePolicy: form.Optional("voicePolicy"), DialPlan: form.Optional("dialPlan")}
	if _, err = p.Org.UpdateService(r.Context(), frame.Actor(r), s.ID, patch, version); err != nil {
		if !form.Reject(err, "sync", "voicePolicy", "dialPlan") {
			return err
		}
		return p.drawService(w, r, frame.StatusOf(err), c, s, form)
	}
	return p.Done(w, r, "/customers/"+c.ID, "Saved")
}

func (p pages) askDeleteService(w http.ResponseWriter, r *http.Request) error {
	s, c, err := p.managed(r)
	if err != nil {
		return err
	}
	return p.drawDeleteService(w, r, http.StatusOK, c, s, frame.NewForm())
}

func (p pages) drawDeleteService(w http.ResponseWriter, r *http.Request, status int, c org.Customer, s org.Service, form frame.Form) error {
	name := frame.KindWords(s.Kind)
	page := p.CustomerPage(r, "Remove "+name, c)
	return p.Render(w, r, status, page, ui.Join(ui.PageHeader("Remove "+name+" of "+c.Name, nil, "", nil), form.Above(), ui.ConfirmPage(ui.Confirm{Back: "/services/" + s.ID + "/settings",
		ID: "delete", Title: "Remove " + name + "?", Danger: true, TypeName: c.Name, Action: "/services/" + s.ID + "/delete", Button: "Remove " + name,
		Text: "The service ends for billing. Its history is kept. A service that still has numbers, or a tenant that still holds something of ours through it, is not removed.",
	})))
}

func (p pages) deleteService(w http.ResponseWriter, r *http.Request) error {
	s, c, err := p.managed(r)
	if err != nil {
		return err
	}
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	if err = notTyped(form, c.Name); err == nil {
		err = p.Org.DeleteService(r.Context(), frame.Actor(r), s.ID, 0)
	}
	if err != nil {
		if !form.Reject(err) {
			return err
		}
		return p.drawDeleteService(w, r, frame.StatusOf(err), c, s, form)
	}
	return p.Done(w, r, "/customers/"+c.ID, frame.KindWords(s.Kind)+" was removed")
}
