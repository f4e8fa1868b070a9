package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"tcap.cloud/internal/base/access"
)

// frontDoor calls an HTTP API as any script would.
type frontDoor struct {
	base, key string
	client    *http.Client
}

func newFrontDoor(base, key, caFile string) (*frontDoor, error) {
	f := &frontDoor{base: base, key: key, client: &http.Client{Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if caFile == "" {
		return f, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("reading the simulator's authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	f.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	return f, nil
}

// call sends JSON and reads JSON; anything but 2xx is an error with what was answered.
func (f *frontDoor) call(ctx context.Context, method, path string, body, into any) error {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, f.base+path, reader)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if f.key != "" {
		req.Header.Set("Authorization", "Bearer "+f.key)
	}
	_, err = f.send(req, into)
	return err
}

func (f *frontDoor) send(req *http.Request, into any) (*http.Response, error) {
	res, err := f.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", req.URL.Path, err)
	}
	if res.StatusCode >= 300 {
		return res, fmt.Errorf("%s %s answered %d: %s", req.Method, req.URL.Path, res.StatusCode, bytes.TrimSpace(raw[:min(len(raw), 400)]))
	}
	if into != nil && len(raw) > 0 {
		if err := json.Unmarshal(raw, into); err != nil {
			return res, fmt.Errorf("reading the answer of %s: %w", req.URL.Path, err)
		}
	}
	return res, nil
}

// builder makes what is missing of the demo world; each piece is looked for first, so that it can be run at every start.
type builder struct {
	api, sim *frontDoor
}

type named struct{ ID, Name, Kind, Status string }

// world builds the customers of contracts/cli.md "from the start" and answers what scripts need to find their way.
func (d Demo) world(ctx context.Context, sys *System, state *demoState, portalURL string) (demoFile, error) {
	file := demoFile{PortalURL: portalURL, APIURL: portalURL + "/api/v1", SimulatorURL: "https://" + state.Simulator, Keys: map[string]string{}, SignIn: map[string]string{}}
	var err error
	if file.CAFile, err = filepath.Abs(d.file("ca.pem")); err != nil {
		return file, fmt.Errorf("naming the authority's file: %w", err)
	}
	key, err := state.key(ctx, sys.Org, "operator", access.Scope{Level: access.Operator})
	if err != nil {
		return file, err
	}
	b := builder{}
	if b.api, err = newFrontDoor(file.APIURL, key, ""); err != nil {
		return file, err
	}
	if b.sim, err = newFrontDoor(file.SimulatorURL, "", file.CAFile); err != nil {
		return file, err
	}
	if err := b.awake(ctx, portalURL); err != nil {
		return file, err
	}
	scopes, err := b.customers(ctx)
	if err != nil {
		return file, err
	}
	roles := map[string]access.Actor{}
	for name, scope := range scopes {
		if file.Keys[name], err = state.key(ctx, sys.Org, name, scope); err != nil {
			return file, err
		}
		actor := access.Actor{Kind: "demo", ID: name, Name: "Demo " + name, Scope: scope, Role: access.Admin}
		roles[name] = actor
		token, err := sys.Org.NewLink(ctx, actor, 24*time.Hour)
		if err != nil {
			return file, fmt.Errorf("making the %s's sign-in link: %w", name, err)
		}
		file.SignIn[name] = portalURL + "/sign-in/link?token=" + url.QueryEscape(token)
	}
	sys.roles.Store(&roles)
	return file, nil
}

// awake waits until the portal answers.
func (b builder) awake(ctx context.Context, portalURL string) error {
	for range 200 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, portalURL+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("asking whether the portal is ready: %w", err)
		}
		if _, err = b.api.send(req, nil); err == nil {
			return nil
		}
		if err := pause(ctx, 25*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the portal does not become ready")
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("building the demo world: %w", ctx.Err())
	case <-t.C:
		return nil
	}
}

func (b builder) customers(ctx context.Context) (map[string]access.Scope, error) {
	contoso, err := b.ensure(ctx, "/partners", "Contoso Voice", map[string]any{"name": "Contoso Voice"})
	if err != nil {
		return nil, err
	}
	adatum, err := b.ensure(ctx, "/partners", "Adatum Connect", map[string]any{"name": "Adatum Connect"})
	if err != nil {
		return nil, err
	}
	var wingtip string
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { wingtip, err = b.active(gctx, contoso); return err })
	g.Go(func() error { return b.pending(gctx, contoso) })
	g.Go(func() error { return b.withoutSync(gctx, adatum) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return map[string]access.Scope{"operator": {Level: access.Operator}, "partner": {Level: access.Partner, PartnerID: contoso},
		"customer": {Level: access.Customer, PartnerID: contoso, CustomerID: wingtip}}, nil
}

// ensure answers the id of the thing with this name, making it where it is missing.
func (b builder) ensure(ctx context.Context, path, name string, body map[string]any) (string, error) {
	var page struct{ Items []named }
	if err := b.api.call(ctx, "GET", path+"?limit=200&search="+url.QueryEscape(name), nil, &page); err != nil {
		return "", err
	}
	for _, it := range page.Items {
		if it.Name == name {
			return it.ID, nil
		}
	}
	var made named
	err := b.api.call(ctx, "POST", path, body, &made)
	return made.ID, err
}

func (b builder) service(ctx context.Context, customer, kind string, sync bool) (named, error) {
	var page struct{ Items []named }
	path := "/customers/" + customer + "/services"
	if err := b.api.call(ctx, "GET", path, nil, &page); err != nil {
		return named{}, err
	}
	for _, it := range page.Items {
		if it.Kind == kind {
			return it, nil
		}
	}
	var made named
	err := b.api.call(ctx, "POST", path, map[string]any{"kind": kind, "sync": sync}, &made)
	return made, err
}

// simTenant is a tenant in the simulator, with who may consent there.
type simTenant struct {
	TenantID, Domain string
	GlobalAdmin      struct{ UPN, Password string }
}

// tenant answers the simulated tenant with this domain, making it where it is missing.
func (b builder) tenant(ctx context.Context, name, domain string, users int, seed int64) (simTenant, error) {
	var all []simTenant
	if err := b.sim.call(ctx, "GET", "/_sim/tenants", nil, &all); err != nil {
		return simTenant{}, err
	}
	for _, t := range all {
		if t.Domain == domain {
			return t, nil
		}
	}
	var made simTenant
	err := b.sim.call(ctx, "POST", "/_sim/tenants", map[string]any{"name": name, "cloud": "global", "users": users, "seed": seed, "licensedShare": 0.85, "domain": domain}, &made)
	return made, err
}

// customer answers a customer with a tenant of its own in the simulator, making what is missing.
func (b builder) customer(ctx context.Context, partner, name, domain string, users int, seed int64) (id string, t simTenant, err error) {
	if t, err = b.tenant(ctx, name, domain, users, seed); err != nil {
		return "", t, err
	}
	id, err = b.ensure(ctx, "/customers", name, map[string]any{"name": name, "partnerId": partner, "cloud": "global", "tenantId": t.TenantID,
		"primaryDomain": t.Domain, "country": "AU", "timeZone": "Australia/Sydney"})
	return id, t, err
}

func (b builder) pending(ctx context.Context, partner string) error {
	id, _, err := b.customer(ctx, partner, "Tailspin Airlines", "tailspin.example", 120, 2)
	if err != nil {
		return err
	}
	_, err = b.service(ctx, id, "direct-routing", true)
	return err
}

func (b builder) withoutSync(ctx context.Context, partner string) error {
	id, _, err := b.customer(ctx, partner, "Litware", "litware.example", 40, 3)
	if err != nil {
		return err
	}
	_, err = b.service(ctx, id, "operator-connect", false)
	return err
}

// active is the customer that works: consent given, 250 users read, numbers in stock, some on people.
func (b builder) active(ctx context.Context, partner string) (string, error) {
	id, t, err := b.customer(ctx, partner, "Wingtip Toys", "wingtip.example", 250, 1)
	if err != nil {
		return "", err
	}
	svc, err := b.service(ctx, id, "direct-routing", true)
	if err != nil {
		return "", err
	}
	if err := b.connect(ctx, id, svc.ID, t); err != nil {
		return "", err
	}
	return id, b.numbers(ctx, id, svc.ID)
}

// connect consents where that is needed and waits until the tenant is connected. A connection that a kill cut in the middle
// goes on by itself, or asks for the administrator once more.
func (b builder) connect(ctx context.Context, customer, service string, t simTenant) error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		var svc named
		if err := b.api.call(ctx, "GET", "/services/"+service, nil, &svc); err != nil {
			return err
		}
		var running struct{ Items []struct{ WaitingFor string } }
		if err := b.api.call(ctx, "GET", "/operations?kind=pairing&unfinished=true&limit=1&customerId="+customer, nil, &running); err != nil {
			return err
		}
		asks := len(running.Items) > 0 && running.Items[0].WaitingFor == "administrator-sign-in"
		switch {
		case svc.Status == "active":
			return nil
		case asks, svc.Status == "pending-consent" && len(running.Items) == 0:
			if err := errors.Join(b.consent(ctx, service, t), pause(ctx, 300*time.Millisecond)); err != nil {
				return err
			}
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the tenant does not become connected")
}

// consent plays the administrator's browser.
func (b builder) consent(ctx context.Context, service string, t simTenant) error {
	var grant struct{ ConsentURL string }
	if err := b.api.call(ctx, "POST", "/services/"+service+"/grant-access", map[string]any{}, &grant); err != nil {
		return err
	}
	var reply struct {
		Method, URL string
		Form        map[string]string
	}
	err := b.sim.call(ctx, "POST", "/_sim/consent", map[string]any{"authorizeUrl": grant.ConsentURL, "upn": t.GlobalAdmin.UPN,
		"password": t.GlobalAdmin.Password, "decision": "accept"}, &reply)
	if err != nil {
		return err
	}
	form := url.Values{}
	for k, v := range reply.Form {
		form.Set(k, v)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, reply.URL, bytes.NewBufferString(form.Encode()))
	if err != nil {
		return fmt.Errorf("returning from the consent: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	_, err = b.api.send(req, nil)
	return err
}

// patience bounds each wait while the world is built.
const patience = 2 * time.Minute

// quiet waits until nothing is running for a customer: a killed start may have left operations, which go on by themselves.
func (b builder) quiet(ctx context.Context, customer string) error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		var running struct{ Total int }
		if err := b.api.call(ctx, "GET", "/operations?unfinished=true&limit=1&customerId="+customer, nil, &running); err != nil || running.Total == 0 {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the work of an earlier start does not end")
}

// until waits for a status, bounded.
func (b builder) until(ctx context.Context, path, status string) error {
	var it struct{ Status, State string }
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err := b.api.call(ctx, "GET", path, nil, &it); err != nil {
			return err
		}
		if it.Status == status || it.State == status {
			return nil
		}
		if it.State == "failed" || it.State == "cancelled" {
			break
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s is %s%s, not %s", path, it.Status, it.State, status)
}

const (
	demoNumbers  = 60 // in stock at the customer that works
	demoAssigned = 18 // of them on people
)

func (b builder) numbers(ctx context.Context, customer, service string) error {
	if err := b.quiet(ctx, customer); err != nil {
		return err
	}
	var held struct{ Total int }
	if err := b.api.call(ctx, "GET", "/customers/"+customer+"/users?limit=1&number=has", nil, &held); err != nil || held.Total >= demoAssigned {
		return err
	}
	type line struct {
		Number string `json:"number"`
	}
	lines := make([]line, demoNumbers)
	for i := range lines {
		lines[i].Number = demoNumber(i)
	}
	if err := b.api.call(ctx, "POST", "/numbers/import", map[string]any{"customerId": customer, "serviceId": service, "numbers": lines}, nil); err != nil {
		return err
	}
	var free struct{ Items []struct{ Number string } }
	if err := b.api.call(ctx, "GET", fmt.Sprintf("/numbers?state=free&customerId=%s&limit=%d", customer, demoAssigned), nil, &free); err != nil {
		return err
	}
	var people struct{ Items []struct{ ID string } }
	if err := b.api.call(ctx, "GET", fmt.Sprintf("/customers/%s/users?status=not-allocated&limit=%d", customer, demoAssigned-held.Total), nil, &people); err != nil {
		return err
	}
	var operations []string
	for i, p := range people.Items[:min(len(people.Items), len(free.Items))] {
		var op struct{ ID string }
		if err := b.api.call(ctx, "PUT", "/customers/"+customer+"/users/"+p.ID+"/number", map[string]any{"number": free.Items[i].Number}, &op); err != nil {
			return err
		}
		operations = append(operations, op.ID)
	}
	for _, op := range operations {
		if err := b.until(ctx, "/operations/"+op, "succeeded"); err != nil {
			return err
		}
	}
	return nil
}

// demoNumber is one of the demo's own numbers, +61 2 5550 0000–4999.
func demoNumber(i int) string { return fmt.Sprintf("+6125550%04d", i) }
