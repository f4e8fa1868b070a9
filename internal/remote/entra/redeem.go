package entra

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tcap.cloud/internal/remote/tenant"
)

const maxTokenBody = 1 << 20

// RedeemRequest is a code that came back from AuthorizeURL. Tenant must be the one that the code was asked from (AADSTS700005).
type RedeemRequest struct {
	Tenant      string
	Credential  tenant.Credential
	Code        tenant.Secret
	Verifier    tenant.Secret
	RedirectURI string
	// Scopes may be empty: those of the authorise request then.
	Scopes []string
}

// SignedIn is what a code was redeemed for: a person's token, and the ID token, not yet verified.
type SignedIn struct {
	Token   tenant.Token
	IDToken tenant.Secret
}

// Redeem turns a code into a person's token. A code is good for one use and about ten minutes: Redeem never tries twice, and a lost
// answer comes back as Maybe, after which the person has to sign in again. A refresh token is not kept.
func (c *Client) Redeem(ctx context.Context, e tenant.Endpoints, r RedeemRequest) (SignedIn, error) {
	address := e.Authority + "/" + url.PathEscape(r.Tenant) + "/oauth2/v2.0/token"
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {r.Credential.AppID}, "code": {r.Code.Reveal()},
		"redirect_uri": {r.RedirectURI}, "code_verifier": {r.Verifier.Reveal()},
	}
	optional(form, "scope", strings.Join(r.Scopes, " "))
	if err := c.prove(form, address, r.Credential); err != nil {
		return SignedIn{}, err
	}
	ctx2, cancel := c.within(ctx)
	defer cancel()
	resp, err := c.post(ctx2, address, form)
	if err != nil {
		return SignedIn{}, c.lostCode(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return SignedIn{}, decodeAnswer(resp, c.opts.Now(), true)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenBody))
	if err != nil {
		return SignedIn{}, c.lostCode(ctx, err)
	}
	return c.readTokens(raw)
}

func (c *Client) post(ctx context.Context, address string, form url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.opts.UserAgent)
	return c.http.Do(req)
}

func (c *Client) lostCode(ctx context.Context, err error) error {
	r := unreachable(err)
	r.Maybe = true
	if ctx.Err() != nil {
		return r.WithCause(ctx.Err())
	}
	return r
}

func (c *Client) readTokens(raw []byte) (SignedIn, error) {
	var body struct {
		AccessToken string      `json:"access_token"`
		IDToken     string      `json:"id_token"`
		ExpiresIn   json.Number `json:"expires_in"`
		Scope       string      `json:"scope"`
	}
	if json.Unmarshal(raw, &body) != nil || body.AccessToken == "" { // the parser's text may quote what it read
		return SignedIn{}, &tenant.Refusal{
			Class: tenant.Ours, Source: tenant.SourceEntra, Code: "sign-in-unreadable", Status: http.StatusOK, Message: "Microsoft's answer was not understood",
			Remedy: "Report it.", Maybe: true,
		}
	}
	seconds, err := body.ExpiresIn.Int64()
	if err != nil || seconds <= 0 {
		seconds = 0 // not believed to last
	}
	return SignedIn{
		Token: tenant.Token{
			Value: tenant.NewSecret(body.AccessToken), Scopes: strings.Fields(body.Scope),
			ExpiresAt: c.opts.Now().Add(time.Duration(seconds) * time.Second),
		},
		IDToken: tenant.NewSecret(body.IDToken),
	}, nil
}

// prove adds the secret, or an assertion signed with the certificate, to the form.
func (c *Client) prove(form url.Values, audience string, cred tenant.Credential) error {
	switch {
	case !cred.Certificate.IsZero():
		assertion, err := assertion(cred, audience, c.opts.Now())
		if err != nil {
			return local("credential-unusable", "The certificate's key cannot sign", "Upload a certificate with an RSA key.")
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	case !cred.Secret.IsZero():
		form.Set("client_secret", cred.Secret.Reveal())
	default:
		return local("credential-missing", "There is neither a secret nor a certificate", "Enter a secret or upload a certificate.")
	}
	return nil
}

// assertion is the signed statement that stands for a secret (Microsoft's page "Application authentication certificate credentials":
// PS256, x5t#S256, a lifetime of minutes).
func assertion(cred tenant.Credential, audience string, now time.Time) (string, error) {
	method, err := signingMethod(cred.Certificate.Key())
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(method, jwt.MapClaims{
		"aud": audience, "iss": cred.AppID, "sub": cred.AppID, "jti": NewRandom(),
		"nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	})
	thumbprint := sha256.Sum256(cred.Certificate.Chain()[0].Raw)
	token.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(thumbprint[:])
	return token.SignedString(cred.Certificate.Key())
}

func signingMethod(key crypto.PrivateKey) (jwt.SigningMethod, error) {
	switch key.(type) {
	case *rsa.PrivateKey:
		return jwt.SigningMethodPS256, nil
	case *ecdsa.PrivateKey:
		return nil, errors.New("only RSA keys are taken by Entra ID")
	}
	return nil, errors.New("the key is of an unknown kind")
}
