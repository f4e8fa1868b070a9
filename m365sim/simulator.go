package m365sim

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"tcap.cloud/m365sim/internal/control"
	"tcap.cloud/m365sim/internal/world"
)

// Options of a simulator. The zero value is a world in memory with a certificate authority in memory.
type Options struct {
	Dir     string           // the world is kept here and survives a kill; "" keeps it in memory
	BaseURL string           // https address that issuers name for callers over plain HTTP; "" is the address Serve listens on
	CADir   string           // ca.pem and its key are made here, or reused; "" keeps them in memory
	Hosts   bool             // the certificate is for Microsoft's own host names as well
	Now     func() time.Time // nil is time.Now
	Rand    io.Reader        // ids and secrets; nil is crypto/rand
	Log     *slog.Logger     // nil is slog.Default()
}

// Simulator is Microsoft 365 on one port: an http.Handler that tells the services apart by host name or first path segment.
// It is safe for concurrent use.
type Simulator struct {
	world     *world.World
	log       *slog.Logger
	authority *authority
	hosts     map[string]microsoftHost
	services  map[string]http.Handler
	control   http.Handler
	stale     *staleAnswers
	base      atomic.Pointer[string]
}

// New opens or makes the world and the certificate authority. Errors: a directory that cannot be used, a damaged log, a
// BaseURL that is not https.
func New(o Options) (*Simulator, error) {
	return assemble(o, services)
}

// assemble is New with the services to be named.
func assemble(o Options, make func(*world.World) map[string]http.Handler) (*Simulator, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Simulator{log: o.Log, hosts: microsoftHosts(), stale: newStaleAnswers()}
	if o.BaseURL != "" {
		if err := s.setBase(o.BaseURL); err != nil {
			return nil, err
		}
	}
	var err error
	if s.authority, err = openAuthority(o.CADir, s.certificateHosts(o.Hosts)); err != nil {
		return nil, fmt.Errorf("preparing certificates: %w", err)
	}
	if s.world, err = world.New(world.Options{Dir: o.Dir, Now: o.Now, Rand: o.Rand}); err != nil {
		return nil, err
	}
	s.services = make(s.world)
	s.control = control.New(s.world, http.HandlerFunc(s.unobserved))
	return s, nil
}

func (s *Simulator) setBase(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("base address %q: it must be https://host[:port]", base)
	}
	base = strings.TrimSuffix(base, "/")
	s.base.Store(&base)
	return nil
}

// Close lets held calls go and closes the world's files. What was answered is on disk already.
func (s *Simulator) Close() error { return s.world.Close() }

// ServeHTTP serves all of Microsoft 365 and /_sim/.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := s.locate(r)
	switch {
	case p.call.Service == serviceControl:
		s.control.ServeHTTP(w, r)
	case r.URL.Path == "/" && p.call.Cloud == "":
		http.Redirect(w, r, "/_sim/", http.StatusFound)
	default:
		s.observe(w, r, p)
	}
}

// unobserved serves what the played browser asks for: no journal, no faults.
func (s *Simulator) unobserved(w http.ResponseWriter, r *http.Request) { s.dispatch(w, s.locate(r)) }
