package operations

import (
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/engine/operation"
)

// act does what a button says, and comes back to the page.
func (p pages) act(action, done string) frame.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := r.PathValue("id")
		if err := p.Operations.Act(r.Context(), frame.Actor(r), id, action); err != nil {
			return err
		}
		return p.Done(w, r, "/operations/"+id, done)
	}
}

// askCancel asks before work is stopped.
func (p pages) askCancel(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := access.Can(frame.Actor(r), access.Assign); err != nil {
		return err
	}
	return p.Render(w, r, http.StatusOK, p.page(r, v), ui.Join(
		ui.PageHeader(v.op.Title, v.state(), "", nil), ui.ConfirmPage(cancelQuestion(v))))
}

func cancelQuestion(v view) ui.Confirm {
	return ui.Confirm{ID: "cancel", Title: "Cancel this operation?", Action: v.base() + "/cancel", Button: "Cancel the operation", Danger: true, Back: v.base(),
		Text: "What was done already stays as it is; what was not begun is not done. A change that is on its way to Microsoft is seen through first."}
}

// signIn sends an administrator to Microsoft; the same operation goes on afterwards.
func (p pages) signIn(w http.ResponseWriter, r *http.Request) error {
	who := frame.Actor(r)
	op, err := p.Operations.Get(r.Context(), who.Scope, r.PathValue("id"))
	if err != nil {
		return err
	}
	grant, err := p.Pairings.SignIn(r.Context(), who, op)
	if err != nil {
		return err
	}
	return frame.Redirect(w, r, p.Consent(grant.ConsentURL))
}

// askConfirm shows what a sync would remove, and asks.
func (p pages) askConfirm(w http.ResponseWriter, r *http.Request) error {
	v, err := p.removal(r)
	if err != nil {
		return err
	}
	question := ui.Confirm{ID: "confirm", Title: "Remove these users here?", Text: v.op.DueWhy, Action: v.base() + "/confirm", Button: "Remove them", Danger: true, Back: v.base(),
		Body: ui.Plain("Nothing is changed in the tenant. Numbers that these users hold stay theirs until they are seen free. To refuse, cancel the sync: the next one reads everybody anew.")}
	return p.Render(w, r, http.StatusOK, p.page(r, v), ui.Join(
		ui.PageHeader(v.op.Title, v.state(), "", nil), ui.ConfirmPage(question)))
}

// confirm lets the sync go on and remove them.
func (p pages) confirm(w http.ResponseWriter, r *http.Request) error {
	v, err := p.removal(r)
	if err != nil {
		return err
	}
	if err := p.Directory.ReleaseRemoval(r.Context(), frame.Actor(r), v.op.CustomerID, v.op.ID); err != nil {
		return err
	}
	return p.Done(w, r, v.base(), "The removal was confirmed.")
}

// removal reads a sync that waits for somebody to confirm.
func (p pages) removal(r *http.Request) (view, error) {
	who := frame.Actor(r)
	v, err := p.load(r.Context(), who, r.PathValue("id"))
	if err != nil {
		return v, err
	}
	if err := access.Can(who, access.Manage); err != nil {
		return v, err
	}
	if v.op.Kind != directory.KindSync || v.op.WaitingFor != operation.ForConfirmation {
		return v, fault.New(fault.Conflict, "nothing-to-confirm", "This operation is not waiting for a confirmation of this kind.").
			WithRemedy("Look at the operation again.")
	}
	return v, nil
}
