package m365sim

import (
	"bytes"
	"net/http"
	"sync"
)

// staleCount and staleSize bound what is remembered: so many answers, of so many bytes at most each.
const (
	staleCount = 256
	staleSize  = 256 << 10
)

// staleAnswers are the last answers to GETs, for the fault stale-read.
type staleAnswers struct {
	mu    sync.Mutex
	known map[string]*answer
	order []string
}

func newStaleAnswers() *staleAnswers { return &staleAnswers{known: map[string]*answer{}} }

// remember keeps a successful answer to a GET of a tenant's resource, in place of the one before.
func (s *staleAnswers) remember(x *exchange) {
	if x.seen.Method != http.MethodGet || x.place.call.Tenant == "" || x.place.call.Service == serviceLogin {
		return
	}
	if x.answer.status != http.StatusOK || x.answer.body.Len() > staleSize {
		return
	}
	key := staleKey(x)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.known[key]; !ok {
		s.order = append(s.order, key)
	}
	s.known[key] = x.answer.copy()
	if len(s.order) > staleCount {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
}

// recall is the last answer to the same GET, nil when none is remembered: the call is then done.
func (s *staleAnswers) recall(x *exchange) *answer {
	if x.seen.Method != http.MethodGet {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.known[staleKey(x)]; ok {
		return a.copy()
	}
	return nil
}

func staleKey(x *exchange) string {
	return x.place.call.Tenant + " " + x.seen.Host + " " + x.seen.URL.RequestURI()
}

func (a *answer) copy() *answer {
	return &answer{header: a.header.Clone(), status: a.status, wrote: true, body: *bytes.NewBuffer(bytes.Clone(a.body.Bytes()))}
}
