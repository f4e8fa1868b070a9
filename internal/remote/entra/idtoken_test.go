package entra_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
)

const (
	oid   = "99999999-2222-3333-4444-555555555555"
	nonce = "the-nonce"
)

func (s *sts) issuer() string { return s.server.URL + "/login/" + tid + "/v2.0" }

// claims are those of facts/entra.md §1.4, with changes; a nil takes one away.
func (s *sts) claims(change jwt.MapClaims) jwt.MapClaims {
	all := jwt.MapClaims{
		"iss": s.issuer(), "aud": appID, "tid": tid, "oid": oid, "sub": "sub", "nonce": nonce, "name": "Ana", "preferred_username": "ana@contoso.example",
		"iat": s.time().Unix(), "nbf": s.time().Unix(), "exp": s.time().Add(time.Hour).Unix(), "ver": "2.0",
	}
	for name, value := range change {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

func verify(t *testing.T, s *sts, c *entra.Client, raw tenant.Secret) (entra.IDClaims, error) {
	t.Helper()
	return c.VerifyIDToken(t.Context(), s.endpoints(), raw, appID, nonce)
}

func mustFail(t *testing.T, err error, check string) {
	t.Helper()
	var failed *entra.IDTokenError
	if !errors.As(err, &failed) || failed.Check != check {
		t.Errorf("%v, wanted the check %q to fail", err, check)
	}
}

func TestAnIDTokenIsVerified(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	key := newSigner(t, "k1")
	s.publish(key.published(s.server.URL + "/login/{tenantid}/v2.0"))
	got, err := verify(t, s, c, key.sign(t, jwt.SigningMethodRS256, key.key, s.claims(jwt.MapClaims{"wids": []string{"w"}})))
	if err != nil || got.TenantID != tid || got.ObjectID != oid || got.Name != "Ana" || got.UPN != "ana@contoso.example" || got.Guest || len(got.Roles) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	guest, err := verify(t, s, c, key.sign(t, jwt.SigningMethodRS256, key.key, s.claims(jwt.MapClaims{"idp": "https://sts.example/other/"})))
	if err != nil || !guest.Guest {
		t.Errorf("%+v, %v", guest, err)
	}
	if len(s.paths) != 2 {
		t.Errorf("the keys were asked for again: %v", s.paths)
	}
}

func TestAnIDTokenIsRefused(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	key := newSigner(t, "k1")
	s.publish(key.published(""))
	const other = "77777777-2222-3333-4444-555555555555"
	const personal = "9188040d-6c67-4c5b-b112-36a304b66dad"
	for name, f := range map[string]struct {
		change jwt.MapClaims
		check  string
	}{
		"wrong audience":    {jwt.MapClaims{"aud": "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"}, "audience"},
		"no audience":       {jwt.MapClaims{"aud": nil}, "audience"},
		"wrong issuer":      {jwt.MapClaims{"iss": "https://login.fabrikam.example/" + tid + "/v2.0"}, "issuer"},
		"another's issuer":  {jwt.MapClaims{"iss": s.server.URL + "/login/" + other + "/v2.0"}, "issuer"},
		"wrong tenant":      {jwt.MapClaims{"tid": other}, "issuer"},
		"tenant is no GUID": {jwt.MapClaims{"tid": "organizations", "iss": s.server.URL + "/login/organizations/v2.0"}, "tenant"},
		"tenant climbs":     {jwt.MapClaims{"tid": "../evil", "iss": s.server.URL + "/login/../evil/v2.0"}, "tenant"},
		"no tenant":         {jwt.MapClaims{"tid": nil}, "tenant"},
		"personal account":  {jwt.MapClaims{"tid": personal, "iss": s.server.URL + "/login/" + personal + "/v2.0"}, "personal-account"},
		"version 1 issuer":  {jwt.MapClaims{"iss": "https://sts.windows.net/" + tid + "/"}, "issuer"},
		"wrong nonce":       {jwt.MapClaims{"nonce": "another"}, "nonce"},
		"no nonce":          {jwt.MapClaims{"nonce": nil}, "nonce"},
		"expired":           {jwt.MapClaims{"exp": s.time().Add(-time.Second).Unix()}, "expired"},
		"not yet valid":     {jwt.MapClaims{"nbf": s.time().Add(time.Hour).Unix()}, "expired"},
		"no object id":      {jwt.MapClaims{"oid": nil}, "object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verify(t, s, c, key.sign(t, jwt.SigningMethodRS256, key.key, s.claims(f.change)))
			mustFail(t, err, f.check)
		})
	}
}

func TestAnIDTokenSignedInAnotherWayIsRefused(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	key, stranger := newSigner(t, "k1"), newSigner(t, "k1")
	s.publish(key.published(""))
	for name, f := range map[string]struct {
		raw   tenant.Secret
		check string
	}{
		"no algorithm":        {key.sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, s.claims(nil)), "algorithm"},
		"symmetric":           {key.sign(t, jwt.SigningMethodHS256, key.key.N.Bytes(), s.claims(nil)), "algorithm"},
		"RS384":               {key.sign(t, jwt.SigningMethodRS384, key.key, s.claims(nil)), "algorithm"},
		"another key, its id": {stranger.sign(t, jwt.SigningMethodRS256, stranger.key, s.claims(nil)), "signature"},
		"not a token":         {tenant.NewSecret("hello"), "malformed"},
		"two parts":           {tenant.NewSecret("e30.e30"), "malformed"},
		"nothing":             {tenant.Secret{}, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verify(t, s, c, f.raw)
			mustFail(t, err, f.check)
		})
	}
}

func TestAnUnknownKeyIsAskedForButNotTooOften(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	old, next := newSigner(t, "old"), newSigner(t, "next")
	s.publish(old.published(""))
	sign := func(k signer) tenant.Secret { return k.sign(t, jwt.SigningMethodRS256, k.key, s.claims(nil)) }
	if _, err := verify(t, s, c, sign(old)); err != nil {
		t.Fatal(err)
	}
	_, err := verify(t, s, c, sign(next))
	mustFail(t, err, "key")
	if asked := len(s.paths); asked != 2 {
		t.Errorf("%d requests within the pause", asked)
	}
	s.publish(old.published(""), next.published(""))
	s.later(11 * time.Second)
	if _, err := verify(t, s, c, sign(next)); err != nil {
		t.Errorf("the keys were not asked for again: %v", err)
	}
	s.publish(next.published(""))
	s.later(25 * time.Hour)
	_, err = verify(t, s, c, sign(old))
	mustFail(t, err, "key")
}

func TestAKeyOfAnotherIssuerDoesNotSignHere(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	key := newSigner(t, "consumer")
	for _, issuer := range []string{s.server.URL + "/login/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "https://fabrikam.example/{tenantid}/v2.0"} {
		s.publish(key.published(issuer))
		s.later(time.Minute)
		_, err := verify(t, s, c, key.sign(t, jwt.SigningMethodRS256, key.key, s.claims(nil)))
		mustFail(t, err, "key")
	}
}

func TestKeysThatCannotBeFetchedAreNoFaultOfTheToken(t *testing.T) {
	t.Parallel()
	s, c := newSTS(t)
	key := newSigner(t, "k1")
	raw := key.sign(t, jwt.SigningMethodRS256, key.key, s.claims(nil))
	s.meta = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }
	_, err := verify(t, s, c, raw)
	if tenant.ClassOf(err) != tenant.Transient {
		t.Error(err)
	}
	s.meta = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"issuer":"` + s.issuer() + `","jwks_uri":"https://fabrikam.example/keys"}`))
	}
	_, err = verify(t, s, c, raw)
	mustFail(t, err, "issuer")
	s.server.Close()
	if _, err = verify(t, s, c, raw); tenant.ClassOf(err) != tenant.Network {
		t.Error(err)
	}
}

func TestHintsOfAnAppToken(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "k1")
	raw := key.sign(t, jwt.SigningMethodRS256, key.key, jwt.MapClaims{"tid": tid, "roles": []string{"Reports.Read.All"}, "wids": []string{"w"}})
	if got, ok := entra.PeekAppToken(tenant.Token{Value: raw}); !ok || got.ObjectID != "" || got.Roles[0] != "Reports.Read.All" || got.WIDs[0] != "w" {
		t.Errorf("%+v", got)
	}
	if _, ok := entra.PeekAppToken(tenant.Token{Value: tenant.NewSecret("opaque")}); ok {
		t.Error("an opaque token was read")
	}
}
