package world

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// App is the application with this client id, wherever it is registered.
func (w *World) App(appID string) (App, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	a, ok := w.apps[strings.ToLower(appID)]
	return a, ok
}

// Apps lists the applications by name.
func (w *World) Apps() []App {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var all []App
	for _, a := range w.apps {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b App) int { return strings.Compare(a.Name+a.AppID, b.Name+b.AppID) })
	return all
}

// PutApp adds or replaces an application registration.
func (w *World) PutApp(ctx context.Context, a App) error {
	if a.AppID == "" {
		return fmt.Errorf("an application needs an id: %w", ErrNoApp)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.apps[a.key()] = a
	CallFrom(ctx).Wrote = true
	return w.log.keep(record{App: &a})
}

// EnsureServicePrincipal is the application's presence in the tenant, made now when it has none: what a first consent or
// sign-in does. Errors: ErrNoTenant, ErrNoApp. Not to be called inside View or Update.
func (w *World) EnsureServicePrincipal(ctx context.Context, tenantID, appID string) (ServicePrincipal, error) {
	app, ok := w.App(appID)
	if !ok {
		return ServicePrincipal{}, ErrNoApp
	}
	fresh := ServicePrincipal{ID: w.NewID(), AppID: app.AppID, DisplayName: app.Name, Enabled: true, CreatedAt: w.Now()}
	var sp ServicePrincipal
	err := w.Update(ctx, tenantID, func(t *Tenant) error {
		var found bool
		if sp, found = t.ServicePrincipalOf(appID); !found {
			sp = fresh
			t.ServicePrincipals.Put(sp.ID, sp)
		}
		return nil
	})
	return sp, err
}

// ServicePrincipalOf finds an application's service principal; deleted ones are not found.
func (t *Tenant) ServicePrincipalOf(appID string) (ServicePrincipal, bool) {
	for _, sp := range t.ServicePrincipals.All() {
		if strings.EqualFold(sp.AppID, appID) {
			return sp, true
		}
	}
	return ServicePrincipal{}, false
}

// UserByName finds a user by id or user principal name, whatever the case; deleted ones are not found.
func (t *Tenant) UserByName(idOrUPN string) (User, bool) {
	if u, ok := t.Users.Get(idOrUPN); ok {
		return u, true
	}
	for _, u := range t.Users.All() {
		if strings.EqualFold(u.UserPrincipalName, idOrUPN) {
			return u, true
		}
	}
	return User{}, false
}

func (a App) key() string { return strings.ToLower(a.AppID) }
