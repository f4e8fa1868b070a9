package tenant

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"log/slog"
	"time"
)

const sealed = "[sealed]"

// Secret is a value that must never be printed. However it is formatted, logged or encoded it shows `[sealed]` (or, deep inside
// another value's %v, an address): the text sits behind a pointer, because fmt does not call String on unexported fields.
type Secret struct{ text *string }

// NewSecret keeps the text from being printed.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal is the text itself; for the one line that needs it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero tells whether there is no text.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String shows nothing of the text.
func (Secret) String() string { return sealed }

// GoString shows nothing of the text.
func (Secret) GoString() string { return sealed }

// LogValue shows nothing of the text.
func (Secret) LogValue() slog.Value { return slog.StringValue(sealed) }

// MarshalText shows nothing of the text, so that JSON does not either.
func (Secret) MarshalText() ([]byte, error) { return []byte(sealed), nil }

// Certificate is a certificate (leaf first) with its private key, which is never printed.
type Certificate struct{ pair *certificatePair }

type certificatePair struct {
	chain []*x509.Certificate
	key   crypto.PrivateKey
}

// NewCertificate keeps a chain, leaf first, with the leaf's private key.
func NewCertificate(chain []*x509.Certificate, key crypto.PrivateKey) Certificate {
	return Certificate{pair: &certificatePair{chain: chain, key: key}}
}

// Chain is the certificates, leaf first.
func (c Certificate) Chain() []*x509.Certificate {
	if c.pair == nil {
		return nil
	}
	return c.pair.chain
}

// Key is the private key of the leaf.
func (c Certificate) Key() crypto.PrivateKey {
	if c.pair == nil {
		return nil
	}
	return c.pair.key
}

// IsZero tells whether there is no certificate.
func (c Certificate) IsZero() bool { return len(c.Chain()) == 0 || c.Key() == nil }

// String shows nothing of the key.
func (Certificate) String() string { return sealed }

// Credential is how the application proves in a tenant that it is itself: with a secret or with a certificate. A certificate is used
// where both are there.
type Credential struct {
	AppID       string
	Secret      Secret
	Certificate Certificate
}

// Fingerprint tells two credentials apart without showing either; it lives in memory only.
func (c Credential) Fingerprint() string {
	h := sha256.New()
	h.Write([]byte(c.AppID + "\x00"))
	if c.Certificate.IsZero() {
		h.Write([]byte("secret\x00" + c.Secret.Reveal()))
	} else {
		h.Write([]byte("certificate\x00"))
		h.Write(c.Certificate.Chain()[0].Raw)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Token is an access token, opaque to us.
type Token struct {
	Value     Secret
	ExpiresAt time.Time
	// Scopes are the delegated permissions it carries; empty for an application's token.
	Scopes []string
}

// Credentials keeps the credential of each tenant's application. App is asked before each call, so it should answer from memory. Its
// error is handed to the caller as it is and is not an outcome of the tenant.
type Credentials interface {
	App(ctx context.Context, ref Ref) (Credential, error)
}

// Tokens gets access tokens for an application. A refusal is a *Refusal with SourceEntra. fresh passes every cache, also the one that
// remembers refusals.
type Tokens interface {
	AppToken(ctx context.Context, ref Ref, cred Credential, resource Resource, fresh bool) (Token, error)
}

// ChallengedTokens is a Tokens that can also answer a claims challenge (continuous access evaluation): claims is the decoded JSON
// that the resource asked for. Where a Tokens does not have it, a challenge is answered with a fresh token.
type ChallengedTokens interface {
	Tokens
	AppTokenFor(ctx context.Context, ref Ref, cred Credential, resource Resource, claims string) (Token, error)
}

// Outcome is what one call to a tenant came to, with all its retries.
type Outcome struct {
	At            time.Time
	Area          Area
	Write         bool
	CorrelationID string
	// Refusal is nil when the call was carried out.
	Refusal *Refusal
}

// Outcomes hears what each call of the application itself came to. Calls with a person's token, calls that the caller gave up, and
// calls for which there was no credential are not reported: they say nothing about what the application may do. Report must be
// quick; it is called on the caller's goroutine.
type Outcomes interface {
	Report(ctx context.Context, ref Ref, outcome Outcome)
}
