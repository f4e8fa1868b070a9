package users

import (
	"net/http"
	"slices"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/e164"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/portal/diff"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/engine/plan"
)

// How the form says a policy: empty is the service's, a dash none, a name after an equals sign that one.
const (
	noPolicy = "-"
	named    = "="
)

// planView is a plan before it is applied.
type planView struct {
	person
	plan     plan.Plan
	warnings []string
	form     frame.Form
	stale    bool
	frame    *frame.Frame
}

// request is what the form asks for.
func request(at person, form frame.Form) number.AssignRequest {
	req := number.AssignRequest{CustomerID: at.customer.ID, UserID: at.user.ID, Number: form.Get("number"), PlanHash: form.Get("planHash")}
	if n, err := e164.ParseLoose(req.Number, at.customer.Country); err == nil {
		req.Number = string(n)
	}
	switch policy := form.Get("voicePolicy"); {
	case policy == noPolicy:
		none := ""
		req.VoicePolicy = &none
	case strings.HasPrefix(policy, named):
		name := policy[len(named):]
		req.VoicePolicy = &name
	}
	return req
}

// preview shows what assigning would change; nothing is called in the tenant.
func (p pages) preview(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r)
	if err != nil {
		return err
	}
	if err := access.Can(frame.Actor(r), access.Assign); err != nil {
		return err
	}
	form := frame.Form{Values: r.URL.Query(), Errors: map[string]string{}}
	made, warnings, err := p.Numbers.Preview(r.Context(), frame.Actor(r), request(v.person, form))
	if err != nil {
		return p.again(w, r, v, form, err)
	}
	return p.drawPlan(w, r, http.StatusOK, planView{person: v.person, plan: made, warnings: warnings, form: form})
}

func (p pages) drawPlan(w http.ResponseWriter, r *http.Request, status int, v planView) error {
	v.frame = p.Frame
	return p.Render(w, r, status, p.page(r, v.person), planPage(v))
}

// assign starts the operation. A plan that was shown is made anew first: where it is another now, that one is shown.
func (p pages) assign(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r)
	if err != nil {
		return err
	}
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	req, who := request(v.person, form), frame.Actor(r)
	if req.PlanHash != "" {
		made, warnings, err := p.Numbers.Preview(r.Context(), who, req)
		if err != nil {
			return p.again(w, r, v, form, err)
		}
		if made.Hash != req.PlanHash {
			return p.drawPlan(w, r, http.StatusPreconditionFailed, planView{person: v.person, plan: made, warnings: warnings, form: form, stale: true})
		}
	}
	id, warnings, err := p.Numbers.Assign(r.Context(), who, req)
	if err != nil {
		return p.again(w, r, v, form, err)
	}
	message := "The assignment has begun."
	if slices.Contains(warnings, "not-activated") {
		message += " Calls come once the domain is activated."
	}
	return p.Done(w, r, "/operations/"+id, message)
}

// again shows the form with what was typed and what is wrong with it.
func (p pages) again(w http.ResponseWriter, r *http.Request, v view, form frame.Form, err error) error {
	if fault.KindOf(err) == fault.NotFound { // a number that is not this customer's is a mistake in the field
		form.Mark("number", frame.ProblemOf(err).Happened)
		v.form = form
		return p.Render(w, r, http.StatusUnprocessableEntity, p.page(r, v.person), showPage(v))
	}
	if !form.Reject(err, "number", "voicePolicy") {
		return err
	}
	v.form = form
	return p.Render(w, r, frame.StatusOf(err), p.page(r, v.person), showPage(v))
}

// askUnassign shows what taking the number back would change, and asks.
func (p pages) askUnassign(w http.ResponseWriter, r *http.Request) error {
	at, err := p.find(r.Context(), frame.Actor(r), r.PathValue("id"), r.PathValue("uid"))
	if err != nil {
		return err
	}
	made, err := p.Numbers.PreviewUnassign(r.Context(), frame.Actor(r), number.UnassignRequest{CustomerID: at.customer.ID, UserID: at.user.ID})
	if err != nil {
		return err
	}
	question := ui.Confirm{ID: "unassign", Title: "Take the number back from " + name(at.user) + "?", Action: at.base() + "/unassign", Button: "Unassign", Danger: true,
		Text: "Calls to it no longer reach anybody, and " + name(at.user) + " can no longer call out with it. The number is free afterwards.",
		Body: diff.Changes(diff.OfPlan(made)), Hidden: []ui.Pair{{Key: "planHash", Text: made.Hash}}, Back: at.base()}
	return p.Render(w, r, http.StatusOK, p.page(r, at), ui.Join(
		ui.PageHeader(name(at.user), nil, at.user.UserPrincipalName, nil), ui.ConfirmPage(question)))
}

// unassign starts the operation that takes the number back.
func (p pages) unassign(w http.ResponseWriter, r *http.Request) error {
	at, err := p.find(r.Context(), frame.Actor(r), r.PathValue("id"), r.PathValue("uid"))
	if err != nil {
		return err
	}
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	id, err := p.Numbers.Unassign(r.Context(), frame.Actor(r), number.UnassignRequest{CustomerID: at.customer.ID, UserID: at.user.ID, PlanHash: form.Get("planHash")})
	if err != nil {
		return err
	}
	return p.Done(w, r, "/operations/"+id, "The number is being taken back.")
}
