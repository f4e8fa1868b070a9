// Package control is /_sim/…: what makes tenants, plays their people and administrators, makes things go wrong and shows
// what happened (contracts/simulator.md, control). It asks for no authentication and therefore answers loopback callers only.
package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

// maxBody bounds a request, in bytes.
const maxBody = 1 << 20

// service is the control interface over one world.
type service struct {
	world *world.World
	login http.Handler
}

// New returns the control interface. login serves whole simulator addresses; the played browser of POST /_sim/consent asks it.
func New(w *world.World, login http.Handler) http.Handler {
	s := &service{world: w, login: login}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /_sim/tenants", s.createTenant)
	mux.HandleFunc("GET /_sim/tenants", s.listTenants)
	mux.HandleFunc("POST /_sim/apps", s.createApp)
	mux.HandleFunc("GET /_sim/apps", s.listApps)
	mux.HandleFunc("POST /_sim/consent", s.consent)
	mux.HandleFunc("POST /_sim/tenants/{tid}/actions", s.act)
	mux.HandleFunc("POST /_sim/tenants/{tid}/faults", s.createFault)
	mux.HandleFunc("GET /_sim/tenants/{tid}/faults", s.listFaults)
	mux.HandleFunc("DELETE /_sim/tenants/{tid}/faults", s.deleteFaults)
	mux.HandleFunc("DELETE /_sim/tenants/{tid}/faults/{id}", s.deleteFault)
	mux.HandleFunc("DELETE /_sim/faults/{id}", s.deleteFault)
	mux.HandleFunc("POST /_sim/faults/{id}/release", s.release)
	mux.HandleFunc("GET /_sim/tenants/{tid}/state", s.state)
	mux.HandleFunc("GET /_sim/requests", s.requests)
	mux.HandleFunc("GET /_sim/clock", s.clock)
	mux.HandleFunc("POST /_sim/clock", s.advance)
	mux.HandleFunc("POST /_sim/page/act", s.actOnPage)
	mux.HandleFunc("GET /_sim/page.css", styleSheet)
	mux.HandleFunc("GET /_sim/{$}", s.page)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotImplemented, "NotModelled", "The simulator does not model %s %s.", r.Method, r.URL.Path)
	})
	return onlyLoopback(http.NewCrossOriginProtection().Handler(mux))
}

// onlyLoopback keeps other machines out; and, over plain HTTP, pages of other sites whose name was made to point here.
func onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.RemoteAddr) {
			refuse(w, http.StatusForbidden, "LoopbackOnly", "The control interface answers callers on the same machine only.")
			return
		}
		if r.TLS == nil && !loopback(r.Host) {
			refuse(w, http.StatusForbidden, "LoopbackOnly", "Over plain HTTP the control interface is asked for by a loopback name.")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func loopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// problem is a refusal with its HTTP status.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

func notFound(format string, args ...any) error {
	return problem{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return problem{http.StatusConflict, fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return problem{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// fail answers an error by its kind.
func fail(w http.ResponseWriter, err error) {
	var p problem
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, &p):
		status = p.status
	case errors.Is(err, world.ErrInvalid):
		status = http.StatusBadRequest
	case errors.Is(err, world.ErrExists):
		status = http.StatusConflict
	case errors.Is(err, world.ErrNoTenant), errors.Is(err, world.ErrNoApp):
		status = http.StatusNotFound
	}
	refuse(w, status, strings.ReplaceAll(http.StatusText(status), " ", ""), "%s", err)
}

func refuse(w http.ResponseWriter, status int, code, format string, args ...any) {
	write(w, status, map[string]any{"error": map[string]string{"code": code, "message": fmt.Sprintf(format, args...)}})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller that has gone needs no answer
}

// read decodes the one JSON object of a body; a field nobody knows is refused, for it would be taken as done.
func read(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return badRequest("The body is not what this call takes: %s.", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badRequest("The body holds more than one JSON value.")
	}
	return nil
}

// tenant is the tenant of the path, by id or domain.
func (s *service) tenant(r *http.Request) (string, error) {
	id, ok := s.world.FindTenant(r.PathValue("tid"))
	if !ok {
		return "", notFound("There is no tenant %s.", r.PathValue("tid"))
	}
	return id, nil
}

// requests answers the journal.
func (s *service) requests(w http.ResponseWriter, r *http.Request) {
	tenant, since := r.FormValue("tenant"), time.Time{}
	if tenant != "" {
		id, ok := s.world.FindTenant(tenant)
		if ok {
			tenant = id
		}
	}
	if text := r.FormValue("since"); text != "" {
		var err error
		if since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			fail(w, badRequest("since is not an RFC 3339 time: %s.", err))
			return
		}
	}
	write(w, http.StatusOK, s.world.Journal.Since(since, strings.ToLower(tenant)))
}

// clock answers the world's time and how far ahead of real time it is.
func (s *service) clock(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{"now": s.world.Now(), "offsetSeconds": s.world.Offset().Seconds()})
}

func (s *service) advance(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Advance string `json:"advance"`
	}
	if err := read(r, &body); err != nil {
		fail(w, err)
		return
	}
	d, err := time.ParseDuration(body.Advance)
	if err != nil || d < 0 {
		fail(w, badRequest("advance is %q: it must be a duration that is not negative, like 90m or 24h.", body.Advance))
		return
	}
	s.world.Advance(d)
	s.clock(w, r)
}
