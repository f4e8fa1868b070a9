package world

import (
	"slices"
	"sync"
	"time"
)

// Request is one line of the journal (contracts/simulator.md, GET /_sim/requests). Status is 0 when nothing was answered.
type Request struct {
	Time          time.Time `json:"time"`
	Tenant        string    `json:"tenant"`
	Method        string    `json:"method"`
	Path          string    `json:"path"`
	Status        int       `json:"status"`
	AppID         string    `json:"appId"`
	ResourceUnits int       `json:"resourceUnits"`
	Wrote         bool      `json:"wrote"`
}

// Journal is a ring of the newest requests. It is safe for concurrent use.
type Journal struct {
	mu    sync.Mutex
	size  int
	next  int64 // number of the next entry, from 0
	lines []Request
}

// NewJournal is an empty journal that keeps the newest size requests.
func NewJournal(size int) *Journal { return &Journal{size: size} }

// Add appends a request and returns its number, for SetStatus.
func (j *Journal) Add(r Request) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.lines) < j.size {
		j.lines = append(j.lines, r)
	} else {
		j.lines[j.next%int64(j.size)] = r
	}
	j.next++
	return j.next - 1
}

// SetStatus corrects the status of an entry that is still kept: a fault answered something else than the service did.
func (j *Journal) SetStatus(number int64, status int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if number >= 0 && number < j.next && number >= j.next-int64(len(j.lines)) {
		j.lines[number%int64(j.size)].Status = status
	}
}

// Since lists the requests made at or after a time, oldest first; tenant "" means all.
func (j *Journal) Since(since time.Time, tenant string) []Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	found := []Request{}
	for n := j.next - int64(len(j.lines)); n < j.next; n++ {
		r := j.lines[n%int64(j.size)]
		if (tenant == "" || r.Tenant == tenant) && !r.Time.Before(since) {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b Request) int { return a.Time.Compare(b.Time) })
	return found
}
