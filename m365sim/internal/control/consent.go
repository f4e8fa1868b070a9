package control

import (
	"errors"
	"net/http"
	"net/url"
)

// maxPages bounds how many pages the played browser goes through.
const maxPages = 12

// errPassword says that the sign-in page refused the person.
var errPassword = errors.New("wrong user name or password")

// played is the person whose browser POST /_sim/consent plays.
type played struct {
	AuthorizeURL string `json:"authorizeUrl"`
	UPN          string `json:"upn"`
	Password     string `json:"password"`
	Decision     string `json:"decision"`
}

// reply is what the browser would send to the application in the end; or, with URL null, the page it was left on.
type reply struct {
	Method string            `json:"method,omitempty"`
	URL    *string           `json:"url"`
	Form   map[string]string `json:"form,omitempty"`
	Page   *shownPage        `json:"page,omitempty"`
}

// shownPage is a page of Microsoft's own; Code is the AADSTS code, "" when it shows none.
type shownPage struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// consent plays the browser of somebody who signs in and decides, against the very pages people see.
func (s *service) consent(w http.ResponseWriter, r *http.Request) {
	var p played
	if err := read(r, &p); err != nil {
		fail(w, err)
		return
	}
	if err := p.check(); err != nil {
		fail(w, err)
		return
	}
	got, err := p.play(newBrowser(r.Context(), s.login, p.AuthorizeURL))
	switch {
	case errors.Is(err, errPassword):
		refuse(w, http.StatusUnauthorized, "WrongPassword", "The sign-in page refused %s or the password.", p.UPN)
	case err != nil:
		fail(w, err)
	default:
		write(w, http.StatusOK, got)
	}
}

func (p played) check() error {
	u, err := url.Parse(p.AuthorizeURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return badRequest("authorizeUrl must be the whole address of an authorize or adminconsent page.")
	}
	switch p.Decision {
	case "accept", "accept-for-me", "cancel":
		return nil
	}
	return badRequest("decision is %q: it is accept, accept-for-me or cancel.", p.Decision)
}

// play goes from page to page until the browser leaves the login service or there is nothing to fill in any more.
func (p played) play(b *browser) (reply, error) {
	if err := b.get(p.AuthorizeURL); err != nil {
		return reply{}, err
	}
	for range maxPages {
		if b.location != "" {
			if b.leaves(b.location) {
				return reply{Method: http.MethodGet, URL: &b.location, Form: map[string]string{}}, nil
			}
			if err := b.get(b.location); err != nil {
				return reply{}, err
			}
			continue
		}
		got, done, err := p.fill(b)
		if done || err != nil {
			return got, err
		}
	}
	return reply{}, badRequest("The pages did not come to an end.")
}

// fill does what the person does on the page shown; done says that it is the last one.
func (p played) fill(b *browser) (got reply, done bool, err error) {
	page := b.page
	f := page.form
	switch {
	case f == nil:
		return reply{Page: &shownPage{page.code(), page.text()}}, true, nil
	case b.leaves(f.action):
		return reply{Method: f.method, URL: &f.action, Form: f.hidden()}, true, nil
	case f.has("password"):
		switch page.dataCode {
		case "":
			return got, false, b.submit(f, map[string]string{"upn": p.UPN, "password": p.Password})
		case "50126", "50034":
			return got, true, errPassword
		}
		return reply{Page: &shownPage{page.code(), page.text()}}, true, nil
	case f.offers("decision", p.Decision):
		return got, false, b.submit(f, map[string]string{"decision": p.Decision})
	case p.Decision == "accept" && f.offers("decision", "accept-for-me"): // all that the button of an ordinary user means
		return got, false, b.submit(f, map[string]string{"decision": "accept-for-me"})
	case len(f.buttons["decision"]) > 0:
		return got, true, badRequest("The page does not offer %s; it offers %v.", p.Decision, f.buttons["decision"])
	default:
		return reply{Page: &shownPage{page.code(), page.text()}}, true, nil
	}
}
