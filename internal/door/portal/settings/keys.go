package settings

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
	"tcap.cloud/internal/door/portal/ui"
)

// keysView is the list of API keys and the form of a new one.
type keysView struct {
	keys   []org.Key
	places map[string]string
	pager  ui.Paging
	form   frame.Form
	scopes []ui.Option
	tabs   []ui.Tab
	frame  *frame.Frame
}

// scopeOf reads a choice of scopes: "" is one's own, else "partner:id" or "customer:id".
func scopeOf(value string) access.Scope {
	level, id, ok := strings.Cut(value, ":")
	switch {
	case !ok:
		return access.Scope{}
	case level == string(access.Partner):
		return access.Scope{Level: access.Partner, PartnerID: id}
	default:
		return access.Scope{Level: access.Customer, CustomerID: id}
	}
}

// lives are how long a new key may live, in days; 0 is for ever.
func lives() []ui.Option {
	return []ui.Option{{Value: "90", Text: "90 days"}, {Value: "30", Text: "30 days"}, {Value: "365", Text: "One year"}, {Value: "0", Text: "No end"}}
}

func (p pages) keys(w http.ResponseWriter, r *http.Request) error {
	return p.drawKeys(w, r, http.StatusOK, frame.NewForm("role", string(access.Agent)))
}

func (p pages) drawKeys(w http.ResponseWriter, r *http.Request, status int, form frame.Form) error {
	q := listing.New("/settings/keys", r.URL.Query())
	found, err := p.Org.Keys(r.Context(), frame.Actor(r), org.KeyQuery{Search: q.Get("search"), Cursor: q.Cursor(), Limit: 50})
	if err != nil {
		return err
	}
	v := keysView{keys: found.Items, form: form, tabs: tabs(r, "API keys"), frame: p.Frame,
		pager: q.Pager(found.Next, len(found.Items), found.Total, found.TotalIsLowerBound)}
	if v.scopes, err = p.scopes(r); err != nil {
		return err
	}
	v.places = placesOf(v.scopes)
	return p.Render(w, r, status, p.page(r, "API keys", "/settings/keys"), keysPage(v))
}

// createKey shows the key's text once, on the answer itself: it is in no address and in no cookie.
func (p pages) createKey(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	n := org.NewKey{Name: form.Get("name"), Scope: scopeOf(form.Get("scope")), Role: access.Role(form.Get("role"))}
	if days, err := strconv.Atoi(form.Get("days")); err == nil && days > 0 {
		n.ExpiresAt = p.Now().Add(time.Duration(days) * 24 * time.Hour)
	}
	_, text, err := p.Org.CreateKey(r.Context(), frame.Actor(r), n)
	if err != nil {
		if !form.Reject(err, "name", "scope", "role") {
			return err
		}
		return p.drawKeys(w, r, frame.StatusOf(err), form)
	}
	return p.Render(w, r, http.StatusOK, p.page(r, "New API key", "/settings/keys"), oncePage("Copy your new API key", "API key", text,
		"It is shown once, now. We keep only what is needed to recognise it.", "/settings/keys"))
}

func (p pages) askRevoke(w http.ResponseWriter, r *http.Request) error {
	if err := access.Can(frame.Actor(r), access.Administer); err != nil {
		return err
	}
	k, err := p.Org.Key(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.Render(w, r, http.StatusOK, p.page(r, "Revoke a key", "/settings/keys"), ui.Join(ui.PageHeader("Revoke an API key", nil, "", nil),
		ui.ConfirmPage(ui.Confirm{ID: "revoke", Title: "Revoke " + k.Name + "?", Danger: true, Action: "/settings/keys/" + k.ID + "/revoke", Button: "Revoke the key",
			Text: "Whatever uses the key that ends with " + k.Hint + " is refused from now on. This cannot be taken back.", Back: "/settings/keys"})))
}

func (p pages) revoke(w http.ResponseWriter, r *http.Request) error {
	if err := p.Org.RevokeKey(r.Context(), frame.Actor(r), r.PathValue("id"), 0); err != nil {
		return err
	}
	return p.Done(w, r, "/settings/keys", "The key is revoked")
}
