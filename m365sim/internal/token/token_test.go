package token_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

const tenant = "11111111-2222-4333-8444-555555555555"

func newWorld(t *testing.T) *world.World {
	t.Helper()
	w, err := world.New(world.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func appClaims() token.Claims {
	return token.Claims{
		Audience: "https://graph.microsoft.com", Issuer: token.AccessIssuer(tenant), Tenant: tenant, AppID: "app", ObjectID: "sp",
		Subject: "sp", Roles: []string{"User.ReadWrite.All"}, RoleIDs: []string{world.RoleTeamsAdministrator}, AppOnly: true, Name: "Contoso Calling",
	}
}

func mint(t *testing.T, w *world.World, c token.Claims) string {
	t.Helper()
	raw, err := token.Mint(w, c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func payload(t *testing.T, raw string) map[string]any {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func wants(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func TestAnAppTokenSaysWhatGraphLooksAt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := payload(t, mint(t, w, appClaims()))
	for name, want := range map[string]any{"ver": "1.0", "idtyp": "app", "oid": "sp", "tid": tenant, "app_displayname": "Contoso Calling"} {
		if m[name] != want {
			t.Errorf("%s is %v, want %v", name, m[name], want)
		}
	}
	for _, absent := range []string{"scp", "upn", "nonce", "name"} {
		if v, ok := m[absent]; ok {
			t.Errorf("an app-only token has %s=%v", absent, v)
		}
	}
}

func TestATokenWithoutServicePrincipalHasNoOid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := appClaims()
	c.ObjectID = ""
	if v, ok := payload(t, mint(t, w, c))["oid"]; ok {
		t.Fatalf("oid is %v", v)
	}
}

func TestATokenExpiresOnTheWorldsClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	raw := mint(t, w, appClaims())
	if _, err := token.Verify(w, raw); err != nil {
		t.Fatal(err)
	}
	w.Advance(token.Lifetime + time.Second)
	_, err := token.Verify(w, raw)
	wants(t, err, token.ErrExpired)
}

func TestATokenOfTomorrowIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := appClaims()
	c.NotBefore = w.Now().Add(time.Hour)
	c.Expires = w.Now().Add(2 * time.Hour)
	_, err := token.Verify(w, mint(t, w, c))
	wants(t, err, token.ErrNotYet)
}

func TestAnotherAudienceIsRefusedATrailingSlashIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	raw := mint(t, w, appClaims())
	if _, err := token.Verify(w, raw, "00000003-0000-0000-c000-000000000000", "https://GRAPH.microsoft.com/"); err != nil {
		t.Fatal(err)
	}
	_, err := token.Verify(w, raw, "https://graph.microsoft.us")
	wants(t, err, token.ErrAudience)
}

func TestATokenSignedBeforeAKeyRollVerifiesAndAForeignOneDoesNot(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t), newWorld(t)
	raw := mint(t, w, appClaims())
	if err := w.RollKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := token.Verify(w, raw); err != nil {
		t.Fatal(err)
	}
	_, err := token.Verify(w, mint(t, other, appClaims()))
	wants(t, err, token.ErrSignature)
}

func TestAForgedTokenIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kid := w.SigningKeys()[0].ID
	thief, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{"aud": "x", "tid": tenant, "iss": token.AccessIssuer(tenant), "exp": w.Now().Add(time.Hour).Unix()}
	forged := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	forged.Header["kid"] = kid
	raw, _ := forged.SignedString(thief)
	_, err = token.Verify(w, raw)
	wants(t, err, token.ErrSignature)

	none := jwt.NewWithClaims(jwt.SigningMethodNone, claims)
	none.Header["kid"] = kid
	raw, _ = none.SignedString(jwt.UnsafeAllowNoneSignatureType)
	_, err = token.Verify(w, raw)
	wants(t, err, token.ErrSignature)

	_, err = token.Verify(w, "not a token")
	wants(t, err, token.ErrMalformed)
}

func TestAnIssuerOfAnotherTenantIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := appClaims()
	c.Issuer = token.AccessIssuer("99999999-2222-4333-8444-555555555555")
	_, err := token.Verify(w, mint(t, w, c))
	wants(t, err, token.ErrTenant)
}

func TestWhatIsMintedIsWhatIsVerified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	words := rapid.SliceOfN(rapid.StringMatching(`[A-Z][A-Za-z]{1,8}\.Read(\.All)?`), 1, 4)
	rapid.Check(t, func(rt *rapid.T) {
		c := token.Claims{
			Audience: rapid.StringMatching(`https://[a-z]{1,9}\.example`).Draw(rt, "aud"), Issuer: token.AccessIssuer(tenant), Tenant: tenant,
			AppID: "app", ObjectID: "user", Subject: "s", Scopes: words.Draw(rt, "scp"), RoleIDs: words.Draw(rt, "wids"),
			UPN: "u@contoso.example", Name: rapid.String().Draw(rt, "name"),
		}
		raw, err := token.Mint(w, c)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := token.Verify(w, raw, c.Audience)
		if err != nil {
			rt.Fatal(err)
		}
		if strings.Join(got.Scopes, " ") != strings.Join(c.Scopes, " ") || got.UPN != c.UPN || got.AppOnly ||
			strings.Join(got.RoleIDs, " ") != strings.Join(c.RoleIDs, " ") || got.Name != strings.ToValidUTF8(c.Name, "\ufffd") {
			rt.Fatalf("minted %+v, verified %+v", c, got)
		}
	})
}
