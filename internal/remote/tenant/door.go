package tenant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Options are what a Door needs. Directory, Credentials and Tokens are required.
type Options struct {
	Directory   Directory
	Credentials Credentials
	Tokens      Tokens
	// Outcomes hears what calls came to; nil: nobody does.
	Outcomes Outcomes
	// HTTP carries the requests; nil: http.DefaultClient. Redirects are never followed.
	HTTP *http.Client
	// Now dates outcomes and reads dates in answers; nil: time.Now. Budgets run on the machine's own clock, as they pace real requests.
	Now func() time.Time
	// Wait waits before a retry or for the budget, and gives up with the context; nil: a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Log may be nil.
	Log *slog.Logger
	// UserAgent is sent with each request; empty: tcap. It never pretends to be Microsoft's module.
	UserAgent string
	// Budget is the pace of requests to one tenant.
	Budget Budget
	// Retry bounds what is tried again.
	Retry Retry
}

// Budget is how many requests all sessions of one tenant may make together. Graph's smallest tenants are allowed 350 resource units
// a second, a request costing 1 to 3 (contracts/README.md, Manners); the default leaves room for others.
type Budget struct {
	// PerSecond is the steady pace; 0: 50.
	PerSecond float64
	// Burst is how many may come at once; 0: 100.
	Burst int
}

// Retry bounds what one call may try again.
type Retry struct {
	// Attempts counts the first one too; 0: 4.
	Attempts int
	// Wait is the longest that one call may wait for retries in all; 0: 45 s. What would take longer is handed to the caller with its
	// RetryAfter, as waiting belongs into a due time.
	Wait time.Duration
	// Attempt is the longest that one attempt may take; 0: 100 s, Graph's own limit being about that.
	Attempt time.Duration
}

// Door opens sessions to tenants. One for each process: it keeps the tenants' budgets. Safe for concurrent use; it starts no goroutine.
type Door struct {
	opts   Options
	client *http.Client

	mu      sync.Mutex
	tenants map[tenantKey]*tenantState // never emptied: one small value for each customer
}

type tenantKey struct {
	cloud  Cloud
	tenant string
}

// New checks the options and makes the door.
func New(opts Options) (*Door, error) {
	if opts.Credentials == nil || opts.Tokens == nil {
		return nil, errors.New("tenant door: credentials and tokens are required")
	}
	if err := opts.Directory.Validate(); err != nil {
		return nil, fmt.Errorf("tenant door: %w", err)
	}
	opts = opts.withDefaults()
	client := *opts.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Door{opts: opts, client: &client, tenants: map[tenantKey]*tenantState{}}, nil
}

func (o Options) withDefaults() Options {
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = waitTimer
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.UserAgent == "" {
		o.UserAgent = "tcap"
	}
	o.Budget.PerSecond = orDefault(o.Budget.PerSecond, 50)
	o.Budget.Burst = orDefault(o.Budget.Burst, 100)
	o.Retry.Attempts = orDefault(o.Retry.Attempts, 4)
	o.Retry.Wait = orDefault(o.Retry.Wait, 45*time.Second)
	o.Retry.Attempt = orDefault(o.Retry.Attempt, 100*time.Second)
	return o
}

func orDefault[T int | float64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

func waitTimer(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Door) now() time.Time { return d.opts.Now() }

func (d *Door) state(ref Ref) *tenantState {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := tenantKey{ref.Cloud, ref.TenantID}
	s, ok := d.tenants[key]
	if !ok {
		s = newTenantState(d.opts.Budget)
		d.tenants[key] = s
	}
	return s
}

// Session is the application itself in a tenant.
func (d *Door) Session(ref Ref) *Session { return &Session{door: d, ref: ref} }

// Delegated is a person in a tenant, by a token that cannot be refreshed: once it has expired everything is refused with class user.
// Its outcomes are not reported.
func (d *Door) Delegated(ref Ref, token Token) *Session {
	return &Session{door: d, ref: ref, delegated: &token}
}

// Session reads a tenant. Safe for concurrent use; nothing to close.
type Session struct {
	door      *Door
	ref       Ref
	delegated *Token
}

// Ref is the tenant.
func (s *Session) Ref() Ref { return s.ref }

// Base is the address that the area's paths stand under, for the few bodies that name an object by its address.
func (s *Session) Base(area Area) (string, error) {
	e, err := s.door.opts.Directory.Endpoints(s.ref.Cloud)
	if err != nil {
		return "", err
	}
	return e.base(area)
}

// Do reads. Any method but GET is an error of the program. A refusal is a *Refusal.
func (s *Session) Do(ctx context.Context, area Area, req *Request) (*Response, error) {
	if req.method() != http.MethodGet {
		return nil, fmt.Errorf("%s: a session only reads, %s was asked", req.Op, req.method())
	}
	return s.door.do(ctx, s, area, req)
}

// Writer lets the session write. The engine alone calls this; a test of the whole tree says so.
func (s *Session) Writer() *Writer { return &Writer{session: s} }

// Writer writes to a tenant, and reads it.
type Writer struct{ session *Session }

// Session is the reading side.
func (w *Writer) Session() *Session { return w.session }

// Do reads or writes. A write is sent once: only where nothing can have been done (429, or never sent) is it tried again. Where it is
// not known what became of it the refusal says Maybe.
func (w *Writer) Do(ctx context.Context, area Area, req *Request) (*Response, error) {
	return w.session.door.do(ctx, w.session, area, req)
}

// Request is one request to an area.
type Request struct {
	// Op names it in logs and errors: `users.delta`.
	Op string
	// Method is GET when empty.
	Method string
	// Path begins with a slash and is already escaped; or it is an address that the area itself answered (a next link), followed as it
	// is as long as it is on the area's own host.
	Path string
	// Query goes with a path, not with a next link.
	Query url.Values
	// Header has further headers. Authorization and the correlation ids are the door's.
	Header http.Header
	// JSON is the body, or nil for none.
	JSON any
	// MaxBytes bounds the answer, unpacked; 0: 64 MiB.
	MaxBytes int64
}

func (r *Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

// Response is an answer of 2xx, read whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// RequestID is Microsoft's id of the request, CorrelationID ours.
	RequestID     string
	CorrelationID string
}
