package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tcap.cloud/test/pg"
)

// stand is an operator's installation in front of a Microsoft 365 of its own.
type stand struct {
	sim     *simulator
	api     client // with the operator's key
	appID   string
	secret  string
	public  string
	listen  string
	args    []string // of serve, but for the address
	server  *process
	partner string
}

// databaseURL of a fresh database.
func databaseURL(t *testing.T, kind string) string {
	t.Helper()
	if kind == "postgres" {
		return pg.Start(t)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "tcap.db")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// newStand starts everything and signs in for the first time, as the operator does. flags are further ones for serve.
func newStand(t *testing.T, database string, flags ...string) *stand {
	t.Helper()
	s := &stand{listen: address(t)}
	s.public = "http://" + s.listen
	dbURL := databaseURL(t, database)
	s.sim = startSimulator(t)
	s.args = s.settings(t, dbURL, flags)
	s.serve(t)
	s.api = newClient(t, s.public+"/api/v1", "", "")
	s.api.key = s.firstKey(t)
	var partner struct{ ID string }
	s.api.must(t, "POST", "/partners", map[string]any{"name": "Contoso Voice"}).want(t, http.StatusCreated).into(t, &partner)
	s.partner = partner.ID
	return s
}

// settings registers the application, makes an identity and writes the files that serve is given.
func (s *stand) settings(t *testing.T, dbURL string, flags []string) []string {
	t.Helper()
	dir := t.TempDir()
	var app struct{ AppID, Secret string }
	s.sim.must(t, "POST", "/_sim/apps", map[string]any{"name": "TCAP", "application": []string{},
		"redirectUris": []string{s.public + "/api/v1/mstenantconsent", s.public + "/api/v1/msttenantconsent"},
		"delegated":    []string{"Directory.AccessAsUser.All", "User.Read", "User.Read.All"}}).want(t, http.StatusCreated).into(t, &app)
	s.appID, s.secret = app.AppID, app.Secret
	identity, secret, endpoints := filepath.Join(dir, "identity"), filepath.Join(dir, "secret"), filepath.Join(dir, "endpoints.yaml")
	if o := run(t, nil, "key", "new", "--seal-identity-file", identity); o.code != 0 {
		t.Fatalf("making an identity: exit %d: %s", o.code, o.err)
	}
	write(t, secret, app.Secret)
	write(t, endpoints, fmt.Sprintf("clouds:\n  global:\n    authority: %[1]s\n    graph: %[1]s/graph\n    teams: %[1]s/teams\nclock: %[1]s/_sim/clock\n", s.sim.url))
	return append([]string{"--database-url", dbURL, "--public-url", s.public, "--migrate", "--operator-name", "Fabrikam Telecom",
		"--hosted-app", "global=" + app.AppID + ",secret-file=" + secret, "--seal-identity-file", identity,
		"--microsoft-endpoints", endpoints, "--microsoft-ca-file", s.sim.caFile}, flags...)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve starts the program, or starts it again after it was killed, on the same address and database.
func (s *stand) serve(t *testing.T) {
	t.Helper()
	s.server = s.another(t, "serve", s.listen)
}

// another starts one more process on the same database.
func (s *stand) another(t *testing.T, name, listen string, flags ...string) *process {
	t.Helper()
	p := start(t, name, append(append([]string{"serve", "--listen", listen}, s.args...), flags...)...)
	at := newClient(t, "http://"+listen, "", "")
	ready(t, p, name, func() error {
		a, err := at.call("GET", "/readyz", nil)
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("answered %d: %s", a.status, a.short())
		}
		return err
	})
	return p
}

var signInLink = regexp.MustCompile(`http\S+/sign-in/link\?token=\S+`)

// firstKey signs in by the link that the first start prints, and makes an API key on the portal's page.
func (s *stand) firstKey(t *testing.T) string {
	t.Helper()
	var link string
	eventually(t, "the first start prints a link", 10*time.Second, func() (bool, string, error) {
		link = signInLink.FindString(s.server.out.String())
		return link != "", s.server.out.String(), nil
	})
	return keyByLink(t, s.public, link)
}

// customer is one with a tenant of its own and a Direct Routing service.
type customer struct {
	tenant
	id, service string
}

func (s *stand) newCustomer(t *testing.T, name string, users int, seed int64) customer {
	t.Helper()
	c := customer{tenant: s.sim.newTenant(t, name, users, seed)}
	var made struct{ ID, Status string }
	s.api.must(t, "POST", "/customers", map[string]any{"name": name, "partnerId": s.partner, "cloud": "global", "tenantId": c.TenantID, "country": "AU"}).
		want(t, http.StatusCreated).into(t, &made)
	c.id = made.ID
	s.api.must(t, "POST", "/customers/"+c.id+"/services", map[string]any{"kind": "direct-routing", "sync": true}).
		want(t, http.StatusCreated).into(t, &made)
	if c.service = made.ID; made.Status != "pending-consent" {
		t.Fatalf("a new service is %q, not pending-consent", made.Status)
	}
	return c
}

// grant is a consent link with what it will ask.
type grant struct {
	ConsentURL  string
	Permissions []struct{ Value, Title, UsedFor string }
	ExpiresAt   time.Time
}

func (s *stand) grantAccess(t *testing.T, c customer) grant {
	t.Helper()
	var g grant
	s.api.must(t, "POST", "/services/"+c.service+"/grant-access", map[string]any{}).want(t, http.StatusOK).into(t, &g)
	return g
}

// comeBack brings Microsoft's reply to the program, as the administrator's browser does; it answers the operation's id.
func (s *stand) comeBack(t *testing.T, r reply) string {
	t.Helper()
	values := url.Values{}
	for k, v := range r.Form {
		values.Set(k, v)
	}
	a := client{http: s.api.http}.must(t, strings.ToUpper(r.Method), *r.URL, values).want(t, http.StatusAccepted)
	return operationOf(t, a)
}

func operationOf(t *testing.T, a *answer) string {
	t.Helper()
	id, ok := strings.CutPrefix(a.header.Get("Location"), "/api/v1/operations/")
	if !ok || id == "" {
		t.Fatalf("%s answered 202 with the Location %q", a.asked, a.header.Get("Location"))
	}
	return id
}

// beginPairing grants access and consents as the Global Administrator.
func (s *stand) beginPairing(t *testing.T, c customer) string {
	t.Helper()
	return s.comeBack(t, s.sim.consent(t, s.grantAccess(t, c).ConsentURL, c.GlobalAdmin))
}

// newPaired is a customer whose service is active.
func (s *stand) newPaired(t *testing.T, name string, users int, seed int64) customer {
	t.Helper()
	c := s.newCustomer(t, name, users, seed)
	s.succeeds(t, s.beginPairing(t, c))
	return c
}

// operation as the API shows it.
type operation struct {
	ID, Kind, State string
	WaitingFor      *string
	DueWhy          *string
	FailedLines     int
	Error           *struct{ Code, Detail string }
	Progress        struct{ Done, Total int }
	Steps           []struct{ Name, State, Detail string }
}

func (o operation) final() bool {
	return o.State == "succeeded" || o.State == "failed" || o.State == "cancelled"
}

func (o operation) waitsFor(what string) bool {
	return o.State == "waiting" && o.WaitingFor != nil && *o.WaitingFor == what
}

func (o operation) String() string {
	text, _ := json.Marshal(o) // plain data
	return string(text)
}

func (s *stand) operation(t *testing.T, id string) operation {
	t.Helper()
	var o operation
	s.api.get(t, "/operations/"+id, &o)
	return o
}

// shown is long enough for Microsoft to show a policy that was granted: 30 to 45 s.
const shown = 50 * time.Second

// ends follows an operation to its end. Where it waits for Microsoft to show what was made, the simulator's clock is moved
// on; where it waits for an administrator, he signs in once more.
func (s *stand) ends(t *testing.T, id string, c *customer) operation {
	t.Helper()
	var o operation
	var moved, signedIn time.Time
	signIns := 0
	eventually(t, "the operation "+id+" ends", 90*time.Second, func() (bool, string, error) {
		o = s.operation(t, id)
		switch {
		case o.waitsFor("microsoft") && strings.HasPrefix(o.Kind, "number-") && time.Since(moved) > 10*time.Second:
			s.sim.advance(t, shown)
			moved = time.Now()
		case o.waitsFor("administrator-sign-in") && c == nil:
			return false, "", fmt.Errorf("it waits for an administrator: %s", o)
		case o.waitsFor("administrator-sign-in") && time.Since(signedIn) > 10*time.Second: // it goes on a moment after the reply
			if signIns++; signIns > 2 {
				return false, "", fmt.Errorf("it asks for the administrator again and again: %s", o)
			}
			s.signInAgain(t, id, *c)
			signedIn = time.Now()
		}
		return o.final(), o.String(), nil
	})
	if signIns > 0 {
		t.Logf("the administrator signed in %d times more", signIns)
	}
	return o
}

// signInAgain is what an administrator does whose operation waits for him.
func (s *stand) signInAgain(t *testing.T, operationID string, c customer) {
	t.Helper()
	var g grant
	s.api.must(t, "POST", "/operations/"+operationID, map[string]any{"action": "sign-in"}).want(t, http.StatusOK).into(t, &g)
	if got := s.comeBack(t, s.sim.consent(t, g.ConsentURL, c.GlobalAdmin)); got != operationID {
		t.Fatalf("the sign-in for operation %s began another one: %s", operationID, got)
	}
}

func (s *stand) succeeds(t *testing.T, id string) operation {
	t.Helper()
	o := s.ends(t, id, nil)
	if o.State != "succeeded" {
		t.Fatalf("the operation did not succeed: %s", o)
	}
	return o
}

// card is what the tests look at of a service.
type card struct {
	ID, Status string
	Cause      *struct{ Code, Detail string }
	LastSync   *struct{ Users int }
}

func (s *stand) card(t *testing.T, c customer) card {
	t.Helper()
	var got card
	s.api.get(t, "/services/"+c.service, &got)
	return got
}

// user is somebody as the product has him.
type user struct {
	ID, UserPrincipalName, DisplayName, Status string
	Number, VoicePolicy                        *string
}

// free are people who may have a number and have none.
func (s *stand) free(t *testing.T, c customer, n int) []user {
	t.Helper()
	var page struct{ Items []user }
	s.api.get(t, fmt.Sprintf("/customers/%s/users?status=not-allocated&limit=%d", c.id, n), &page)
	if len(page.Items) < n {
		t.Fatalf("%d people may have a number, want %d", len(page.Items), n)
	}
	return page.Items
}

// number as the product has it.
type number struct {
	Number, State string
	Holder        *struct{ Kind, ID, Name string }
	OperationID   *string
}

func (s *stand) number(t *testing.T, e164 string) number {
	t.Helper()
	var n number
	s.api.get(t, "/numbers/"+url.PathEscape(e164), &n)
	return n
}

// stock imports numbers for a customer's service; all of them are new.
func (s *stand) stock(t *testing.T, c customer, numbers ...string) {
	t.Helper()
	var lines []map[string]string
	for _, n := range numbers {
		lines = append(lines, map[string]string{"number": n})
	}
	var made struct{ Created, Rejected int }
	s.api.must(t, "POST", "/numbers/import", map[string]any{"customerId": c.id, "serviceId": c.service, "numbers": lines}).
		want(t, http.StatusOK).into(t, &made)
	if made.Created != len(numbers) || made.Rejected != 0 {
		t.Fatalf("of %d numbers %d were created and %d rejected", len(numbers), made.Created, made.Rejected)
	}
}

// assign begins to give somebody a number with the voice policy that every tenant has; it answers the operation's id.
func (s *stand) assign(t *testing.T, c customer, userID, e164 string) string {
	t.Helper()
	a := s.api.must(t, "PUT", "/customers/"+c.id+"/users/"+userID+"/number", map[string]any{"number": e164, "voicePolicy": voicePolicy})
	return operationOf(t, a.want(t, http.StatusAccepted))
}

const voicePolicy = "AU-All"

// e164 is one of the fictitious numbers of New South Wales that the demo leaves to others.
func e164(i int) string { return fmt.Sprintf("+6125550%04d", 5000+i) }
