package entra

import (
	"net/http"
	"strings"

	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

// answer is the token endpoint's success.
type answer struct {
	Type         string `json:"token_type"`
	Scope        string `json:"scope,omitempty"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	Access       string `json:"access_token"`
	Refresh      string `json:"refresh_token,omitempty"`
	ID           string `json:"id_token,omitempty"`
}

// token is POST /{tenant}/oauth2/v2.0/token.
func (s *service) token(w http.ResponseWriter, r *http.Request) {
	t := startTrace(w, r)
	a, no := s.issue(r)
	if no != nil {
		s.writeRefusal(w, r, t, no)
		return
	}
	a.Type = "Bearer"
	a.ExpiresIn = int(token.Lifetime.Seconds())
	a.ExtExpiresIn = a.ExpiresIn
	writeJSON(w, http.StatusOK, a)
}

// maxForm bounds a form; Microsoft's own limit is not known.
const maxForm = 1 << 20

func (s *service) issue(r *http.Request) (answer, *refusal) {
	if r.Method != http.MethodPost {
		return answer{}, refuse(900561, "The endpoint only accepts POST requests. Received a %s request.", r.Method)
	}
	p, no := s.findPlace(r)
	if no != nil {
		return answer{}, no
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return answer{}, refuse(9002313, "The request is malformed.")
	}
	grant, id := r.PostForm.Get("grant_type"), clientID(r)
	switch {
	case grant == "":
		return answer{}, missing("grant_type")
	case id == "":
		return answer{}, missing("client_id")
	}
	world.CallFrom(r.Context()).AppID = strings.ToLower(id)
	if no := s.singleTenantAtAlias(p, id); no != nil {
		return answer{}, no
	}
	switch grant {
	case "client_credentials":
		return s.clientCredentials(r, p, id)
	case "authorization_code":
		return s.redeemCode(r, p, id)
	case "refresh_token":
		return s.refresh(r, p, id)
	case "password":
		return s.password(r, p, id)
	}
	return answer{}, refuse(70003, "The app requested an unsupported grant type '%s'.", grant)
}

// singleTenantAtAlias refuses organizations and common to an application of one tenant (50194).
func (s *service) singleTenantAtAlias(p place, appID string) *refusal {
	app, ok := s.w.App(appID)
	if !p.alias() || !ok || app.MultiTenant {
		return nil
	}
	return refuse(50194, "Application '%s'(%s) is not configured as a multi-tenant application. Use a tenant-specific endpoint instead of /%s.", app.AppID, app.Name, p.segment)
}

// clientCredentials issues an app-only token. Only <resource>/.default may be asked for (70011); OIDC scopes that
// Microsoft's own libraries add are ignored (facts/entra.md §7).
func (s *service) clientCredentials(r *http.Request, p place, id string) (answer, *refusal) {
	if p.alias() {
		return answer{}, refuse(50059, "No tenant-identifying information found in the request or implied by the credentials.")
	}
	c, no := s.findClient(r.Context(), p.tenant, id)
	if no != nil {
		return answer{}, no
	}
	if no := s.authenticate(r, p, &c); no != nil {
		return answer{}, no
	}
	raw := r.PostForm.Get("scope")
	if raw == "" {
		return answer{}, missing("scope")
	}
	a, no := parseScope(r, s.cloud(p.tenant), raw)
	if no == nil && !a.all {
		no = badScope(raw)
	}
	if no != nil {
		return answer{}, no
	}
	return s.appToken(p, c, a)
}

func (s *service) appToken(p place, c client, a ask) (answer, *refusal) {
	claims := token.Claims{
		Audience: a.audience, Issuer: token.AccessIssuer(p.tenant), Tenant: p.tenant, AppID: c.app.AppID,
		ObjectID: c.sp.ID, Subject: c.sp.ID, AppOnly: true, Name: c.app.Name, ClientAuth: c.auth,
	}
	var no *refusal
	err := s.w.View(p.tenant, func(t *world.Tenant) error {
		resource, stop := findResource(t, a)
		if no = stop; no != nil {
			return nil
		}
		if blocked(t, c.app, true) {
			no = conditionalAccess()
			return nil
		}
		claims.Roles = applicationRoles(t, c.sp.ID, resource.ID)
		claims.RoleIDs = directoryRoles(t, c.sp.ID)
		return nil
	})
	if err != nil {
		return answer{}, internal(err)
	}
	if no != nil {
		return answer{}, no
	}
	raw, err := token.Mint(s.w, claims)
	if err != nil {
		return answer{}, internal(err)
	}
	return answer{Access: raw}, nil
}

// findResource finds the resource's service principal in the tenant (500011 missing, 500014 disabled).
func findResource(t *world.Tenant, a ask) (world.ServicePrincipal, *refusal) {
	sp, found, _ := servicePrincipal(t, a.resource)
	if !found {
		return sp, refuse(500011, "The resource principal named %s was not found in the tenant named %s.", a.audience, t.Name)
	}
	if !sp.Enabled {
		return sp, refuse(500014, "The service principal for resource '%s' is disabled.", a.audience)
	}
	return sp, nil
}

// conditionalAccess is 53003 with the suberror and claims seen with client credentials (facts/entra.md §2.3).
func conditionalAccess() *refusal {
	no := refuse(53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.")
	no.suberror = "message_only"
	no.claims = `{"access_token":{"capolids":{"essential":true,"values":["c7a1d0de-2f35-4a3c-9a49-2f0f3e6d5b10"]}}}`
	return no
}
