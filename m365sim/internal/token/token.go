package token

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"tcap.cloud/m365sim/internal/world"
)

// Why Verify refuses. A resource answers all of them with 401 InvalidAuthenticationToken (facts/entra.md §2.4), but words
// them differently.
var (
	ErrMalformed = errors.New("token is malformed")
	ErrSignature = errors.New("token signature is invalid")
	ErrExpired   = errors.New("token is expired")
	ErrNotYet    = errors.New("token is not valid yet")
	ErrAudience  = errors.New("token is for another audience")
	ErrTenant    = errors.New("token issuer does not match its tenant")
)

// Mint signs the claims with the world's newest key. Times left zero become now and now + Lifetime, an empty UniqueID a
// random one. It fails only when the world has no key or no randomness.
func Mint(w *world.World, c Claims) (string, error) {
	keys := w.SigningKeys()
	if len(keys) == 0 {
		return "", errors.New("minting a token: the world has no signing key")
	}
	if err := fill(w, &c); err != nil {
		return "", err
	}
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, toWire(c))
	t.Header["kid"] = keys[0].ID
	raw, err := t.SignedString(keys[0].Private)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return raw, nil
}

func fill(w *world.World, c *Claims) error {
	if c.IssuedAt.IsZero() {
		c.IssuedAt = w.Now()
	}
	if c.NotBefore.IsZero() {
		c.NotBefore = c.IssuedAt
	}
	if c.Expires.IsZero() {
		c.Expires = c.IssuedAt.Add(Lifetime)
	}
	if c.UniqueID == "" {
		var b [16]byte
		if _, err := rand.Read(b[:]); err != nil {
			return fmt.Errorf("choosing a token id: %w", err)
		}
		c.UniqueID = base64.RawURLEncoding.EncodeToString(b[:])
	}
	return nil
}

// Verify checks signature, times (on the world's clock), issuer and, when any is given, that the audience is one of
// those (a trailing slash and letter case aside). The error is one of this package's, wrapped. It does not ask whether
// the principal still exists; that is the resource's business.
func Verify(w *world.World, raw string, audience ...string) (Claims, error) {
	var body wire
	p := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(w.Now), jwt.WithExpirationRequired())
	if _, err := p.ParseWithClaims(raw, &body, keyOf(w)); err != nil {
		return Claims{}, classify(err)
	}
	c := fromWire(body)
	if c.Issuer != AccessIssuer(c.Tenant) && !strings.HasSuffix(c.Issuer, "/"+c.Tenant+"/v2.0") {
		return Claims{}, fmt.Errorf("verifying a token: %w", ErrTenant)
	}
	if len(audience) > 0 && !slices.ContainsFunc(audience, func(a string) bool { return sameAudience(a, c.Audience) }) {
		return Claims{}, fmt.Errorf("verifying a token for %q: %w", c.Audience, ErrAudience)
	}
	return c, nil
}

func keyOf(w *world.World) jwt.Keyfunc {
	return func(t *jwt.Token) (any, error) {
		for _, k := range w.SigningKeys() {
			if k.ID == t.Header["kid"] {
				return &k.Private.PublicKey, nil
			}
		}
		return nil, ErrSignature
	}
}

func classify(err error) error {
	kind := ErrMalformed
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid), errors.Is(err, jwt.ErrTokenUnverifiable):
		kind = ErrSignature
	case errors.Is(err, jwt.ErrTokenExpired):
		kind = ErrExpired
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		kind = ErrNotYet
	}
	return fmt.Errorf("verifying a token: %w", kind)
}

func sameAudience(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}
