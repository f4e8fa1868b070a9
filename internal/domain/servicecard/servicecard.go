// Package servicecard is what a service card shows: do calls work, why not, since when, who must do what. It is a read
// model: it joins tables of other rooms, read-only, and decides nothing but words.
package servicecard

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/capability"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
)

// Activation is how far a Direct Routing domain is. It is a state of its own: active means that sync works (S4.2).
type Activation struct {
	State string
	Until time.Time
}

// LastSync is the last sync that ended well.
type LastSync struct {
	At             time.Time
	Users, Changed int
}

// App is the application that acts in the tenant.
type App struct {
	Kind          string // hosted or custom
	ApplicationID string
}

// Tenant is a Microsoft 365 tenant by name.
type Tenant struct {
	ID      string
	Name    string
	Domains []string
}

// Card is one service as people see it.
type Card struct {
	Service      org.Service
	Customer     org.Customer
	Status       string
	Sentence     string
	Cause        *pairing.Cause
	Affects      []string
	Remedy       *fault.Remedy
	Activation   *Activation
	LastSync     *LastSync
	NextTry      time.Time
	Failures     int
	App          *App
	Tenant       *Tenant
	Candidate    *Tenant
	ConsentedBy  string
	ConsentedAt  time.Time
	Roles        []pairing.Role
	Permissions  []pairing.Permission
	Made         []string
	OperationID  string // of the connection being made
	SyncID       string // of a running sync
	Users        int
	WithNumber   int
	Capabilities []capability.Answer
}

// Cards answers cards.
type Cards struct {
	db       *db.DB
	org      *org.Org
	pairings *pairing.Pairings
	clock    clock.Clock
}

// New makes the read model.
func New(d *db.DB, c clock.Clock, o *org.Org, p *pairing.Pairings) *Cards {
	return &Cards{db: d, clock: c, org: o, pairings: p}
}

// Card answers one service's card inside the actor's scope.
func (s *Cards) Card(ctx context.Context, a access.Actor, serviceID string) (Card, error) {
	if err := access.Can(a, access.Read); err != nil {
		return Card{}, err
	}
	svc, customer, err := s.org.Service(ctx, a, serviceID)
	if err != nil {
		return Card{}, err
	}
	p, err := s.pairings.Of(ctx, a, customer.ID)
	if err != nil {
		return Card{}, err
	}
	return s.make(ctx, svc, customer, p)
}

// Cards answers all cards of a customer inside the actor's scope.
func (s *Cards) Cards(ctx context.Context, a access.Actor, customerID string) ([]Card, error) {
	if err := access.Can(a, access.Read); err != nil {
		return nil, err
	}
	customer, err := s.org.Customer(ctx, a, customerID)
	if err != nil {
		return nil, err
	}
	services, err := s.org.Services(ctx, a, customerID)
	if err != nil {
		return nil, err
	}
	p, err := s.pairings.Of(ctx, a, customerID)
	if err != nil {
		return nil, err
	}
	cards := make([]Card, 0, len(services))
	for _, svc := range services {
		c, err := s.make(ctx, svc, customer, p)
		if err != nil {
			return nil, err
		}
		cards = append(cards, c)
	}
	return cards, nil
}

func (s *Cards) make(ctx context.Context, svc org.Service, customer org.Customer, p pairing.Pairing) (Card, error) {
	c := Card{Service: svc, Customer: customer, Status: Status(svc, p), Capabilities: capability.Of(Asked(svc, customer, p))}
	if svc.Kind == org.DirectRouting {
		c.Activation = &Activation{State: "not-started"}
	}
	if err := s.count(ctx, &c); err != nil {
		return c, err
	}
	if !svc.Sync {
		c.Sentence, c.Remedy = withoutSync(customer)
		return c, nil
	}
	c.Cause, c.Failures, c.NextTry = p.Cause, p.Failures, p.NextCheckAt
	c.App = &App{Kind: p.AppKind, ApplicationID: p.ApplicationID}
	c.Permissions = pairing.HostedPermissions()
	if p.TenantID != "" {
		c.Tenant = &Tenant{ID: p.TenantID, Name: p.TenantName, Domains: p.TenantDomains}
		c.Roles, c.ConsentedBy, c.ConsentedAt = pairing.HostedRoles(), p.ConsentedBy, p.ConsentedAt
	}
	if p.Candidate != "" {
		c.Candidate = &Tenant{ID: p.Candidate, Name: p.TenantName, Domains: p.TenantDomains}
	}
	if err := s.progress(ctx, &c, p); err != nil {
		return c, err
	}
	say(&c, p)
	return c, nil
}

// Status of a service: that of the pairing where it syncs. Without sync there is no pairing; the card knows only the
// operator's consent in Teams admin center, which is not tracked yet and so not given.
func Status(svc org.Service, p pairing.Pairing) string {
	if !svc.Sync {
		return string(pairing.PendingConsent)
	}
	return string(p.State)
}

// Asked is the service as the capability table asks for it.
func Asked(svc org.Service, customer org.Customer, p pairing.Pairing) capability.Service {
	return capability.Service{Kind: capability.Kind(svc.Kind), Sync: svc.Sync, Cloud: capability.Cloud(customer.Cloud), State: capability.State(p.State)}
}

func (s *Cards) count(ctx context.Context, c *Card) error {
	err := s.db.R.QueryRowContext(ctx, `SELECT count(*), count(number) FROM tenant_user WHERE customer_id = $1 AND removed_at IS NULL`, c.Customer.ID).
		Scan(&c.Users, &c.WithNumber)
	if err != nil {
		return fmt.Errorf("counting users: %w", err)
	}
	return nil
}

func withoutSync(customer org.Customer) (string, *fault.Remedy) {
	return fmt.Sprintf("Works without sync. Calls work once %s has accepted the operator in Teams admin center and numbers are uploaded.", customer.Name),
		&fault.Remedy{Text: "In Teams admin center, under Voice › Operators, an administrator of the customer accepts the operator. Or turn sync on and grant access."}
}

// say puts the state into words (PORTAL.md, "Service card"): the first sentence answers whether calls work.
func say(c *Card, p pairing.Pairing) {
	grant := &fault.Remedy{Action: "grant-access", Label: "Grant access", Text: "A Global Administrator of " + c.Customer.Name + " signs in at Microsoft and accepts."}
	switch p.State {
	case pairing.PendingConsent:
		c.Sentence = "Not connected yet. A Global Administrator of " + who(c) + " must allow it."
		c.Affects, c.Remedy = []string{"users", "assignments"}, grant
	case pairing.Activating:
		c.Sentence = "Connecting" + c.Sentence + "."
		if c.Candidate != nil {
			c.Sentence = fmt.Sprintf("Waiting for somebody to confirm that %s (%s) is this customer's tenant.", c.Candidate.Name, strings.Join(c.Candidate.Domains, ", "))
			c.Remedy = &fault.Remedy{Action: "confirm-tenant", Label: "Confirm tenant", Text: "Look at its name and domains, then confirm."}
		}
	case pairing.Active:
		c.Sentence = works(c)
	case pairing.Degraded:
		c.Sentence = "Calls work, changes wait. We could not reach the tenant."
		c.Affects, c.Remedy = []string{"users", "assignments"}, grant
	case pairing.Suspended:
		c.Sentence = "Calls are off (emergency calls work)."
		c.Affects, c.Remedy = []string{"calls", "users", "assignments"}, grant
	case pairing.Disconnected:
		c.Sentence = "Disconnected."
		c.Affects, c.Remedy = []string{"calls", "users", "assignments"}, &fault.Remedy{Action: "grant-access", Label: "Connect again", Text: grant.Text}
	}
}

// works says honestly how far calls are: a connected tenant without an activated domain carries none over our trunks.
func works(c *Card) string {
	share := fmt.Sprintf("%d of %d users have a number.", c.WithNumber, c.Users)
	if c.Activation != nil && c.Activation.State != "done" {
		return "Connected. " + share + " No calls through this service yet: the domain is not activated."
	}
	return "Connected. " + share
}

func who(c *Card) string {
	if c.Customer.PrimaryDomain != "" {
		return c.Customer.PrimaryDomain
	}
	return c.Customer.Name
}
