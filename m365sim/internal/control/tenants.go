package control

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

// secretLifetime is how long a new application's secret is good: what the portal recommends (facts/entra.md §4).
const secretLifetime = 180 * 24 * time.Hour

type person struct {
	UPN      string `json:"upn"`
	Password string `json:"password"`
}

func (s *service) createTenant(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name          string      `json:"name"`
		Cloud         world.Cloud `json:"cloud"`
		Users         int         `json:"users"`
		Seed          int64       `json:"seed"`
		LicensedShare float64     `json:"licensedShare"`
		Domain        string      `json:"domain"`
	}
	if err := read(r, &body); err != nil {
		fail(w, err)
		return
	}
	made, err := s.world.CreateTenant(r.Context(), world.NewTenant(body))
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusCreated, map[string]any{
		"tenantId": made.TenantID, "domain": made.Domain, "globalAdmin": person(made.GlobalAdmin), "user": person(made.User),
	})
}

// tenantLine is a tenant in the list.
type tenantLine struct {
	TenantID string      `json:"tenantId"`
	Name     string      `json:"name"`
	Cloud    world.Cloud `json:"cloud"`
	Domain   string      `json:"domain"`
	Users    int         `json:"users"`
	Numbers  int         `json:"numbers"`
	// GlobalAdmin is whoever holds the role first; nil when nobody does any more.
	GlobalAdmin *person `json:"globalAdmin"`
}

func (s *service) listTenants(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, s.tenantLines())
}

func (s *service) tenantLines() []tenantLine {
	lines := []tenantLine{}
	for _, id := range s.world.TenantIDs() {
		_ = s.world.View(id, func(t *world.Tenant) error { // one deleted meanwhile is left out
			lines = append(lines, tenantLine{t.ID, t.Name, t.Cloud, defaultDomain(t), t.Users.Len(), t.Numbers.Len(), administrator(t)})
			return nil
		})
	}
	return lines
}

// administrator makes a tenant of an earlier start usable for whoever plays its Global Administrator.
func administrator(t *world.Tenant) *person {
	for _, a := range t.RoleAssignments.All() {
		if u, ok := t.Users.Get(a.PrincipalID); ok && a.RoleDefinitionID == world.RoleGlobalAdministrator {
			return &person{u.UserPrincipalName, u.Password}
		}
	}
	return nil
}

func defaultDomain(t *world.Tenant) string {
	for _, d := range t.Domains {
		if d.IsDefault {
			return d.Name
		}
	}
	return t.Domain
}

// createApp registers a multi-tenant application in a publisher tenant made for it.
func (s *service) createApp(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name         string      `json:"name"`
		Cloud        world.Cloud `json:"cloud"`
		RedirectURIs []string    `json:"redirectUris"`
		Delegated    []string    `json:"delegated"`
		Application  []string    `json:"application"`
	}
	if err := read(r, &body); err != nil {
		fail(w, err)
		return
	}
	if strings.TrimSpace(body.Name) == "" {
		fail(w, badRequest("An application needs a name."))
		return
	}
	home, err := s.world.CreateTenant(r.Context(), world.NewTenant{Name: body.Name + " publisher", Cloud: body.Cloud})
	if err != nil {
		fail(w, err)
		return
	}
	now := s.world.Now()
	app := world.App{
		AppID: s.world.NewID(), ObjectID: s.world.NewID(), HomeTenant: home.TenantID, Name: body.Name, Publisher: body.Name,
		MultiTenant: true, IDTokens: true, RedirectURIs: body.RedirectURIs, Delegated: body.Delegated, Application: body.Application,
		Secrets: []world.Secret{{KeyID: s.world.NewID(), Value: s.secret(), Start: now, End: now.Add(secretLifetime)}}, CreatedAt: now,
	}
	if err := s.world.PutApp(r.Context(), app); err != nil {
		fail(w, err)
		return
	}
	if _, err := s.world.EnsureServicePrincipal(r.Context(), home.TenantID, app.AppID); err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusCreated, map[string]string{"appId": app.AppID, "secret": app.Secrets[0].Value, "tenantId": home.TenantID})
}

// secret is a client secret of the modern form: 40 characters, 8Q~ at offset 3 (facts/entra.md §4, Secret ID pasted for the
// Value).
func (s *service) secret() string {
	random := strings.ReplaceAll(s.world.NewID()+s.world.NewID(), "-", "")
	text := base64.RawURLEncoding.EncodeToString([]byte(random))
	return text[:3] + "8Q~" + text[3:37]
}

func (s *service) listApps(w http.ResponseWriter, _ *http.Request) {
	lines := []map[string]any{}
	for _, a := range s.world.Apps() {
		lines = append(lines, map[string]any{
			"appId": a.AppID, "name": a.Name, "homeTenant": a.HomeTenant, "multiTenant": a.MultiTenant, "secrets": len(a.Secrets),
			"redirectUris": a.RedirectURIs, "delegated": a.Delegated, "application": a.Application,
		})
	}
	write(w, http.StatusOK, lines)
}
