package browser

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

// client calls an HTTP API as a script would; it follows no redirect.
type client struct {
	base, key string
	transport http.RoundTripper
}

func trusting(base, caFile string) (client, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return client{}, fmt.Errorf("reading the simulator's authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return client{}, fmt.Errorf("%s holds no certificate", caFile)
	}
	return client{base: base, transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}, nil
}

// call sends JSON, or a form where the body is url.Values, and reads JSON where the answer is wanted.
func (c client) call(method, path string, body, into any) error {
	var reader io.Reader
	media := "application/json"
	if form, ok := body.(url.Values); ok {
		reader, media = strings.NewReader(form.Encode()), "application/x-www-form-urlencoded"
	} else if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encoding a body: %w", err)
		}
		reader = bytes.NewReader(raw)
	}
	if !strings.HasPrefix(path, "http") {
		path = c.base + path
	}
	req, err := http.NewRequest(method, path, reader)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Content-Type", media)
	req.Header.Set("Accept", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return c.send(req, into)
}

func (c client) send(req *http.Request, into any) error {
	res, err := (&http.Client{Timeout: time.Minute, Transport: c.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", req.URL.Path, err)
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s answered %d: %.600s", req.Method, req.URL.Path, res.StatusCode, raw)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("reading the answer of %s: %w: %.600s", req.URL.Path, err, raw)
	}
	return nil
}

// must fails the test where the call does.
func (c client) must(t *testing.T, method, path string, body, into any) {
	t.Helper()
	if err := c.call(method, path, body, into); err != nil {
		t.Fatal(err)
	}
}
