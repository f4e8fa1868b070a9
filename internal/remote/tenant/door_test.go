package tenant_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/remote/tenant"
)

const ok = `{"ok":true}`

func TestARequestCarriesTokenAgentAndCorrelation(t *testing.T) {
	t.Parallel()
	var got *http.Request
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) { got = r; status(200, ok, "request-id", "r1")(w, r) })
	resp, err := s.door.Session(s.ref).Do(t.Context(), tenant.AreaGraph, &tenant.Request{
		Op: "test", Path: "/v1.0/users", Query: url.Values{"$filter": {"name eq '+61 2'"}}, Header: http.Header{"Authorization": {"stolen"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.URL.RequestURI() != "/graph/v1.0/users?$filter=name%20eq%20%27%2B61%202%27" {
		t.Errorf("asked %s", got.URL.RequestURI())
	}
	if got.Header.Get("Authorization") != "Bearer token-0" || got.UserAgent() != "tcap/test" {
		t.Errorf("headers %v", got.Header)
	}
	if id := got.Header.Get("client-request-id"); id == "" || id != resp.CorrelationID || resp.RequestID != "r1" {
		t.Errorf("correlation %q, response %+v", id, resp)
	}
	if len(s.outcomes) != 1 || s.outcomes[0].Refusal != nil || s.outcomes[0].Area != tenant.AreaGraph {
		t.Errorf("outcomes %+v", s.outcomes)
	}
}

func TestTeamsHasItsOwnAddressTokenAndCorrelationHeader(t *testing.T) {
	t.Parallel()
	var got *http.Request
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) { got = r; status(200, ok)(w, r) })
	if _, err := s.door.Session(s.ref).Do(t.Context(), tenant.AreaTeams, &tenant.Request{Path: "/Teams.User/users"}); err != nil {
		t.Fatal(err)
	}
	if got.URL.Path != "/teams/Teams.User/users" || got.Header.Get("X-MS-Correlation-Id") == "" || s.asked[0] != "teams fresh=false" {
		t.Errorf("path %s, asked %v", got.URL.Path, s.asked)
	}
}

func TestASessionOnlyReads(t *testing.T) {
	t.Parallel()
	a := play(status(200, ok))
	s := newStand(t, a.ServeHTTP)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "get"} {
		if _, err := s.door.Session(s.ref).Do(t.Context(), tenant.AreaGraph, &tenant.Request{Method: method, Path: "/x"}); err == nil {
			t.Errorf("%s was let through", method)
		}
	}
	if a.seen() != 0 {
		t.Error("something was sent")
	}
}

func TestALinkIsFollowedAsItIsButNeverToAnotherHost(t *testing.T) {
	t.Parallel()
	var uri string
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) { uri = r.URL.RequestURI(); status(200, ok)(w, r) })
	read := func(path string) error {
		_, err := s.door.Session(s.ref).Do(t.Context(), tenant.AreaGraph, &tenant.Request{Path: path})
		return err
	}
	if err := read(s.server.URL + "/graph/v1.0/users?$skiptoken=a+b%2Bc"); err != nil || uri != "/graph/v1.0/users?$skiptoken=a+b%2Bc" {
		t.Errorf("%v, asked %s", err, uri)
	}
	for _, evil := range []string{"https://fabrikam.example/v1.0/users", strings.Replace(s.server.URL, "https", "http", 1) + "/x", "users", "//fabrikam.example/x"} {
		uri = ""
		if err := read(evil); err == nil && uri != "/graph//fabrikam.example/x" {
			t.Errorf("%s was followed", evil)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	a := play(status(307, "", "Location", "/elsewhere"))
	s := newStand(t, a.ServeHTTP)
	_, err := s.write(t.Context())
	if r := mustRefuse(t, err); r.Class != tenant.Ours || a.seen() != 1 {
		t.Errorf("%v after %d requests", r, a.seen())
	}
}

func TestAReadIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]http.HandlerFunc{
		"429": status(429, graphError("TooManyRequests", ""), "Retry-After", "2"), "503": status(503, "<html>"), "504": status(504, ""), "502": status(502, ""),
		"network": hangUp, "cut": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := play(first, first, status(200, ok))
			s := newStand(t, a.ServeHTTP)
			if resp, err := s.read(t.Context()); err != nil || string(resp.Body) != ok {
				t.Fatalf("%v", err)
			}
			if a.seen() < 3 || len(s.waits) < 2 || len(s.outcomes) != 1 || s.outcomes[0].Refusal != nil {
				t.Errorf("%d requests, waits %v, outcomes %v", a.seen(), s.waits, s.outcomes)
			}
		})
	}
}

func TestRetriesHaveABudget(t *testing.T) {
	t.Parallel()
	a := play(status(503, ""))
	s := newStand(t, a.ServeHTTP)
	_, err := s.read(t.Context())
	if r := mustRefuse(t, err); r.Class != tenant.Transient || a.seen() != 4 {
		t.Errorf("%v after %d requests", r, a.seen())
	}
	if len(s.outcomes) != 1 || s.outcomes[0].Refusal.Class != tenant.Transient {
		t.Errorf("outcomes %+v", s.outcomes)
	}
}

func TestALongRetryAfterIsTheCallersAndPausesTheTenant(t *testing.T) {
	t.Parallel()
	a := play(status(429, graphError("TooManyRequests", ""), "Retry-After", "300"), status(200, ok))
	s := newStand(t, a.ServeHTTP)
	_, err := s.read(t.Context())
	if r := mustRefuse(t, err); r.Class != tenant.Throttled || r.RetryAfter != 5*time.Minute || len(s.waits) != 0 {
		t.Errorf("%v, waits %v", r, s.waits)
	}
	_, err = s.read(t.Context()) // another session of the same tenant
	if r := mustRefuse(t, err); r.Class != tenant.Throttled || r.RetryAfter < 4*time.Minute || a.seen() != 1 {
		t.Errorf("%v after %d requests", r, a.seen())
	}
	if _, err := s.door.Session(s.ref).Do(t.Context(), tenant.AreaTeams, &tenant.Request{Path: "/x"}); err != nil {
		t.Errorf("the other area is paused too: %v", err)
	}
	other := s.ref
	other.TenantID = "fabrikam"
	if _, err := s.door.Session(other).Do(t.Context(), tenant.AreaGraph, &tenant.Request{Path: "/x"}); err != nil {
		t.Errorf("the other tenant is paused too: %v", err)
	}
}

func TestAWriteIsSentOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first http.HandlerFunc
		class tenant.Class
		maybe bool
	}{
		"lost response": {hangUp, tenant.Network, true},
		"500":           {status(500, ""), tenant.Transient, true},
		"503":           {status(503, "", "Retry-After", "1"), tenant.Transient, true},
		"504":           {status(504, ""), tenant.Transient, true},
		"400":           {status(400, graphError("Request_BadRequest", "no")), tenant.Invalid, false},
		"409":           {status(409, ""), tenant.Conflict, false},
		"done but cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(201)
		}, tenant.Network, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := play(c.first, status(201, ok))
			s := newStand(t, a.ServeHTTP)
			_, err := s.write(t.Context())
			if r := mustRefuse(t, err); r.Class != c.class || r.Maybe != c.maybe || a.seen() != 1 {
				t.Errorf("%v, maybe %v, after %d requests", r, r.Maybe, a.seen())
			}
			if len(s.outcomes) != 1 || !s.outcomes[0].Write {
				t.Errorf("outcomes %+v", s.outcomes)
			}
		})
	}
}

func TestAWriteThatWasOnlyThrottledIsTriedAgain(t *testing.T) {
	t.Parallel()
	a := play(status(429, "", "Retry-After", "1"), status(201, ok))
	s := newStand(t, a.ServeHTTP)
	if _, err := s.write(t.Context()); err != nil || a.seen() != 2 {
		t.Errorf("%v after %d requests", err, a.seen())
	}
}

func TestAWriteThatWasNeverSentIsNotMaybe(t *testing.T) {
	t.Parallel()
	s := newStand(t, status(200, ok))
	s.server.Close()
	_, err := s.write(t.Context())
	if r := mustRefuse(t, err); r.Class != tenant.Network || r.Maybe || len(s.waits) != 3 {
		t.Errorf("%v, waits %v", r, s.waits)
	}
	if strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("the address is in the error: %v", err)
	}
}

func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-0" {
			status(401, graphError("InvalidAuthenticationToken", "expired"))(w, r)
			return
		}
		status(200, ok)(w, r)
	})
	if _, err := s.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.asked, []string{"graph fresh=false", "graph fresh=true"}) {
		t.Errorf("asked %v", s.asked)
	}
}

func TestAFreshTokenThatIsRefusedTooIsOurFault(t *testing.T) {
	t.Parallel()
	a := play(status(401, graphError("InvalidAuthenticationToken", "audience")))
	s := newStand(t, a.ServeHTTP)
	_, err := s.read(t.Context())
	if r := mustRefuse(t, err); r.Class != tenant.Ours || r.Code != "token-refused" || a.seen() != 2 || len(s.asked) != 2 {
		t.Errorf("%v after %d requests, asked %v", r, a.seen(), s.asked)
	}
}

func TestManyRefusedTokensAreReplacedByOne(t *testing.T) {
	t.Parallel()
	const many = 20
	var together sync.WaitGroup
	together.Add(many)
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-0" {
			together.Done()
			together.Wait() // all of them hold the old token
			status(401, "")(w, r)
			return
		}
		status(200, ok)(w, r)
	})
	var group sync.WaitGroup
	for range many {
		group.Go(func() {
			if _, err := s.read(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if s.issued != 1 {
		t.Errorf("%d tokens were fetched", s.issued)
	}
}

func TestAClaimsChallengeIsPassedOn(t *testing.T) {
	t.Parallel()
	const claims = `{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}`
	for name, encoded := range map[string]string{
		"padded": base64.StdEncoding.EncodeToString([]byte(claims)), "bare, url": base64.RawURLEncoding.EncodeToString([]byte(claims)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			challenge := `Bearer realm="", authorization_uri="https://login.example/authorize", error="insufficient_claims", claims="` + encoded + `"`
			a := play(status(401, graphError("InvalidAuthenticationToken", ""), "WWW-Authenticate", challenge), status(200, ok))
			s := newStand(t, a.ServeHTTP)
			if _, err := s.read(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s.asked[1] != "graph claims="+claims {
				t.Errorf("asked %v", s.asked)
			}
		})
	}
}

func TestARefusedSignInIsTheOutcomeOfTheCall(t *testing.T) {
	t.Parallel()
	a := play(status(200, ok))
	s := newStand(t, a.ServeHTTP)
	s.refuse = []error{&tenant.Refusal{Class: tenant.AccessLost, Source: tenant.SourceEntra, Code: "app-disabled", Codes: []int{7000112}}}
	_, err := s.write(t.Context())
	if r := mustRefuse(t, err); r.Codes[0] != 7000112 || a.seen() != 0 || len(s.outcomes) != 1 || s.outcomes[0].Refusal.Class != tenant.AccessLost {
		t.Errorf("%v, outcomes %+v", r, s.outcomes)
	}
}

func TestASignInThatIsBrieflyUnavailableIsTriedAgainForWritesToo(t *testing.T) {
	t.Parallel()
	a := play(status(201, ok))
	s := newStand(t, a.ServeHTTP)
	s.refuse = []error{&tenant.Refusal{Class: tenant.Transient, Source: tenant.SourceEntra}, &tenant.Refusal{Class: tenant.Throttled, Source: tenant.SourceEntra, Status: 429, RetryAfter: time.Second}}
	if _, err := s.write(t.Context()); err != nil || a.seen() != 1 || len(s.waits) != 2 || s.waits[1] != time.Second {
		t.Errorf("%v, waits %v", err, s.waits)
	}
}

func TestAPersonsExpiredTokenIsThePersonsAndNotReported(t *testing.T) {
	t.Parallel()
	a := play(status(401, graphError("InvalidAuthenticationToken", "Lifetime validation failed")))
	s := newStand(t, a.ServeHTTP)
	session := s.door.Delegated(s.ref, tenant.Token{Value: tenant.NewSecret("person")})
	_, err := session.Do(t.Context(), tenant.AreaGraph, &tenant.Request{Path: "/v1.0/me"})
	if r := mustRefuse(t, err); r.Class != tenant.User || a.seen() != 1 || len(s.asked) != 0 || len(s.outcomes) != 0 {
		t.Errorf("%v, asked %v, outcomes %v", r, s.asked, s.outcomes)
	}
}

func TestTheBudgetIsSharedByAllSessionsOfATenant(t *testing.T) {
	t.Parallel()
	s := newStand(t, status(200, ok), func(o *tenant.Options) { o.Budget = tenant.Budget{PerSecond: 1.0 / 3600, Burst: 2} })
	for range 3 {
		if _, err := s.read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.waits) != 1 || s.waits[0] < 59*time.Minute {
		t.Errorf("waits %v", s.waits)
	}
	soon, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := s.read(soon); !errors.Is(err, context.DeadlineExceeded) || len(s.waits) != 1 {
		t.Errorf("a context that ends before its turn: %v, waits %v", err, s.waits)
	}
	other := s.ref
	other.Cloud = tenant.Global
	other.TenantID = "fabrikam"
	if _, err := s.door.Session(other).Do(t.Context(), tenant.AreaGraph, &tenant.Request{Path: "/x"}); err != nil || len(s.waits) != 1 {
		t.Errorf("another tenant waits too: %v", err)
	}
}

func TestACancelledCall(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*stand, context.Context) error{
		"read":  func(s *stand, ctx context.Context) error { _, err := s.read(ctx); return err },
		"write": func(s *stand, ctx context.Context) error { _, err := s.write(ctx); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			s := newStand(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // the server sees the client go only once the body is read
				cancel()
				<-r.Context().Done()
			})
			err := call(s, ctx)
			if !errors.Is(err, context.Canceled) || len(s.outcomes) != 0 {
				t.Errorf("%v, outcomes %v", err, s.outcomes)
			}
			if r := tenant.AsRefusal(err); name == "write" && (r == nil || !r.Maybe) || name == "read" && r != nil {
				t.Errorf("refusal %v", r)
			}
		})
	}
}

func TestAnAttemptThatTakesTooLongIsTheNetwork(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(o *tenant.Options) {
		o.Retry = tenant.Retry{Attempts: 2, Attempt: 20 * time.Millisecond}
	})
	_, err := s.read(t.Context())
	if r := mustRefuse(t, err); r.Class != tenant.Network || r.Code != "timed-out" || len(s.waits) != 1 {
		t.Errorf("%v", r)
	}
}

func TestAnAnswerIsUnpackedAndBounded(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(bytes.Repeat([]byte("a"), 1<<20))
	_ = z.Close()
	s := newStand(t, status(200, packed.String(), "Content-Encoding", "gzip"))
	read := func(most int64) (*tenant.Response, error) {
		return s.door.Session(s.ref).Do(t.Context(), tenant.AreaGraph, &tenant.Request{Path: "/x", MaxBytes: most})
	}
	if resp, err := read(1 << 20); err != nil || len(resp.Body) != 1<<20 {
		t.Errorf("%v", err)
	}
	_, err := read(1<<20 - 1)
	if r := mustRefuse(t, err); r.Code != "answer-too-large" || r.Class != tenant.Ours {
		t.Errorf("%v", r)
	}
}

// Not parallel: it counts the goroutines of the process.
func TestNoGoroutineIsLeft(t *testing.T) {
	a := play(status(503, "x"), hangUp, status(401, ""), status(200, ok), status(500, ""), status(200, ok))
	s := newStand(t, a.ServeHTTP)
	before := runtime.NumGoroutine()
	for range 20 {
		_, _ = s.read(t.Context())
		_, _ = s.write(t.Context())
	}
	s.server.Client().CloseIdleConnections()
	s.server.Close()
	for range 1000 { // connections end on their own goroutines
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func TestTheDoorIsNotMadeWithoutWhatItNeeds(t *testing.T) {
	t.Parallel()
	s := &stand{}
	for name, opts := range map[string]tenant.Options{
		"no credentials": {Tokens: s},
		"no tokens":      {Credentials: s},
		"plain http":     {Credentials: s, Tokens: s, Directory: tenant.Directory{"global": {Authority: "http://a", Graph: "https://b", Teams: "https://c"}}},
		"trailing slash": {Credentials: s, Tokens: s, Directory: tenant.Directory{"global": {Authority: "https://a", Graph: "https://b/", Teams: "https://c"}}},
	} {
		if _, err := tenant.New(opts); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	door, err := tenant.New(tenant.Options{Credentials: s, Tokens: s, Directory: tenant.MicrosoftEndpoints()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := door.Session(tenant.Ref{Cloud: "moon"}).Do(t.Context(), tenant.AreaGraph, &tenant.Request{Path: "/x"}); err == nil {
		t.Error("an unknown cloud was accepted")
	}
}
