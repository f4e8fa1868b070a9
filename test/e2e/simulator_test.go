package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// simulator is Microsoft 365 in a process of its own.
type simulator struct {
	*process
	client
	url, caFile, data string
}

func startSimulator(t *testing.T) *simulator {
	t.Helper()
	dir, at := t.TempDir(), address(t)
	s := &simulator{url: "https://" + at, caFile: filepath.Join(dir, "ca", "ca.pem"), data: filepath.Join(dir, "world")}
	s.process = start(t, "simulator", "sim", "--listen", at, "--data", s.data, "--ca-dir", filepath.Join(dir, "ca"), "--log-level", "warn")
	ready(t, s.process, "the simulator", func() error {
		if s.http == nil {
			pem, err := os.ReadFile(s.caFile)
			if err != nil || !bytes.Contains(pem, []byte("-----END CERTIFICATE-----")) {
				return errors.New("its authority is not written yet")
			}
			s.client = newClient(t, s.url, "", s.caFile)
		}
		a, err := s.call("GET", "/_sim/clock", nil)
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("answered %d", a.status)
		}
		return err
	})
	return s
}

// ready waits until look answers nil; it fails at once where the process has ended.
func ready(t *testing.T, p *process, what string, look func() error) {
	t.Helper()
	eventually(t, what+" is ready", time.Minute, func() (bool, string, error) {
		if !p.running() {
			return false, "", fmt.Errorf("the process has ended: %v", p.state)
		}
		err := look()
		if err != nil {
			return false, err.Error(), nil
		}
		return true, "", nil
	})
}

// person may sign in to a tenant.
type person struct{ UPN, Password string }

// tenant is one in the simulator.
type tenant struct {
	TenantID, Domain string
	GlobalAdmin      person
	User             person
}

func (s *simulator) newTenant(t *testing.T, name string, users int, seed int64) tenant {
	t.Helper()
	var made tenant
	s.must(t, "POST", "/_sim/tenants", map[string]any{"name": name, "cloud": "global", "users": users, "seed": seed, "licensedShare": 0.8}).
		want(t, http.StatusCreated).into(t, &made)
	return made
}

func (s *simulator) act(t *testing.T, tenantID, action string, more ...string) {
	t.Helper()
	body := map[string]any{"action": action}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	s.must(t, "POST", "/_sim/tenants/"+tenantID+"/actions", body).want(t, http.StatusOK)
}

func (s *simulator) advance(t *testing.T, d time.Duration) {
	t.Helper()
	s.must(t, "POST", "/_sim/clock", map[string]any{"advance": d.String()}).want(t, http.StatusOK)
}

// reply is what the administrator's browser sends back.
type reply struct {
	Method string
	URL    *string
	Form   map[string]string
	Page   *struct{ Code, Text string }
}

// consent plays the browser of somebody who signs in and accepts.
func (s *simulator) consent(t *testing.T, consentURL string, who person) reply {
	t.Helper()
	var r reply
	s.must(t, "POST", "/_sim/consent", map[string]any{"authorizeUrl": consentURL, "upn": who.UPN, "password": who.Password, "decision": "accept"}).
		want(t, http.StatusOK).into(t, &r)
	if r.URL == nil {
		t.Fatalf("Microsoft kept the administrator on its own page: %+v", r.Page)
	}
	return r
}

// account is a person as the tenant has it.
type account struct {
	ID, UserPrincipalName string
	Number                *string
	NumberType            *string
	Policies              map[string]string
	EnterpriseVoice       bool
}

// state is what is in a tenant.
type state struct {
	Users   []account
	Numbers []struct{ TelephoneNumber, TargetID string }

	ServicePrincipals []struct{ ID, AppID string }
	RoleAssignments   []struct{ PrincipalID, RoleDefinitionID, Role string }
}

func (s *simulator) state(t *testing.T, tenantID string) state {
	t.Helper()
	var got state
	s.get(t, "/_sim/tenants/"+tenantID+"/state", &got)
	return got
}

// holders are the ids of the people who have a number.
func (s state) holders(number string) []string {
	var out []string
	for _, n := range s.Numbers {
		if n.TelephoneNumber == number && n.TargetID != "" {
			out = append(out, n.TargetID)
		}
	}
	return out
}

func (s state) user(id string) account {
	for _, u := range s.Users {
		if u.ID == id {
			return u
		}
	}
	return account{}
}

// roles are the directory roles of an application.
func (s state) roles(appID string) []string {
	var out []string
	for _, sp := range s.ServicePrincipals {
		if sp.AppID != appID {
			continue
		}
		for _, a := range s.RoleAssignments {
			if a.PrincipalID == sp.ID {
				out = append(out, a.Role)
			}
		}
	}
	return out
}

// request is a line of the journal.
type request struct {
	Time         time.Time
	Method, Path string
	Status       int
	AppID        string
	Wrote        bool
}

func (s *simulator) journal(t *testing.T, tenantID string) []request {
	t.Helper()
	var lines []request
	s.get(t, "/_sim/requests?tenant="+url.QueryEscape(tenantID), &lines)
	return lines
}

// made counts the calls of a method to a path that has the part, and how many of them changed something.
func (s *simulator) made(t *testing.T, tenantID, method, part string) (calls, wrote int) {
	t.Helper()
	for _, r := range s.journal(t, tenantID) {
		if r.Method == method && strings.Contains(strings.ToLower(r.Path), strings.ToLower(part)) {
			calls++
			if r.Wrote {
				wrote++
			}
		}
	}
	return calls, wrote
}

// hold keeps calls waiting: before they are done, or after.
type hold struct {
	sim              *simulator
	tenantID, id     string
	method, path, at string
}

func (s *simulator) hold(t *testing.T, tenantID, method, path, phase string) *hold {
	t.Helper()
	h := &hold{sim: s, tenantID: tenantID, method: method, path: path, at: phase}
	var made struct{ ID string }
	s.must(t, "POST", "/_sim/tenants/"+tenantID+"/faults", map[string]any{"match": map[string]string{"method": method, "path": path},
		"kind": "hold", "phase": phase}).want(t, http.StatusCreated).into(t, &made)
	h.id = made.ID
	return h
}

// held waits until a call is.
func (h *hold) held(t *testing.T) {
	t.Helper()
	h.count(t, "is held", func(n int) bool { return n > 0 })
}

// let waits until no call is held any more: after a kill the simulator sees a moment later that the caller has gone.
func (h *hold) let(t *testing.T) {
	t.Helper()
	h.count(t, "is held no more", func(n int) bool { return n == 0 })
}

func (h *hold) count(t *testing.T, what string, enough func(n int) bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s %s %s, %s it is done", h.method, h.path, what, h.at), time.Minute, func() (bool, string, error) {
		var lines []struct {
			ID   string
			Held int
		}
		h.sim.get(t, "/_sim/tenants/"+h.tenantID+"/faults", &lines)
		for _, l := range lines {
			if l.ID == h.id {
				return enough(l.Held), fmt.Sprintf("%d are held", l.Held), nil
			}
		}
		return false, "", errors.New("the fault is gone")
	})
}

// release lets go of what is held now; a later call is held again.
func (h *hold) release(t *testing.T) {
	t.Helper()
	h.sim.must(t, "POST", "/_sim/faults/"+h.id+"/release", nil).want(t, http.StatusOK)
}

// remove lets go of everything, for good.
func (h *hold) remove(t *testing.T) {
	t.Helper()
	h.sim.must(t, "DELETE", "/_sim/faults/"+h.id, nil).want(t, http.StatusNoContent)
}
