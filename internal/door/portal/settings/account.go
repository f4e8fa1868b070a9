package settings

import (
	"encoding/base64"
	"net/http"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/passkey"
	"tcap.cloud/internal/door/portal/ui"
)

// accountView is a person's own account.
type accountView struct {
	who      access.Actor
	member   *org.Member // nil for somebody without an account: a key, an onboarding link
	passkeys []org.Passkey
	password frame.Form
	problem  *ui.ProblemView
	tabs     []ui.Tab
	frame    *frame.Frame
}

func (p pages) account(w http.ResponseWriter, r *http.Request) error {
	return p.drawAccount(w, r, http.StatusOK, accountView{password: frame.NewForm()})
}

func (p pages) drawAccount(w http.ResponseWriter, r *http.Request, status int, v accountView) error {
	v.who, v.tabs, v.frame = frame.Actor(r), tabs(r, "My account"), p.Frame
	if v.who.Kind == org.KindMember {
		m, err := p.Org.Member(r.Context(), v.who, v.who.ID)
		if err != nil {
			return err
		}
		if v.passkeys, err = p.Org.Passkeys(r.Context(), v.who, m.ID); err != nil {
			return err
		}
		v.member = &m
	}
	return p.Render(w, r, status, p.page(r, "My account", "/settings/account"), accountPage(v))
}

// setPassword asks for the present one first, where there is one, and begins a new session: the room ends all others.
func (p pages) setPassword(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	who := frame.Actor(r)
	m, err := p.Org.Member(r.Context(), who, who.ID)
	if err != nil {
		return err
	}
	if form.Values.Get("password") != form.Values.Get("repeat") {
		form.Mark("repeat", "This is not what was typed above.")
		return p.drawAccount(w, r, http.StatusUnprocessableEntity, accountView{password: form})
	}
	if m.HasPassword {
		if _, err := p.Org.SignInWithPassword(r.Context(), m.Email, form.Values.Get("current")); err != nil {
			if fault.KindOf(err) != fault.Unauthenticated {
				return err
			}
			form.Mark("current", "This is not your password.")
			return p.drawAccount(w, r, http.StatusUnprocessableEntity, accountView{password: form})
		}
	}
	if err := p.Org.SetPassword(r.Context(), who, m.ID, form.Values.Get("password")); err != nil {
		if !form.Reject(err, "password") {
			return err
		}
		return p.drawAccount(w, r, frame.StatusOf(err), accountView{password: form})
	}
	return p.SignIn(w, r, who, "/settings/account")
}

func (p pages) beginPasskey(w http.ResponseWriter, r *http.Request) error {
	prompt, err := passkey.BeginAdd(r.Context(), p.Frame, frame.Actor(r))
	if err != nil {
		return err
	}
	return passkey.Answer(w, prompt)
}

func (p pages) addPasskey(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(form.Get("name"))
	if name == "" {
		name = "Passkey"
	}
	if err := passkey.Add(r.Context(), p.Frame, frame.Actor(r), form.Get("ceremony"), form.Get("response"), name); err != nil {
		if !frame.Again(err) && fault.KindOf(err) != fault.Unauthenticated {
			return err
		}
		problem := frame.ProblemOf(err)
		return p.drawAccount(w, r, frame.StatusOf(err), accountView{password: frame.NewForm(), problem: &problem})
	}
	return p.Done(w, r, "/settings/account", "Passkey added")
}

func (p pages) deletePasskey(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	id, err := base64.RawURLEncoding.DecodeString(form.Get("id"))
	if err != nil {
		return fault.Missing("passkey").Because(err)
	}
	if err := p.Org.DeletePasskey(r.Context(), frame.Actor(r), frame.Actor(r).ID, id); err != nil {
		return err
	}
	return p.Done(w, r, "/settings/account", "Passkey removed")
}
