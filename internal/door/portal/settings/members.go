package settings

import (
	"net/http"
	"net/url"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
	"tcap.cloud/internal/door/portal/ui"
)

// inviteLife is how long a sign-in link may be used.
const inviteLife = 48 * time.Hour

// membersView is the list of members and the form of a new one.
type membersView struct {
	members []org.Member
	places  map[string]string // words for a scope
	pager   ui.Paging
	filters ui.Filters
	form    frame.Form
	scopes  []ui.Option
	tabs    []ui.Tab
	self    string
	frame   *frame.Frame
}

func (p pages) members(w http.ResponseWriter, r *http.Request) error {
	return p.drawMembers(w, r, http.StatusOK, frame.NewForm("role", string(access.Agent)))
}

func (p pages) drawMembers(w http.ResponseWriter, r *http.Request, status int, form frame.Form) error {
	who := frame.Actor(r)
	q := listing.New("/settings/members", r.URL.Query())
	found, err := p.Org.Members(r.Context(), who, org.MemberQuery{Search: q.Get("search"), Cursor: q.Cursor(), Limit: 50})
	if err != nil {
		return err
	}
	v := membersView{members: found.Items, form: form, tabs: tabs(r, "Members"), self: who.ID, frame: p.Frame,
		pager: q.Pager(found.Next, len(found.Items), found.Total, found.TotalIsLowerBound)}
	v.filters = ui.Filters{Action: "/settings/members", Label: "Search members", Value: q.Get("search"), Clear: q.Clear("search")}
	if v.scopes, err = p.scopes(r); err != nil {
		return err
	}
	v.places = placesOf(v.scopes)
	return p.Render(w, r, status, p.page(r, "Members", "/settings/members"), membersPage(v))
}

// placesOf turns the choices around, so that a scope can be said in words.
func placesOf(options []ui.Option) map[string]string {
	out := map[string]string{}
	for _, o := range options {
		out[o.Value] = o.Text
	}
	return out
}

// placeWords says a scope in words.
func placeWords(places map[string]string, s access.Scope) string {
	switch s.Level {
	case access.Operator:
		return "Everything (operator)"
	case access.Partner:
		if text, ok := places["partner:"+s.PartnerID]; ok {
			return text
		}
		return "All customers of the partner"
	default:
		if text, ok := places["customer:"+s.CustomerID]; ok {
			return text
		}
		return "One customer"
	}
}

func (p pages) createMember(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	m, err := p.Org.CreateMember(r.Context(), frame.Actor(r), org.NewMember{Email: form.Get("email"), Name: form.Get("name"),
		Scope: scopeOf(form.Get("scope")), Role: access.Role(form.Get("role"))})
	if err != nil {
		if !form.Reject(err, "email", "name", "scope", "role") {
			return err
		}
		return p.drawMembers(w, r, frame.StatusOf(err), form)
	}
	return p.showInvite(w, r, m)
}

// invite makes a link for a member who is there already: a forgotten password, a lost passkey.
func (p pages) invite(w http.ResponseWriter, r *http.Request) error {
	m, err := p.Org.Member(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.showInvite(w, r, m)
}

// showInvite shows a sign-in link once; only its hash is kept.
func (p pages) showInvite(w http.ResponseWriter, r *http.Request, m org.Member) error {
	token, err := p.Org.InviteLink(r.Context(), frame.Actor(r), m.ID, inviteLife)
	if err != nil {
		return err
	}
	address := p.PublicURL + "/sign-in/link?" + url.Values{"token": {token}, "return_to": {"/settings/account"}}.Encode()
	page := p.page(r, "Sign-in link", "/settings/members")
	return p.Render(w, r, http.StatusOK, page, oncePage("Send this link to "+m.Name, "Link", address,
		"It signs "+m.Name+" in, once, until "+ui.Absolute(p.Now().Add(inviteLife))+". There a password or a passkey can be set.", "/settings/members"))
}

func (p pages) changeRole(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	role := access.Role(form.Get("role"))
	m, err := p.Org.UpdateMember(r.Context(), frame.Actor(r), r.PathValue("id"), org.MemberPatch{Role: &role}, 0)
	if err != nil {
		return err
	}
	return p.Done(w, r, "/settings/members", m.Name+" is now "+frame.RoleWords(m.Actor()))
}

func (p pages) disable(w http.ResponseWriter, r *http.Request) error {
	if r.PathValue("id") == frame.Actor(r).ID {
		return fault.New(fault.Conflict, "not-yourself", "You cannot shut yourself out.").WithRemedy("Ask another administrator to do it.")
	}
	m, err := p.Org.DisableMember(r.Context(), frame.Actor(r), r.PathValue("id"), 0)
	if err != nil {
		return err
	}
	return p.Done(w, r, "/settings/members", m.Name+" is shut out, and signed out everywhere")
}

func (p pages) enable(w http.ResponseWriter, r *http.Request) error {
	m, err := p.Org.EnableMember(r.Context(), frame.Actor(r), r.PathValue("id"), 0)
	if err != nil {
		return err
	}
	return p.Done(w, r, "/settings/members", m.Name+" may sign in again")
}
