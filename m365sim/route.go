package m365sim

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// The services, as they are named in a path and in world.Call.
const (
	serviceLogin    = "login"
	serviceGraph    = "graph"
	serviceTeams    = "teams"
	serviceOperator = "operator"
	serviceControl  = "control"
)

// microsoftHost says what one of Microsoft's host names serves.
type microsoftHost struct {
	service string
	cloud   world.Cloud
}

// microsoftHosts are the host names of the clouds (facts/entra.md §3, facts/teams-admin.md A0). GCC shares the global ones;
// login.microsoftonline.us serves GCC High and DoD alike.
func microsoftHosts() map[string]microsoftHost {
	return map[string]microsoftHost{
		"login.microsoftonline.com":        {serviceLogin, world.Global},
		"login.microsoftonline.us":         {serviceLogin, world.GCCHigh},
		"login.partner.microsoftonline.cn": {serviceLogin, world.China},
		"login.chinacloudapi.cn":           {serviceLogin, world.China},

		"graph.microsoft.com":             {serviceGraph, world.Global},
		"graph.microsoft.us":              {serviceGraph, world.GCCHigh},
		"dod-graph.microsoft.us":          {serviceGraph, world.DoD},
		"microsoftgraph.chinacloudapi.cn": {serviceGraph, world.China},

		"api.interfaces.records.teams.microsoft.com":      {serviceTeams, world.Global},
		"api.interfaces.records.gov.teams.microsoft.us":   {serviceTeams, world.GCCHigh},
		"api.interfaces.records.dod.teams.microsoft.us":   {serviceTeams, world.DoD},
		"api.interfaces.records.teams.microsoftonline.cn": {serviceTeams, world.China},
	}
}

// issuerOf is the login service of a cloud.
func issuerOf(c world.Cloud) string {
	switch c {
	case world.GCCHigh, world.DoD:
		return "https://login.microsoftonline.us"
	case world.China:
		return "https://login.partner.microsoftonline.cn"
	default:
		return "https://login.microsoftonline.com"
	}
}

// place is where a request goes: the service, the request as that service sees it, and what is known of the call.
type place struct {
	call    *world.Call
	request *http.Request
}

// locate tells the service by host name, else by the first segment of the path, which is then stripped. Any other first
// segment is a tenant of the login service: Microsoft's libraries take the first segment of an authority as the tenant.
func (s *Simulator) locate(r *http.Request) place {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	call := &world.Call{Base: scheme + r.Host}
	if first == "_sim" {
		call.Service = serviceControl
		return place{call, r}
	}
	if host, ok := s.hosts[hostname(r.Host)]; ok {
		call.Service, call.Cloud, call.Issuer = host.service, host.cloud, issuerOf(host.cloud)
		return s.identify(call, r)
	}
	call.Issuer = s.httpsBase(r)
	switch first {
	case serviceLogin, serviceGraph, serviceTeams, serviceOperator:
		call.Service = first
		call.Base += "/" + first
		if first == serviceLogin {
			call.Issuer += "/" + first
		}
		return s.identify(call, stripped(r, "/"+first))
	default:
		call.Service = serviceLogin
		return s.identify(call, r)
	}
}

// identify fills in the tenant, from the path of a login or the unverified tid of the bearer token, and the application.
// It is for the journal and the faults only: who may do what is for the services to say, of a verified token.
func (s *Simulator) identify(call *world.Call, r *http.Request) place {
	if call.Service == serviceLogin {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		call.Tenant = s.tenantID(first)
	} else {
		claims := unverifiedClaims(r.Header.Get("Authorization"))
		call.Tenant, call.AppID = s.tenantID(claims.TenantID), claims.appID()
	}
	return place{call, r.WithContext(world.WithCall(r.Context(), call))}
}

func (s *Simulator) tenantID(idOrDomain string) string {
	if id, ok := s.world.FindTenant(idOrDomain); ok {
		return id
	}
	return ""
}

// httpsBase is the address of the simulator as issuers name it: the caller's own over TLS, the configured one for pages
// over plain HTTP.
func (s *Simulator) httpsBase(r *http.Request) string {
	if base := s.base.Load(); r.TLS == nil && base != nil {
		return *base
	}
	return "https://" + r.Host
}

// dispatch hands a located request to its service, past journal and faults.
func (s *Simulator) dispatch(w http.ResponseWriter, p place) {
	h, ok := s.services[p.call.Service]
	if !ok {
		notModelled(w, p.request)
		return
	}
	h.ServeHTTP(w, p.request)
}

// notModelled answers 501 naming the route: an unknown one is to be noticed, not worked around.
func notModelled(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotImplemented)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{
		"code": "NotModelled", "message": "The simulator does not model " + r.Method + " " + r.URL.Path + ".",
	}})
}

// stripped is r without the prefix of its path.
func stripped(r *http.Request, prefix string) *http.Request {
	out := new(http.Request)
	*out = *r
	out.URL = new(url.URL)
	*out.URL = *r.URL
	out.URL.Path = atLeastSlash(strings.TrimPrefix(r.URL.Path, prefix))
	if r.URL.RawPath != "" {
		out.URL.RawPath = atLeastSlash(strings.TrimPrefix(r.URL.RawPath, prefix))
	}
	return out
}

func atLeastSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		hostport = host
	}
	return strings.ToLower(strings.TrimSuffix(hostport, "."))
}
