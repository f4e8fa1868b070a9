package entra

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

// client is the application that calls the token endpoint, present in the tenant.
type client struct {
	app  world.App
	sp   world.ServicePrincipal
	auth string // appidacr: "1" secret, "2" certificate
}

func appNotFound(appID, tenantID string) *refusal {
	return refuse(700016, "Application with identifier '%s' was not found in the directory '%s'. Its administrator may not have installed or consented to it, or the request went to the wrong tenant.", appID, tenantID)
}

func appDisabled(a world.App) *refusal {
	return refuse(7000112, "Application '%s'(%s) is disabled.", a.AppID, a.Name)
}

// findClient finds the application and its service principal in the tenant. The application's own tenant always has one
// unless an administrator deleted it. Refusals: 700016, 7000112.
func (s *service) findClient(ctx context.Context, tenantID, appID string) (client, *refusal) {
	app, ok := s.w.App(appID)
	if !ok || !app.MultiTenant && app.HomeTenant != tenantID {
		return client{}, appNotFound(appID, tenantID)
	}
	var sp world.ServicePrincipal
	var found, deleted bool
	err := s.w.View(tenantID, func(t *world.Tenant) error {
		sp, found, deleted = servicePrincipal(t, appID)
		return nil
	})
	if err == nil && !found && !deleted && app.HomeTenant == tenantID {
		sp, err = s.w.EnsureServicePrincipal(ctx, tenantID, appID)
		found = err == nil
	}
	switch {
	case err != nil:
		return client{}, internal(fmt.Errorf("finding the service principal of %s: %w", appID, err))
	case !found:
		return client{}, appNotFound(appID, tenantID)
	case app.Disabled || !sp.Enabled:
		return client{}, appDisabled(app)
	}
	return client{app: app, sp: sp}, nil
}

// authenticate checks the client's secret or certificate. Refusals: 7000216 or 7000218 nothing sent, 7000215 wrong,
// 7000222 expired, and those of checkAssertion.
func (s *service) authenticate(r *http.Request, p place, c *client) *refusal {
	secret, assertion := clientSecret(r), r.PostForm.Get("client_assertion")
	switch {
	case assertion != "":
		c.auth = "2"
		return s.checkAssertion(r, p, c.app, assertion)
	case secret != "":
		c.auth = "1"
		return checkSecret(c.app, secret, s.w.Now())
	case r.PostForm.Get("grant_type") == "client_credentials":
		return refuse(7000216, "'client_assertion' or 'client_secret' is required for the 'client_credentials' grant type.")
	}
	return refuse(7000218, "The request body must contain the parameter 'client_assertion' or 'client_secret'.")
}

func clientSecret(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return unescape(password)
	}
	return r.PostForm.Get("client_secret")
}

// clientID is the client's id from the body or the Basic header (RFC 6749 §2.3.1, form-encoded there).
func clientID(r *http.Request) string {
	if id := r.PostForm.Get("client_id"); id != "" {
		return id
	}
	id, _, _ := r.BasicAuth()
	return unescape(id)
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// checkSecret compares with every secret of the registration. A secret's KeyID (the portal's "Secret ID") is a wrong value
// like any other; the words say what probably happened.
func checkSecret(app world.App, value string, now time.Time) *refusal {
	expired := false
	for _, known := range app.Secrets {
		if subtle.ConstantTimeCompare([]byte(known.Value), []byte(value)) != 1 || now.Before(known.Start) {
			continue
		}
		if known.End.IsZero() || now.Before(known.End) {
			return nil
		}
		expired = true
	}
	if expired {
		return refuse(7000222, "The provided client secret keys for app '%s' are expired. Create new keys for the app.", app.AppID)
	}
	return refuse(7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", app.AppID)
}
