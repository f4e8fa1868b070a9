package tenant_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/remote/tenant"
)

// stand is a door with a tenant's services behind it, and a record of what it waited for, signed in for and reported.
type stand struct {
	door   *tenant.Door
	server *httptest.Server
	ref    tenant.Ref

	mu       sync.Mutex
	waits    []time.Duration
	outcomes []tenant.Outcome
	asked    []string // of Tokens: "<resource> fresh=<bool> claims=<claims>"
	refuse   []error  // what Tokens answers first
	issued   int
}

func (s *stand) App(context.Context, tenant.Ref) (tenant.Credential, error) {
	return tenant.Credential{AppID: "app", Secret: tenant.NewSecret("hush")}, nil
}

func (s *stand) AppToken(_ context.Context, _ tenant.Ref, _ tenant.Credential, r tenant.Resource, fresh bool) (tenant.Token, error) {
	return s.token(fmt.Sprintf("%s fresh=%v", r, fresh), fresh)
}

func (s *stand) AppTokenFor(_ context.Context, _ tenant.Ref, _ tenant.Credential, r tenant.Resource, claims string) (tenant.Token, error) {
	return s.token(fmt.Sprintf("%s claims=%s", r, claims), true)
}

func (s *stand) token(asked string, fresh bool) (tenant.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, asked)
	if len(s.refuse) > 0 {
		err := s.refuse[0]
		s.refuse = s.refuse[1:]
		return tenant.Token{}, err
	}
	if fresh {
		s.issued++
	}
	return tenant.Token{Value: tenant.NewSecret(fmt.Sprintf("token-%d", s.issued)), ExpiresAt: time.Unix(int64(s.issued), 0)}, nil
}

func (s *stand) Report(_ context.Context, _ tenant.Ref, o tenant.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes = append(s.outcomes, o)
}

func (s *stand) wait(ctx context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = append(s.waits, d)
	return ctx.Err()
}

func newStand(t *testing.T, handler http.HandlerFunc, change ...func(*tenant.Options)) *stand {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	s := &stand{server: server, ref: tenant.Ref{CustomerID: "42", TenantID: "contoso", Cloud: tenant.Global}}
	opts := tenant.Options{
		Directory: tenant.Directory{tenant.Global: {
			Authority: server.URL + "/login", Graph: server.URL + "/graph", Teams: server.URL + "/teams",
		}},
		Credentials: s, Tokens: s, Outcomes: s, HTTP: server.Client(), Wait: s.wait, UserAgent: "tcap/test",
		Now: func() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) },
	}
	for _, c := range change {
		c(&opts)
	}
	door, err := tenant.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.door = door
	return s
}

func (s *stand) read(ctx context.Context) (*tenant.Response, error) {
	return s.door.Session(s.ref).Do(ctx, tenant.AreaGraph, &tenant.Request{Op: "test", Path: "/v1.0/things"})
}

func (s *stand) write(ctx context.Context) (*tenant.Response, error) {
	return s.door.Session(s.ref).Writer().Do(ctx, tenant.AreaGraph, &tenant.Request{
		Op: "test", Method: http.MethodPost, Path: "/v1.0/things", JSON: map[string]int{"a": 1},
	})
}

// answers plays one answer for each request, the last one for ever, and counts.
type answers struct {
	mu    sync.Mutex
	list  []http.HandlerFunc
	count int
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	h := a.list[min(a.count, len(a.list)-1)]
	a.count++
	a.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body)
	h(w, r)
}

func (a *answers) seen() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count
}

func play(list ...http.HandlerFunc) *answers { return &answers{list: list} }

func status(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Add(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// hangUp takes the request and cuts the connection.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func graphError(code, message string) string {
	return fmt.Sprintf(`{"error":{"code":%q,"message":%q,"innerError":{"request-id":"rid-1"}}}`, code, message)
}

func mustRefuse(t *testing.T, err error) *tenant.Refusal {
	t.Helper()
	r := tenant.AsRefusal(err)
	if r == nil {
		t.Fatalf("wanted a refusal, got %v", err)
	}
	return r
}
