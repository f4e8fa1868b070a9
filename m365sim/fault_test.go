package m365sim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// faulty is a simulator with one tenant and one fault on its Graph users.
func faulty(t *testing.T, f map[string]any) (r *running, tenant, id string) {
	t.Helper()
	r = run(t, Options{}, plain)
	tenant = r.tenant(2)
	return r, tenant, r.fault(tenant, f)
}

func users(r *running, method, tenant string) (int, []byte, error) {
	return r.call(method, "/graph/v1.0/users", nil, "Authorization", bearer(tenant))
}

func (r *running) mfa(tenant string) bool {
	r.Helper()
	return r.must(200, "GET", "/_sim/tenants/"+tenant+"/state", nil)["requireMfa"].(bool)
}

func TestAStatusFaultAnswersInsteadOfTheCall(t *testing.T) {
	t.Parallel()
	r, tenant, _ := faulty(t, map[string]any{"kind": "status", "status": 503, "retryAfter": 7, "times": 1, "match": map[string]any{"path": "/v1.0/users*"}})
	status, raw, err := users(r, "POST", tenant)
	if err != nil || status != 503 || !strings.Contains(string(raw), "serviceNotAvailable") || r.mfa(tenant) {
		t.Error(status, string(raw), err)
	}
	if status, _, _ := users(r, "POST", tenant); status != 200 {
		t.Error("it happened more often than it may:", status)
	}
	lines := r.journal(tenant)
	if len(lines) != 2 || lines[0].Status != 503 || lines[0].Wrote || lines[0].AppID != "app-1" || lines[0].Path != "/graph/v1.0/users" {
		t.Errorf("%+v", lines)
	}
	if lines[1].Status != 200 || !lines[1].Wrote || lines[1].ResourceUnits != 2 {
		t.Errorf("%+v", lines)
	}
}

func TestAStatusFaultAfterTheCallHidesThatItWasDone(t *testing.T) {
	t.Parallel()
	r, tenant, _ := faulty(t, map[string]any{"kind": "status", "status": 500, "phase": "after", "body": "broken"})
	status, raw, err := users(r, "POST", tenant)
	if err != nil || status != 500 || string(raw) != "broken" || !r.mfa(tenant) {
		t.Error(status, string(raw), err)
	}
	if lines := r.journal(tenant); len(lines) != 1 || lines[0].Status != 500 || !lines[0].Wrote {
		t.Errorf("%+v", lines)
	}
}

func TestAThrottleSaysWhenToTryAgain(t *testing.T) {
	t.Parallel()
	r, tenant, _ := faulty(t, map[string]any{"kind": "throttle"})
	q, _ := http.NewRequestWithContext(t.Context(), "GET", r.url+"/"+tenant+"/oauth2/v2.0/token", nil)
	resp, err := r.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body struct {
		Codes []int `json:"error_codes"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "10" || body.Codes[0] != 90055 {
		t.Error(resp.StatusCode, resp.Header, body, err)
	}
}

func TestACutCallIsNotDoneAndALostResponseIs(t *testing.T) {
	t.Parallel()
	for kind, done := range map[string]bool{"cut": false, "lost-response": true} {
		r, tenant, _ := faulty(t, map[string]any{"kind": kind, "match": map[string]any{"method": "post"}})
		if _, _, err := users(r, "POST", tenant); err == nil {
			t.Errorf("%s was answered", kind)
		}
		if r.mfa(tenant) != done {
			t.Errorf("%s: done %v", kind, !done)
		}
		if lines := r.journal(tenant); len(lines) != 1 || lines[0].Wrote != done {
			t.Errorf("%s: %+v", kind, lines)
		}
	}
}

func TestATruncatedAnswerBreaksOffHalfway(t *testing.T) {
	t.Parallel()
	r, tenant, _ := faulty(t, map[string]any{"kind": "truncate"})
	status, raw, err := users(r, "GET", tenant)
	if status != 200 || err == nil || len(raw) < 20 || json.Valid(raw) {
		t.Error(status, len(raw), err)
	}
}

func TestADelayedCallIsDone(t *testing.T) {
	t.Parallel()
	r, tenant, _ := faulty(t, map[string]any{"kind": "delay", "delayMs": 1})
	if status, _, err := users(r, "POST", tenant); status != 200 || err != nil || !r.mfa(tenant) {
		t.Error(status, err)
	}
}

func TestAStaleReadShowsWhatWasBefore(t *testing.T) {
	t.Parallel()
	r := run(t, Options{}, plain)
	tenant := r.tenant(2)
	_, before, _ := users(r, "GET", tenant)
	_, _, _ = users(r, "POST", tenant)
	r.fault(tenant, map[string]any{"kind": "stale-read", "times": 1})
	_, stale, _ := users(r, "GET", tenant)
	_, fresh, _ := users(r, "GET", tenant)
	if string(stale) != string(before) || !strings.Contains(string(fresh), `"mfa":true`) {
		t.Errorf("stale %s, fresh %s", stale, fresh)
	}
	r.fault(tenant, map[string]any{"kind": "stale-read"})
	if got := r.must(200, "GET", "/graph/v1.0/other", nil, "Authorization", bearer(tenant)); got["mfa"] != true {
		t.Error("what is not remembered is not read", got)
	}
}

// held waits, by asking, until the fault holds a call.
func (r *running) held(tenant string) {
	r.Helper()
	for {
		_, raw, err := r.call("GET", "/_sim/tenants/"+tenant+"/faults", nil)
		if err != nil {
			r.Fatal(err)
		}
		if strings.Contains(string(raw), `"held":1`) {
			return
		}
	}
}

func TestAHeldCallIsDoneBeforeOrAfterItsReleaseByPhase(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"before", "after"} {
		r, tenant, id := faulty(t, map[string]any{"kind": "hold", "phase": phase, "match": map[string]any{"method": "POST"}})
		done := make(chan int)
		go func() {
			status, _, _ := users(r, "POST", tenant)
			done <- status
		}()
		r.held(tenant)
		if r.mfa(tenant) != (phase == "after") {
			t.Errorf("%s: done while held is wrong", phase)
		}
		if got := r.must(200, "POST", "/_sim/faults/"+id+"/release", nil); got["released"] != 1.0 {
			t.Error(got)
		}
		if status := <-done; status != 200 || !r.mfa(tenant) {
			t.Errorf("%s: %d", phase, status)
		}
	}
}

func TestAHeldCallOfAClientThatLeavesEndsAndKeepsItsEffect(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"before", "after"} {
		r, tenant, id := faulty(t, map[string]any{"kind": "hold", "phase": phase, "match": map[string]any{"method": "POST"}})
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			q, _ := http.NewRequestWithContext(ctx, "POST", r.url+"/graph/v1.0/users", strings.NewReader("{}"))
			q.Header.Set("Authorization", bearer(tenant))
			resp, err := r.client.Do(q)
			if err == nil {
				resp.Body.Close()
			}
			done <- err
		}()
		r.held(tenant)
		leave()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		for r.sim.world.Held(id) > 0 { // ends only when the handler has noticed
		}
		if r.mfa(tenant) != (phase == "after") {
			t.Errorf("%s: its effect is wrong", phase)
		}
	}
}

func TestStoppingEndsHeldCalls(t *testing.T) {
	t.Parallel()
	r, tenant, _ := faulty(t, map[string]any{"kind": "hold"})
	done := make(chan error)
	go func() {
		_, _, err := users(r, "GET", tenant)
		done <- err
	}()
	r.held(tenant)
	r.sim.Close()
	if err := <-done; err == nil {
		t.Error("a held call was answered by a simulator that stopped")
	}
}

func TestAFaultIsForItsTenantAndItsCallsOnly(t *testing.T) {
	t.Parallel()
	r, tenant, id := faulty(t, map[string]any{"kind": "status", "status": 500, "match": map[string]any{"method": "GET", "path": "/graph/v1.0/*"}})
	other := r.tenant(2)
	for _, c := range []struct {
		method, path, tenant string
		want                 int
	}{
		{"GET", "/graph/v1.0/users", tenant, 500},
		{"GET", "/graph/v1.0/users", other, 200},
		{"POST", "/graph/v1.0/users", tenant, 200},
		{"GET", "/graph/beta/users", tenant, 200},
		{"GET", "/teams/v1.0/users", tenant, 200},
	} {
		if status, _, err := r.call(c.method, c.path, nil, "Authorization", bearer(c.tenant)); status != c.want {
			t.Error(c, status, err)
		}
	}
	r.must(204, "DELETE", "/_sim/tenants/"+tenant+"/faults/"+id, nil)
	if status, _, _ := users(r, "GET", tenant); status != 200 {
		t.Error("it outlives its deletion")
	}
}
