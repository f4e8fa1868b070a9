package api_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/domain/org"
)

func TestResyncAnswersTheOperationAndWhileItRunsTheRunningOne(t *testing.T) {
	w := connected(t, true)
	path := "/services/" + w.service + "/resync"
	w.ask("operator", "POST", path, `{}`).refusal(t, 409, "service-pending-consent")
	w.connect()
	var hold struct{ ID string }
	w.play("/_sim/tenants/"+w.tenant.TenantID+"/faults", map[string]any{"match": map[string]any{"path": "/v1.0/users*"}, "kind": "hold", "times": 1}, &hold)
	first := w.ask("operator", "POST", path, `{}`)
	v := first.json(t)
	if first.Status != 202 || first.Header.Get("Location") != "/api/v1/operations/"+v["id"].(string) || v["kind"] != "sync" {
		t.Fatalf("%d %v %s", first.Status, first.Header, first.Body)
	}
	if again := w.ask("operator", "POST", path, ``); again.Status != 202 || again.Header.Get("Location") != first.Header.Get("Location") {
		t.Errorf("while one runs: %d %v", again.Status, again.Header)
	}
	if card := w.ask("operator", "GET", "/services/"+w.service, "").json(t); card["syncOperationId"] != v["id"] {
		t.Errorf("the card names %v", card["syncOperationId"])
	}
	w.release(hold.ID)
	w.until(first.Header.Get("Location"), "succeeded")
	next := w.ask("operator", "POST", path, `{"full":true}`)
	if next.Status != 202 || next.Header.Get("Location") == first.Header.Get("Location") {
		t.Errorf("a new one was not begun: %d %v", next.Status, next.Header)
	}
	w.until(next.Header.Get("Location"), "succeeded")
	w.ask("viewer", "POST", path, `{}`).refusal(t, 403, "role-forbids")
	w.ask("operator", "POST", path, `{"fully":true}`).refusal(t, 422, "unknown-field")
}

func TestResyncIsRefusedWhereNothingIsConnected(t *testing.T) {
	w := connected(t, true)
	w.connect()
	ctx := context.Background()
	w.must(w.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE pairing SET state = 'disconnected' WHERE customer_id = $1`, w.customer)
		return err
	}))
	w.ask("operator", "POST", "/services/"+w.service+"/resync", `{}`).refusal(t, 409, "service-disconnected")
	off := false
	c, err := w.org.CreateCustomer(ctx, w.system, org.NewCustomer{PartnerID: w.partner, Name: "Adatum", Cloud: org.CloudGlobal})
	w.must(err)
	s, err := w.org.AddService(ctx, w.system, c.ID, org.NewService{Kind: org.OperatorConnect, Sync: &off})
	w.must(err)
	w.ask("operator", "POST", "/services/"+s.ID+"/resync", `{}`).refusal(t, 409, "needs-sync")
}

func TestUsersOfATenantAreListedAsThePromiseSays(t *testing.T) {
	w := connected(t, true)
	w.connect()
	path := "/customers/" + w.customer + "/users"
	page := w.ask("operator", "GET", path+"?limit=1", "").json(t)
	items := page["items"].([]any)
	if len(items) != 1 || page["next"] == nil || page["total"].(float64) < 2 || page["totalIsLowerBound"] != false {
		t.Fatalf("%v", page)
	}
	u := items[0].(map[string]any)
	for _, name := range []string{"id", "userPrincipalName", "displayName", "status", "reason", "managed", "number", "voicePolicy", "dialPlan", "licences", "canCallOut", "whyNot"} {
		if _, there := u[name]; !there {
			t.Errorf("a user has no %s", name)
		}
	}
	if u["number"] != nil || u["managed"] != true || u["status"] != "not-allocated" {
		t.Errorf("%v", u)
	}
	second := w.ask("operator", "GET", path+"?limit=1&cursor="+page["next"].(string), "").json(t)["items"].([]any)
	if len(second) != 1 || second[0].(map[string]any)["id"] == u["id"] {
		t.Errorf("the second page is %v", second)
	}
	one := w.ask("operator", "GET", path+"/"+u["id"].(string), "")
	if one.Status != 200 || one.Header.Get("ETag") == "" || one.json(t)["userPrincipalName"] != u["userPrincipalName"] {
		t.Errorf("%d %v %s", one.Status, one.Header, one.Body)
	}
	w.ask("operator", "GET", path+"/00000000-0000-4000-8000-000000000000", "").refusal(t, 404, "not-found")
}

func TestFiltersOfUsersNarrowTheList(t *testing.T) {
	s := sqlite(t)
	ctx := context.Background()
	s.person(ctx, s.customer, "5d0a3b52-6a0e-4d38-9a4e-0c8f6f3f6a02", "Bo Berg")
	s.must(s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE tenant_user SET number = '+61255500009', status = 'allocated' WHERE display_name = 'Bo Berg'`)
		return err
	}))
	path := "/customers/" + s.customer + "/users?"
	for query, want := range map[string]float64{"": 2, "status=allocated": 1, "status=not-licensed": 0, "managed=true": 2, "managed=false": 0, "number=has": 1,
		"number=none": 1, "number=%2B61255500009": 1, "number=+61255500009": 1, "number=%2B61255500008": 0, "search=bo": 1, "canCallOut=true": 0,
		"canCallOut=false": 2, "accountType=ResourceAccount": 0} {
		if got := s.ask("operator", "GET", path+query, "").json(t)["total"]; got != want {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"status=happy", "managed=maybe", "sort=shoe", "limit=0", "limit=1001"} {
		s.ask("operator", "GET", path+query, "").refusal(t, 422, "validation")
	}
	s.ask("operator", "GET", path+"cursor=nonsense", "").refusal(t, 422, "invalid-cursor")
	s.ask("operator", "GET", path+"licence=E5", "").refusal(t, 422, "unknown-field")
}

func TestManagedIsSwitchedWithTheETagThatWasRead(t *testing.T) {
	s := sqlite(t)
	path := "/customers/" + s.customer + "/users/" + somebody
	before := s.ask("operator", "GET", path, "").Header.Get("ETag")
	r := s.ask("operator", "PATCH", path, `{"managed":false}`, "If-Match", before)
	if r.Status != 200 || r.json(t)["managed"] != false || r.Header.Get("ETag") == before {
		t.Fatalf("%d %v %s", r.Status, r.Header, r.Body)
	}
	s.ask("operator", "PATCH", path, `{"managed":true}`, "If-Match", before).refusal(t, 412, "stale-version")
	s.ask("operator", "PATCH", path, `{"displayName":"Bo"}`).refusal(t, 422, "unknown-field")
}

func TestADryRunShowsThePlanAndDoesNothing(t *testing.T) {
	w := connected(t, true)
	w.connect()
	id := w.firstUser()
	w.imported("+61255500001")
	path := "/customers/" + w.customer + "/users/" + id + "/number"
	r := w.ask("operator", "PUT", path+"?dryRun=true", `{"number":"+61255500001","voicePolicy":"AU-All"}`)
	v := r.json(t)
	changes, _ := v["changes"].([]any)
	if r.Status != 200 || r.Header.Get("Location") != "" || v["planHash"] == "" || len(changes) != 2 || !strings.Contains(stringOf(v["warnings"]), "not-activated") {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	c := changes[0].(map[string]any)
	if c["kind"] != "user-number" || c["action"] != "create" || c["before"] != nil || c["after"] == nil || c["key"] == "" {
		t.Errorf("%v", c)
	}
	if n := w.ask("operator", "GET", "/numbers/%2B61255500001", "").json(t); n["state"] != "free" {
		t.Errorf("the number is %v", n["state"])
	}
	w.ask("operator", "PUT", path, `{"number":"+61255500001"}`, "If-Plan-Match", v["planHash"].(string)).refusal(t, 412, "plan-changed")
	done := w.ask("operator", "PUT", path, `{"number":"+61255500001","voicePolicy":"AU-All"}`, "If-Plan-Match", v["planHash"].(string))
	if done.Status != 202 {
		t.Fatalf("%d %s", done.Status, done.Body)
	}
	w.until(done.Header.Get("Location"), "succeeded")
}

func TestANumberIsGivenAndTakenBack(t *testing.T) {
	w := connected(t, true)
	w.connect()
	id := w.firstUser()
	w.imported("+61255500001")
	user := "/customers/" + w.customer + "/users/" + id
	tag := w.ask("operator", "GET", "/numbers/+61255500001", "").Header.Get("ETag")
	r := w.ask("operator", "PUT", user+"/number", `{"number":"+61255500001"}`, "If-Match", tag)
	v := r.json(t)
	if r.Status != 202 || r.Header.Get("Location") != "/api/v1/operations/"+v["id"].(string) || v["kind"] != "number-assign" || stringOf(v["warnings"]) != "[not-activated]" {
		t.Fatalf("%d %v %s", r.Status, r.Header, r.Body)
	}
	w.until(r.Header.Get("Location"), "succeeded")
	if u := w.ask("operator", "GET", user, "").json(t); u["number"] != "+61255500001" || u["status"] != "allocated" || u["voicePolicy"] != nil {
		t.Errorf("the user is %v", u)
	}
	n := w.ask("operator", "GET", "/numbers/%2B61255500001", "").json(t)
	if holder, _ := n["holder"].(map[string]any); n["state"] != "assigned" || holder["id"] != id {
		t.Errorf("the number is %v", n)
	}
	w.ask("operator", "DELETE", "/numbers/%2B61255500001", "").refusal(t, 409, "number-held")
	w.ask("operator", "DELETE", user+"/number", "", "If-Match", tag).refusal(t, 412, "stale-version")

	plan := w.ask("operator", "DELETE", user+"/number?dryRun=true", "")
	if plan.Status != 200 || len(plan.json(t)["changes"].([]any)) != 1 {
		t.Errorf("%d %s", plan.Status, plan.Body)
	}
	w.ask("operator", "DELETE", user+"/number", "", "If-Plan-Match", "another").refusal(t, 412, "plan-changed")
	r = w.ask("operator", "DELETE", user+"/number", "", "If-Plan-Match", plan.json(t)["planHash"].(string))
	if r.Status != 202 || r.json(t)["kind"] != "number-unassign" {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	w.until(r.Header.Get("Location"), "succeeded")
	if n := w.ask("operator", "GET", "/numbers/%2B61255500001", "").json(t); n["state"] != "free" || n["holder"] != nil {
		t.Errorf("the number is %v", n)
	}
	w.ask("operator", "DELETE", user+"/number", "").refusal(t, 409, "no-number")
	var told []string
	for _, e := range w.ask("operator", "GET", "/numbers/+61255500001/history", "").json(t)["items"].([]any) {
		told = append(told, e.(map[string]any)["event"].(string))
	}
	if got := strings.Join(told, " "); got != "imported reserved assigned unassigning freed" {
		t.Errorf("its history is %s", got)
	}
}

func TestANumberHeldByAnotherIsRefusedNamingTheHolder(t *testing.T) {
	s := sqlite(t)
	ctx := context.Background()
	const other = "5d0a3b52-6a0e-4d38-9a4e-0c8f6f3f6a02"
	s.person(ctx, s.customer, other, "Bo Berg")
	path := func(id string) string { return "/customers/" + s.customer + "/users/" + id + "/number" }
	if r := s.ask("operator", "PUT", path(somebody), `{"number":"`+oneNumber+`"}`); r.Status != 202 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	v := s.ask("operator", "PUT", path(other), `{"number":"`+oneNumber+`"}`).refusal(t, 409, "number-held")
	if !strings.Contains(v["detail"].(string), "Ana Lima") {
		t.Errorf("the holder is not named: %v", v["detail"])
	}
	s.ask("operator", "PUT", path(somebody), `{"number":"`+oneNumber+`"}`).refusal(t, 409, "assignment-running")
}

func TestAssignmentsThatMakeNoSenseAreRefused(t *testing.T) {
	s := sqlite(t)
	path := "/customers/" + s.customer + "/users/" + somebody + "/number"
	v := s.ask("operator", "PUT", path, `{"number":"61255500001"}`).refusal(t, 422, "invalid-number")
	if !strings.Contains(stringOf(v["errors"]), "number") {
		t.Errorf("the field is not named: %v", v["errors"])
	}
	s.ask("operator", "PUT", path, `{}`).refusal(t, 422, "validation")
	s.ask("operator", "PUT", path, `{"number":"`+oneNumber+`","voicepolicy2":"x"}`).refusal(t, 422, "unknown-field")
	s.ask("operator", "PUT", path+"?dryrun=true", `{"number":"`+oneNumber+`"}`).refusal(t, 422, "unknown-field")
	s.ask("operator", "PUT", path, `{"number":"`+oneNumber+`","voicePolicy":"Nowhere"}`).refusal(t, 422, "policy-not-found")
	if r := s.ask("operator", "PUT", path, `{"number":"+61255500002"}`); r.Status != 404 {
		t.Errorf("a number that is not ours: %d %s", r.Status, r.Body)
	}
	s.ask("operator", "PUT", "/customers/"+s.customer+"/users/"+url.PathEscape("nobody")+"/number", `{"number":"`+oneNumber+`"}`).refusal(t, 404, "not-found")
	s.ask("operator", "DELETE", "/customers/"+s.customer+"/users/nobody/number", "").refusal(t, 404, "not-found")
}

// release lets go of the call that a fault holds, once there is one.
func (w *world) release(fault string) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var out struct{ Released int }
		if w.play("/_sim/faults/"+fault+"/release", map[string]any{}, &out); out.Released > 0 {
			return
		}
	}
	w.t.Fatal("the call that was to be held never came")
}

// firstUser is the object id of a licensed person.
func (w *world) firstUser() string {
	w.t.Helper()
	items := w.ask("operator", "GET", "/customers/"+w.customer+"/users?limit=1&status=not-allocated", "").json(w.t)["items"].([]any)
	return items[0].(map[string]any)["id"].(string)
}

// imported puts numbers into the service's inventory.
func (w *world) imported(numbers ...string) {
	w.t.Helper()
	r := w.ask("operator", "POST", "/numbers/import?customerId="+w.customer+"&serviceId="+w.service, strings.Join(numbers, "\n"), "Content-Type", "text/csv")
	if r.Status != 200 || r.json(w.t)["created"] != float64(len(numbers)) {
		w.t.Fatalf("%d %s", r.Status, r.Body)
	}
}
