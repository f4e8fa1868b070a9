package entra_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/world"
)

// certificate registers a certificate that is good for a year with the custom application.
func (l *lab) certificate() (*rsa.PrivateKey, *x509.Certificate) {
	l.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		l.t.Fatal(err)
	}
	now := l.w.Now()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "contoso.example"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		l.t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	l.custom.Certificates = []world.Certificate{{KeyID: uuid.NewString(), DER: der, End: cert.NotAfter}}
	l.put(l.custom)
	return key, cert
}

// assert signs an assertion; change alters it before.
func (l *lab) assert(key *rsa.PrivateKey, cert *x509.Certificate, change func(*jwt.Token, jwt.MapClaims)) string {
	l.t.Helper()
	now := l.w.Now()
	claims := jwt.MapClaims{
		"aud": l.srv.URL + "/" + l.contoso.TenantID + "/oauth2/v2.0/token", "iss": l.custom.AppID, "sub": l.custom.AppID,
		"jti": uuid.NewString(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}
	tok := jwt.NewWithClaims(jwt.SigningMethodPS256, claims)
	sum := sha256.Sum256(cert.Raw)
	tok.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(sum[:])
	if change != nil {
		change(tok, claims)
	}
	raw, err := tok.SignedString(key)
	if err != nil {
		l.t.Fatal(err)
	}
	return raw
}

func (l *lab) withAssertion(raw string) refusal {
	l.t.Helper()
	return l.token(l.contoso.TenantID, credentials(l.custom, "client_secret", "", "client_assertion", raw,
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
}

func TestACertificateProvesTheClientByEitherThumbprint(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key, cert := l.certificate()
	l.verify(l.withAssertion(l.assert(key, cert, nil)).Access, graph)
	old := l.assert(key, cert, func(tok *jwt.Token, c jwt.MapClaims) {
		sum := sha1.Sum(cert.Raw)
		tok.Method, tok.Header["alg"] = jwt.SigningMethodRS256, "RS256"
		delete(tok.Header, "x5t#S256")
		tok.Header["x5t"] = base64.URLEncoding.EncodeToString(sum[:])
		c["aud"] = l.srv.URL + "/" + l.contoso.TenantID + "/v2.0"
	})
	if c := l.verify(l.withAssertion(old).Access, graph); c.ClientAuth != "2" {
		t.Fatalf("appidacr %q", c.ClientAuth)
	}
}

func TestAssertionsAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key, cert := l.certificate()
	thief, _ := rsa.GenerateKey(rand.Reader, 2048)
	for name, c := range map[string]struct {
		key    *rsa.PrivateKey
		change func(*jwt.Token, jwt.MapClaims)
		code   int
	}{
		"another key":         {thief, nil, 700027},
		"another certificate": {key, func(tok *jwt.Token, _ jwt.MapClaims) { tok.Header["x5t#S256"] = "AAAA" }, 700027},
		"no thumbprint":       {key, func(tok *jwt.Token, _ jwt.MapClaims) { delete(tok.Header, "x5t#S256") }, 700027},
		"expired":             {key, func(_ *jwt.Token, c jwt.MapClaims) { c["exp"] = l.w.Now().Add(-time.Hour).Unix() }, 700024},
		"of tomorrow":         {key, func(_ *jwt.Token, c jwt.MapClaims) { c["nbf"] = l.w.Now().Add(time.Hour).Unix() }, 700024},
		"without end":         {key, func(_ *jwt.Token, c jwt.MapClaims) { delete(c, "exp") }, 700024},
		"for somebody else":   {key, func(_ *jwt.Token, c jwt.MapClaims) { c["aud"] = "https://contoso.example" }, 700023},
		"of another client":   {key, func(_ *jwt.Token, c jwt.MapClaims) { c["iss"], c["sub"] = "x", "x" }, 700021},
		"of a foreign issuer": {key, func(_ *jwt.Token, c jwt.MapClaims) { c["iss"] = "https://issuer.example" }, 70021},
	} {
		t.Run(name, func(t *testing.T) {
			kind := "invalid_client"
			status := 401
			if c.code == 70021 {
				kind, status = "invalid_grant", 400
			}
			sub := *l
			sub.t = t
			sub.refused(sub.withAssertion(sub.assert(c.key, cert, c.change)), c.code, kind, status)
		})
	}
	l.refused(l.withAssertion("nonsense"), 700027, "invalid_client", 401)
	good := l.assert(key, cert, nil)
	l.refused(l.token(l.contoso.TenantID, credentials(l.custom, "client_secret", "", "client_assertion", good)), 900144, "invalid_request", 400)
}

func TestAnExpiredCertificateIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key, cert := l.certificate()
	l.w.Advance(370 * 24 * time.Hour)
	l.refused(l.withAssertion(l.assert(key, cert, nil)), 700027, "invalid_client", 401)
}
