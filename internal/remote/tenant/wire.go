package tenant

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
)

const defaultMaxBytes = 64 << 20

var errTooLarge = errors.New("the answer is larger than allowed")

// send makes one attempt. An answer of any status is a Response; the lack of one is a Refusal of class network, or the context's
// error where the caller gave up and nothing can have been done.
func (c *call) send(ctx context.Context, token Token) (*Response, error) {
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	limited, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, trace), c.door.opts.Retry.Attempt)
	defer cancel()
	req, err := c.request(limited, token)
	if err != nil {
		return nil, err
	}
	answer, err := c.door.client.Do(req)
	if err != nil {
		return nil, c.lost(ctx, err, 0, sent.Load())
	}
	defer answer.Body.Close()
	resp := &Response{Status: answer.StatusCode, Header: answer.Header, RequestID: requestID(answer.Header), CorrelationID: c.correlation}
	resp.Body, err = c.read(answer)
	if err != nil && answer.StatusCode >= 200 && answer.StatusCode <= 299 {
		return nil, c.lost(ctx, err, answer.StatusCode, true)
	}
	return resp, nil // an unreadable refusal is told by its status
}

func (c *call) request(ctx context.Context, token Token) (*http.Request, error) {
	var body io.Reader
	if c.body != nil {
		body = bytes.NewReader(c.body)
	}
	req, err := http.NewRequestWithContext(ctx, c.req.method(), c.address, body)
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	for name, values := range c.req.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if c.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", c.door.opts.UserAgent)
	req.Header.Set("Authorization", "Bearer "+token.Value.Reveal())
	if c.area == AreaTeams {
		req.Header.Set("X-MS-Correlation-Id", c.correlation)
	} else {
		req.Header.Set("client-request-id", c.correlation)
		req.Header.Set("return-client-request-id", "true")
	}
	return req, nil
}

// lost is what is said when there is no whole answer.
func (c *call) lost(ctx context.Context, err error, status int, sent bool) error {
	maybe := c.write && sent
	if gaveUp := ctx.Err(); gaveUp != nil && !maybe {
		return gaveUp
	}
	r := &Refusal{
		Class: Network, Source: c.source(), Code: "unreachable", Status: status, Message: "Nothing was answered",
		Remedy: "Nothing to do; it is tried again.", CorrelationID: c.correlation, Maybe: maybe,
	}
	switch {
	case ctx.Err() != nil:
		return r.because("given-up", "The call was given up while it was under way", ctx.Err())
	case errors.Is(err, errTooLarge):
		r.Class = Ours
		return r.because("answer-too-large", "The answer was larger than allowed", errTooLarge)
	case errors.Is(err, context.DeadlineExceeded):
		return r.because("timed-out", "Nothing was answered in time", context.DeadlineExceeded)
	case status != 0:
		return r.because("answer-cut", "The answer broke off", err)
	}
	var outer *url.Error // its text has the whole address in it
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return r.WithCause(err)
}

func (r *Refusal) because(code, message string, err error) *Refusal {
	r.Code, r.Message = code, message
	return r.WithCause(err)
}

// read unpacks the whole body, within its bound.
func (c *call) read(answer *http.Response) ([]byte, error) {
	most := c.req.MaxBytes
	if most <= 0 {
		most = defaultMaxBytes
	}
	unpacked, err := unpack(answer)
	if err != nil {
		return nil, fmt.Errorf("unpacking the answer: %w", err)
	}
	var buf bytes.Buffer
	if answer.ContentLength > 0 && answer.ContentLength <= most {
		buf.Grow(int(answer.ContentLength) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(unpacked, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case n > most:
		return nil, errTooLarge
	}
	return buf.Bytes(), nil
}

// unpack undoes the encodings that Microsoft's services are known to use unasked, but br, which Go does not have.
func unpack(answer *http.Response) (io.Reader, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(answer.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return answer.Body, nil
	case "gzip", "x-gzip":
		packed, err := gzip.NewReader(answer.Body)
		if errors.Is(err, io.EOF) { // an empty answer has no gzip header either
			return strings.NewReader(""), nil
		}
		return packed, err
	case "deflate":
		return flate.NewReader(answer.Body), nil
	default:
		return nil, fmt.Errorf("encoding %q is not known", encoding)
	}
}

// requestID is Microsoft's id of the request: Graph and the Teams administration API name it differently.
func requestID(h http.Header) string {
	for _, name := range []string{"request-id", "x-ms-request-id", "X-MS-Correlation-Id"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

var claimsParameter = regexp.MustCompile(`(?i)\bclaims="([^"]+)"`)

// challengeClaims are the claims that a 401 asks for (continuous access evaluation), decoded; empty when there is no such challenge.
// Source: facts/entra.md §2.4; the value is base64 in any of its alphabets, with or without padding.
func challengeClaims(h http.Header) string {
	for _, challenge := range h.Values("WWW-Authenticate") {
		m := claimsParameter.FindStringSubmatch(challenge)
		if m == nil || !strings.Contains(challenge, "insufficient_claims") {
			continue
		}
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(m[1], "="))
		if decoded, err := base64.RawStdEncoding.DecodeString(plain); err == nil {
			return string(decoded)
		}
	}
	return ""
}
