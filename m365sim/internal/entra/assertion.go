package entra

import (
	"crypto/sha1" // #nosec G505 -- x5t is SHA-1 by definition (RFC 7515 §4.1.7)
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"tcap.cloud/m365sim/internal/world"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// checkAssertion checks a client assertion signed with one of the registration's certificates. Refusals: 700027 unknown
// or expired certificate or bad signature, 700024 outside its time, 700023 for somebody else, 700021 of another client,
// 70021 of a foreign issuer (federated credentials are not modelled).
func (s *service) checkAssertion(r *http.Request, p place, app world.App, raw string) *refusal {
	if r.PostForm.Get("client_assertion_type") != assertionType {
		return refuse(900144, "The request body must contain the parameter 'client_assertion_type' with the value '%s'.", assertionType)
	}
	var claims jwt.RegisteredClaims
	head, _, err := jwt.NewParser().ParseUnverified(raw, &claims)
	if err != nil {
		return refuse(700027, "The client assertion is not a well-formed token.")
	}
	if !strings.EqualFold(claims.Issuer, claims.Subject) {
		return refuse(70021, "No matching federated identity record found for the presented assertion.")
	}
	if !strings.EqualFold(claims.Issuer, app.AppID) {
		return refuse(700021, "The client assertion's application identifier does not match the 'client_id' parameter.")
	}
	cert, no := s.certificate(app, head.Header)
	if no != nil {
		return no
	}
	claims = jwt.RegisteredClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithTimeFunc(s.w.Now), jwt.WithExpirationRequired())
	_, err = parser.ParseWithClaims(raw, &claims, func(*jwt.Token) (any, error) { return cert.PublicKey, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return refuse(700024, "The client assertion is not within its valid time range.")
	case err != nil:
		return refuse(700027, "The client assertion failed signature validation.")
	case !s.meantForUs(r, p, claims.Audience):
		return refuse(700023, "The client assertion's audience does not match the realm issuer.")
	}
	return nil
}

// certificate finds the registered certificate that the header's thumbprint names.
func (s *service) certificate(app world.App, header map[string]any) (*x509.Certificate, *refusal) {
	x5t, _ := header["x5t"].(string)
	x5t256, _ := header["x5t#S256"].(string)
	for _, known := range app.Certificates {
		one, two := sha1.Sum(known.DER), sha256.Sum256(known.DER) // #nosec G401 -- as above
		if !sameThumb(x5t, one[:]) && !sameThumb(x5t256, two[:]) {
			continue
		}
		cert, err := x509.ParseCertificate(known.DER)
		if err != nil {
			return nil, refuse(700027, "The registered certificate could not be read.")
		}
		now := s.w.Now()
		if now.After(cert.NotAfter) || !known.End.IsZero() && !now.Before(known.End) {
			return nil, refuse(700027, "The certificate with identifier used to sign the client assertion is expired on application.")
		}
		return cert, nil
	}
	return nil, refuse(700027, "The certificate used to sign the client assertion is not registered on application.")
}

// sameThumb compares a header's thumbprint in either base64 alphabet, padded or not: Microsoft's own Go library writes
// the standard one where RFC 7515 asks for base64url, and Microsoft takes both.
func sameThumb(said string, sum []byte) bool {
	said = strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(said)
	return said != "" && said == base64.RawURLEncoding.EncodeToString(sum)
}

// meantForUs accepts the token endpoint and the issuer, by the tenant's id or as the path spelt it.
func (s *service) meantForUs(r *http.Request, p place, audience []string) bool {
	for _, tenant := range []string{p.tenant, r.PathValue("tenant")} {
		root := base(r) + "/" + tenant
		for _, ok := range []string{root + "/oauth2/v2.0/token", root + "/oauth2/token", root + "/v2.0", root + "/"} {
			if slices.ContainsFunc(audience, func(a string) bool { return strings.EqualFold(a, ok) }) {
				return true
			}
		}
	}
	return false
}
