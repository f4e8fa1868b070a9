package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/seal"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/m365sim"
)

// Demo settings (contracts/cli.md, "The demo world").
type Demo struct {
	Listen            string        `default:"127.0.0.1:8080" help:"Address of portal and API."`
	Data              string        `default:"data/demo" help:"Where everything is kept; it goes on there the next time." type:"path"`
	Fresh             bool          `help:"Forget the previous demo first."`
	DatabaseURL       string        `name:"database-url" help:"Another store than a file in --data." placeholder:"URL"`
	SyncInterval      time.Duration `default:"15m" help:"How often what changed in a tenant is read."`
	ProbeInterval     time.Duration `default:"10m" help:"How often access to a tenant is probed."`
	ProbeConfirmAfter time.Duration `default:"1m" help:"How long after a refused probe it is confirmed."`
	Lease             time.Duration `default:"3s" help:"How long a silent runner of an operation is believed alive; short, for there is one process."`
	LogLevel          string        `default:"warn" enum:"debug,info,warn,error" help:"How much is logged."`
}

// demoState is what stays the same from one start to the next. The keys are the demo's own; they open nothing else.
type demoState struct {
	Simulator string            `json:"simulator"` // addresses, taken once
	Pages     string            `json:"pages"`
	Portal    string            `json:"portal"`
	AppID     string            `json:"appId"`
	Keys      map[string]string `json:"keys"`
	path      string
}

func openDemoState(dir string) (*demoState, error) {
	s := &demoState{path: filepath.Join(dir, "state.json"), Keys: map[string]string{}}
	raw, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the demo's state: %w", err)
	}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("reading the demo's state: %w", err)
	}
	return s, nil
}

func (s *demoState) save() error { return writeJSON(s.path, s, 0o600) }

// writeJSON writes a file whole: a reader sees the old one or the new one.
func writeJSON(path string, v any, mode fs.FileMode) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", filepath.Base(path), err)
	}
	return writeFile(path, append(raw, '\n'), mode)
}

func writeFile(path string, raw []byte, mode fs.FileMode) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, raw, mode); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return nil
}

// Run serves the demo until the context ends. It is built through the front doors: the API and the simulator.
func (d Demo) Run(ctx context.Context, out *slog.Logger, log *slog.Logger) error {
	out.Info("starting the demo", "data", d.Data)
	if d.Fresh {
		if err := d.forget(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return fmt.Errorf("making %s: %w", d.Data, err)
	}
	if err := os.Remove(d.file("demo.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the previous demo.json: %w", err)
	}
	state, err := openDemoState(d.Data)
	if err != nil {
		return err
	}
	if strings.HasSuffix(d.Listen, ":0") && state.Portal != "" {
		d.Listen = state.Portal // the address that the application was registered with
	}
	portal, err := net.Listen("tcp", d.Listen)
	if err != nil {
		return fmt.Errorf("listening for the portal: %w", err)
	}
	defer portal.Close()
	if was := state.Portal; was != "" && was != portal.Addr().String() {
		return fmt.Errorf("this demo was made for %s, which its application names to Microsoft: use --listen %s, or --fresh to begin anew", was, was)
	}
	state.Portal = portal.Addr().String()
	g, ctx := errgroup.WithContext(ctx)
	sim, err := d.simulator(ctx, g, state, log)
	if err != nil {
		return errors.Join(err, g.Wait())
	}
	defer sim.Close()
	g.Go(func() error { return d.product(ctx, g, state, portal, out, log) })
	return g.Wait()
}

func (d Demo) file(name string) string { return filepath.Join(d.Data, name) }

// forget removes what a demo leaves, and nothing else that may lie in the folder.
func (d Demo) forget() error {
	for _, name := range []string{"demo.json", "state.json", "endpoints.yaml", "identity", "app-secret", "ca.pem", "simulator",
		"tcap.db", "tcap.db-wal", "tcap.db-shm"} {
		if err := os.RemoveAll(d.file(name)); err != nil {
			return fmt.Errorf("forgetting the previous demo: %w", err)
		}
	}
	return nil
}

// simulator starts Microsoft 365 on the addresses it had before, or on free ones the first time.
func (d Demo) simulator(ctx context.Context, g *errgroup.Group, state *demoState, log *slog.Logger) (*m365sim.Simulator, error) {
	api, err := listenAgain(state.Simulator)
	if err != nil {
		return nil, err
	}
	pages, err := listenAgain(state.Pages)
	if err != nil {
		return nil, errors.Join(err, api.Close())
	}
	state.Simulator, state.Pages = api.Addr().String(), pages.Addr().String()
	sim, err := m365sim.New(m365sim.Options{Dir: d.file("simulator"), CADir: d.file("simulator"), BaseURL: "https://" + state.Simulator, Log: log})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the simulator: %w", err), api.Close(), pages.Close())
	}
	g.Go(func() error { return sim.Serve(ctx, api) })
	g.Go(func() error { return sim.ServePages(ctx, pages) })
	if err := writeFile(d.file("ca.pem"), sim.CAPEM(), 0o644); err != nil {
		return nil, err
	}
	return sim, errors.Join(state.save(), d.endpoints(state))
}

// listenAgain listens where it did before. The first time it takes a free port below those that the system hands out for
// outgoing connections, so that none of them is in its place at the next start.
func listenAgain(address string) (net.Listener, error) {
	if address != "" {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("listening for the simulator where it was before: %w", err)
		}
		return l, nil
	}
	for range 50 {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))); err == nil {
			return l, nil
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the simulator: %w", err)
	}
	return l, nil
}

// endpoints tells the product where Microsoft is.
func (d Demo) endpoints(state *demoState) error {
	base := "https://" + state.Simulator
	clouds := map[string]any{}
	for _, cloud := range org.Clouds() {
		clouds[cloud] = map[string]string{"authority": base, "graph": base + "/graph", "teams": base + "/teams"}
	}
	return writeJSON(d.file("endpoints.yaml"), map[string]any{"clouds": clouds, "clock": base + "/_sim/clock"}, 0o600)
}

// product starts portal, API and worker on their own settings, and builds the world where it is missing.
func (d Demo) product(ctx context.Context, g *errgroup.Group, state *demoState, portal net.Listener, out, log *slog.Logger) error {
	portalURL := "http://" + portal.Addr().String()
	if err := d.secrets(ctx, state, portalURL); err != nil {
		return err
	}
	s := Settings{DatabaseURL: d.DatabaseURL, Listen: d.Listen, PublicURL: portalURL, Roles: []string{RoleWeb, RoleWorker}, Migrate: true,
		OperatorName: "Fabrikam Telecom", HostedApp: []string{"global=" + state.AppID + ",secret-file=" + d.file("app-secret")},
		SealIdentityFile: d.file("identity"), MicrosoftEndpoint: d.file("endpoints.yaml"), MicrosoftCA: d.file("ca.pem"),
		SyncInterval: d.SyncInterval, ProbeInterval: d.ProbeInterval, ProbeConfirmAfter: d.ProbeConfirmAfter, Lease: d.Lease}
	if s.DatabaseURL == "" {
		s.DatabaseURL = "sqlite:" + d.file("tcap.db")
	}
	sys, err := Build(ctx, s, log, Mode{Demo: true, PagesURL: "http://" + state.Pages, Administrator: d.administrator(state)})
	if err != nil {
		return err
	}
	g.Go(func() error { return sys.Run(ctx, portal) })
	file, err := d.world(ctx, sys, state, portalURL)
	if err != nil {
		return fmt.Errorf("building the demo world: %w", err)
	}
	if err := writeJSON(d.file("demo.json"), file, 0o600); err != nil {
		return err
	}
	out.Info("the demo is ready", "portal", portalURL, "simulator", file.SimulatorURL+"/_sim/", "file", d.file("demo.json"))
	return nil
}

// secrets makes, once, the worker's identity and the operator's registration in the simulated cloud.
func (d Demo) secrets(ctx context.Context, state *demoState, portalURL string) error {
	if _, err := os.Stat(d.file("identity")); errors.Is(err, fs.ErrNotExist) {
		id, err := seal.NewIdentity()
		if err != nil {
			return fmt.Errorf("making the sealing identity: %w", err)
		}
		if err := seal.WriteIdentity(d.file("identity"), id); err != nil {
			return err
		}
	}
	if state.AppID != "" {
		return nil
	}
	sim, err := newFrontDoor("https://"+state.Simulator, "", d.file("ca.pem"))
	if err != nil {
		return err
	}
	var app struct{ AppID, Secret string }
	err = sim.call(ctx, "POST", "/_sim/apps", map[string]any{"name": "TCAP", "redirectUris": []string{portalURL + "/api/v1/mstenantconsent", portalURL + "/api/v1/msttenantconsent"},
		"delegated": []string{"Directory.AccessAsUser.All", "User.Read", "User.Read.All"}, "application": []string{}}, &app)
	if err != nil {
		return fmt.Errorf("registering the application: %w", err)
	}
	if err := writeFile(d.file("app-secret"), []byte(app.Secret), 0o600); err != nil {
		return err
	}
	state.AppID = app.AppID
	return state.save()
}

// administrator asks the simulator who holds the role in a tenant.
func (d Demo) administrator(state *demoState) func(ctx context.Context, tenantID string) (string, string) {
	return func(ctx context.Context, tenantID string) (string, string) {
		sim, err := newFrontDoor("https://"+state.Simulator, "", d.file("ca.pem"))
		if err != nil {
			return "", ""
		}
		var all []simTenant
		if err := sim.call(ctx, "GET", "/_sim/tenants", nil, &all); err != nil {
			return "", ""
		}
		for _, t := range all {
			if t.TenantID == tenantID {
				return t.GlobalAdmin.UPN, t.GlobalAdmin.Password
			}
		}
		return "", ""
	}
}

// demoFile is demo.json, for scripts (contracts/cli.md).
type demoFile struct {
	PortalURL    string            `json:"portalUrl"`
	APIURL       string            `json:"apiUrl"`
	SimulatorURL string            `json:"simulatorUrl"`
	CAFile       string            `json:"caFile"`
	Keys         map[string]string `json:"keys"`
	SignIn       map[string]string `json:"signIn"`
}

// key answers the demo's API key of a name, making it the first time.
func (state *demoState) key(ctx context.Context, o *org.Org, name string, scope access.Scope) (string, error) {
	if k := state.Keys[name]; k != "" {
		return k, nil
	}
	_, text, err := o.CreateKey(ctx, access.System("demo"), org.NewKey{Name: "Demo " + name, Scope: scope, Role: access.Admin})
	if err != nil {
		return "", fmt.Errorf("making the %s key: %w", name, err)
	}
	state.Keys[name] = text
	return text, state.save()
}
