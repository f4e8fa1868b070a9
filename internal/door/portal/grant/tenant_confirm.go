package grant

import (
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// candidate shows whose tenant has answered, so that somebody who knows the company can say that it is the right one
// (REQUIREMENTS S1.5).
func (p pages) candidate(w http.ResponseWriter, r *http.Request) error {
	return p.drawCandidate(w, r, http.StatusOK, nil)
}

func (p pages) drawCandidate(w http.ResponseWriter, r *http.Request, status int, problem *ui.ProblemView) error {
	who := frame.Actor(r)
	c, err := p.Org.Customer(r.Context(), who, r.PathValue("id"))
	if err != nil {
		return err
	}
	paired, err := p.Pairings.Of(r.Context(), who, c.ID)
	if err != nil {
		return err
	}
	page := p.CustomerPage(r, "Confirm the tenant of "+c.Name, c)
	page.Path = "/customers/" + c.ID + "/confirm-tenant"
	return p.Render(w, r, status, page, candidatePage(candidateView{customer: c, pairing: paired, problem: problem, may: frame.Can(r, access.Connect)}))
}

type candidateView struct {
	customer org.Customer
	pairing  pairing.Pairing
	problem  *ui.ProblemView
	may      bool
}

// confirm binds the tenant that the page showed; another one that has answered meanwhile is not taken for it.
func (p pages) confirm(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	id, err := p.Pairings.Confirm(r.Context(), frame.Actor(r), r.PathValue("id"), form.Get("tenantId"))
	if err != nil {
		if !frame.Again(err) {
			return err
		}
		problem := frame.ProblemOf(err)
		return p.drawCandidate(w, r, frame.StatusOf(err), &problem)
	}
	return p.Done(w, r, "/operations/"+id, "Tenant confirmed")
}
