package entra

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// ask is a parsed scope parameter. All permissions of one request belong to one resource.
type ask struct {
	oidc     []string // openid, profile, email, offline_access
	resource string   // application id of the resource, "" when only OIDC scopes were asked for
	audience string   // the resource as it was spelt
	names    []string // delegated permissions by name
	all      bool     // /.default
}

func (a ask) has(scope string) bool { return slices.Contains(a.oidc, scope) }

// prefix is what a permission of this resource is called in full.
func (a ask) prefix() string { return strings.TrimRight(a.audience, "/") + "/" }

func isOIDC(s string) bool {
	return s == "openid" || s == "profile" || s == "email" || s == "offline_access"
}

// parseScope reads a scope parameter for a request to r. cloud is the tenant's, "" while it is unknown.
// Refusals: 70011 malformed, 28000 more than one resource, 500011 unknown resource.
func parseScope(r *http.Request, cloud world.Cloud, raw string) (ask, *refusal) {
	var a ask
	for _, item := range strings.Fields(raw) {
		if isOIDC(strings.ToLower(item)) {
			a.oidc = append(a.oidc, strings.ToLower(item))
			continue
		}
		spelt, name := splitScope(item)
		if !wellNamed(name) {
			return ask{}, badScope(raw)
		}
		id, ok := resourceID(r, cloud, spelt)
		if !ok {
			return ask{}, refuse(500011, "The resource principal named %s was not found in the tenant. Check the cloud and the tenant.", spelt)
		}
		if a.resource != "" && a.resource != id {
			return ask{}, refuse(28000, "The value of the parameter scope names more than one resource: %s.", raw)
		}
		if a.resource == "" {
			a.resource, a.audience = id, spelt
		}
		if name == ".default" {
			a.all = true
		} else {
			a.names = append(a.names, name)
		}
	}
	if a.all && len(a.names) > 0 {
		return ask{}, badScope(raw)
	}
	return a, nil
}

func badScope(raw string) *refusal {
	return refuse(70011, "The value of the parameter 'scope' is not valid: %s.", raw)
}

// splitScope parts "https://graph.microsoft.com/User.Read" into resource and name; a short name means Graph
// (facts/entra.md §3). A doubled slash belongs to the resource, as in Microsoft's "…com//.default".
func splitScope(item string) (resource, name string) {
	i := strings.LastIndex(item, "/")
	if i < 0 {
		return world.GraphAppID, item
	}
	return item[:i], item[i+1:]
}

func wellNamed(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9._-]+$`).MatchString(name)
}

// resourceID finds the resource that an address means: an application id, a Graph host of the tenant's cloud, or the
// simulator's own /graph and /teams on the host of the request or any loopback address.
func resourceID(r *http.Request, cloud world.Cloud, spelt string) (string, bool) {
	low := strings.ToLower(strings.TrimRight(spelt, "/"))
	if low == world.GraphAppID || low == world.TeamsAdminAppID {
		return low, true
	}
	u, err := url.Parse(low)
	if err != nil || u.Scheme != "https" {
		return "", false
	}
	if clouds := graphClouds(u.Host); clouds != nil {
		return world.GraphAppID, u.Path == "" && (cloud == "" || slices.Contains(clouds, cloud))
	}
	if !ours(r, u) {
		return "", false
	}
	switch u.Path {
	case "/graph":
		return world.GraphAppID, true
	case "/teams":
		return world.TeamsAdminAppID, true
	}
	return "", false
}

func ours(r *http.Request, u *url.URL) bool {
	if own, err := url.Parse(base(r)); err == nil && strings.EqualFold(own.Host, u.Host) {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// graphClouds lists the clouds a Graph host serves (facts/entra.md §3), nil when it is none.
func graphClouds(host string) []world.Cloud {
	switch host {
	case "graph.microsoft.com":
		return []world.Cloud{world.Global, world.GCC}
	case "graph.microsoft.us":
		return []world.Cloud{world.GCCHigh}
	case "dod-graph.microsoft.us":
		return []world.Cloud{world.DoD}
	case "microsoftgraph.chinacloudapi.cn":
		return []world.Cloud{world.China}
	}
	return nil
}

// cutPath returns the first segment of an absolute path and what follows it.
func cutPath(p string) (first, rest string, ok bool) {
	first, rest, _ = strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return first, rest, first != ""
}
