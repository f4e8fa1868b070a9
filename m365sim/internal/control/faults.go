package control

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// Phases of a fault: before the call is done, or after it was done and before it is answered.
const (
	Before = "before"
	After  = "after"
)

// Kinds of faults.
const (
	KindStatus       = "status"
	KindDelay        = "delay"
	KindCut          = "cut"
	KindLostResponse = "lost-response"
	KindTruncate     = "truncate"
	KindThrottle     = "throttle"
	KindStaleRead    = "stale-read"
	KindHold         = "hold"
)

// Matches says whether a call with this method is meant, under any of the paths it may be called by. A path's glob is
// matched whole, whatever the case: * is any run of characters, slashes too, and ? any one.
func Matches(m world.Match, method string, paths ...string) bool {
	if m.Method != "" && !strings.EqualFold(m.Method, method) {
		return false
	}
	return m.Path == "" || slices.ContainsFunc(paths, func(p string) bool {
		return glob(strings.ToLower(m.Path), strings.ToLower(p))
	})
}

// glob matches in time linear in both for each star: only the last star is ever returned to.
func glob(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// newFault is the body of POST …/faults.
type newFault struct {
	Match       world.Match     `json:"match"`
	Kind        string          `json:"kind"`
	Phase       string          `json:"phase"`
	Status      int             `json:"status"`
	Body        json.RawMessage `json:"body"`
	RetryAfter  int             `json:"retryAfter"`
	DelayMs     int             `json:"delayMs"`
	Times       *int            `json:"times"`
	Probability *float64        `json:"probability"`
	Seed        *int64          `json:"seed"`
}

// defaultRetryAfter is a throttle's Retry-After when none is given, in seconds.
const defaultRetryAfter = 10

// fault fills in the defaults and refuses what cannot be done.
func (n newFault) fault() (world.Fault, error) {
	f := world.Fault{
		Match: n.Match, Kind: n.Kind, Phase: n.Phase, Status: n.Status, Body: n.Body, RetryAfter: n.RetryAfter, DelayMs: n.DelayMs,
		Probability: 1, Seed: rand.Int64(),
	}
	if n.Times != nil {
		if f.Times = *n.Times; f.Times < 1 {
			return f, badRequest("times is %d: it is at least 1; leave it out for without end.", f.Times)
		}
	}
	if n.Seed != nil {
		f.Seed = *n.Seed
	}
	if n.Probability != nil {
		if f.Probability = *n.Probability; !(f.Probability > 0 && f.Probability <= 1) {
			return f, badRequest("probability is %v: it is more than 0 and at most 1.", f.Probability)
		}
	}
	if f.Phase == "" {
		f.Phase = Before
	}
	if f.Phase != Before && f.Phase != After {
		return f, badRequest("phase is %q: it is before or after.", f.Phase)
	}
	return n.ofKind(f)
}

func (n newFault) ofKind(f world.Fault) (world.Fault, error) {
	switch f.Kind {
	case KindStatus:
		if f.Status < 200 || f.Status > 599 {
			return f, badRequest("status is %d: a fault of this kind names one, 200 to 599.", f.Status)
		}
	case KindThrottle:
		f.Status, f.RetryAfter = orElse(f.Status, http.StatusTooManyRequests), orElse(f.RetryAfter, defaultRetryAfter)
	case KindDelay:
		if f.DelayMs < 1 {
			return f, badRequest("delayMs is %d: a fault of this kind says how long, in milliseconds.", f.DelayMs)
		}
	case KindLostResponse, KindTruncate:
		if n.Phase == Before {
			return f, badRequest("%s happens to an answer: its phase is after.", f.Kind)
		}
		f.Phase = After
	case KindStaleRead:
		if f.Phase == After {
			return f, badRequest("stale-read answers instead of the call: its phase is before.")
		}
		if f.Match.Method != "" && !strings.EqualFold(f.Match.Method, http.MethodGet) {
			return f, badRequest("stale-read is for GET only.")
		}
		f.Match.Method = http.MethodGet
	case KindCut, KindHold:
	default:
		return f, badRequest("kind is %q: it is one of status, delay, cut, lost-response, truncate, throttle, stale-read, hold.", f.Kind)
	}
	return f, nil
}

func orElse(n, fallback int) int {
	if n == 0 {
		return fallback
	}
	return n
}

func (s *service) createFault(w http.ResponseWriter, r *http.Request) {
	tenant, err := s.tenant(r)
	if err != nil {
		fail(w, err)
		return
	}
	var body newFault
	if err := read(r, &body); err != nil {
		fail(w, err)
		return
	}
	f, err := body.fault()
	if err != nil {
		fail(w, err)
		return
	}
	f.Tenant = tenant
	if f, err = s.world.PutFault(r.Context(), f); err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusCreated, map[string]string{"id": f.ID})
}

// faultLine is a fault with how many calls it holds now.
type faultLine struct {
	world.Fault
	Held int `json:"held"`
}

func (s *service) listFaults(w http.ResponseWriter, r *http.Request) {
	tenant, err := s.tenant(r)
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, s.faultLines(tenant))
}

func (s *service) faultLines(tenant string) []faultLine {
	lines := []faultLine{}
	for _, f := range s.world.Faults(tenant) {
		lines = append(lines, faultLine{f, s.world.Held(f.ID)})
	}
	return lines
}

func (s *service) deleteFaults(w http.ResponseWriter, r *http.Request) {
	tenant, err := s.tenant(r)
	if err != nil {
		fail(w, err)
		return
	}
	for _, f := range s.world.Faults(tenant) {
		if _, err := s.world.DeleteFault(r.Context(), f.ID); err != nil {
			fail(w, err)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *service) deleteFault(w http.ResponseWriter, r *http.Request) {
	if err := s.known(r); err != nil {
		fail(w, err)
		return
	}
	if _, err := s.world.DeleteFault(r.Context(), r.PathValue("id")); err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *service) release(w http.ResponseWriter, r *http.Request) {
	if err := s.known(r); err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, map[string]int{"released": s.world.Release(r.PathValue("id"))})
}

// known says whether the fault of the path exists, in the tenant of the path when it names one.
func (s *service) known(r *http.Request) error {
	tenant := ""
	if r.PathValue("tid") != "" {
		var err error
		if tenant, err = s.tenant(r); err != nil {
			return err
		}
	}
	id := r.PathValue("id")
	if !slices.ContainsFunc(s.world.Faults(tenant), func(f world.Fault) bool { return f.ID == id }) {
		return notFound("There is no fault %s.", id)
	}
	return nil
}
