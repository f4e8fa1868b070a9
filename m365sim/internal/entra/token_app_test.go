package entra_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/world"
)

func TestAClientGetsATokenForItsOwnTenant(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	got := l.token(l.contoso.TenantID, credentials(l.custom))
	if got.Type != "Bearer" || got.ExpiresIn != 3600 || got.Refresh != "" || got.ID != "" {
		t.Fatalf("got %+v", got)
	}
	c := l.verify(got.Access, graph)
	if !c.AppOnly || c.ObjectID == "" || c.Tenant != l.contoso.TenantID || c.AppID != l.custom.AppID || len(c.Scopes) > 0 {
		t.Fatalf("claims %+v", c)
	}
}

func TestTheTenantMayBeNamedByItsDomainAndTheSecretSentAsBasic(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {graph + "/.default openid offline_access profile"}}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, l.srv.URL, nil)
	req.SetBasicAuth(l.custom.AppID, url.QueryEscape(secret))
	got := l.token(l.contoso.Domain, form, "Authorization", req.Header.Get("Authorization"))
	l.verify(got.Access, graph)
}

func TestTheTokenCarriesRolesAndDirectoryRoles(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pair("/"+l.contoso.TenantID+"/adminconsent?"+url.Values{"client_id": {l.hosted.AppID}, "redirect_uri": {callback}}.Encode(), l.contoso.GlobalAdmin, "accept")
	l.update(l.contoso.TenantID, func(tn *world.Tenant) {
		sp, _ := tn.ServicePrincipalOf(l.hosted.AppID)
		tn.RoleAssignments.Put("r", world.RoleAssignment{ID: "r", PrincipalID: sp.ID, RoleDefinitionID: world.RoleTeamsAdministrator, DirectoryScopeID: "/"})
	})
	c := l.verify(l.token(l.contoso.TenantID, credentials(l.hosted)).Access, graph)
	if !slices.Equal(c.Roles, []string{"Domain.ReadWrite.All", "User.ReadWrite.All"}) || !slices.Equal(c.RoleIDs, []string{world.RoleTeamsAdministrator}) {
		t.Fatalf("claims %+v", c)
	}
	c = l.verify(l.token(l.contoso.TenantID, credentials(l.hosted, "scope", world.TeamsAdminAppID+"/.default")).Access, world.TeamsAdminAppID)
	if len(c.Roles) != 0 || len(c.RoleIDs) != 1 {
		t.Fatalf("Graph's permissions are in a Teams token: %+v", c)
	}
}

func TestTheResourceIsWhatTheScopeNames(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, resource := range []string{graph, graph + "/", world.GraphAppID, world.TeamsAdminAppID, l.srv.URL + "/graph", l.srv.URL + "/teams", "https://localhost:8443/graph"} {
		c := l.verify(l.token(l.contoso.TenantID, credentials(l.custom, "scope", resource+"/.default")).Access, resource)
		if c.Audience != resource {
			t.Errorf("audience %q, want %q", c.Audience, resource)
		}
	}
}

func TestClientCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	mine, hosted := l.contoso.TenantID, l.hosted
	for name, c := range map[string]struct {
		tenant string
		form   url.Values
		code   int
		kind   string
		status int
	}{
		"unknown tenant":              {uuid.NewString(), credentials(l.custom), 90002, "invalid_request", 400},
		"organizations":               {"organizations", credentials(hosted), 50059, "invalid_request", 400},
		"single tenant at common":     {"common", credentials(l.custom), 50194, "invalid_request", 400},
		"no grant type":               {mine, credentials(l.custom, "grant_type", ""), 900144, "invalid_request", 400},
		"no client id":                {mine, credentials(l.custom, "client_id", ""), 900144, "invalid_request", 400},
		"unsupported grant type":      {mine, credentials(l.custom, "grant_type", "implicit"), 70003, "unsupported_grant_type", 400},
		"unknown application":         {mine, credentials(world.App{AppID: uuid.NewString()}), 700016, "unauthorized_client", 400},
		"hosted, never consented":     {mine, credentials(hosted), 700016, "unauthorized_client", 400},
		"custom app of another":       {l.fabrikam.TenantID, credentials(l.custom), 700016, "unauthorized_client", 400},
		"wrong secret":                {mine, credentials(l.custom, "client_secret", "nope"), 7000215, "invalid_client", 401},
		"secret id for the value":     {mine, credentials(l.custom, "client_secret", l.custom.Secrets[0].KeyID), 7000215, "invalid_client", 401},
		"no secret":                   {mine, credentials(l.custom, "client_secret", ""), 7000216, "invalid_client", 401},
		"no scope":                    {mine, credentials(l.custom, "scope", ""), 900144, "invalid_request", 400},
		"a scope that is not default": {mine, credentials(l.custom, "scope", graph+"/User.Read"), 70011, "invalid_scope", 400},
		"two resources":               {mine, credentials(l.custom, "scope", graph+"/.default "+world.TeamsAdminAppID+"/.default"), 28000, "invalid_request", 400},
		"unknown resource":            {mine, credentials(l.custom, "scope", "https://contoso.example/.default"), 500011, "invalid_resource", 400},
		"another cloud's Graph":       {mine, credentials(l.custom, "scope", "https://graph.microsoft.us/.default"), 500011, "invalid_resource", 400},
	} {
		t.Run(name, func(t *testing.T) {
			(&lab{t: t, w: l.w, srv: l.srv}).refused(l.token(c.tenant, c.form), c.code, c.kind, c.status)
		})
	}
}

func TestARefusalHasEveryFieldOfMicrosofts(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id := uuid.NewString()
	got := l.token(l.contoso.TenantID, credentials(l.custom, "client_secret", "nope"), "client-request-id", id)
	if got.Correlation != id || got.header.Get("client-request-id") != id || got.Trace != got.header.Get("x-ms-request-id") || uuid.Validate(got.Trace) != nil {
		t.Fatalf("ids of %+v", got)
	}
	for _, part := range []string{"AADSTS7000215: ", "\r\nTrace ID: " + got.Trace, "\r\nCorrelation ID: " + id, "\r\nTimestamp: " + got.Timestamp, l.custom.AppID} {
		if !strings.Contains(got.Description, part) {
			t.Errorf("description lacks %q: %q", part, got.Description)
		}
	}
	if strings.Contains(got.Description, "nope") || got.URI != l.srv.URL+"/error?code=7000215" {
		t.Errorf("got %+v", got)
	}
	if _, err := time.Parse("2006-01-02 15:04:05Z", got.Timestamp); err != nil {
		t.Error(err)
	}
}

func TestAnExpiredSecretAndADeletedOneAreToldApart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.w.Advance(200 * 24 * time.Hour)
	l.refused(l.token(l.contoso.TenantID, credentials(l.custom)), 7000222, "invalid_client", 401)
	l.custom.Secrets = nil
	l.put(l.custom)
	l.refused(l.token(l.contoso.TenantID, credentials(l.custom)), 7000215, "invalid_client", 401)
}

func TestADisabledServicePrincipalIsRefusedAndADeletedOneToo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	sp, err := l.w.EnsureServicePrincipal(t.Context(), l.contoso.TenantID, l.custom.AppID)
	if err != nil {
		t.Fatal(err)
	}
	sp.Enabled = false
	l.update(l.contoso.TenantID, func(tn *world.Tenant) { tn.ServicePrincipals.Put(sp.ID, sp) })
	l.refused(l.token(l.contoso.TenantID, credentials(l.custom)), 7000112, "unauthorized_client", 400)
	l.update(l.contoso.TenantID, func(tn *world.Tenant) { tn.ServicePrincipals.Delete(sp.ID); tn.DeletedSPs.Put(sp.ID, sp) })
	l.refused(l.token(l.contoso.TenantID, credentials(l.custom)), 700016, "unauthorized_client", 400)
}

func TestADisabledResourceIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.update(l.contoso.TenantID, func(tn *world.Tenant) {
		sp, _ := tn.ServicePrincipalOf(world.GraphAppID)
		sp.Enabled = false
		tn.ServicePrincipals.Put(sp.ID, sp)
	})
	l.refused(l.token(l.contoso.TenantID, credentials(l.custom)), 500014, "invalid_resource", 400)
}

func TestConditionalAccessBlocksTheOwnAppAndAForeignOneOnlyByName(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if _, err := l.w.EnsureServicePrincipal(t.Context(), l.contoso.TenantID, l.hosted.AppID); err != nil {
		t.Fatal(err)
	}
	block := func(id string) {
		l.update(l.contoso.TenantID, func(tn *world.Tenant) { tn.BlockedByConditionalAccess = map[string]bool{id: true} })
	}
	block(l.custom.AppID)
	got := l.token(l.contoso.TenantID, credentials(l.custom))
	l.refused(got, 53003, "invalid_grant", 400)
	if got.Suberror != "message_only" || !strings.Contains(got.Claims, "capolids") {
		t.Fatalf("got %+v", got)
	}
	block("*")
	l.verify(l.token(l.contoso.TenantID, credentials(l.hosted)).Access, graph)
	block(l.hosted.AppID)
	l.refused(l.token(l.contoso.TenantID, credentials(l.hosted)), 53003, "invalid_grant", 400)
}

func TestATenantIsUnknownOnAnotherCloudsHost(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	gov := l.tenant("Wingtip", world.DoD)
	app := l.app("Wingtip calling", gov.TenantID, false)
	form := credentials(app, "scope", "https://dod-graph.microsoft.us/.default")
	l.refused(l.token(gov.TenantID, form, "Test-Cloud", "global"), 90002, "invalid_request", 400)
	l.verify(l.token(gov.TenantID, form, "Test-Cloud", "gcc-high").Access, "https://dod-graph.microsoft.us")
	l.refused(l.token(gov.TenantID, credentials(app, "scope", "https://graph.microsoft.us/.default")), 500011, "invalid_resource", 400)
}

func TestTheTokenEndpointTakesPostsOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	res, err := l.srv.Client().Get(l.srv.URL + "/" + l.contoso.TenantID + "/oauth2/v2.0/token")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Fatalf("status %d", res.StatusCode)
	}
}

func TestARouteThatIsNotModelledFailsLoudly(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	res, err := l.srv.Client().Post(l.srv.URL+"/"+l.contoso.TenantID+"/oauth2/v2.0/devicecode", "application/x-www-form-urlencoded", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNotImplemented {
		t.Fatalf("status %d", res.StatusCode)
	}
}
