package world

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
)

// Fault is something that goes wrong, or late, in a tenant's calls (contracts/simulator.md, faults).
type Fault struct {
	ID          string          `json:"id"`
	Tenant      string          `json:"tenant"`
	Match       Match           `json:"match"`
	Kind        string          `json:"kind"`
	Phase       string          `json:"phase"` // before or after
	Status      int             `json:"status,omitempty"`
	Body        json.RawMessage `json:"body,omitempty"` // a JSON string is sent as its text
	RetryAfter  int             `json:"retryAfter,omitempty"`
	DelayMs     int             `json:"delayMs,omitempty"`
	Times       int             `json:"times,omitempty"` // 0 is without end
	Probability float64         `json:"probability"`
	Seed        int64           `json:"seed"`
	Draws       int             `json:"draws"` // calls that matched
	Done        int             `json:"done"`  // calls it happened to
}

// Match says which calls a fault is for. Empty matches all; Path is a glob.
type Match struct {
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
}

// PutFault adds a fault and returns it with its new id.
func (w *World) PutFault(_ context.Context, f Fault) (Fault, error) {
	f.ID = w.NewID()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.installFault(f)
	return f, w.log.keep(record{Fault: &f})
}

// Faults lists the faults of a tenant, oldest first; "" means all.
func (w *World) Faults(tenantID string) []Fault {
	w.mu.RLock()
	defer w.mu.RUnlock()
	found := []Fault{}
	for _, f := range w.faults {
		if tenantID == "" || f.Tenant == tenantID {
			found = append(found, f)
		}
	}
	return found
}

// DeleteFault removes a fault and releases what it holds; it says whether there was one.
func (w *World) DeleteFault(_ context.Context, id string) (bool, error) {
	w.mu.Lock()
	found := w.uninstallFault(id)
	var err error
	if found {
		err = w.log.keep(record{FaultGone: id})
	}
	w.mu.Unlock()
	w.Release(id)
	return found, err
}

// FireFault counts a matching call and says whether the fault happens to it: not when it is used up or gone, nor when its
// probability, drawn from its seed, spares the call.
func (w *World) FireFault(_ context.Context, id string) (Fault, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.faults, func(f Fault) bool { return f.ID == id })
	if i < 0 {
		return Fault{}, false, nil
	}
	f := &w.faults[i]
	if f.Times > 0 && f.Done >= f.Times {
		return *f, false, nil
	}
	draw := rand.New(rand.NewPCG(uint64(f.Seed), uint64(f.Draws))).Float64()
	f.Draws++
	if draw >= f.Probability {
		return *f, false, w.log.keep(record{Fault: f})
	}
	f.Done++
	return *f, true, w.log.keep(record{Fault: f})
}

func (w *World) installFault(f Fault) {
	if i := slices.IndexFunc(w.faults, func(g Fault) bool { return g.ID == f.ID }); i >= 0 {
		w.faults[i] = f
		return
	}
	w.faults = append(w.faults, f)
}

func (w *World) uninstallFault(id string) bool {
	before := len(w.faults)
	w.faults = slices.DeleteFunc(w.faults, func(f Fault) bool { return f.ID == id })
	return len(w.faults) < before
}
