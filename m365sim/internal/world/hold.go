package world

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed says that the world was closed while a call was held.
var ErrClosed = errors.New("the simulator is stopping")

// holds are the calls that wait, by fault. They are not kept on disk: a killed simulator holds nothing.
type holds struct {
	mu      *sync.Mutex
	waiting map[string]map[chan struct{}]bool
	stop    chan struct{}
	once    *sync.Once
}

func newHolds() holds {
	return holds{mu: new(sync.Mutex), waiting: map[string]map[chan struct{}]bool{}, stop: make(chan struct{}), once: new(sync.Once)}
}

func (h holds) close() { h.once.Do(func() { close(h.stop) }) }

// Hold waits until the fault's calls are released (nil), the caller has gone (its context's error) or the world is closed
// (ErrClosed).
func (w *World) Hold(ctx context.Context, faultID string) error {
	h, ch := w.holds, make(chan struct{})
	h.mu.Lock()
	if h.waiting[faultID] == nil {
		h.waiting[faultID] = map[chan struct{}]bool{}
	}
	h.waiting[faultID][ch] = true
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.waiting[faultID], ch)
		h.mu.Unlock()
	}()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-h.stop:
		return ErrClosed
	}
}

// Held is how many calls the fault keeps waiting now.
func (w *World) Held(faultID string) int {
	w.holds.mu.Lock()
	defer w.holds.mu.Unlock()
	return len(w.holds.waiting[faultID])
}

// Release lets go of the calls the fault keeps waiting now and says how many; a later call is held again.
func (w *World) Release(faultID string) int {
	w.holds.mu.Lock()
	defer w.holds.mu.Unlock()
	n := len(w.holds.waiting[faultID])
	for ch := range w.holds.waiting[faultID] {
		close(ch)
	}
	delete(w.holds.waiting, faultID)
	return n
}
