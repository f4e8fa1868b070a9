package grant

import (
	"net/http"
	"net/url"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
)

// linkLife is how long an onboarding link may be used: an administrator is seldom there the same day.
const linkLife = 72 * time.Hour

// sendable answers the service of a link, if the person may make one.
func (p pages) sendable(r *http.Request) (org.Service, org.Customer, error) {
	who := frame.Actor(r)
	s, c, err := p.Org.Service(r.Context(), who, r.PathValue("id"))
	if err != nil {
		return s, c, err
	}
	if err := access.Can(who, access.Manage); err != nil {
		return s, c, err
	}
	if !s.Sync {
		return s, c, fault.New(fault.Conflict, "sync-off", "This service works without sync: there is nothing to allow in the tenant.").
			WithRemedy("Turn sync on in the settings of the service first.")
	}
	return s, c, nil
}

func (p pages) askLink(w http.ResponseWriter, r *http.Request) error {
	s, c, err := p.sendable(r)
	if err != nil {
		return err
	}
	page := p.CustomerPage(r, "Send a link to "+c.Name, c)
	return p.Render(w, r, http.StatusOK, page, askLinkPage(s, c))
}

// link makes a one-time link that opens the grant page for somebody without an account. Whoever has it acts for this one
// customer alone, sees it and connects it, and may do nothing else; it is shown once and not kept.
func (p pages) link(w http.ResponseWriter, r *http.Request) error {
	s, c, err := p.sendable(r)
	if err != nil {
		return err
	}
	guest := access.Actor{Kind: "onboarding", ID: s.ID, Name: "Administrator of " + c.Name, Role: access.Guest,
		Scope: access.Scope{Level: access.Customer, CustomerID: c.ID}}
	token, err := p.Org.NewLink(r.Context(), guest, linkLife)
	if err != nil {
		return err
	}
	address := p.PublicURL + "/sign-in/link?" + url.Values{"token": {token}, "return_to": {"/services/" + s.ID + "/grant-access"}}.Encode()
	page := p.CustomerPage(r, "Send this link to "+c.Name, c)
	page.Path = "/services/" + s.ID + "/link"
	return p.Render(w, r, http.StatusOK, page, linkPage(s, c, address, p.Now().Add(linkLife)))
}
