package entra

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"tcap.cloud/internal/remote/tenant"
)

// personalTenant is where personal Microsoft accounts live; a customer is never there (facts/entra.md §1.4).
const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// IDClaims is who signed in, from a verified ID token. TenantID with ObjectID is the identity; the rest is for display and never decides.
type IDClaims struct {
	TenantID, ObjectID string
	Name, UPN          string
	// Guest: the account's home is another tenant.
	Guest bool
	// Roles are the template ids of the person's directory roles where the token has them. A hint: they are often left out.
	Roles []string
}

// IDTokenError says which check an ID token failed. Nothing of the token is in its text.
type IDTokenError struct {
	// Check is one of malformed, algorithm, tenant, personal-account, issuer, key, signature, audience, expired, nonce, object.
	Check string
}

// Error names the check.
func (e *IDTokenError) Error() string { return "the ID token is not accepted: " + e.Check }

// VerifyIDToken checks signature, algorithm (RS256 alone), issuer (the authority with the token's own tenant), audience, times and
// nonce, and that the tenant is an organisation's. The tenant id is read before anything is verified, to find the issuer that the token
// must then have: Microsoft's issuer differs by tenant (facts/entra.md §1.4, §5). A check that fails is an *IDTokenError; keys that
// cannot be fetched are a *tenant.Refusal.
func (c *Client) VerifyIDToken(ctx context.Context, e tenant.Endpoints, raw tenant.Secret, clientID, wantNonce string) (IDClaims, error) {
	head, claims, err := peek(raw.Reveal())
	if err != nil {
		return IDClaims{}, err
	}
	issuer := e.Authority + "/" + claims.TenantID + "/v2.0"
	if err := checkIssuer(head, claims, issuer); err != nil {
		return IDClaims{}, err
	}
	key, err := c.signingKey(ctx, issuer, head.KeyID)
	if err != nil {
		return IDClaims{}, err
	}
	verifier := oidc.NewVerifier(issuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key}}, &oidc.Config{
		ClientID: clientID, SupportedSigningAlgs: []string{oidc.RS256}, Now: c.opts.Now,
	})
	token, err := verifier.Verify(ctx, raw.Reveal())
	if err != nil {
		return IDClaims{}, failedCheck(err, claims, clientID)
	}
	if wantNonce == "" || token.Nonce != wantNonce {
		return IDClaims{}, &IDTokenError{"nonce"}
	}
	if !guid.MatchString(claims.ObjectID) {
		return IDClaims{}, &IDTokenError{"object"}
	}
	return claims.identity(), nil
}

type jwtHead struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
}

type idClaims struct {
	Issuer   string          `json:"iss"`
	Audience json.RawMessage `json:"aud"`
	TenantID string          `json:"tid"`
	ObjectID string          `json:"oid"`
	Name     string          `json:"name"`
	UPN      string          `json:"preferred_username"`
	Provider string          `json:"idp"`
	Roles    []string        `json:"wids"`
}

func (c idClaims) identity() IDClaims {
	return IDClaims{
		TenantID: strings.ToLower(c.TenantID), ObjectID: strings.ToLower(c.ObjectID), Name: c.Name, UPN: c.UPN,
		Guest: c.Provider != "" && c.Provider != c.Issuer, Roles: c.Roles,
	}
}

// peek reads a token without believing it.
func peek(raw string) (head jwtHead, claims idClaims, err error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || peekPart(parts[0], &head) != nil || peekPart(parts[1], &claims) != nil {
		return head, claims, &IDTokenError{"malformed"}
	}
	return head, claims, nil
}

func peekPart(part string, into any) error {
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return errors.New("not base64url")
	}
	return json.Unmarshal(decoded, into)
}

func checkIssuer(head jwtHead, claims idClaims, issuer string) error {
	switch {
	case head.Algorithm != oidc.RS256:
		return &IDTokenError{"algorithm"}
	case !guid.MatchString(claims.TenantID):
		return &IDTokenError{"tenant"}
	case strings.EqualFold(claims.TenantID, personalTenant):
		return &IDTokenError{"personal-account"}
	case claims.Issuer != issuer:
		return &IDTokenError{"issuer"}
	}
	return nil
}

// failedCheck tells which check the library refused for, as its errors are texts: what can be asked again here is.
func failedCheck(err error, claims idClaims, clientID string) error {
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired), strings.Contains(err.Error(), "nbf"):
		return &IDTokenError{"expired"}
	case !strings.Contains(string(claims.Audience), fmt.Sprintf("%q", clientID)):
		return &IDTokenError{"audience"}
	}
	return &IDTokenError{"signature"}
}

// AppClaims are read from an application's access token without verifying it: hints for a diagnosis, never a ground for a decision. A
// token without ObjectID means that the tenant has no service principal (facts/entra.md §2.4).
type AppClaims struct {
	TenantID string   `json:"tid"`
	ObjectID string   `json:"oid"`
	Roles    []string `json:"roles"`
	WIDs     []string `json:"wids"`
}

// PeekAppToken reads the hints in an application's token; false where it is not of a kind that can be read.
func PeekAppToken(t tenant.Token) (AppClaims, bool) {
	parts := strings.Split(t.Value.Reveal(), ".")
	var claims AppClaims
	if len(parts) != 3 || peekPart(parts[1], &claims) != nil {
		return AppClaims{}, false
	}
	return claims, true
}
