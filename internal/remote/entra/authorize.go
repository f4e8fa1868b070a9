package entra

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"tcap.cloud/internal/remote/tenant"
)

// AuthorizeRequest is what a person is sent to sign in for. Tenant is a GUID, a domain, or `organizations`.
type AuthorizeRequest struct {
	Tenant, ClientID, RedirectURI string
	Scopes                        []string
	State, Nonce                  string
	// Challenge is of a PKCE pair, S256.
	Challenge string
	// Prompt is empty or one of login, none, consent, select_account: v2 has no others (facts/entra.md §1.3).
	Prompt string
	// LoginHint fills in the account.
	LoginHint string
	// ResponseType is `code` when empty; `code id_token` needs ID tokens ticked in the registration (AADSTS700054).
	ResponseType string
	// ResponseMode is `form_post` when empty: the code then stands in no URL, log or history.
	ResponseMode string
}

// AuthorizeURL is where to send the person's browser (v2 authorisation-code flow, facts/entra.md §1.3).
func AuthorizeURL(e tenant.Endpoints, r AuthorizeRequest) string {
	q := url.Values{
		"client_id":     {r.ClientID},
		"redirect_uri":  {r.RedirectURI},
		"response_type": {or(r.ResponseType, "code")},
		"response_mode": {or(r.ResponseMode, "form_post")},
		"scope":         {strings.Join(r.Scopes, " ")},
		"state":         {r.State},
	}
	optional(q, "nonce", r.Nonce)
	optional(q, "prompt", r.Prompt)
	optional(q, "login_hint", r.LoginHint)
	if r.Challenge != "" {
		q.Set("code_challenge", r.Challenge)
		q.Set("code_challenge_method", "S256") // without it the challenge is taken as plain
	}
	return e.BrowserAuthority() + "/" + url.PathEscape(r.Tenant) + "/oauth2/v2.0/authorize?" + q.Encode()
}

// AdminConsentURL is where an administrator consents for the whole organisation without signing in to us (v2 admin consent, facts/
// entra.md §1.1). Tenant is never `common`. The reply proves nothing: its tenant can be forged, and a failure says admin_consent=True too.
func AdminConsentURL(e tenant.Endpoints, tenantID, clientID, redirectURI string, scopes []string, state string) string {
	q := url.Values{
		"client_id": {clientID}, "redirect_uri": {redirectURI}, "scope": {strings.Join(scopes, " ")}, "state": {state},
	}
	return e.BrowserAuthority() + "/" + url.PathEscape(tenantID) + "/v2.0/adminconsent?" + q.Encode()
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func optional(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

// NewPKCE makes a verifier to keep and the challenge (S256) to send (RFC 7636).
func NewPKCE() (verifier tenant.Secret, challenge string) {
	text := NewRandom()
	return tenant.NewSecret(text), Challenge(text)
}

// Challenge is the S256 challenge of a verifier.
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// NewRandom is 256 bits of chance as 43 URL-safe characters, for state, nonce and verifier.
func NewRandom() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: the program ends instead
	return base64.RawURLEncoding.EncodeToString(b)
}
