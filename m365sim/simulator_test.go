package m365sim

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHostOrFirstSegmentNamesTheService(t *testing.T) {
	t.Parallel()
	r := run(t, Options{}, plain)
	tenant := r.tenant(2)
	for _, c := range []struct{ host, path, service, cloud, base, issuer, seen string }{
		{"login.microsoftonline.com", "/" + tenant + "/x", "login", "global", "https://login.microsoftonline.com", "https://login.microsoftonline.com", "/" + tenant + "/x"},
		{"api.interfaces.records.dod.teams.microsoft.us", "/y", "teams", "dod", "https://api.interfaces.records.dod.teams.microsoft.us", "https://login.microsoftonline.us", "/y"},
		{"LOGIN.partner.microsoftonline.cn", "/organizations/x", "login", "china", "https://LOGIN.partner.microsoftonline.cn", "https://login.partner.microsoftonline.cn", "/organizations/x"},
		{"", "/login/" + tenant + "/x", "login", "", r.url + "/login", r.url + "/login", "/" + tenant + "/x"},
		{"", "/" + tenant + "/x", "login", "", r.url, r.url, "/" + tenant + "/x"},
		{"", "/common/x", "login", "", r.url, r.url, "/common/x"},
		{"", "/teams", "teams", "", r.url + "/teams", r.url, "/"},
		{"", "/teams/a%2Fb", "teams", "", r.url + "/teams", r.url, "/a/b"},
	} {
		q, _ := http.NewRequestWithContext(t.Context(), "GET", r.url+c.path, nil)
		q.Host = c.host
		resp, err := r.client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		err = json.NewDecoder(resp.Body).Decode(&got)
		resp.Body.Close()
		if err != nil || got["service"] != c.service || got["cloud"] != c.cloud || got["base"] != c.base || got["issuer"] != c.issuer || got["path"] != c.seen {
			t.Errorf("%s%s: %v %v", c.host, c.path, got, err)
		}
		if strings.Contains(c.path, tenant) != (got["tenant"] == tenant) {
			t.Errorf("%s%s: tenant %q", c.host, c.path, got["tenant"])
		}
	}
}

func TestAServiceThatIsNotModelledSaysSo(t *testing.T) {
	t.Parallel()
	r := run(t, Options{}, plain)
	for _, path := range []string{"/operator/numbers", "/_sim/snapshot", "/_sim/restore"} {
		got := r.must(501, "POST", path, nil)["error"].(map[string]any)
		if got["code"] != "NotModelled" || !strings.Contains(got["message"].(string), "POST "+strings.TrimPrefix(path, "/operator")) {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestPagesOverPlainHTTPNameTheHTTPSAddressAsIssuer(t *testing.T) {
	t.Parallel()
	sim, err := assemble(Options{BaseURL: "https://127.0.0.1:8443/"}, plain)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- sim.ServePages(ctx, l) }()
	resp, err := http.Get("http://" + l.Addr().String() + "/common/x")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got["issuer"] != "https://127.0.0.1:8443" || got["base"] != "http://"+l.Addr().String() {
		t.Error(got, err)
	}
	resp.Body.Close()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, caFile), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, caKeyFile), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{BaseURL: "http://127.0.0.1"}, {BaseURL: "127.0.0.1"}, {Dir: file}, {CADir: file}, {CADir: broken}} {
		if _, err := assemble(o, plain); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestTheAuthorityIsReusedAndItsCertificateFitsTheHosts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var first []byte
	for _, microsoft := range []bool{false, true} {
		sim, err := assemble(Options{CADir: dir, Hosts: microsoft}, plain)
		if err != nil {
			t.Fatal(err)
		}
		onDisk, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
		if err != nil || !bytes.Equal(onDisk, sim.CAPEM()) || first != nil && !bytes.Equal(first, onDisk) {
			t.Error("the authority is not the one on disk", err)
		}
		first = onDisk
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(onDisk)
		leaf, err := x509.ParseCertificate(sim.TLSConfig().Certificates[0].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"127.0.0.1", "::1", "localhost", "sim.localhost"} {
			if _, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool}); err != nil {
				t.Error(host, err)
			}
		}
		_, err = leaf.Verify(x509.VerifyOptions{DNSName: "graph.microsoft.us", Roots: pool})
		if (err == nil) != microsoft {
			t.Errorf("Hosts %v: %v", microsoft, err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, caKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error("the key can be read by others", err)
	}
}

func TestTheControlInterfaceAnswersTheSameMachineOnly(t *testing.T) {
	t.Parallel()
	sim, err := assemble(Options{}, plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		remote, host, origin string
		want                 int
	}{
		{"127.0.0.1:5", "127.0.0.1:8443", "", 200},
		{"[::1]:5", "localhost", "http://localhost", 200},
		{"192.0.2.7:5", "127.0.0.1", "", 403},
		{"127.0.0.1:5", "rebound.example", "", 403},
		{"127.0.0.1:5", "127.0.0.1", "https://elsewhere.example", 403},
	} {
		q := httptest.NewRequest("POST", "/_sim/clock", strings.NewReader(`{"advance":"1s"}`))
		q.RemoteAddr, q.Host = c.remote, c.host
		if c.origin != "" {
			q.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, q)
		if w.Code != c.want {
			t.Errorf("%+v: %d %s", c, w.Code, w.Body)
		}
	}
}

func TestEverythingSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := Options{Dir: dir, CADir: dir}
	first := run(t, o, plain)
	tenant := first.tenant(5)
	first.fault(tenant, map[string]any{"kind": "status", "status": 500, "times": 2})
	if status, _, _ := users(first, "GET", tenant); status != 500 {
		t.Error(status)
	}
	first.must(200, "POST", "/_sim/clock", map[string]any{"advance": "36h"})
	second := run(t, o, plain) // the first is still there, as a killed process leaves it: nothing was flushed or closed
	if got := second.must(200, "GET", "/_sim/clock", nil)["offsetSeconds"]; got != 36*3600.0 {
		t.Error(got)
	}
	for _, want := range []int{500, 200} {
		if status, _, _ := users(second, "GET", tenant); status != want {
			t.Error(status, want)
		}
	}
}

func TestTokenClaimsThatAreNoneNameNobody(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"", "Bearer", "Bearer a.b", "Bearer a.!!.c", "Bearer a.e30.c", "Basic " + strings.TrimPrefix(bearer("t"), "Bearer ")} {
		if c := unverifiedClaims(header); c.TenantID != "" || c.appID() != "" {
			t.Errorf("%q: %+v", header, c)
		}
	}
	if c := unverifiedClaims(bearer("t")); c.TenantID != "t" || c.appID() != "app-1" {
		t.Errorf("%+v", c)
	}
}

var _ http.Handler = (*Simulator)(nil)
