package numbers

import (
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// releasable says whether the person may let this number go now.
func (v view) releasable() bool { return v.mayWrite && v.number.State == number.Free }

func (v view) question() ui.Confirm {
	c := ui.Confirm{ID: "release", Title: "Release " + v.title() + "?", Action: v.base() + "/release", Button: "Release the number", Danger: true, Back: v.base(),
		Text: "It leaves " + v.customer.Name + " with its tags and caller ID. It rests for the quarantine time, so that calls for its last holder reach nobody else; then it is free in the partner's stock."}
	if v.customer.ID == "" {
		c.Title, c.Button = "Remove "+v.title()+" from the inventory?", "Remove the number"
		c.Text = "It is in nobody's service. Its history stays; it can be imported again."
	}
	return c
}

// askRelease asks before a number is let go.
func (p pages) askRelease(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r)
	if err != nil {
		return err
	}
	if err := access.Can(frame.Actor(r), access.Assign); err != nil {
		return err
	}
	s := state(v.number)
	return p.Render(w, r, http.StatusOK, p.page(r, v), ui.Join(
		ui.PageHeader(v.title(), &s, "", nil), ui.ConfirmPage(v.question())))
}

// release lets it go; a number that is not free is refused by the room.
func (p pages) release(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r)
	if err != nil {
		return err
	}
	if err := p.Numbers.Release(r.Context(), frame.Actor(r), v.number.Number, 0); err != nil {
		return err
	}
	to := "/numbers"
	if v.customer.ID != "" {
		to = "/customers/" + v.customer.ID + "/numbers"
	}
	return p.Done(w, r, to, v.title()+" was released.")
}
