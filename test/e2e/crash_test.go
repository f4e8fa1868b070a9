package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// point is a call at which the program is killed.
type point struct {
	name         string
	method, path string // path is a glob without the service's prefix
	skip         int    // calls that are let pass before
}

// A pairing is killed at the redemption of the code, at each of the two roles, and at the application's first sign-in of
// its own; an assignment at the number, at the policy and at each first look at what was made.
func pairingPoints() []point {
	return []point{
		{"redemption of the code", "POST", "*/oauth2/v2.0/token", 0},
		{"first role", "POST", "*/roleManagement/directory/roleAssignments", 0},
		{"second role", "POST", "*/roleManagement/directory/roleAssignments", 1},
		{"first sign-in of the application itself", "POST", "*/oauth2/v2.0/token", 1},
	}
}

func assignmentPoints() []point {
	return []point{
		{"the number", "PUT", "*/Skype.TelephoneNumberMgmt/cmdlet/assignments", 0},
		{"reading the number back", "GET", "*/Skype.TelephoneNumberMgmt/Tenants/*/telephone-numbers", 0},
		{"the policy", "PUT", "*/Skype.Policy/users/*", 0},
		{"reading the policy back", "GET", "*/Teams.User/users/*", readsBeforePolicy},
	}
}

// readsBeforePolicy is how many times a person is read before the policy is granted: once for each wish, once before the
// number is written, once after.
const readsBeforePolicy = 4

// held is an operation that is kept at a point.
type held struct {
	point
	customer  customer
	operation string
	hold      *hold
	user      user // of an assignment
	number    string
}

// keepAt sets the hold before the work begins, lets pass what comes before the point, and waits until the call is there.
func (s *stand) keepAt(t *testing.T, h *held, phase string, begin func() string) {
	t.Helper()
	h.hold = s.sim.hold(t, h.customer.TenantID, h.method, h.path, phase)
	h.operation = begin()
	for range h.skip {
		h.hold.held(t)
		h.hold.release(t)
	}
	h.hold.held(t)
}

// kill is when the program dies: before the call is done; after it was done and before the program knows; or after it knew
// and before, or while, it writes that down.
type kill struct{ name, phase string }

// letGo is the kill after which answers are let go, so that they are on their way.
const letGo = "known and not recorded"

func kills() []kill {
	return []kill{{"before the call", "before"}, {"done and not known", "after"}, {letGo, "after"}}
}

// Killed with SIGKILL at each point of pairings and assignments that are under way side by side, the program carries on
// when it is started again: each pairing ends active with two roles, each number is on one person, once.
func TestWhatSIGKILLInterruptsIsCarriedOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		long(t)
		for _, k := range kills() {
			t.Run(k.name, func(t *testing.T) {
				t.Parallel()
				survives(t, database, k)
			})
		}
	})
}

func survives(t *testing.T, database string, k kill) {
	random := dice(t)
	s := newStand(t, database, "--lease", "2s")
	var all []*held
	for i, p := range pairingPoints() {
		all = append(all, &held{point: p, customer: s.newCustomer(t, fmt.Sprintf("Wingtip Toys %d", i), 30, int64(i))})
	}
	for i, p := range assignmentPoints() {
		c := s.newPaired(t, fmt.Sprintf("Tailspin Airlines %d", i), 30, int64(10+i))
		h := &held{point: p, customer: c, user: s.free(t, c, 1)[0], number: e164(i)}
		s.stock(t, c, h.number)
		all = append(all, h)
	}
	for _, h := range all {
		s.keepAt(t, h, k.phase, func() string {
			if h.number != "" {
				return s.assign(t, h.customer, h.user.ID, h.number)
			}
			return s.beginPairing(t, h.customer)
		})
	}
	if k.name == letGo {
		for _, h := range all {
			h.hold.release(t)
		}
		// The answers are on their way: the kill comes at any moment of their being read and recorded.
		after := time.Duration(random.IntN(12)) * time.Millisecond
		t.Logf("killed %s after the answers were let go", after)
		time.Sleep(after)
	}
	s.server.kill()
	for _, h := range all {
		h.hold.let(t)
		h.hold.remove(t)
		s.wasKilledAt(t, h, k)
	}
	s.serve(t)
	for _, h := range all {
		t.Run(h.name, func(t *testing.T) { s.converges(t, h, k) })
	}
	s.auditHolds(t)
}

// wasKilledAt makes sure that the test tests what it says: the call was done, or was not.
func (s *stand) wasKilledAt(t *testing.T, h *held, k kill) {
	t.Helper()
	if h.method == "GET" || strings.HasSuffix(h.path, "/token") {
		return // nothing is changed by these
	}
	_, wrote := s.sim.made(t, h.customer.TenantID, h.method, strings.Trim(h.path, "*/"))
	want := h.skip
	if k.phase == "after" {
		want++
	}
	// Where answers were let go, the program may have gone on to its next call.
	if wrote < want || (wrote > want && k.name != letGo) {
		t.Errorf("%s: killed when %d calls had changed something, want %d", h.name, wrote, want)
	}
}

// converges follows an operation to its end and counts what is in the tenant.
func (s *stand) converges(t *testing.T, h *held, k kill) {
	began := time.Now()
	o := s.ends(t, h.operation, &h.customer)
	t.Logf("ended %.1f s after it was looked for", time.Since(began).Seconds())
	if o.State != "succeeded" {
		t.Fatalf("the operation did not succeed: %s", o)
	}
	if got := s.card(t, h.customer); got.Status != "active" {
		t.Errorf("the service is %s: %+v", got.Status, got.Cause)
	}
	there := s.sim.state(t, h.customer.TenantID)
	roles := there.roles(s.appID)
	slices.Sort(roles)
	if want := []string{"Teams Administrator", "User Administrator"}; !slices.Equal(roles, want) {
		t.Errorf("the application holds %q, want %q", roles, want)
	}
	if h.number == "" {
		return
	}
	s.landed(t, h.customer, h.user, h.number)
	if len(there.Numbers) != 1 {
		t.Errorf("the tenant has %d numbers, want one", len(there.Numbers))
	}
	if _, wrote := s.sim.made(t, h.customer.TenantID, "PUT", "/assignments"); wrote != 1 {
		t.Errorf("the number was written %d times", wrote)
	}
	var story []string
	for _, e := range s.history(t, h.number) {
		story = append(story, e.Event)
	}
	if want := "imported reserved assigned"; strings.Join(story, " ") != want {
		t.Errorf("the history tells %q, want %q", story, want)
	}
	count := map[string]int{}
	for _, e := range s.audit(t, h.operation) {
		count[e.Action]++
	}
	if count["change.intended"] != 2 || count["change.verified"] != 2 || count["operation.succeeded"] != 1 {
		t.Errorf("the audit has %v", count)
	}
}

// Two processes on one database: the one that holds the lease of an operation is killed, and the other carries on by the
// default lease of 30 s, within 35 s.
func TestAnotherProcessCarriesOnWithin35Seconds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		long(t)
		s := newStand(t, database)
		c := s.newPaired(t, "Wingtip Toys", 40, 5)
		h := &held{point: assignmentPoints()[0], customer: c, user: s.free(t, c, 1)[0], number: e164(1)}
		s.stock(t, c, h.number)
		s.keepAt(t, h, "before", func() string { return s.assign(t, c, h.user.ID, h.number) })
		taken := time.Now()

		// The second process comes when the first has the lease, and must leave the operation alone while that lives. The
		// kill comes soon after the lease was renewed, which is every 10 s: nearly the longest wait there is.
		listen := address(t)
		s.another(t, "second process", listen)
		s.api.base = "http://" + listen + "/api/v1"
		renewed := taken.Add(11 * time.Second)
		eventually(t, "the lease is renewed", time.Minute, func() (bool, string, error) { return time.Now().After(renewed), "", nil })
		if calls, _ := s.sim.made(t, c.TenantID, "PUT", "/assignments"); calls != 0 {
			t.Fatalf("%d calls came through beside the held one", calls)
		}

		killed := time.Now()
		s.server.kill()
		h.hold.let(t)
		h.hold.remove(t)
		s.wasKilledAt(t, h, kills()[0])
		eventually(t, "the other process writes the number", 40*time.Second, func() (bool, string, error) {
			_, wrote := s.sim.made(t, c.TenantID, "PUT", "/assignments")
			return wrote > 0, "not yet", nil
		})
		took := time.Since(killed)
		t.Logf("measured: carried on %.1f s after the kill (lease 30 s, %s)", took.Seconds(), database)
		if took > 35*time.Second {
			t.Errorf("carried on after %s, want within 35 s", took)
		}
		s.succeeds(t, h.operation)
		s.landed(t, c, h.user, h.number)
		if _, wrote := s.sim.made(t, c.TenantID, "PUT", "/assignments"); wrote != 1 {
			t.Errorf("the number was written %d times", wrote)
		}
		s.auditHolds(t)
	})
}
