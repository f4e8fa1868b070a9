package tenant

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// call is one request with all its attempts.
type call struct {
	door        *Door
	session     *Session
	state       *tenantState
	area        Area
	req         *Request
	write       bool
	address     string
	body        []byte
	correlation string
	refreshed   bool // the one new token has been asked for
	fresh       *Token
}

func (d *Door) do(ctx context.Context, s *Session, area Area, req *Request) (*Response, error) {
	c, err := d.newCall(s, area, req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.Op, err)
	}
	began := time.Now()
	resp, err := c.run(ctx)
	c.report(ctx, err)
	c.log(ctx, err, time.Since(began))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.Op, err)
	}
	return resp, nil
}

func (d *Door) newCall(s *Session, area Area, req *Request) (*call, error) {
	base, err := s.Base(area)
	if err != nil {
		return nil, err
	}
	address, err := resolve(base, req)
	if err != nil {
		return nil, err
	}
	c := &call{door: d, session: s, state: d.state(s.ref), area: area, req: req, address: address, correlation: uuid.NewString()}
	c.write = req.method() != http.MethodGet && req.method() != http.MethodHead
	if req.JSON != nil {
		if c.body, err = json.Marshal(req.JSON); err != nil {
			return nil, fmt.Errorf("writing the body: %w", err)
		}
	}
	return c, nil
}

// resolve makes the address. A link that the service answered is followed as it is, but never to another host: the token goes with it.
func resolve(base string, req *Request) (string, error) {
	if strings.HasPrefix(req.Path, "/") {
		address := base + req.Path
		if len(req.Query) > 0 {
			address += "?" + encodeQuery(req.Query)
		}
		return address, nil
	}
	link, err := url.Parse(req.Path)
	if err != nil {
		return "", fmt.Errorf("reading a link")
	}
	home, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("reading the base address: %w", err)
	}
	if link.Scheme != home.Scheme || link.Host != home.Host || len(req.Query) > 0 {
		return "", fmt.Errorf("a link leads away from %s", home.Host)
	}
	return req.Path, nil
}

// encodeQuery keeps the `$` of OData readable and writes a space as %20: a `+` is read as a space by some of Microsoft's services and
// as a plus by others (facts/teams-admin.md J1).
func encodeQuery(q url.Values) string {
	return strings.NewReplacer("+", "%20", "%24", "$").Replace(q.Encode())
}

// run makes attempts until one is answered as asked, or may not be repeated, or the retry budget is spent.
func (c *call) run(ctx context.Context) (*Response, error) {
	var waited time.Duration
	for attempt := 1; ; attempt++ {
		resp, err := c.attempt(ctx, c.door.opts.Retry.Wait-waited)
		if err == nil {
			return resp, nil
		}
		r := AsRefusal(err)
		if r == nil || ctx.Err() != nil {
			return nil, err
		}
		delay := r.RetryAfter
		if delay == 0 {
			delay = backoff(attempt)
		}
		held := r.Status == http.StatusTooManyRequests && r.Source != SourceEntra
		if held {
			c.state.hold(c.area, delay)
		}
		if waited += delay; attempt >= c.door.opts.Retry.Attempts || waited > c.door.opts.Retry.Wait || !c.repeatable(r) {
			return nil, err
		}
		if held {
			continue // the next attempt waits in admit, as every other session of the tenant does
		}
		if c.door.opts.Wait(ctx, delay) != nil {
			return nil, err
		}
	}
}

// repeatable tells what may be tried again. A write only where nothing can have been done.
func (c *call) repeatable(r *Refusal) bool {
	switch {
	case r.Maybe:
		return false
	case r.Source == SourceEntra:
		return !r.Class.Permanent()
	case r.Class == Network, r.Status == http.StatusTooManyRequests:
		return true
	case c.write:
		return false
	}
	return r.Status == http.StatusBadGateway || r.Status == http.StatusServiceUnavailable || r.Status == http.StatusGatewayTimeout
}

// backoff is 0.5 s, 1 s, 2 s, … up to 15 s, each ±25 %.
func backoff(attempt int) time.Duration {
	d := min(500*time.Millisecond<<min(attempt-1, 10), 15*time.Second)
	return d*3/4 + rand.N(d/2)
}

// attempt sends the request once, or twice where the first token was not accepted: a 401 means that nothing was done.
func (c *call) attempt(ctx context.Context, longest time.Duration) (*Response, error) {
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.state.admit(ctx, c, longest); err != nil {
		return nil, err
	}
	resp, err := c.send(ctx, token)
	if err != nil {
		return nil, err
	}
	if resp.Status == http.StatusUnauthorized && c.session.delegated == nil && !c.refreshed {
		if token, err = c.refresh(ctx, token, resp.Header); err != nil {
			return nil, err
		}
		if resp, err = c.send(ctx, token); err != nil {
			return nil, err
		}
	}
	if resp.Status < 200 || resp.Status > 299 {
		return nil, c.refuse(resp)
	}
	return resp, nil
}

func (c *call) token(ctx context.Context) (Token, error) {
	if c.session.delegated != nil {
		return *c.session.delegated, nil
	}
	if c.fresh != nil {
		return *c.fresh, nil
	}
	cred, err := c.door.opts.Credentials.App(ctx, c.session.ref)
	if err != nil {
		return Token{}, fmt.Errorf("finding the credential: %w", err)
	}
	return c.door.opts.Tokens.AppToken(ctx, c.session.ref, cred, c.area.resource(), false)
}

// refresh gets the one new token of this call, with the claims that the service asked for.
func (c *call) refresh(ctx context.Context, rejected Token, h http.Header) (Token, error) {
	c.refreshed = true
	claims := challengeClaims(h)
	token, err := c.state.refresh(ctx, c.area.resource(), rejected, func() (Token, error) {
		cred, err := c.door.opts.Credentials.App(ctx, c.session.ref)
		if err != nil {
			return Token{}, fmt.Errorf("finding the credential: %w", err)
		}
		if t, ok := c.door.opts.Tokens.(ChallengedTokens); ok && claims != "" {
			return t.AppTokenFor(ctx, c.session.ref, cred, c.area.resource(), claims)
		}
		return c.door.opts.Tokens.AppToken(ctx, c.session.ref, cred, c.area.resource(), true)
	})
	if err == nil {
		c.fresh = &token
	}
	return token, err
}

func (c *call) report(ctx context.Context, err error) {
	refusal := AsRefusal(err)
	if c.session.delegated != nil || c.door.opts.Outcomes == nil || ctx.Err() != nil || (err != nil && refusal == nil) {
		return
	}
	if refusal != nil { // whoever called may still add to it
		own := *refusal
		refusal = &own
	}
	c.door.opts.Outcomes.Report(ctx, c.session.ref, Outcome{
		At: c.door.now(), Area: c.area, Write: c.write, CorrelationID: c.correlation, Refusal: refusal,
	})
}

func (c *call) log(ctx context.Context, err error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("customer", c.session.ref.CustomerID), slog.String("area", string(c.area)), slog.String("op", c.req.Op),
		slog.String("correlation", c.correlation), slog.Duration("took", took),
	}
	if r := AsRefusal(err); r != nil {
		attrs = append(attrs, slog.Any("refusal", r))
	} else if err != nil {
		attrs = append(attrs, slog.Bool("given_up", true))
	}
	c.door.opts.Log.LogAttrs(ctx, slog.LevelDebug, "called tenant", attrs...)
}
