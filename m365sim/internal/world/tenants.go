package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxUsers bounds a generated tenant, and maxAdded what is added to it at once.
const (
	maxUsers = 1_000_000
	maxAdded = 100_000
)

// ErrInvalid says that what was asked for makes no sense; the text says why.
var ErrInvalid = errors.New("invalid")

// NewTenant is what CreateTenant makes: Users people, two at least, of whom LicensedShare (0 to 1) hold Teams Phone, all from
// Seed. Cloud "" is global. Domain "" follows from Name; without a dot it is the first label of the initial domain; with one
// it is a verified custom domain, the tenant's default, beside an initial domain that follows from Name.
type NewTenant struct {
	Name          string
	Cloud         Cloud
	Users         int
	Seed          int64
	LicensedShare float64
	Domain        string
}

// Person is somebody who can sign in.
type Person struct {
	UPN      string
	Password string
}

// Created is a tenant that was made. Domain is its default one.
type Created struct {
	TenantID, Domain  string
	GlobalAdmin, User Person
}

// creation is all a tenant follows from; the log keeps it instead of the users.
type creation struct {
	NewTenant        // Domain: the default one
	Number    int    // the how many-th tenant
	TenantID  string // lower case
	Initial   string // initial domain
	At        time.Time
}

var initialSuffix = map[Cloud]string{
	Global: ".onmicrosoft.com", GCC: ".onmicrosoft.com", GCCHigh: ".onmicrosoft.us", DoD: ".onmicrosoft.us",
	China: ".partner.onmschina.cn",
}

// CreateTenant makes a tenant. Errors: ErrInvalid; ErrExists when the domain asked for is some tenant's already.
func (w *World) CreateTenant(_ context.Context, n NewTenant) (Created, error) {
	n.Users = max(n.Users, 2)
	if n.Cloud == "" {
		n.Cloud = Global
	}
	switch {
	case initialSuffix[n.Cloud] == "":
		return Created{}, fmt.Errorf("%w: unknown cloud %q", ErrInvalid, n.Cloud)
	case strings.TrimSpace(n.Name) == "":
		return Created{}, fmt.Errorf("%w: a tenant needs a name", ErrInvalid)
	case n.Users > maxUsers:
		return Created{}, fmt.Errorf("%w: %d users, at most %d", ErrInvalid, n.Users, maxUsers)
	case !(n.LicensedShare >= 0 && n.LicensedShare <= 1):
		return Created{}, fmt.Errorf("%w: licensedShare %v, it goes from 0 to 1", ErrInvalid, n.LicensedShare)
	}
	c := creation{NewTenant: n, TenantID: w.NewID(), At: w.Now()}
	c.Domain = strings.ToLower(n.Domain)
	return w.create(c)
}

// create names, generates and keeps the tenant. Generating happens without the lock, then the names are taken for good.
func (w *World) create(c creation) (Created, error) {
	if err := w.name(&c); err != nil {
		return Created{}, err
	}
	t := newGenerator(c).tenant()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.taken(c.Domain) || w.taken(c.Initial) {
		return Created{}, fmt.Errorf("domain %s: %w", c.Domain, ErrExists)
	}
	c.Number = len(w.rooms)
	if err := w.log.keep(record{Create: &c}); err != nil {
		return Created{}, err
	}
	w.installTenant(c, t)
	g := newGenerator(c)
	admin, user := g.user(0), g.user(1)
	return Created{
		TenantID: c.TenantID, Domain: c.Domain,
		GlobalAdmin: Person{admin.UserPrincipalName, admin.Password}, User: Person{user.UserPrincipalName, user.Password},
	}, nil
}

// name settles the two domains.
func (w *World) name(c *creation) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	suffix, label := initialSuffix[c.Cloud], slug(c.Name)
	switch {
	case c.Domain != "" && strings.HasSuffix(c.Domain, suffix):
		c.Initial = c.Domain
	case c.Domain != "" && !strings.Contains(c.Domain, "."):
		c.Initial = slug(c.Domain) + suffix
		c.Domain = c.Initial
	}
	if c.Initial == "" {
		c.Initial = label + suffix
		for n := 2; w.taken(c.Initial); n++ {
			c.Initial = fmt.Sprintf("%s%d%s", label, n, suffix)
		}
	}
	if c.Domain == "" {
		c.Domain = c.Initial
	}
	if w.taken(c.Domain) || w.taken(c.Initial) {
		return fmt.Errorf("domain %s: %w", c.Domain, ErrExists)
	}
	return nil
}

// taken says whether some tenant has the domain, or a deleted one had it as its initial one.
func (w *World) taken(domain string) bool {
	if _, ok := w.domains[domain]; ok {
		return true
	}
	for _, r := range w.rooms {
		if r.made.Initial == domain {
			return true
		}
	}
	return false
}

func slug(name string) string {
	label := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	if label == "" {
		return "tenant"
	}
	return label[:min(len(label), 27)]
}

// install is a creation read from the log.
func (w *World) install(c creation) { w.installTenant(c, newGenerator(c).tenant()) }

func (w *World) installTenant(c creation, t *Tenant) {
	r := &room{tenant: t, made: c}
	r.bind(w.log != nil)
	w.rooms[c.TenantID] = r
	w.order = append(w.order, c.TenantID)
	w.indexLocked(t)
}

// AddUsers makes count more users from the tenant's seed, as AddUsers calls before and CreateTenant did, and returns their ids.
// Errors: ErrNoTenant, ErrInvalid.
func (w *World) AddUsers(ctx context.Context, tenantID string, count int) ([]string, error) {
	if count < 1 || count > maxAdded {
		return nil, fmt.Errorf("%w: %d users to add, 1 to %d", ErrInvalid, count, maxAdded)
	}
	r, err := w.room(tenantID)
	if err != nil {
		return nil, err
	}
	g, ids, now := newGenerator(r.made), make([]string, 0, count), w.Now()
	err = w.Update(ctx, tenantID, func(t *Tenant) error {
		t.Users.order = slices.Grow(t.Users.order, count)
		for i := range count {
			u := g.user(t.Generated + i)
			u.CreatedAt = now
			t.Users.Put(u.ID, u)
			ids = append(ids, u.ID)
		}
		t.Generated += count
		return nil
	})
	return ids, err
}
