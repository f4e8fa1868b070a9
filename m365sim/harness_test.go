package m365sim

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"tcap.cloud/m365sim/internal/world"
)

// running is a simulator that serves on loopback, with a client that trusts it.
type running struct {
	*testing.T
	sim    *Simulator
	url    string
	client *http.Client
}

func run(t *testing.T, o Options, services func(*world.World) map[string]http.Handler) *running {
	t.Helper()
	sim, err := assemble(o, services)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- sim.Serve(ctx, l) }()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(sim.CAPEM())
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.TLSClientConfig.RootCAs = pool
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		sim.Close()
	})
	client := &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &running{t, sim, "https://" + l.Addr().String(), client}
}

// call makes a request; body is sent as JSON unless it is nil. The response's body is read.
func (r *running) call(method, path string, body any, header ...string) (int, []byte, error) {
	r.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			r.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	q, err := http.NewRequestWithContext(r.Context(), method, r.url+path, in)
	if err != nil {
		r.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	resp, err := r.client.Do(q)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, raw, err
}

// must is call for what has to succeed with this status; the answer is decoded.
func (r *running) must(status int, method, path string, body any, header ...string) map[string]any {
	r.Helper()
	got, raw, err := r.call(method, path, body, header...)
	if err != nil || got != status {
		r.Fatalf("%s %s: %d %s %v, want %d", method, path, got, raw, err, status)
	}
	var out map[string]any
	if len(raw) > 0 && raw[0] == '{' {
		if err := json.Unmarshal(raw, &out); err != nil {
			r.Fatal(err)
		}
	}
	return out
}

func (r *running) tenant(users int) string {
	r.Helper()
	return r.must(201, "POST", "/_sim/tenants", map[string]any{"name": "Contoso", "users": users, "seed": 1, "licensedShare": 0.5})["tenantId"].(string)
}

func (r *running) fault(tenant string, f map[string]any) string {
	r.Helper()
	return r.must(201, "POST", "/_sim/tenants/"+tenant+"/faults", f)["id"].(string)
}

func (r *running) journal(tenant string) (lines []world.Request) {
	r.Helper()
	_, raw, err := r.call("GET", "/_sim/requests?tenant="+tenant, nil)
	if err != nil {
		r.Fatal(err)
	}
	if err := json.Unmarshal(raw, &lines); err != nil {
		r.Fatal(err)
	}
	return lines
}

// bearer is a token nobody signed: enough for journal and faults.
func bearer(tenant string) string {
	claims, _ := json.Marshal(map[string]string{"tid": tenant, "appid": "app-1"})
	return "Bearer x." + base64.RawURLEncoding.EncodeToString(claims) + ".x"
}

// plain are services that say what they were asked: graph turns MFA on with POST and shows it with GET.
func plain(w *world.World) map[string]http.Handler {
	echo := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		c := world.CallFrom(r.Context())
		_ = json.NewEncoder(out).Encode(map[string]any{
			"service": c.Service, "cloud": c.Cloud, "base": c.Base, "issuer": c.Issuer, "tenant": c.Tenant, "path": r.URL.Path,
		})
	})
	graph := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		c := world.CallFrom(r.Context())
		c.ResourceUnits = 2
		if r.Method == http.MethodPost {
			_ = w.Update(r.Context(), c.Tenant, func(t *world.Tenant) error { t.RequireMFA = true; return nil })
		}
		out.Header().Set("Content-Type", "application/json")
		_ = w.View(c.Tenant, func(t *world.Tenant) error {
			return json.NewEncoder(out).Encode(map[string]any{"mfa": t.RequireMFA, "filler": strings.Repeat("x", 100)})
		})
	})
	return map[string]http.Handler{serviceLogin: echo, serviceTeams: echo, serviceGraph: graph}
}
