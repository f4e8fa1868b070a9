// Package clock is where deciding asks for the time. Leases do not: they follow the host, for a process that died does
// not come back because somebody moved the simulator's clock.
package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the time by which due times, expiries and schedules are decided.
type Clock interface{ Now() time.Time }

// System is the host's clock, in UTC with microseconds: what the store keeps.
type System struct{}

// Now is the host's time.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Shifted is the host's clock moved by an offset that may change: the simulator's clock, as --microsoft-endpoints names it.
type Shifted struct{ offset atomic.Int64 }

// Now is the host's time plus the offset.
func (s *Shifted) Now() time.Time {
	return time.Now().Add(time.Duration(s.offset.Load())).UTC().Truncate(time.Microsecond)
}

// Shift sets the offset.
func (s *Shifted) Shift(d time.Duration) { s.offset.Store(int64(d)) }

// Fake stands still until it is moved; for tests.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake starts at a time.
func NewFake(at time.Time) *Fake { return &Fake{now: at.UTC().Truncate(time.Microsecond)} }

// Now is where the clock stands.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves it on.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}
