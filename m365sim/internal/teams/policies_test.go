package teams_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tcap.cloud/m365sim/internal/teams"
	"tcap.cloud/m365sim/internal/world"
)

const config = "/Skype.Policy/configurations/"

func (l *lab) grant(user, typ, name string) reply {
	l.t.Helper()
	return l.do("PUT", "/Skype.Policy/users/"+user, `{"PolicyType":"`+typ+`","PolicyName":`+name+`}`)
}

func (l *lab) policiesOf(user string) string {
	l.t.Helper()
	return fmt.Sprint(l.seen(user)["effectivePolicyAssignments"])
}

const granted = "[map[policyAssignment:map[assignmentType:direct displayName:AU-All] policyType:OnlineVoiceRoutingPolicy]]"

func TestAGrantShowsAfterHalfAMinute(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	l.want(l.grant(l.user.UserPrincipalName, "OnlineVoiceRoutingPolicy", `"AU-All"`), 200, "")
	l.w.Advance(29 * time.Second)
	if got := l.policiesOf(l.user.ID); got != "[]" {
		t.Fatalf("too early: %s", got)
	}
	l.w.Advance(17 * time.Second)
	if got := l.policiesOf(l.user.ID); got != granted {
		t.Fatalf("have %s", got)
	}
	for _, nothing := range []string{`null`, `""`} {
		l.want(l.grant(l.user.ID, "OnlineVoiceRoutingPolicy", nothing), 200, "")
		if got := l.policiesOf(l.user.ID); got != granted {
			t.Fatalf("taking away takes time too: %s", got)
		}
		l.w.Advance(46 * time.Second)
		if got := l.policiesOf(l.user.ID); got != "[]" {
			t.Fatalf("have %s", got)
		}
		l.want(l.grant(l.user.ID, "onlinevoiceroutingpolicy", `"Tag:au-all"`), 200, "")
		l.w.Advance(46 * time.Second)
	}
	if got := l.policiesOf(l.user.ID); got != granted {
		t.Fatalf("names are known whatever their case: %s", got)
	}
}

func TestTheDelayOfGrantsCanBeChosen(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{GrantDelay: -1})
	l.want(l.grant(l.user.ID, "OnlineVoiceRoutingPolicy", `"AU-All"`), 200, "")
	if got := l.policiesOf(l.user.ID); got != granted {
		t.Fatalf("have %s", got)
	}
}

func TestGrantsAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	l.want(l.grant(l.user.ID, "OnlineVoiceRoutingPolicy", `"Mars"`), 400, `Policy "Mars" is not a user policy`)
	l.want(l.grant(l.user.ID, "OnlineVoiceRoutingPolicy", `"Global"`), 400, "is not a user policy")
	l.want(l.grant(l.user.ID, "OnlineVoiceRoute", `"x"`), 400, "cannot be granted")
	l.want(l.grant(l.user.ID, "Unheard", `"x"`), 400, "cannot be granted")
	l.want(l.grant(l.user.ID, "OnlineVoiceRoutingPolicy", `7`), 400, "must be a string")
	l.want(l.grant("nobody@fabrikam.example", "OnlineVoiceRoutingPolicy", `"AU-All"`), 404, "nobody")
	l.want(l.do("PUT", "/Skype.Policy/users/"+l.user.ID, `{"PolicyType":"OnlineVoiceRoutingPolicy"}`), 400, "PolicyName")
	l.want(l.do("PUT", "/Skype.Policy/users/"+l.user.ID, `rubbish`), 400, "JSON")
}

func TestPoliciesAreMadeMergedAndDeleted(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{GrantDelay: -1})
	l.want(l.do("PUT", config+"OnlinePstnUsages/configuration/Global", `{"Usage":["National"]}`), 200, "")
	const policies = config + "OnlineVoiceRoutingPolicy"
	l.want(l.do("POST", policies, `{"Identity":"Tag:NZ","OnlinePstnUsages":["National"],"Description":"first"}`), 200, "")
	l.want(l.do("POST", policies, `{"Identity":"nz"}`), 409, "already exists")
	l.want(l.do("PUT", policies+"/configuration/Tag:NZ", `{"Identity":"NZ","Description":"second","Key":{}}`), 200, "")
	got := l.do("GET", policies+"/configuration/NZ", "").body
	if got["Identity"] != "Tag:NZ" || got["Description"] != "second" || fmt.Sprint(got["OnlinePstnUsages"]) != "[National]" {
		t.Fatalf("an update merges: %v", got)
	}
	names := []any{}
	for _, p := range l.do("GET", policies, "").list {
		names = append(names, p["Identity"])
	}
	if fmt.Sprint(names) != "[Global Tag:AU-All Tag:NZ]" {
		t.Fatalf("have %v", names)
	}
	l.want(l.grant(l.user.ID, "OnlineVoiceRoutingPolicy", `"NZ"`), 200, "")
	l.want(l.do("DELETE", policies+"/configuration/NZ", ""), 400, "currently assigned")
	l.want(l.grant(l.user.ID, "OnlineVoiceRoutingPolicy", `null`), 200, "")
	l.want(l.do("DELETE", policies+"/configuration/NZ", ""), 200, "")
	l.want(l.do("GET", policies+"/configuration/NZ", ""), 404, "Cannot find")
	l.want(l.do("DELETE", policies+"/configuration/NZ", ""), 404, "Cannot find")
	l.want(l.do("PUT", policies+"/configuration/NZ", `{}`), 404, "Cannot find")
}

func TestGlobalIsAlwaysThere(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	const line = config + "CallingLineIdentity"
	if p := l.do("GET", line, "").list; len(p) != 1 || p[0]["Identity"] != "Global" || p[0]["CallingIDSubstitute"] != "LineUri" {
		t.Fatalf("have %v", p)
	}
	l.want(l.do("PUT", line+"/configuration/Global", `{"callingIDSubstitute":"Anonymous"}`), 200, "")
	l.want(l.do("DELETE", line+"/configuration/Global", ""), 200, "")
	if p := l.do("GET", line+"/configuration/Global", "").body; p["CallingIDSubstitute"] != "LineUri" {
		t.Fatalf("deleting Global puts its defaults back: %v", p)
	}
}

func TestPoliciesAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	l.want(l.do("POST", config+"OnlineVoiceRoutingPolicy", `{"Description":"nameless"}`), 400, "Identity is required")
	l.want(l.do("POST", config+"OnlineVoiceRoutingPolicy", `[]`), 400, "JSON")
	l.want(l.do("POST", config+"OnlineVoiceRoutingPolicy", `{"Identity":"X","OnlinePstnUsages":["Lunar"]}`), 400, "Cannot find specified Online PSTN usage 'Lunar'")
	l.want(l.do("PUT", config+"OnlineVoiceRoutingPolicy/configuration/AU-All", `{"OnlinePstnUsages":["Lunar"]}`), 400, "Lunar")
	l.want(l.do("POST", config+"OnlinePstnUsages", `{"Identity":"Second"}`), 400, "Only the Global instance")
	l.want(l.do("POST", config+"TenantDialPlan", `{"Identity":".dots"}`), 400, "identity of a dial plan")
	l.want(l.do("POST", config+"TenantDialPlan", `{"Identity":"`+strings.Repeat("x", 50)+`"}`), 400, "identity of a dial plan")
	l.want(l.do("POST", config+"TenantDialPlan", `{"Identity":"x","NormalizationRules":[`+strings.TrimSuffix(strings.Repeat("{},", 51), ",")+`]}`), 400, "at most 50")
}

func TestADialPlanComesWithItsDefaultRule(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	l.want(l.do("POST", config+"TenantDialPlan", `{"Identity":"AU"}`), 200, "")
	p := l.do("GET", config+"TenantDialPlan/configuration/AU", "")
	if p.body["SimpleName"] != "AU" || !strings.Contains(p.text, "Prefix All") {
		t.Fatalf("have %s", p.text)
	}
}

func TestARouteNamesOnlyDomainsOfTheTenant(t *testing.T) {
	t.Parallel()
	l := newLab(t, teams.Options{})
	const trunk = "sbc1.customers.contoso.example"
	route := `{"Identity":"R1","OnlinePstnGatewayList":["` + trunk + `"]}`
	l.want(l.do("POST", config+"OnlineVoiceRoute", route), 400, `Cannot use the "`+trunk+`" domain as it was not configured for this tenant.`)
	l.change(func(tn *world.Tenant) { tn.Domains = append(tn.Domains, world.Domain{Name: trunk}) })
	l.want(l.do("POST", config+"OnlineVoiceRoute", route), 400, "was not configured")
	l.change(func(tn *world.Tenant) { tn.Domains[len(tn.Domains)-1].Verified = true })
	l.want(l.do("POST", config+"OnlineVoiceRoute", route), 200, "")
	if p := l.do("GET", config+"OnlineVoiceRoute/configuration/R1", "").body; p["Identity"] != "R1" || p["Name"] != "R1" || p["NumberPattern"] != "[0-9]{10}" {
		t.Fatalf("have %v", p)
	}
	l.want(l.do("POST", config+"OnlinePSTNGateway", `{"Fqdn":"sbc.`+l.domain+`","SipSignalingPort":5061}`), 400, "was not configured")
	l.want(l.do("POST", config+"OnlinePSTNGateway", `{"Fqdn":"`+trunk+`"}`), 400, "SipSignalingPort")
	l.want(l.do("POST", config+"OnlinePSTNGateway", `{"Fqdn":"`+trunk+`","SipSignalingPort":5061}`), 200, "")
}
