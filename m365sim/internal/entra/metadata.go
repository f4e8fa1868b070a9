package entra

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"

	"tcap.cloud/m365sim/internal/world"
)

// metadata answers the OpenID Connect discovery document. For organizations and common the issuer is a literal template
// (facts/entra.md §5); a tenant's document names the tenant by its id whatever the path said.
func (s *service) metadata(w http.ResponseWriter, r *http.Request) {
	t := startTrace(w, r)
	p, no := s.findPlace(r)
	if no != nil {
		no.kind = "invalid_tenant" // the metadata route alone says so (facts/entra.md §2.3)
		s.writeRefusal(w, r, t, no)
		return
	}
	root, tenant := base(r), p.tenant
	if p.alias() {
		tenant = p.segment
	}
	doc := map[string]any{
		"issuer":                                root + "/" + issuerTenant(p) + "/v2.0",
		"authorization_endpoint":                root + "/" + tenant + "/oauth2/v2.0/authorize",
		"token_endpoint":                        root + "/" + tenant + "/oauth2/v2.0/token",
		"end_session_endpoint":                  root + "/" + tenant + "/oauth2/v2.0/logout",
		"jwks_uri":                              root + "/" + tenant + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"response_types_supported":              []string{"code", "id_token", "code id_token"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"request_uri_parameter_supported":       false,
		"http_logout_supported":                 false,
		"frontchannel_logout_supported":         false,
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver", "c_hash"},
		"cloud_instance_name":                   "microsoftonline.com",
		"tenant_region_scope":                   nil,
	}
	writeJSON(w, http.StatusOK, doc)
}

func issuerTenant(p place) string {
	if p.alias() {
		return "{tenantid}"
	}
	return p.tenant
}

// key is one entry of the JWKS, without the certificate (x5t, x5c) that Microsoft adds; issuer restricts which issuer it may sign for (facts/entra.md §5).
type key struct {
	Type   string `json:"kty"`
	Use    string `json:"use"`
	ID     string `json:"kid"`
	N      string `json:"n"`
	E      string `json:"e"`
	Issuer string `json:"issuer"`
}

// keys answers every key the world still trusts, newest first, so that tokens signed before a roll verify.
func (s *service) keys(w http.ResponseWriter, r *http.Request) {
	t := startTrace(w, r)
	p, no := s.findPlace(r)
	if no != nil {
		no.kind = "invalid_tenant"
		s.writeRefusal(w, r, t, no)
		return
	}
	out := []key{}
	for _, k := range s.w.SigningKeys() {
		out = append(out, key{
			Type: "RSA", Use: "sig", ID: k.ID,
			N:      base64.RawURLEncoding.EncodeToString(k.Private.N.Bytes()),
			E:      base64.RawURLEncoding.EncodeToString(exponent(k.Private.E)),
			Issuer: base(r) + "/" + issuerTenant(p) + "/v2.0",
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": out})
}

// exponent is the big-endian form without leading zeros that RFC 7518 §6.3.1.2 asks for.
func exponent(e int) []byte {
	return bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, uint64(e)), "\x00")
}

// instances answers the authority discovery that Microsoft's libraries ask unless told not to.
func (s *service) instances(w http.ResponseWriter, r *http.Request) {
	t := startTrace(w, r)
	asked, err := url.Parse(r.URL.Query().Get("authorization_endpoint"))
	if err != nil || asked.Host == "" {
		s.writeRefusal(w, r, t, missing("authorization_endpoint"))
		return
	}
	type entry struct {
		Network string   `json:"preferred_network"`
		Cache   string   `json:"preferred_cache"`
		Aliases []string `json:"aliases"`
	}
	list := []entry{}
	for _, c := range []world.Cloud{world.Global, world.GCCHigh, world.China} {
		h := authority(c)
		list = append(list, entry{Network: h, Cache: h, Aliases: []string{h}})
	}
	tenant := "common"
	if seg, _, ok := cutPath(asked.Path); ok {
		tenant = seg
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": "https://" + asked.Host + "/" + tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1", "metadata": list,
	})
}
