// Package tenant is the one door to a customer's Microsoft 365 tenant: it knows where each cloud is, signs the application in, keeps
// each tenant's request budget, retries what is safe to retry, and says in one vocabulary (Refusal) why something was refused.
//
// It knows no resource of Graph or of the Teams administration API; msgraph and teamsadmin are written on top of it. It asks for
// credentials and reports outcomes through two interfaces of its own, so that it stands below whoever keeps them.
//
// Reading and writing are told apart by type: Session.Do refuses everything but GET, and only a Writer changes a tenant.
package tenant

import (
	"fmt"
	"net/url"
	"strings"
)

// Cloud names one of Microsoft's clouds; a tenant lives in exactly one.
type Cloud string

// The clouds. GCC uses the hosts of the global cloud; GCC High and DoD share an authority and differ in everything else, so that a
// tenant's cloud cannot be told from where it signs in (facts/entra.md §3).
const (
	Global  Cloud = "global"
	GCC     Cloud = "gcc"
	GCCHigh Cloud = "gcc-high"
	DoD     Cloud = "dod"
	China   Cloud = "china"
)

// Endpoints are the addresses of one cloud: absolute https URLs without a trailing slash. A path is allowed (a stand-in may serve
// several services on one host).
type Endpoints struct {
	// Authority signs applications and people in.
	Authority string
	// Graph is Microsoft Graph, without the version; also the audience of its tokens.
	Graph string
	// Teams is the Teams administration API. Its audience is the same in every cloud: TeamsAudience.
	Teams string
	// Browser is the authority as people's browsers reach it; empty means Authority.
	Browser string
}

// TeamsAudience is the application id of the "Skype and Teams Tenant Admin API", the same in every cloud (facts/teams-admin.md A0).
const TeamsAudience = "48ac35b8-9aa8-4d74-927d-1f4a14a0b239"

// BrowserAuthority is where a person is sent to sign in.
func (e Endpoints) BrowserAuthority() string {
	if e.Browser != "" {
		return e.Browser
	}
	return e.Authority
}

// Scope is the `.default` scope to ask for when an application wants a token for the resource.
func (e Endpoints) Scope(r Resource) string {
	if r == ResourceTeams {
		return TeamsAudience + "/.default"
	}
	return e.Graph + "/.default"
}

// Directory says where each cloud is.
type Directory map[Cloud]Endpoints

// MicrosoftEndpoints are Microsoft's own addresses (facts/entra.md §3; facts/teams-admin.md A0).
func MicrosoftEndpoints() Directory {
	public := Endpoints{
		Authority: "https://login.microsoftonline.com",
		Graph:     "https://graph.microsoft.com",
		Teams:     "https://api.interfaces.records.teams.microsoft.com",
	}
	return Directory{
		Global: public,
		GCC:    public,
		GCCHigh: {
			Authority: "https://login.microsoftonline.us",
			Graph:     "https://graph.microsoft.us",
			Teams:     "https://api.interfaces.records.gov.teams.microsoft.us",
		},
		DoD: {
			Authority: "https://login.microsoftonline.us",
			Graph:     "https://dod-graph.microsoft.us",
			Teams:     "https://api.interfaces.records.dod.teams.microsoft.us",
		},
		China: {
			Authority: "https://login.partner.microsoftonline.cn",
			Graph:     "https://microsoftgraph.chinacloudapi.cn",
			Teams:     "https://api.interfaces.records.teams.microsoftonline.cn",
		},
	}
}

// Endpoints are the addresses of the cloud, or an error that names the cloud when it is not known here.
func (d Directory) Endpoints(c Cloud) (Endpoints, error) {
	e, ok := d[c]
	if !ok {
		return Endpoints{}, fmt.Errorf("cloud %q is not configured", string(c))
	}
	return e, nil
}

// Validate refuses an address that is not an absolute https URL, or ends in a slash. Microsoft's sign-in library refuses plain http
// in any case (facts/entra.md §6).
func (d Directory) Validate() error {
	for cloud, e := range d {
		for name, address := range map[string]string{
			"authority": e.Authority, "graph": e.Graph, "teams": e.Teams, "browser": e.BrowserAuthority(),
		} {
			if err := validAddress(address); err != nil {
				return fmt.Errorf("cloud %s, %s: %w", cloud, name, err)
			}
		}
	}
	return nil
}

func validAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("reading address: %w", err)
	case u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%q is not an absolute https URL", address)
	case strings.HasSuffix(address, "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("%q must be scheme, host and at most a path, without a trailing slash", address)
	}
	return nil
}

// Ref names a customer's tenant. CustomerID is our own id, for credentials and for the log; the rest is Microsoft's.
type Ref struct {
	CustomerID string
	TenantID   string
	Cloud      Cloud
}

// Area is a part of a tenant that is reached at an address of its own and can be refused on its own.
type Area string

// The areas.
const (
	AreaGraph Area = "graph"
	AreaTeams Area = "teams"
)

// Resource is what an access token is for.
type Resource string

// The resources, one for each area.
const (
	ResourceGraph Resource = "graph"
	ResourceTeams Resource = "teams"
)

func (a Area) resource() Resource {
	if a == AreaTeams {
		return ResourceTeams
	}
	return ResourceGraph
}

func (e Endpoints) base(a Area) (string, error) {
	switch a {
	case AreaGraph:
		return e.Graph, nil
	case AreaTeams:
		return e.Teams, nil
	}
	return "", fmt.Errorf("area %q is not known", string(a))
}
