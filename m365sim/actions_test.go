package m365sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func (p published) state(query string) map[string]any {
	p.Helper()
	return p.must(200, "GET", "/_sim/tenants/"+p.tenant+"/state"+query, nil)
}

func (p published) person(upn any) map[string]any {
	p.Helper()
	for _, u := range p.state("")["users"].([]any) {
		if u := u.(map[string]any); u["userPrincipalName"] == upn {
			return u
		}
	}
	return nil
}

func TestActionsOnPeople(t *testing.T) {
	t.Parallel()
	p := publish(t)
	upn := p.user["upn"]
	p.act(200, map[string]any{"action": "set-number", "upn": upn, "number": "+61255501000"})
	if u := p.person(upn); u["number"] != "+61255501000" || u["numberType"] != "DirectRouting" || u["enterpriseVoice"] != true {
		t.Error(u)
	}
	p.act(409, map[string]any{"action": "set-number", "upn": p.admin["upn"], "number": "+61255501000"})
	p.act(200, map[string]any{"action": "set-number", "upn": upn, "number": "tel:+61255501001"})
	if n := p.state("")["numbers"].([]any); len(n) != 2 || p.person(upn)["number"] != "+61255501001" {
		t.Error(n)
	}
	p.act(200, map[string]any{"action": "set-number", "upn": upn, "number": nil})
	if u := p.person(upn); u["number"] != nil || u["enterpriseVoice"] != false {
		t.Error(u)
	}
	p.act(200, map[string]any{"action": "remove-licence", "upn": upn, "sku": "ENTERPRISEPREMIUM_NOPSTNCONF"})
	if l := p.person(upn)["licences"].([]any); len(l) != 0 {
		t.Error(l)
	}
	p.act(200, map[string]any{"action": "delete-user", "upn": upn})
	deleted := p.state("")["deletedItems"].([]any)
	if p.person(upn) != nil || len(deleted) != 1 || deleted[0].(map[string]any)["kind"] != "user" {
		t.Error(deleted)
	}
	p.act(200, map[string]any{"action": "restore-user", "upn": upn})
	if p.person(upn) == nil {
		t.Error("not restored")
	}
	p.act(200, map[string]any{"action": "add-users", "count": 10})
	p.act(200, map[string]any{"action": "delete-users", "count": 3})
	if n := len(p.state("")["users"].([]any)); n != 13 || p.person(p.admin["upn"]) == nil {
		t.Errorf("%d users", n)
	}
}

func TestActionsOnApplications(t *testing.T) {
	t.Parallel()
	p := publish(t)
	p.consent(200, p.adminConsentURL(), p.admin, "accept")
	roles := func() (held []string) {
		for _, a := range p.state("")["roleAssignments"].([]any) {
			a := a.(map[string]any)
			held = append(held, fmt.Sprint(a["principal"], " is ", a["role"]))
		}
		return held
	}
	p.act(200, map[string]any{"action": "assign-role", "role": "Teams Administrator"})
	p.act(200, map[string]any{"action": "assign-role", "role": "teams-administrator", "appId": p.appID}) // a second time changes nothing
	if got := roles(); len(got) != 2 || !slices.Contains(got, "Fabrikam Voice is Teams Administrator") {
		t.Error(got)
	}
	p.act(200, map[string]any{"action": "remove-role", "role": "Teams Administrator", "appId": p.appID})
	if got := roles(); len(got) != 1 {
		t.Error(got)
	}
	kinds := func() (left string) {
		for _, g := range p.state("")["grants"].([]any) {
			left += fmt.Sprint(g.(map[string]any)["kind"], " ")
		}
		return left
	}
	if got := kinds(); got != "delegated application " {
		t.Error(got)
	}
	p.act(200, map[string]any{"action": "revoke-consent"})
	if got := kinds(); got != "application " {
		t.Error(got)
	}
	p.act(200, map[string]any{"action": "remove-application-permission", "permission": "user.readwrite.all"})
	if got := kinds(); got != "" {
		t.Error(got)
	}
}

func TestActionsRefuse(t *testing.T) {
	t.Parallel()
	p := publish(t)
	for _, c := range []struct {
		status int
		action map[string]any
	}{
		{400, map[string]any{"action": "dance"}},
		{400, map[string]any{"action": "require-mfa", "colour": "red"}},
		{501, map[string]any{"action": "edit-voice-route"}},
		{501, map[string]any{"action": "consent-to-operator"}},
		{400, map[string]any{"action": "delete-user"}},
		{404, map[string]any{"action": "delete-user", "upn": "nobody"}},
		{400, map[string]any{"action": "restore-user"}},
		{404, map[string]any{"action": "restore-user", "upn": "nobody"}},
		{409, map[string]any{"action": "restore-user", "upn": p.user["upn"]}},
		{404, map[string]any{"action": "remove-licence", "upn": p.user["upn"], "sku": "OTHER"}},
		{400, map[string]any{"action": "set-number", "upn": p.user["upn"], "number": "0255501000"}},
		{400, map[string]any{"action": "add-users"}},
		{400, map[string]any{"action": "delete-users"}},
		{409, map[string]any{"action": "delete-users", "count": 6}},
		{404, map[string]any{"action": "disable-service-principal"}},
		{404, map[string]any{"action": "delete-service-principal", "appId": p.appID}},
		{404, map[string]any{"action": "restore-service-principal"}},
		{404, map[string]any{"action": "expire-secret"}},
		{404, map[string]any{"action": "delete-secret", "appId": "none"}},
		{400, map[string]any{"action": "assign-role", "role": "King", "upn": p.user["upn"]}},
		{404, map[string]any{"action": "remove-role", "role": "Teams Administrator", "upn": p.user["upn"]}},
		{404, map[string]any{"action": "lift-conditional-access", "appId": p.appID}},
		{404, map[string]any{"action": "delete-domain", "domain": "voice.example"}},
		{409, map[string]any{"action": "delete-domain", "domain": "contoso.onmicrosoft.com"}},
	} {
		got := p.act(c.status, c.action)
		if text := got["error"].(map[string]any)["message"].(string); len(text) < 10 {
			t.Errorf("%v says %q", c.action, text)
		}
	}
	p.must(404, "POST", "/_sim/tenants/none/actions", map[string]any{"action": "require-mfa"})
	p.consent(200, p.adminConsentURL(), p.admin, "accept")
	p.act(200, map[string]any{"action": "delete-service-principal"})
	p.consent(200, p.adminConsentURL(), p.admin, "accept")
	p.act(409, map[string]any{"action": "restore-service-principal"})
	p.act(404, map[string]any{"action": "remove-application-permission", "permission": "Mail.Read"})
}

func TestOtherControlCallsRefuse(t *testing.T) {
	t.Parallel()
	r := run(t, Options{}, plain)
	tenant := r.tenant(2)
	r.must(409, "POST", "/_sim/tenants", map[string]any{"name": "X", "domain": "contoso"})
	for _, c := range []struct {
		path string
		body any
	}{
		{"/_sim/tenants", map[string]any{"name": ""}},
		{"/_sim/tenants", map[string]any{"name": "X", "cloud": "moon"}},
		{"/_sim/tenants", map[string]any{"name": "X", "size": 1}},
		{"/_sim/apps", map[string]any{"name": " "}},
		{"/_sim/clock", map[string]any{"advance": "-1h"}},
		{"/_sim/clock", map[string]any{"advance": "soon"}},
		{"/_sim/clock", "24h"},
	} {
		r.must(400, "POST", c.path, c.body)
	}
	r.must(400, "GET", "/_sim/requests?since=yesterday", nil)
	r.must(400, "GET", "/_sim/tenants/"+tenant+"/state?normalised=perhaps", nil)
	for _, path := range []string{"/_sim/tenants/none/state", "/_sim/tenants/none/faults"} {
		r.must(404, "GET", path, nil)
	}
	r.must(404, "POST", "/_sim/faults/none/release", nil)
	r.must(404, "DELETE", "/_sim/faults/none", nil)
	r.must(404, "DELETE", "/_sim/tenants/"+tenant+"/faults/none", nil)
	other := r.tenant(2)
	id := r.fault(tenant, map[string]any{"kind": "cut"})
	r.must(404, "DELETE", "/_sim/tenants/"+other+"/faults/"+id, nil)
	r.must(204, "DELETE", "/_sim/tenants/"+tenant+"/faults", nil)
	if _, raw, _ := r.call("GET", "/_sim/tenants/"+tenant+"/faults", nil); strings.TrimSpace(string(raw)) != "[]" {
		t.Error(string(raw))
	}
}

func TestTwoTenantsMadeAlikeHaveTheSameNormalisedState(t *testing.T) {
	t.Parallel()
	text := func() string {
		p := publish(t)
		p.consent(200, p.adminConsentURL(), p.admin, "accept")
		p.act(200, map[string]any{"action": "set-number", "upn": p.user["upn"], "number": "+61255501000"})
		p.act(200, map[string]any{"action": "delete-users", "count": 1})
		state := p.state("?normalised=true")
		for _, section := range []string{
			"domains", "users", "gateways", "pstnUsages", "voiceRoutes", "voiceRoutingPolicies", "dialPlans", "resourceAccounts",
			"callQueues", "autoAttendants", "schedules", "applications", "servicePrincipals", "grants", "roleAssignments", "deletedItems",
		} {
			if _, ok := state[section].([]any); !ok {
				t.Errorf("%s is not there", section)
			}
		}
		raw, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), p.tenant) || strings.Contains(string(raw), p.appID) || strings.Contains(string(raw), "DateTime") {
			t.Error("ids or times are left in", string(raw))
		}
		return string(raw)
	}
	if a, b := text(), text(); a != b || !strings.Contains(a, "+61255501000") {
		t.Errorf("%s\n%s", a, b)
	}
}
