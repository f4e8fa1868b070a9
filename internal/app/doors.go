package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/api"
	"tcap.cloud/internal/door/portal"
	"tcap.cloud/internal/door/web"
)

// doors puts portal, API and health behind one handler.
func (sys *System) doors() error {
	origins, err := sys.signInOrigins()
	if err != nil {
		return err
	}
	pages := portal.New(sys.portalOptions(origins))
	calls := api.New(sys.apiOptions(pages))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", web.Healthz)
	mux.Handle("GET /readyz", web.Readyz(sys.log, web.Check{Name: "store", Probe: sys.storeReady}))
	mux.Handle("/api/", calls)
	mux.Handle("/", pages)
	guarded, err := web.SameOrigin(mux, http.HandlerFunc(web.CrossOrigin))
	if err != nil {
		return fmt.Errorf("guarding the doors: %w", err)
	}
	sys.handler = web.Observe(sys.log, sys.metrics.Count(guarded))
	return nil
}

// storeReady says whether the store answers and its schema is this program's.
func (sys *System) storeReady(ctx context.Context) error {
	n, err := sys.db.Pending(ctx)
	if err == nil && n > 0 {
		err = fmt.Errorf("the schema is %d migrations behind", n)
	}
	return err
}

// signInOrigins are where a form of ours may lead: Microsoft's sign-in pages, or a stand-in's.
func (sys *System) signInOrigins() ([]string, error) {
	var out []string
	add := func(address string) error {
		u, err := url.Parse(address)
		if err != nil {
			return fmt.Errorf("reading a sign-in address: %w", err)
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(out, origin) {
			out = append(out, origin)
		}
		return nil
	}
	for _, cloud := range org.Clouds() {
		for known, e := range sys.microsoft.directory {
			if string(known) == cloud {
				if err := add(e.BrowserAuthority()); err != nil {
					return nil, err
				}
			}
		}
	}
	if sys.mode.PagesURL != "" {
		return out, add(sys.mode.PagesURL)
	}
	return out, nil
}

func (sys *System) apiOptions(pages *portal.Portal) api.Options {
	o := api.Options{DB: sys.db, Clock: sys.microsoft.clock, Log: sys.log, Version: Version, Org: sys.Org, Operations: sys.operations, Plans: sys.plans,
		Pairings: sys.pairings, Cards: sys.cards, Feed: sys.hub, Directory: sys.directory, Numbers: sys.numbers,
		HTTPS: strings.HasPrefix(sys.settings.PublicURL, "https://")}
	if pages != nil {
		o.RefusalPage = pages.RefusalPage
	}
	return o
}

func (sys *System) portalOptions(origins []string) portal.Options {
	o := portal.Options{DB: sys.db, Clock: sys.microsoft.clock, Log: sys.log, Org: sys.Org, Pairings: sys.pairings, Operations: sys.operations,
		Plans: sys.plans, Cards: sys.cards, Hub: sys.hub, Directory: sys.directory, Numbers: sys.numbers, PublicURL: sys.settings.PublicURL,
		SignInOrigins: origins, OneProcess: sys.settings.Has(RoleWorker), Version: Version}
	if sys.mode.PagesURL != "" {
		o.ConsentRedirect = sys.overPlainPages
	}
	if sys.mode.Demo {
		o.Demo = &portal.Demo{Actor: sys.demoActor, Administrator: sys.demoAdministrator}
	}
	return o
}

// overPlainPages leads a browser to the simulator's pages over plain HTTP, so that it need not trust the simulator's own
// authority. What the pages post back is the same.
func (sys *System) overPlainPages(consentURL string) string {
	u, err := url.Parse(consentURL)
	if err != nil {
		return consentURL
	}
	pages, err := url.Parse(sys.mode.PagesURL)
	if err != nil {
		return consentURL
	}
	u.Scheme, u.Host = pages.Scheme, pages.Host
	return u.String()
}

// demoActor answers who stands behind a role button.
func (sys *System) demoActor(_ context.Context, role string) (access.Actor, error) {
	roles := sys.roles.Load()
	if roles == nil {
		return access.Actor{}, fault.New(fault.Unavailable, "demo-not-ready", "The demo is still being built.").WithRemedy("Try again in a moment.")
	}
	a, ok := (*roles)[role]
	if !ok {
		return access.Actor{}, fault.Missing("role")
	}
	return a, nil
}

// demoAdministrator answers with which account the simulated sign-in page of a customer's tenant is passed.
func (sys *System) demoAdministrator(ctx context.Context, customerID string) (userName, password string) {
	c, err := sys.Org.Customer(ctx, access.System("demo"), customerID)
	if err != nil || sys.mode.Administrator == nil {
		return "", ""
	}
	return sys.mode.Administrator(ctx, c.TenantID)
}

// PrintOpenAPI prints the API document; it needs no store.
func PrintOpenAPI(w io.Writer) error {
	h := api.New(api.Options{Version: Version, Log: slog.New(slog.DiscardHandler)})
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/openapi.json", strings.NewReader("")))
	if rec.Code != http.StatusOK {
		return fmt.Errorf("the API document answered %d", rec.Code)
	}
	_, err := w.Write(rec.Body.Bytes())
	return err
}
