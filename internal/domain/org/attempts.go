package org

import (
	"crypto/sha256"
	"sync"
	"time"
)

// How often one address may fail, and how many addresses are remembered.
const (
	maxFailures   = 10
	failureWindow = 15 * time.Minute
	maxAddresses  = 100_000
)

// attempts counts failed sign-ins for each address, in this process alone. An attempt counts as failed from its beginning
// until it has succeeded, so that many at once are not more than many in turn.
type attempts struct {
	mu     sync.Mutex
	failed map[[sha256.Size]byte][]time.Time
}

func newAttempts() *attempts { return &attempts{failed: map[[sha256.Size]byte][]time.Time{}} }

// begin answers how many attempts failed before, or false and when the next is let in.
func (a *attempts) begin(address string, now time.Time) (before int, ok bool, again time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := sha256.Sum256([]byte(address))
	recent := within(a.failed[key], now)
	if len(recent) >= maxFailures {
		a.failed[key] = recent
		return len(recent), false, recent[0].Add(failureWindow)
	}
	if len(a.failed) >= maxAddresses {
		a.forget(now)
	}
	a.failed[key] = append(recent, now)
	return len(recent), true, time.Time{}
}

func within(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= failureWindow {
		times = times[1:]
	}
	return times
}

// succeeded forgets the failures of an address.
func (a *attempts) succeeded(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.failed, sha256.Sum256([]byte(address)))
}

// sweep forgets what is too old to count.
func (a *attempts) sweep(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, times := range a.failed {
		if len(within(times, now)) == 0 {
			delete(a.failed, key)
		}
	}
}

// forget makes room: first what is too old, then, under a flood of made-up addresses, whichever comes.
func (a *attempts) forget(now time.Time) {
	for key, times := range a.failed {
		if len(within(times, now)) == 0 {
			delete(a.failed, key)
		}
	}
	for key := range a.failed {
		if len(a.failed) < maxAddresses {
			return
		}
		delete(a.failed, key)
	}
}
