package entra_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
)

const (
	tid    = "11111111-2222-3333-4444-555555555555"
	appID  = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	secret = "abc8Q~this-is-the-plain-client-secret-x1"
)

// sts plays the sign-in service of facts/entra.md §2 and §5 under /login, on a TLS server.
type sts struct {
	t      *testing.T
	server *httptest.Server

	mu     sync.Mutex
	forms  []url.Values
	paths  []string
	agents []string
	answer func(n int, w http.ResponseWriter) // of the token endpoint, n from 1
	meta   http.HandlerFunc                   // in place of the metadata
	keys   []map[string]any
	now    time.Time
}

func newSTS(t *testing.T) (*sts, *entra.Client) {
	t.Helper()
	s := &sts{t: t, now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	s.answer = func(n int, w http.ResponseWriter) {
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"token-%d"}`, n)
	}
	s.server = httptest.NewTLSServer(s)
	t.Cleanup(s.server.Close)
	client, err := entra.New(entra.Options{Directory: s.directory(), HTTP: s.server.Client(), Now: s.time, UserAgent: "tcap/test"})
	if err != nil {
		t.Fatal(err)
	}
	return s, client
}

func (s *sts) time() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *sts) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *sts) endpoints() tenant.Endpoints {
	return tenant.Endpoints{Authority: s.server.URL + "/login", Graph: "https://graph.example", Teams: "https://teams.example"}
}

func (s *sts) directory() tenant.Directory { return tenant.Directory{tenant.Global: s.endpoints()} }

func (s *sts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths = append(s.paths, r.Method+" "+r.URL.Path)
	s.agents = append(s.agents, r.UserAgent())
	base := s.server.URL + "/login/" + tid
	switch r.URL.Path {
	case "/login/" + tid + "/v2.0/.well-known/openid-configuration":
		if s.meta != nil {
			s.meta(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{
			"authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token",
			"issuer": base + "/v2.0", "jwks_uri": base + "/discovery/v2.0/keys",
		})
	case "/login/" + tid + "/discovery/v2.0/keys":
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": s.keys})
	case "/login/" + tid + "/oauth2/v2.0/token":
		_ = r.ParseForm()
		s.forms = append(s.forms, r.PostForm)
		s.answer(len(s.forms), w)
	default:
		w.WriteHeader(http.StatusNotImplemented)
	}
}

func (s *sts) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.forms)
}

func (s *sts) form(n int) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forms[n]
}

func (s *sts) answering(f func(n int, w http.ResponseWriter)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func (s *sts) publish(keys ...map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
}

// refusing answers as §2.1 shows.
func refusing(status, code int, word string, header ...string) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":%q,"error_description":"AADSTS%d: something about app '%s' and secret %s.\r\nTrace ID: t-1","error_codes":[%d],`+
			`"timestamp":"2026-01-31 12:00:00Z","trace_id":"t-1","correlation_id":"c-1"}`, word, code, appID, secret, code)
	}
}

func ref() tenant.Ref { return tenant.Ref{CustomerID: "42", TenantID: tid, Cloud: tenant.Global} }

func withSecret(text string) tenant.Credential {
	return tenant.Credential{AppID: appID, Secret: tenant.NewSecret(text)}
}

func mustRefuse(t *testing.T, err error) *tenant.Refusal {
	t.Helper()
	r := tenant.AsRefusal(err)
	if r == nil {
		t.Fatalf("wanted a refusal, got %v", err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
		t.Fatalf("the secret is in the error: %v", err)
	}
	return r
}

// signer is a key of the service with the id it is published under.
type signer struct {
	id  string
	key *rsa.PrivateKey
}

func newSigner(t *testing.T, id string) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer{id, key}
}

func (s signer) published(issuer string) map[string]any {
	k := map[string]any{
		"kty": "RSA", "use": "sig", "kid": s.id, "n": base64.RawURLEncoding.EncodeToString(s.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(s.key.E)).Bytes()),
	}
	if issuer != "" {
		k["issuer"] = issuer
	}
	return k
}

func (s signer) sign(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) tenant.Secret {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = s.id
	raw, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return tenant.NewSecret(raw)
}

func newCertificate(t *testing.T) tenant.Certificate {
	t.Helper()
	key := newSigner(t, "").key
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Contoso"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tenant.NewCertificate([]*x509.Certificate{leaf}, key)
}
