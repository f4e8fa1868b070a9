package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// demoFile is demo.json (contracts/cli.md, "The demo world").
type demoFile struct {
	PortalURL, APIURL, SimulatorURL, CAFile string
	Keys, SignIn                            map[string]string
}

// demo is `tcap demo` on a folder.
type demo struct {
	*process
	dir, listen string
	file        demoFile
}

// begin starts the demo; it does not wait for the world.
func (d *demo) begin(t *testing.T) {
	t.Helper()
	d.process = start(t, "demo", "demo", "--data", d.dir, "--listen", d.listen)
}

// isReady waits for demo.json. The bound is generous: how long it takes is measured, not judged, as the machine is shared.
func (d *demo) isReady(t *testing.T) {
	t.Helper()
	path := filepath.Join(d.dir, "demo.json")
	eventually(t, "demo.json is there", 90*time.Second, func() (bool, string, error) {
		if !d.running() {
			return false, "", fmt.Errorf("the process has ended: %v", d.state)
		}
		if !exists(path) {
			return false, "not there", nil
		}
		if written, err := os.Stat(path); err != nil || written.ModTime().Before(d.began) {
			return false, "still the one of before", nil
		}
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return false, "not there", nil
		}
		d.file = demoFile{}
		return true, "", errors.Join(err, json.Unmarshal(raw, &d.file)) // written by rename: whole, or not there
	})
	// The first line of the log is written within milliseconds of the start.
	t.Logf("measured: the demo world was ready %.2f s after the start", time.Since(d.began).Seconds())
}

func newDemo(t *testing.T) *demo {
	t.Helper()
	return &demo{dir: filepath.Join(t.TempDir(), "demo"), listen: address(t)}
}

func (d *demo) as(t *testing.T, role string) client {
	t.Helper()
	return newClient(t, d.file.APIURL, d.file.Keys[role], "")
}

// service is a card in a list.
type service struct {
	ID, Kind, Status string
	Sync             bool
}

// isComplete looks at the demo world as a script does that has read demo.json: all of it is there, once.
func (d *demo) isComplete(t *testing.T) {
	t.Helper()
	f := d.file
	if f.PortalURL != "http://"+d.listen || f.APIURL != f.PortalURL+"/api/v1" || !strings.HasPrefix(f.SimulatorURL, "https://127.0.0.1:") || !filepath.IsAbs(f.CAFile) {
		t.Errorf("demo.json says %+v", f)
	}
	if info, err := os.Stat(filepath.Join(d.dir, "demo.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("demo.json holds keys and may be read by others: %v %v", info.Mode(), err)
	}
	for _, role := range []string{"operator", "partner", "customer"} {
		if !strings.HasPrefix(f.Keys[role], "tcap_") || !strings.HasPrefix(f.SignIn[role], f.PortalURL+"/sign-in/link?token=") {
			t.Errorf("demo.json has the key %.8q… and the link %.40q… for the %s", f.Keys[role], f.SignIn[role], role)
		}
	}
	api := d.as(t, "operator")
	var partners, customers struct {
		Items []struct{ ID, Name, PartnerID string }
		Total int
	}
	api.get(t, "/partners", &partners)
	api.get(t, "/customers", &customers)
	if got := namesOf(partners.Items); !slices.Equal(got, []string{"Adatum Connect", "Contoso Voice"}) {
		t.Errorf("the partners are %q", got)
	}
	if got := namesOf(customers.Items); !slices.Equal(got, []string{"Litware", "Tailspin Airlines", "Wingtip Toys"}) {
		t.Fatalf("the customers are %q", got)
	}
	want := map[string]service{
		"Wingtip Toys":      {Kind: "direct-routing", Status: "active", Sync: true},
		"Tailspin Airlines": {Kind: "direct-routing", Status: "pending-consent", Sync: true},
		"Litware":           {Kind: "operator-connect", Status: "pending-consent", Sync: false},
	}
	for _, c := range customers.Items {
		var cards struct{ Items []service }
		api.get(t, "/customers/"+c.ID+"/services", &cards)
		if len(cards.Items) != 1 {
			t.Errorf("%s has %d services, want one", c.Name, len(cards.Items))
			continue
		}
		got := cards.Items[0]
		got.ID = ""
		if got != want[c.Name] {
			t.Errorf("%s has %+v, want %+v", c.Name, got, want[c.Name])
		}
		if c.Name == "Wingtip Toys" {
			d.livesIn(t, c.ID)
		}
	}
	d.simulatorAgrees(t)
	d.keepsApart(t)
}

func namesOf(items []struct{ ID, Name, PartnerID string }) []string {
	var out []string
	for _, it := range items {
		out = append(out, it.Name)
	}
	slices.Sort(out)
	return out
}

// livesIn looks at the customer that works: 250 people, and numbers of the demo's own range on some of them.
func (d *demo) livesIn(t *testing.T, customerID string) {
	t.Helper()
	api := d.as(t, "operator")
	var people, numbers struct {
		Items []struct {
			Number any
			State  string
		}
		Total int
	}
	api.get(t, "/customers/"+customerID+"/users?limit=1", &people)
	if people.Total != 250 {
		t.Errorf("Wingtip Toys has %d users, want 250", people.Total)
	}
	api.get(t, "/numbers?limit=1000", &numbers)
	assigned := 0
	for _, n := range numbers.Items {
		if text, _ := n.Number.(string); !strings.HasPrefix(text, "+612555") || text > "+61255504999" {
			t.Errorf("%v lies outside the demo's own range", n.Number)
		}
		if n.State != "free" && n.State != "assigned" {
			t.Errorf("%v is left %s", n.Number, n.State)
		}
		if n.State == "assigned" {
			assigned++
		}
	}
	if assigned == 0 || assigned == len(numbers.Items) {
		t.Errorf("%d of %d numbers are assigned: there should be some of both", assigned, len(numbers.Items))
	}
	// A sync may be due by now; everything else was waited for.
	var open struct{ Items []operation }
	api.get(t, "/operations?unfinished=true", &open)
	for _, o := range open.Items {
		if o.Kind != "sync" {
			t.Errorf("an operation is not over: %s", o)
		}
	}
}

// simulatorAgrees: there is one tenant for each customer, and the numbers are in it as the product says.
func (d *demo) simulatorAgrees(t *testing.T) {
	t.Helper()
	sim := newClient(t, d.file.SimulatorURL, "", d.file.CAFile)
	var tenants []struct {
		TenantID, Domain string
		Users            int
	}
	sim.get(t, "/_sim/tenants", &tenants)
	count := map[string]int{}
	for _, it := range tenants {
		count[it.Domain]++
		if it.Domain != "wingtip.example" {
			continue
		}
		var there state
		sim.get(t, "/_sim/tenants/"+it.TenantID+"/state", &there)
		var assigned struct{ Total int }
		d.as(t, "operator").get(t, "/numbers?state=assigned&limit=1", &assigned)
		holders := map[string]bool{}
		for _, n := range there.Numbers {
			if n.TargetID != "" {
				holders[n.TargetID] = true
			}
		}
		if len(there.Numbers) != assigned.Total || len(holders) != assigned.Total {
			t.Errorf("the tenant has %d numbers on %d people, the product %d", len(there.Numbers), len(holders), assigned.Total)
		}
		if len(there.RoleAssignments) < 2 || len(there.Users) != 250 {
			t.Errorf("the tenant has %d role assignments and %d users", len(there.RoleAssignments), len(there.Users))
		}
	}
	for _, domain := range []string{"wingtip.example", "tailspin.example", "litware.example"} {
		if count[domain] != 1 {
			t.Errorf("there are %d tenants of %s, want one", count[domain], domain)
		}
	}
}

// keepsApart: each key sees its own.
func (d *demo) keepsApart(t *testing.T) {
	t.Helper()
	for role, want := range map[string]int{"operator": 3, "partner": 2, "customer": 1} {
		var page struct{ Total int }
		d.as(t, role).get(t, "/customers?limit=1", &page)
		if page.Total != want {
			t.Errorf("the %s sees %d customers, want %d", role, page.Total, want)
		}
	}
}

func TestTheDemoGoesOnWhereItWasKilled(t *testing.T) {
	t.Parallel()
	d := newDemo(t)
	d.begin(t)
	d.isReady(t)
	d.isComplete(t)
	first := d.file

	// Something that is no part of the demo world must be there afterwards too, on both sides.
	sim := newClient(t, first.SimulatorURL, "", first.CAFile)
	var made tenant
	sim.must(t, "POST", "/_sim/tenants", map[string]any{"name": "Woodgrove", "cloud": "global", "users": 5, "seed": 1, "licensedShare": 1}).
		want(t, http.StatusCreated).into(t, &made)
	sim.must(t, "POST", "/_sim/clock", map[string]any{"advance": "1h"}).want(t, http.StatusOK)

	d.kill()
	d.begin(t)
	d.isReady(t)
	if d.file.PortalURL != first.PortalURL || d.file.SimulatorURL != first.SimulatorURL || d.file.CAFile != first.CAFile {
		t.Errorf("addresses have changed: %+v, before %+v", d.file, first)
	}
	for role, key := range first.Keys {
		if d.file.Keys[role] != key {
			t.Errorf("the %s's key has changed", role)
		}
	}
	d.isComplete(t)
	var there state
	sim.get(t, "/_sim/tenants/"+made.TenantID+"/state", &there)
	if len(there.Users) != 5 {
		t.Errorf("the tenant made before the kill has %d users, want 5", len(there.Users))
	}
	var clock struct{ OffsetSeconds float64 }
	sim.get(t, "/_sim/clock", &clock)
	if clock.OffsetSeconds < 3600 {
		t.Errorf("the simulator's clock is %v s ahead, want the hour it was moved", clock.OffsetSeconds)
	}
	if keyByLink(t, d.file.PortalURL, d.file.SignIn["operator"]) == "" {
		t.Error("the operator cannot sign in")
	}

	code, took := d.interrupt(15 * time.Second)
	t.Logf("measured: Ctrl-C ended the demo in %.2f s", took.Seconds())
	if code != 0 {
		t.Errorf("after Ctrl-C it exits with %d, want 0", code)
	}
	d.begin(t)
	d.isReady(t)
	d.isComplete(t)
}

func TestTheDemoIsCompletedAfterKillsWhileItIsBuilt(t *testing.T) {
	t.Parallel()
	long(t)
	random := dice(t)
	d := newDemo(t)
	for i := range 6 {
		d.begin(t)
		// Moments all over the building, which takes some seconds the first time and less after each kill.
		after := time.Duration(random.IntN(1+3000>>i)) * time.Millisecond
		time.Sleep(after)
		if !d.running() {
			t.Fatalf("it ended by itself: %v", d.state)
		}
		t.Logf("killed after %s", after)
		d.kill()
	}
	d.begin(t)
	d.isReady(t)
	d.isComplete(t)
}

// The worst moments: work in a tenant has just begun, and its lease is fresh.
func TestADemoKilledInTheMiddleOfAnOperationIsCompleted(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"pairing", "sync", "number-assign"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			long(t)
			d := newDemo(t)
			d.begin(t)
			d.isAt(t, kind)
			d.kill()
			d.begin(t)
			d.isReady(t)
			d.isComplete(t)
		})
	}
}

// isAt waits until an operation of a kind is under way.
func (d *demo) isAt(t *testing.T, kind string) {
	t.Helper()
	api := newClient(t, "http://"+d.listen+"/api/v1", "", "")
	eventually(t, "the demo is at "+kind, time.Minute, func() (bool, string, error) {
		if api.key == "" {
			api.key = d.earlyKey()
		}
		if api.key == "" || !d.running() {
			return false, "no key yet", nil
		}
		a, err := api.call("GET", "/operations?state=running&kind="+kind, nil)
		if err != nil || a.status != http.StatusOK {
			return false, "no answer yet", nil
		}
		var page struct{ Total int }
		a.into(t, &page)
		return page.Total > 0, "none yet", nil
	})
}

// earlyKey is the operator's key before demo.json is there, or "".
func (d *demo) earlyKey() string {
	raw, err := os.ReadFile(filepath.Join(d.dir, "state.json"))
	var state struct{ Keys map[string]string }
	if err != nil || json.Unmarshal(raw, &state) != nil {
		return ""
	}
	return state.Keys["operator"]
}

func TestAFreshDemoForgetsTheOneBefore(t *testing.T) {
	t.Parallel()
	long(t)
	d := newDemo(t)
	d.begin(t)
	d.isReady(t)
	before := d.file
	mine := filepath.Join(d.dir, "mine.txt")
	write(t, mine, "not the demo's")
	d.kill()
	d.process = start(t, "fresh demo", "demo", "--data", d.dir, "--listen", d.listen, "--fresh")
	d.isReady(t)
	d.isComplete(t)
	if d.file.Keys["operator"] == before.Keys["operator"] {
		t.Error("the key is still the one of before")
	}
	newClient(t, d.file.APIURL, before.Keys["operator"], "").must(t, "GET", "/customers", nil).problem(t, http.StatusUnauthorized)
	if !exists(mine) {
		t.Error("--fresh removed a file that was not the demo's")
	}
}
