package entra_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/world"
)

func (l *lab) get(path string) (int, map[string]any) {
	l.t.Helper()
	res, err := l.srv.Client().Get(l.srv.URL + path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	var m map[string]any
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		l.t.Fatal(err)
	}
	return res.StatusCode, m
}

const discovery = "/v2.0/.well-known/openid-configuration"

func TestTheMetadataNamesTheTenantOrATemplate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	own := l.srv.URL + "/" + l.contoso.TenantID + "/v2.0"
	for segment, issuer := range map[string]string{
		l.contoso.TenantID: own, l.contoso.Domain: own,
		"organizations": l.srv.URL + "/{tenantid}/v2.0", "common": l.srv.URL + "/{tenantid}/v2.0",
	} {
		if _, m := l.get("/" + segment + discovery); m["issuer"] != issuer {
			t.Errorf("%s: issuer %v, want %s", segment, m["issuer"], issuer)
		}
	}
}

func TestAnUnknownTenantIsInvalidTenantInTheMetadata(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	status, m := l.get("/" + uuid.NewString() + discovery)
	if status != http.StatusBadRequest || m["error"] != "invalid_tenant" || m["error_codes"].([]any)[0] != 90002.0 {
		t.Fatalf("%d %v", status, m)
	}
}

func TestAnIDTokenVerifiesWithAnIndependentLibraryAlsoAfterAKeyRoll(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ctx := oidc.ClientContext(t.Context(), l.srv.Client())
	provider, err := oidc.NewProvider(ctx, l.srv.URL+"/"+l.contoso.TenantID+"/v2.0")
	if err != nil {
		t.Fatal(err)
	}
	check := provider.Verifier(&oidc.Config{ClientID: l.hosted.AppID})
	for range 2 {
		p := l.pair(authorizeURL("organizations", l.hosted, "response_type", "code id_token", "response_mode", "form_post", "nonce", "n"), l.contoso.GlobalAdmin, "accept")
		id, err := check.Verify(ctx, p.answer.Get("id_token"))
		if err != nil || id.Nonce != "n" {
			t.Fatalf("%v %+v", err, id)
		}
		if err := l.w.RollKey(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// credential is Microsoft's own library, pointed at the simulator (facts/entra.md §6).
func (l *lab) credential(tenant string, app world.App, value string) *azidentity.ClientSecretCredential {
	l.t.Helper()
	c, err := azidentity.NewClientSecretCredential(tenant, app.AppID, value, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: l.srv.URL + "/"},
			Transport: l.srv.Client(), Retry: policy.RetryOptions{MaxRetries: -1},
		},
		DisableInstanceDiscovery: true, AdditionallyAllowedTenants: []string{"*"},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func TestMicrosoftsLibraryObtainsAToken(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, cae := range []bool{false, true} {
		got, err := l.credential(l.contoso.TenantID, l.custom, secret).GetToken(t.Context(),
			policy.TokenRequestOptions{Scopes: []string{l.srv.URL + "/graph/.default"}, EnableCAE: cae})
		if err != nil {
			t.Fatal(err)
		}
		if c := l.verify(got.Token, l.srv.URL+"/graph"); !c.AppOnly {
			t.Fatalf("claims %+v", c)
		}
	}
}

func TestMicrosoftsLibraryReadsTheRefusal(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, c := range map[string]struct {
		cred *azidentity.ClientSecretCredential
		code string
	}{
		"wrong secret":   {l.credential(l.contoso.TenantID, l.custom, "wrong"), "7000215"},
		"unknown tenant": {l.credential(uuid.NewString(), l.custom, secret), "90002"},
		"not consented":  {l.credential(l.contoso.TenantID, l.hosted, secret), "700016"},
	} {
		_, err := c.cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{graph + "/.default"}})
		var failed *azidentity.AuthenticationFailedError
		if !errors.As(err, &failed) || failed.RawResponse == nil {
			t.Fatalf("%s: %v", name, err)
		}
		var body refusal
		if err := json.NewDecoder(failed.RawResponse.Body).Decode(&body); err != nil || !strings.Contains(body.Description, "AADSTS"+c.code+":") {
			t.Errorf("%s: %v %+v", name, err, body)
		}
	}
}

func TestMicrosoftsLibraryProvesItselfWithACertificate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key, cert := l.certificate()
	c, err := azidentity.NewClientCertificateCredential(l.contoso.TenantID, l.custom.AppID, []*x509.Certificate{cert}, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: l.srv.URL + "/"}, Transport: l.srv.Client(),
		},
		DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{graph + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	l.verify(got.Token, graph)
}

func TestInstanceDiscoveryListsTheClouds(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	_, m := l.get("/common/discovery/instance?api-version=1.1&authorization_endpoint=https://login.microsoftonline.us/organizations/oauth2/v2.0/authorize")
	if m["tenant_discovery_endpoint"] != "https://login.microsoftonline.us/organizations"+discovery || len(m["metadata"].([]any)) != 3 {
		t.Fatalf("%v", m)
	}
}
