package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// client calls an HTTP API as a script would.
type client struct {
	base, key string
	http      *http.Client
}

// newClient trusts the authority in a file, where one is named, and follows no redirect.
func newClient(t *testing.T, base, key, caFile string) client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			t.Fatalf("%s holds no certificate", caFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return client{base, key, &http.Client{Timeout: time.Minute, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what came back, read whole.
type answer struct {
	asked  string
	status int
	header http.Header
	body   []byte
}

// problem is RFC 9457 with this product's own members.
type problem struct {
	Title, Code, Detail string
	Status              int
	Remedy              *struct{ Text, Action string }
	Errors              []struct{ Path, Code, Detail string }
}

// call sends a body: nil for none, []byte and url.Values as they are, anything else as JSON. header are pairs.
func (c client) call(method, path string, body any, header ...string) (*answer, error) {
	var reader io.Reader
	media := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte:
		reader, media = bytes.NewReader(b), ""
	case url.Values:
		reader, media = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return nil, fmt.Errorf("encoding a body: %w", err)
		}
		reader = bytes.NewReader(raw)
	}
	if !strings.HasPrefix(path, "http") {
		path = c.base + path
	}
	req, err := http.NewRequest(method, path, reader)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if media != "" && reader != nil {
		req.Header.Set("Content-Type", media)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	return &answer{method + " " + req.URL.Path, res.StatusCode, res.Header, raw}, nil
}

// must is call for a test that cannot go on without an answer.
func (c client) must(t *testing.T, method, path string, body any, header ...string) *answer {
	t.Helper()
	a, err := c.call(method, path, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// get reads into a value; anything but 200 fails the test.
func (c client) get(t *testing.T, path string, into any) {
	t.Helper()
	c.must(t, "GET", path, nil).want(t, http.StatusOK).into(t, into)
}

// want fails the test where another status was answered.
func (a *answer) want(t *testing.T, status int) *answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("%s answered %d, want %d: %s", a.asked, a.status, status, a.short())
	}
	return a
}

func (a *answer) short() string { return string(bytes.TrimSpace(a.body[:min(len(a.body), 2000)])) }

func (a *answer) into(t *testing.T, into any) *answer {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("reading the answer of %s: %v: %s", a.asked, err, a.short())
	}
	return a
}

// problem checks that a refusal is one as contracted: its media type, a code, and words for people.
func (a *answer) problem(t *testing.T, status int, codes ...string) problem {
	t.Helper()
	var p problem
	a.want(t, status).into(t, &p)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s: the refusal is %q, not application/problem+json", a.asked, got)
	}
	if p.Status != status || p.Code == "" || p.Title == "" || p.Detail == "" {
		t.Errorf("%s: the refusal lacks something: %s", a.asked, a.short())
	}
	for _, c := range codes {
		if p.Code == c {
			return p
		}
	}
	if len(codes) > 0 {
		t.Errorf("%s was refused with %q, want one of %q: %s", a.asked, p.Code, codes, a.short())
	}
	return p
}
