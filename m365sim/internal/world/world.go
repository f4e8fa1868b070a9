package world

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Errors a caller may tell apart with errors.Is.
var (
	ErrNoTenant = errors.New("no such tenant")
	ErrExists   = errors.New("exists already")
	ErrNoApp    = errors.New("no such application")
)

// Options says where a world is kept and what it takes time and randomness from. The zero value is a world in memory.
type Options struct {
	Dir  string           // "" keeps the world in memory only
	Now  func() time.Time // nil is time.Now
	Rand io.Reader        // nil is crypto/rand
}

// World is everything the simulator knows. It is safe for concurrent use.
//
// Locks: mu guards the maps below; each room has a lock of its own for its tenant. Whoever holds a room's lock may take mu,
// never the other way round.
type World struct {
	now   func() time.Time
	rand  io.Reader
	log   *logFile // nil in memory
	holds holds

	Journal *Journal // the requests that were made; in memory only

	mu      sync.RWMutex
	rooms   map[string]*room
	order   []string          // tenant ids, oldest first
	domains map[string]string // lower-case verified domain → tenant id
	apps    map[string]App
	keys    []SigningKey
	tickets map[string]ticket
	faults  []Fault
	offset  time.Duration

	keyMu  sync.Mutex
	randMu sync.Mutex
}

// room is a tenant with its lock.
type room struct {
	mu      sync.RWMutex
	tenant  *Tenant
	pending *pending
	made    creation
}

// New opens the world in o.Dir as its last completed change left it, or makes an empty one.
func New(o Options) (*World, error) {
	w := &World{
		now: o.Now, rand: o.Rand, Journal: NewJournal(100_000), holds: newHolds(),
		rooms: map[string]*room{}, domains: map[string]string{}, apps: map[string]App{}, tickets: map[string]ticket{},
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.rand == nil {
		w.rand = rand.Reader
	}
	if o.Dir == "" {
		return w, nil
	}
	if err := w.open(o.Dir); err != nil {
		return nil, fmt.Errorf("opening the world in %s: %w", o.Dir, err)
	}
	return w, nil
}

// Close releases the files and whatever a hold keeps waiting. What was changed is on disk already.
func (w *World) Close() error {
	w.holds.close()
	if w.log == nil {
		return nil
	}
	return w.log.close()
}

// Now is the world's time in UTC: real time and whatever was advanced.
func (w *World) Now() time.Time {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.now().Add(w.offset).UTC().Round(0)
}

// Offset is how far the world's clock is ahead of real time.
func (w *World) Offset() time.Duration {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.offset
}

// Advance moves the world's clock forward and returns its new time. A negative d is ignored: time does not go back.
func (w *World) Advance(d time.Duration) time.Time {
	w.mu.Lock()
	if d > 0 {
		w.offset += d
		offset := w.offset
		w.log.keep(record{Clock: &offset})
	}
	w.mu.Unlock()
	return w.Now()
}

// NewID is a new random GUID.
func (w *World) NewID() string {
	w.randMu.Lock()
	defer w.randMu.Unlock()
	return uuid.Must(uuid.NewRandomFromReader(w.rand)).String()
}

// View calls fn with the tenant under its read lock. Errors: ErrNoTenant, for a deleted tenant too, and what fn returns.
// fn must not call Update, nor keep the tenant.
func (w *World) View(tenantID string, fn func(t *Tenant) error) error {
	r, err := w.room(tenantID)
	if err != nil {
		return err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.tenant.Deleted {
		return ErrNoTenant
	}
	return fn(r.tenant)
}

// Update calls fn with the tenant under its write lock; when it returns, what fn changed is on disk. fn checks first and puts
// last: should it fail after a Put, that Put stays. Errors: ErrNoTenant, for a deleted tenant too; what fn returns; and that
// the log could not be written, after which every Update fails. fn must not call View, Update or anything else that does.
func (w *World) Update(ctx context.Context, tenantID string, fn func(t *Tenant) error) (err error) {
	r, err := w.room(tenantID)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tenant.Deleted {
		return ErrNoTenant
	}
	if err := w.log.failure(); err != nil {
		return err
	}
	before, err := head(r.tenant)
	if err != nil {
		return err
	}
	defer func() { // deferred, so that memory and disk agree even when fn panics
		if failed := w.commit(ctx, r, before); failed != nil {
			err = errors.Join(err, failed)
		}
	}()
	return fn(r.tenant)
}

func (w *World) room(tenantID string) (*room, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	r, ok := w.rooms[strings.ToLower(tenantID)]
	if !ok {
		return nil, ErrNoTenant
	}
	return r, nil
}

// FindTenant is the id of the tenant with this GUID or verified domain, whatever the case. Deleted tenants are not found.
func (w *World) FindTenant(idOrDomain string) (tenantID string, ok bool) {
	key := strings.ToLower(idOrDomain)
	w.mu.RLock()
	defer w.mu.RUnlock()
	if id, ok := w.domains[key]; ok {
		return id, true
	}
	return key, slices.Contains(w.order, key)
}

// TenantIDs lists the tenants that are not deleted, oldest first.
func (w *World) TenantIDs() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.Clone(w.order)
}

// index makes FindTenant and TenantIDs follow what the tenant says of itself.
func (w *World) index(t *Tenant) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.indexLocked(t)
}

func (w *World) indexLocked(t *Tenant) {
	for name, id := range w.domains {
		if id == t.ID {
			delete(w.domains, name)
		}
	}
	if t.Deleted {
		w.order = slices.DeleteFunc(w.order, func(id string) bool { return id == t.ID })
		return
	}
	for _, d := range t.Domains {
		if d.Verified {
			w.domains[strings.ToLower(d.Name)] = t.ID
		}
	}
}
