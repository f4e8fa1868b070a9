package users

import (
	"net/http"

	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/door/portal/frame"
)

// managed turns the switch that says whether a user is managed here.
func (p pages) managed(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	on := form.Get("managed") == "true"
	u, err := p.Directory.UpdateUser(r.Context(), frame.Actor(r), r.PathValue("id"), r.PathValue("uid"), directory.UserPatch{Managed: &on})
	if err != nil {
		return err
	}
	message := name(u) + " is managed here."
	if !on {
		message = name(u) + " is no longer managed here."
	}
	to := form.Get("return_to")
	if to == "" {
		to = userHref(u.CustomerID, u.ID)
	}
	return p.Done(w, r, frame.Local(to), message)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
