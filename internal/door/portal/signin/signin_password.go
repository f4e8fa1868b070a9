package signin

import (
	"net/http"

	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/passkey"
)

// password signs in by address and password.
func (p pages) password(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	who, err := p.Org.SignInWithPassword(r.Context(), form.Get("email"), form.Values.Get("password"))
	if err != nil {
		v := view{password: form, key: frame.NewForm(), returnTo: form.Get("return_to")}
		return p.again(w, r, &v, &v.password, err)
	}
	return p.SignIn(w, r, who, form.Get("return_to"))
}

// key signs in the holder of an API key, with the key's own scope and role.
func (p pages) key(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	who, err := p.Org.Authenticate(r.Context(), form.Get("key"))
	if err != nil {
		v := view{password: frame.NewForm(), key: form, returnTo: form.Get("return_to")}
		return p.again(w, r, &v, &v.key, err)
	}
	return p.SignIn(w, r, who, form.Get("return_to"))
}

// passkeyBegin answers a prompt to the page's script.
func (p pages) passkeyBegin(w http.ResponseWriter, r *http.Request) error {
	prompt, err := passkey.BeginSignIn(r.Context(), p.Frame)
	if err != nil {
		return err
	}
	return passkey.Answer(w, prompt)
}

// passkey signs in with what the browser answered to the prompt.
func (p pages) passkey(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	who, err := passkey.SignIn(r.Context(), p.Frame, form.Get("ceremony"), form.Get("response"))
	if err != nil {
		v := view{password: frame.NewForm(), key: frame.NewForm(), returnTo: form.Get("return_to")}
		return p.again(w, r, &v, &v.password, err)
	}
	return p.SignIn(w, r, who, form.Get("return_to"))
}
