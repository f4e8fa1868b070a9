package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/base/jobs"
	"tcap.cloud/internal/domain/capability"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/door/web"
	"tcap.cloud/internal/door/web/idempotency"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
)

// Mode is what differs in the demo: role buttons on the start page, and pages of the simulator over plain HTTP, so that a
// browser need not trust the simulator's authority.
type Mode struct {
	Demo     bool
	PagesURL string
	// Administrator answers who passes the sign-in page of a simulated tenant; empty texts where nobody is known.
	Administrator func(ctx context.Context, tenantID string) (userName, password string)
}

// System is a whole tcap in one process, in one or more roles.
type System struct {
	settings  Settings
	mode      Mode
	log       *slog.Logger
	db        *db.DB
	jobs      *jobs.Jobs
	microsoft microsoft
	hub       *feed.Hub

	Org        *org.Org
	operations *operation.Engine
	plans      *plan.Engine
	pairings   *pairing.Pairings
	directory  *directory.Directory
	numbers    *number.Numbers
	cards      *servicecard.Cards
	handler    http.Handler
	metrics    *web.Metrics
	repeats    *idempotency.Keeper
	roles      atomic.Pointer[map[string]access.Actor] // behind the demo's role buttons, once its world is built
}

// Build makes a system; nothing runs yet. It refuses an older schema unless told to migrate.
func Build(ctx context.Context, s Settings, log *slog.Logger, mode Mode) (*System, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.PublicURL == "" {
		s.PublicURL = "http://" + s.Listen
	}
	sys := &System{settings: s, mode: mode, log: log, metrics: web.NewMetrics()}
	if err := sys.open(ctx); err != nil {
		return nil, err
	}
	if err := sys.rooms(ctx); err != nil {
		return nil, errors.Join(err, sys.db.Close())
	}
	if s.Has(RoleWeb) {
		if err := sys.doors(); err != nil {
			return nil, errors.Join(err, sys.db.Close())
		}
	}
	return sys, nil
}

// open opens the store and brings it up to date, or refuses.
func (sys *System) open(ctx context.Context) error {
	dbURL, err := sys.settings.database()
	if err != nil {
		return err
	}
	if sys.db, err = db.Open(ctx, dbURL); err != nil {
		return err
	}
	n, err := sys.db.Pending(ctx)
	switch {
	case err != nil:
	case n > 0 && !sys.settings.Migrate:
		err = fmt.Errorf("the database schema is %d migrations behind: run `tcap migrate up`, or start with --migrate", n)
	case sys.settings.Migrate:
		err = sys.db.Migrate(ctx, func(ctx context.Context) error { return jobs.Migrate(ctx, sys.db) })
	}
	if err != nil {
		return errors.Join(err, sys.db.Close())
	}
	if sys.microsoft, err = sys.settings.microsoft(); err == nil {
		err = sys.microsoft.look(ctx)
	}
	if err == nil {
		sys.jobs, err = jobs.New(ctx, sys.db, jobs.Options{Work: sys.settings.Has(RoleWorker), Concurrency: 20, URL: dbURL, Log: sys.log})
	}
	if err != nil {
		return errors.Join(err, sys.db.Close())
	}
	return nil
}

// rooms makes the domain and closes its loops.
func (sys *System) rooms(ctx context.Context) error {
	recipients, opener, err := sys.settings.sealing()
	if err != nil {
		return err
	}
	hosted, err := sys.settings.hosted()
	if err != nil {
		return err
	}
	c := sys.microsoft.clock
	sys.hub = feed.NewHub(sys.db, 200*time.Millisecond)
	sys.operations = operation.NewEngine(operation.Options{DB: sys.db, Jobs: sys.jobs, Clock: c, Log: sys.log, Lease: sys.settings.Lease, Sweep: sweepEvery})
	sys.plans = plan.New(sys.db, c, kind.All()...)
	sys.Org = org.New(sys.db, c, org.WithFrozen(func(ctx context.Context, q db.Querier, id string) (bool, error) {
		return sys.pairings.Frozen(ctx, q, id)
	}),
		org.WithAllowService(allowService), org.WithMayDelete(sys.mayDeleteService), org.WithMayDeleteCustomer(sys.mayDeleteCustomer))
	if _, err := sys.Org.EnsureOperator(ctx, sys.settings.OperatorName); err != nil {
		return err
	}
	signIn, err := entra.New(entra.Options{Directory: sys.microsoft.directory, HTTP: sys.microsoft.client, Now: c.Now})
	if err != nil {
		return err
	}
	sys.pairings = pairing.New(pairing.Options{DB: sys.db, Clock: c, Org: sys.Org, Operations: sys.operations, Plans: sys.plans, Directory: sys.microsoft.directory,
		Hosted: hosted, Recipients: recipients, Opener: opener, Entra: signIn, RedirectURI: sys.settings.PublicURL + "/api/v1/mstenantconsent"})
	door, err := tenant.New(tenant.Options{Directory: sys.microsoft.directory, Credentials: sys.pairings, Tokens: signIn, HTTP: sys.microsoft.client,
		Now: c.Now, Log: sys.log, UserAgent: "tcap/" + Version})
	if err != nil {
		return err
	}
	sys.pairings.UseDoor(door)
	if sys.directory, err = directory.New(directory.Options{DB: sys.db, Clock: c, Org: sys.Org, Operations: sys.operations, Sessions: sys.pairings,
		Pairings: sys.pairings, Ready: sys.ready, Every: sys.settings.SyncInterval, Log: sys.log}); err != nil {
		return err
	}
	sys.pairings.UseSyncer(sys.directory)
	sys.operations.Handle(pairing.KindPair, sys.pairings)
	people := peopleOf{sys.directory, sys.db.R}
	sys.numbers = number.New(number.Options{DB: sys.db, Clock: c, Org: sys.Org, Operations: sys.operations, Plans: sys.plans, Users: people, Policies: people,
		Sessions: sys.pairings, Allowed: sys.mayAssign, Warn: sys.warn})
	sys.directory.UseReconcile(seenBy{sys.numbers})
	sys.cards = servicecard.New(sys.db, c, sys.Org, sys.pairings)
	sys.repeats = idempotency.New(sys.db, c, sys.log)
	return nil
}

// sweepEvery with a lease of 30 s keeps the promise that what a dead process left is carried on within 35 s.
const sweepEvery = 4 * time.Second

// allowService asks the capability table whether a service can be set up so (S3.1).
func allowService(customer org.Customer, serviceKind string, sync bool) *fault.Fault {
	d := capability.Check(capability.AddService, capability.Service{Kind: capability.Kind(serviceKind), Sync: sync, Cloud: capability.Cloud(customer.Cloud)})
	return refusal(d)
}

func refusal(d capability.Decision) *fault.Fault {
	if d.Allowed {
		return nil
	}
	return fault.New(fault.Conflict, string(d.Code), "%s", d.Reason).WithAction(string(d.Remedy.Action), d.Remedy.Label, d.Remedy.Label)
}

// mayAssign asks the table whether numbers can be put on people for a service as it is now.
func (sys *System) mayAssign(ctx context.Context, serviceID string) error {
	a := access.System("capability")
	svc, customer, err := sys.Org.Service(ctx, a, serviceID)
	if err != nil {
		return err
	}
	p, err := sys.pairings.Of(ctx, a, customer.ID)
	if err != nil {
		return err
	}
	if f := refusal(capability.Check(capability.AssignNumbers, servicecard.Asked(svc, customer, p))); f != nil {
		return f
	}
	return nil
}

// warn says that a number works only once the domain is activated; activation is not in this version.
func (sys *System) warn(ctx context.Context, serviceID string) []string {
	svc, _, err := sys.Org.Service(ctx, access.System("capability"), serviceID)
	if err != nil || svc.Kind != org.DirectRouting {
		return nil
	}
	return []string{"not-activated"}
}

// ready says whether a scheduled sync makes sense: a tenant that is connected and, where it was refused, still may answer.
func (sys *System) ready(ctx context.Context, customerID string) (bool, error) {
	p, err := sys.pairings.Of(ctx, access.System("schedule"), customerID)
	return p.State == pairing.Active || p.State == pairing.Degraded, err
}

// mayDeleteService refuses while numbers are allotted to the service.
func (sys *System) mayDeleteService(ctx context.Context, q db.Querier, s org.Service) error {
	n, err := sys.numbers.OfService(ctx, q, s.ID)
	if err != nil {
		return err
	}
	if n > 0 {
		return fault.New(fault.Conflict, "service-has-numbers", "%d numbers are allotted to this service.", n).WithRemedy("Unassign and release its numbers first.")
	}
	return nil
}

// mayDeleteCustomer refuses while a tenant is connected: what was made there would be forgotten.
func (sys *System) mayDeleteCustomer(ctx context.Context, q db.Querier, c org.Customer) error {
	connected, err := sys.pairings.Frozen(ctx, q, c.ID)
	if err != nil || !connected {
		return err
	}
	return fault.New(fault.Conflict, "tenant-connected", "The customer's tenant is still connected; what was made there would be forgotten.").
		WithRemedy("Take the application's roles away in the tenant and keep the customer until it can be disconnected.")
}

// Run serves on a listener and works, until the context ends; then it lets what runs end and closes the store.
func (sys *System) Run(ctx context.Context, l net.Listener) error {
	g, work := errgroup.WithContext(ctx)
	g.Go(func() error { return sys.microsoft.follow(work) })
	if sys.settings.Has(RoleWorker) {
		if err := sys.jobs.Start(context.WithoutCancel(ctx)); err != nil {
			return errors.Join(err, sys.close())
		}
		g.Go(func() error { return sys.operations.Sweep(work) })
		g.Go(func() error { return sys.schedule(work) })
	}
	if sys.settings.Has(RoleWeb) {
		g.Go(func() error { return sys.hub.Run(work) })
		g.Go(func() error { return serve(work, l, sys.handler, sys.log) })
	}
	if sys.settings.MetricsListen != "" {
		m, err := net.Listen("tcp", sys.settings.MetricsListen)
		if err != nil {
			return errors.Join(fmt.Errorf("listening for metrics: %w", err), sys.close())
		}
		g.Go(func() error { return serve(work, m, sys.metrics.Handler(), sys.log) })
	}
	err := g.Wait()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, sys.jobs.Stop(stop), sys.close())
}

func (sys *System) close() error {
	sys.Org.Close()
	return sys.db.Close()
}

// schedule starts syncs that are due and forgets what has expired.
func (sys *System) schedule(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := sys.directory.Schedule(ctx); err != nil && ctx.Err() == nil {
			sys.log.Error("starting syncs that are due", "error", err)
		}
		if n%300 == 0 {
			sys.forget(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// forget removes what has expired: sign-ins, answers kept for repeats, quarantines.
func (sys *System) forget(ctx context.Context) {
	for what, sweep := range map[string]func(context.Context) error{
		"sign-ins":     func(ctx context.Context) error { _, err := sys.Org.Sweep(ctx); return err },
		"kept answers": func(ctx context.Context) error { _, err := sys.repeats.Sweep(ctx); return err },
		"feed lines": func(ctx context.Context) error {
			return feed.Prune(ctx, sys.db, sys.microsoft.clock.Now().Add(-24*time.Hour))
		},
		"quarantines": func(ctx context.Context) error { _, err := sys.numbers.EndQuarantines(ctx); return err },
	} {
		if err := sweep(ctx); err != nil && ctx.Err() == nil {
			sys.log.Error("ending what has expired", "what", what, "error", err)
		}
	}
}

func serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := srv.Shutdown(grace); err != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	<-stopped
	return nil
}

// Serve builds and runs the real thing.
func Serve(ctx context.Context, s Settings, log *slog.Logger) error {
	var l net.Listener
	if s.Has(RoleWeb) {
		var err error
		if l, err = net.Listen("tcp", s.Listen); err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		defer l.Close()
	}
	sys, err := Build(ctx, s, log, Mode{})
	if err != nil {
		return err
	}
	if len(s.Roles) > 1 {
		log.Warn("web and worker share this process: sealing is order, not protection; run them as two users for that")
	}
	if err := sys.welcome(ctx); err != nil {
		return errors.Join(err, sys.close())
	}
	log.Info("serving", "listen", s.Listen, "public", sys.settings.PublicURL, "roles", strings.Join(s.Roles, ","), "database", sys.db.Name())
	return sys.Run(ctx, l)
}

// welcome prints a one-time link where nobody can sign in yet. It goes to the terminal, not into the log.
func (sys *System) welcome(ctx context.Context) error {
	if !sys.settings.Has(RoleWeb) {
		return nil
	}
	system := access.System("first start")
	members, err := sys.Org.Members(ctx, system, org.MemberQuery{Limit: 1})
	if err != nil || len(members.Items) > 0 {
		return err
	}
	first := access.Actor{Kind: "link", ID: "first-start", Name: "First administrator", Scope: access.Scope{Level: access.Operator}, Role: access.Admin}
	token, err := sys.Org.NewLink(ctx, first, time.Hour)
	if err != nil {
		return fmt.Errorf("making the first sign-in link: %w", err)
	}
	fmt.Printf("Nobody can sign in yet. Open this once, within an hour, and make a member under Settings:\n  %s/sign-in/link?token=%s\n", sys.settings.PublicURL, url.QueryEscape(token))
	return nil
}
