package entra

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// redeemCode exchanges a code. The code is used up by the exchange that succeeds, so that a client with a wrong secret may
// mend it and try again.
func (s *service) redeemCode(r *http.Request, p place, id string) (answer, *refusal) {
	raw := r.PostForm.Get("code")
	if raw == "" {
		return answer{}, missing("code")
	}
	var code codeTicket
	ok, err := s.w.PeekTicket(kindCode, raw, &code)
	if err != nil {
		return answer{}, internal(err)
	}
	if !ok {
		return answer{}, s.unknownCode(raw)
	}
	if no := wrongTenant(p, code); no != nil {
		return answer{}, no
	}
	c, no := s.findClient(r.Context(), code.Tenant, id)
	if no == nil {
		no = s.authenticate(r, place{segment: p.segment, tenant: code.Tenant}, &c)
	}
	if no == nil {
		no = s.checkCode(r, code)
	}
	if no != nil {
		return answer{}, no
	}
	scope := r.PostForm.Get("scope")
	if scope == "" {
		scope = code.Scope
	}
	out, no := s.personTokens(r, c, code.signedIn, scope, code.Nonce)
	if no != nil {
		return answer{}, no
	}
	taken, err := s.w.TakeTicket(r.Context(), kindCode, raw, &code)
	if err != nil {
		return answer{}, internal(err)
	}
	if !taken {
		return answer{}, s.unknownCode(raw)
	}
	return out, nil
}

func (s *service) unknownCode(raw string) *refusal {
	if ok, err := s.w.PeekTicket(kindIssued, raw, nil); err == nil && ok {
		return refuse(54005, "The OAuth2 authorization code was already redeemed. Please retry with a new valid code or use an existing refresh token.")
	}
	return refuse(70000, "The provided value for the 'code' parameter is not valid.")
}

// wrongTenant: a code is redeemed at the tenant it was issued for; one asked for at an alias also at that alias.
func wrongTenant(p place, code codeTicket) *refusal {
	if p.tenant == code.Tenant || p.alias() && p.segment == code.Segment {
		return nil
	}
	return refuse(700005, "The provided authorization code is intended to be used against another tenant, and thus rejected. It must be redeemed against the same tenant it was acquired for.")
}

func (s *service) checkCode(r *http.Request, code codeTicket) *refusal {
	switch {
	case !strings.EqualFold(code.AppID, clientID(r)):
		return refuse(70000, "The provided grant was issued to another client.")
	case !s.w.Now().Before(code.Expires):
		return refuse(70008, "The provided authorization code has expired. Send a new interactive authorization request.")
	case r.PostForm.Get("redirect_uri") != code.RedirectURI:
		return refuse(500112, "The reply address '%s' does not match the reply address '%s' provided when requesting the authorization code.", r.PostForm.Get("redirect_uri"), code.RedirectURI)
	case !provesKey(code, r.PostForm.Get("code_verifier")):
		return refuse(501481, "The code_verifier does not match the code_challenge supplied in the authorization request.")
	}
	return nil
}

// provesKey checks the verifier against the challenge (RFC 7636 §4.6).
func provesKey(code codeTicket, verifier string) bool {
	if code.Challenge == "" || verifier == "" {
		return code.Challenge == verifier
	}
	derived := verifier
	if code.Method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		derived = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(derived), []byte(code.Challenge)) == 1
}

// refresh exchanges a refresh token for new tokens.
func (s *service) refresh(r *http.Request, p place, id string) (answer, *refusal) {
	raw := r.PostForm.Get("refresh_token")
	if raw == "" {
		return answer{}, missing("refresh_token")
	}
	var held refreshTicket
	ok, err := s.w.PeekTicket(kindRefresh, raw, &held)
	switch {
	case err != nil:
		return answer{}, internal(err)
	case !ok:
		return answer{}, refuse(70000, "The provided value for the 'refresh_token' parameter is not valid.")
	case !p.alias() && p.tenant != held.Tenant:
		return answer{}, refuse(700005, "The provided refresh token is intended to be used against another tenant, and thus rejected.")
	}
	c, no := s.findClient(r.Context(), held.Tenant, id)
	if no == nil {
		no = s.authenticate(r, place{segment: p.segment, tenant: held.Tenant}, &c)
	}
	switch {
	case no != nil:
		return answer{}, no
	case !strings.EqualFold(held.AppID, id):
		return answer{}, refuse(70000, "The provided grant was issued to another client.")
	case !s.w.Now().Before(held.Expires):
		return answer{}, refuse(700082, "The refresh token has expired due to inactivity.")
	}
	scope := r.PostForm.Get("scope")
	if scope == "" {
		scope = held.Scope
	} else if !slices.Contains(strings.Fields(scope), "offline_access") {
		scope += " offline_access" // a refresh always renews the refresh token
	}
	return s.personTokens(r, c, held.signedIn, scope, "")
}

// password is the resource owner's password grant. It never shows a page, so a missing consent and a required second
// factor are refusals (65001, 50076).
func (s *service) password(r *http.Request, p place, id string) (answer, *refusal) {
	name := r.PostForm.Get("username")
	if name == "" {
		return answer{}, missing("username")
	}
	who, no := s.signIn(p, name, r.PostForm.Get("password"))
	if no != nil {
		return answer{}, no
	}
	c, no := s.findClient(r.Context(), who.Tenant, id)
	if no == nil {
		no = s.authenticate(r, place{segment: p.segment, tenant: who.Tenant}, &c)
	}
	if no != nil {
		return answer{}, no
	}
	who.MFA = false
	return s.personTokens(r, c, who, r.PostForm.Get("scope"), "")
}
