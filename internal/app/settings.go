// Package app knows every room: it turns settings into a store, clients, services, workers and servers, and wires the loops
// that the rooms must not know of.
package app

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"tcap.cloud/internal/base/seal"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
)

// The roles a process can have. The worker alone opens what is sealed.
const (
	RoleWeb    = "web"
	RoleWorker = "worker"
)

// Settings of `tcap serve`; each is a flag, an environment variable and a key of the file (contracts/cli.md).
type Settings struct {
	DatabaseURL       string        `name:"database-url" default:"sqlite:tcap.db" help:"sqlite:PATH or postgres://…" placeholder:"URL"`
	DatabaseURLFile   string        `name:"database-url-file" help:"File with the database URL, where it holds a password." type:"path"`
	Listen            string        `default:"127.0.0.1:8080" help:"Address of portal and API."`
	MetricsListen     string        `help:"Address of /metrics, on a listener of its own; empty for none."`
	PublicURL         string        `name:"public-url" help:"How browsers reach this; Microsoft sends administrators back to it."`
	Roles             []string      `default:"web,worker" help:"What this process does: web, worker."`
	Migrate           bool          `help:"Bring an older database schema up to date first."`
	OperatorName      string        `default:"Operator" help:"Name of the operator, at the first start."`
	HostedApp         []string      `name:"hosted-app" sep:";" help:"The operator's registration in a cloud: CLOUD=APPLICATION-ID[,secret-file=PATH|certificate-file=PATH]. Repeatable; the file is the worker's."`
	SealRecipients    string        `help:"Public keys that secrets are sealed to."`
	SealIdentityFile  string        `help:"The worker's private keys; mode 0600." type:"path"`
	MicrosoftEndpoint string        `name:"microsoft-endpoints" help:"File with other hosts than Microsoft's, and a clock, for the simulator." type:"path"`
	MicrosoftCA       string        `name:"microsoft-ca-file" help:"Authority to trust for those hosts." type:"path"`
	SyncInterval      time.Duration `default:"15m" help:"How often what changed in a tenant is read."`
	ProbeInterval     time.Duration `default:"10m" help:"How often access to a tenant is probed."`
	ProbeConfirmAfter time.Duration `default:"1m" help:"How long after a refused probe it is confirmed."`
	Lease             time.Duration `default:"30s" help:"How long a silent runner of an operation is believed alive."`
	LogLevel          string        `default:"info" enum:"debug,info,warn,error" help:"How much is logged."`
}

// Has says whether the process has a role.
func (s Settings) Has(role string) bool { return slices.Contains(s.Roles, role) }

// check refuses what cannot work before anything is opened.
func (s Settings) check() error {
	for _, r := range s.Roles {
		if r != RoleWeb && r != RoleWorker {
			return fmt.Errorf("role %q is neither web nor worker", r)
		}
	}
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || strings.HasSuffix(s.PublicURL, "/") {
			return fmt.Errorf("public URL %q must be scheme and host without a trailing slash", s.PublicURL)
		}
	}
	if s.Lease < time.Second {
		return errors.New("a lease shorter than a second is lost before it is renewed")
	}
	return nil
}

// database is the store's URL; from a file where it holds a password.
func (s Settings) database() (string, error) {
	if s.DatabaseURLFile == "" {
		return s.DatabaseURL, nil
	}
	raw, err := os.ReadFile(s.DatabaseURLFile)
	if err != nil {
		return "", fmt.Errorf("reading the database URL: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// sealing reads what this process may seal to and open. Only a worker holds an identity.
func (s Settings) sealing() (*seal.Recipients, seal.Opener, error) {
	var opener seal.Opener
	var recipients *seal.Recipients
	if s.SealIdentityFile != "" && s.Has(RoleWorker) {
		id, err := seal.LoadIdentity(s.SealIdentityFile)
		if err != nil {
			return nil, opener, fmt.Errorf("reading the sealing identity: %w", err)
		}
		opener, recipients = seal.NewOpener(id), id.Recipients()
	}
	if s.SealRecipients != "" {
		r, err := seal.ParseRecipients(s.SealRecipients)
		if err != nil {
			return nil, opener, fmt.Errorf("reading the sealing recipients: %w", err)
		}
		recipients = r
	}
	if recipients == nil {
		return nil, opener, errors.New("nothing to seal secrets to: give --seal-recipients (web) or --seal-identity-file (worker); `tcap key new` makes both")
	}
	if s.Has(RoleWorker) && s.SealIdentityFile == "" {
		return nil, opener, errors.New("the worker role opens secrets: give --seal-identity-file; `tcap key new` makes one")
	}
	return recipients, opener, nil
}

// hosted reads the operator's registrations. A process that is no worker keeps the application id alone.
func (s Settings) hosted() (map[tenant.Cloud]pairing.HostedApp, error) {
	out := map[tenant.Cloud]pairing.HostedApp{}
	for _, text := range s.HostedApp {
		cloud, rest, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("hosted app %q is not CLOUD=APPLICATION-ID,…", text)
		}
		id, option, _ := strings.Cut(rest, ",")
		app := pairing.HostedApp{AppID: strings.ToLower(id), Name: "TCAP"}
		if s.Has(RoleWorker) {
			cred, err := credential(app.AppID, option)
			if err != nil {
				return nil, fmt.Errorf("hosted app of %s: %w", cloud, err)
			}
			app.Credential = cred
		}
		out[tenant.Cloud(cloud)] = app
	}
	if app, ok := out[tenant.Global]; ok {
		if _, own := out[tenant.GCC]; !own { // GCC signs in at the global cloud (facts/entra.md §3)
			out[tenant.GCC] = app
		}
	}
	return out, nil
}

func credential(appID, option string) (tenant.Credential, error) {
	c := tenant.Credential{AppID: appID}
	kind, path, ok := strings.Cut(option, "=")
	if !ok {
		return c, errors.New("the worker needs secret-file=PATH or certificate-file=PATH")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("reading the credential: %w", err)
	}
	switch kind {
	case "secret-file":
		c.Secret = tenant.NewSecret(strings.TrimSpace(string(raw)))
	case "certificate-file":
		if c.Certificate, err = entra.ParseCertificate(raw, tenant.Secret{}); err != nil {
			return c, err
		}
	default:
		return c, fmt.Errorf("%q is neither secret-file nor certificate-file", kind)
	}
	return c, nil
}
