package entra

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// signInStep checks the name and password of the sign-in page. What the person can mend brings the page back.
func (x exchange) signInStep(f flow) {
	who, no := x.s.signIn(f.place(), x.r.PostForm.Get("upn"), x.r.PostForm.Get("password"))
	if no != nil {
		x.signInPage(f, no)
		return
	}
	f.Who = who
	if !x.keep(f) {
		return
	}
	x.remember(who)
	x.proceed(f)
}

// signIn finds the person in the tenant of the name's domain and checks the password. Refusals: 50034 unknown, 50057
// disabled, 50126 wrong password, 50020 somebody of another tenant than the path's.
func (s *service) signIn(p place, upn, password string) (signedIn, *refusal) {
	upn = strings.TrimSpace(upn)
	_, domain, _ := strings.Cut(upn, "@")
	home, ok := s.w.FindTenant(domain)
	if domain == "" || !ok {
		return signedIn{}, unknownUser(upn)
	}
	var u world.User
	var where string
	mfa := false
	err := s.w.View(home, func(t *world.Tenant) error {
		u, ok = t.UserByName(upn)
		where, mfa = t.Name, t.RequireMFA
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, world.ErrNoTenant):
		return signedIn{}, internal(err)
	case err != nil || !ok:
		return signedIn{}, unknownUser(upn)
	case !u.AccountEnabled:
		return signedIn{}, refuse(50057, "The user account is disabled.")
	case u.Password == "" || subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) != 1:
		return signedIn{}, refuse(50126, "Error validating credentials due to invalid username or password.")
	case !p.alias() && p.tenant != home:
		return signedIn{}, refuse(50020, "User account '%s' of '%s' does not exist in the tenant '%s' and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first.", upn, where, p.tenant)
	}
	return signedIn{Tenant: home, User: u.ID, Mark: passwordMark(u), MFA: mfa}, nil
}

func unknownUser(upn string) *refusal {
	return refuse(50034, "The user account %s does not exist in the directory. To sign into this application, the account must be added to the directory.", upn)
}

// sessionCookie names the browser's sign-in. SameSite=None, because applications send people here from anywhere.
const sessionCookie = "ESTSAUTHPERSISTENT"

func (x exchange) remember(who signedIn) {
	id := opaque("s.")
	if err := x.s.w.PutTicket(x.r.Context(), kindSession, id, who, sessionLife); err != nil {
		return // only convenience is lost: the next request shows the sign-in page
	}
	http.SetCookie(x.w, &http.Cookie{Name: sessionCookie, Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode})
}

// session is the person this browser has signed in, when the request accepts that: no prompt that asks for the page, the
// same tenant, the same name if one is hinted at, and still welcome.
func (x exchange) session(q request) (signedIn, bool) {
	c, err := x.r.Cookie(sessionCookie)
	if err != nil || q.Prompt == "login" || q.Prompt == "select_account" {
		return signedIn{}, false
	}
	var who signedIn
	if ok, err := x.s.w.PeekTicket(kindSession, c.Value, &who); err != nil || !ok {
		return signedIn{}, false
	}
	if q.Tenant != "" && q.Tenant != who.Tenant {
		return signedIn{}, false
	}
	good := false
	err = x.s.w.View(who.Tenant, func(t *world.Tenant) error {
		u, ok := t.Users.Get(who.User)
		good = ok && u.AccountEnabled && passwordMark(u) == who.Mark && (who.MFA || !t.RequireMFA) &&
			(q.Hint == "" || strings.EqualFold(q.Hint, u.UserPrincipalName))
		return nil
	})
	return who, err == nil && good
}

// logout forgets the browser's sign-in and returns to the address given, when some application has
// registered it.
func (s *service) logout(w http.ResponseWriter, r *http.Request) {
	x := s.exchange(w, r)
	if _, no := s.findPlace(r); no != nil {
		x.dead(no)
		return
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		if _, err := s.w.TakeTicket(r.Context(), kindSession, c.Value, nil); err != nil {
			x.dead(internal(err))
			return
		}
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode, MaxAge: -1})
	to := r.URL.Query().Get("post_logout_redirect_uri")
	known := slices.ContainsFunc(s.w.Apps(), func(a world.App) bool { return slices.Contains(a.RedirectURIs, to) })
	if known {
		http.Redirect(w, r, to, http.StatusFound)
		return
	}
	x.page("signed-out", http.StatusOK, view{Title: "You signed out of your account", Text: "It is a good idea to close all browser windows."})
}
