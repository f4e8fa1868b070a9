package teams

import (
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// kind is a type of policy or configuration object.
type kind struct {
	name     string
	perUser  bool           // granted to users; reads back as Tag:Name
	global   bool           // has an instance Global in every tenant
	only     bool           // Global is its only instance
	defaults map[string]any // of a new instance, and of Global when nobody changed it
}

// policyType finds a type by name (facts/teams-admin.md A1); ok is false for one that is not modelled.
func policyType(name string) (kind, bool) {
	for _, k := range kinds() {
		if strings.EqualFold(k.name, name) {
			return k, true
		}
	}
	return kind{}, false
}

func kinds() []kind {
	all := []kind{
		{name: "OnlinePstnUsages", global: true, only: true, defaults: map[string]any{"Usage": []any{}}},
		{name: "OnlineVoiceRoute", defaults: map[string]any{"NumberPattern": "[0-9]{10}", "OnlinePstnUsages": []any{}, "OnlinePstnGatewayList": []any{},
			"BridgeSourcePhoneNumber": nil, "Description": nil}},
		{name: "OnlineVoiceRoutingPolicy", perUser: true, global: true, defaults: map[string]any{"OnlinePstnUsages": []any{}, "RouteType": "BYOT", "Description": nil}},
		{name: "TenantDialPlan", perUser: true, global: true, defaults: map[string]any{"NormalizationRules": []any{}, "Description": nil}},
		{name: "CallingLineIdentity", perUser: true, global: true, defaults: map[string]any{"CallingIDSubstitute": "LineUri", "BlockIncomingPstnCallerID": false,
			"EnableUserOverride": false, "ResourceAccount": nil, "ServiceNumber": nil, "CompanyName": nil, "Description": nil}},
		{name: "OnlinePSTNGateway", defaults: map[string]any{"Enabled": false, "MediaBypass": false, "ForwardCallHistory": false, "ForwardPai": false,
			"SendSipOptions": true, "FailoverTimeSeconds": 10, "FailoverResponseCodes": "408,503,504", "BypassMode": "None"}},
	}
	for _, name := range []string{"TeamsEmergencyCallingPolicy", "TeamsEmergencyCallRoutingPolicy", "TeamsCallingPolicy", "TeamsVoiceApplicationsPolicy",
		"TeamsSharedCallingRoutingPolicy", "OnlineVoicemailPolicy", "OnlineAudioConferencingRoutingPolicy"} {
		all = append(all, kind{name: name, perUser: true, global: true, defaults: map[string]any{}})
	}
	for _, name := range []string{"TeamsTranslationRule", "TeamsUnassignedNumberTreatment", "TenantNetworkRegion", "TenantNetworkSubnet", "TenantTrustedIPAddress",
		"InboundBlockedNumberPattern", "InboundExemptNumberPattern"} {
		all = append(all, kind{name: name, defaults: map[string]any{}})
	}
	return all
}

// bare is a policy's name without the prefix it reads back with.
func bare(identity string) string {
	if len(identity) > 4 && strings.EqualFold(identity[:4], "tag:") {
		return identity[4:]
	}
	if strings.EqualFold(identity, "global") {
		return "Global"
	}
	return identity
}

// identity is how the instance reads back.
func (k kind) identity(name string) string {
	if k.perUser && name != "Global" {
		return "Tag:" + name
	}
	return name
}

// findPolicy finds an instance whatever the letter case of its name. Global exists where the type has one, even when
// nobody ever changed it.
func findPolicy(t *world.Tenant, k kind, identity string) (world.Policy, bool) {
	name := bare(identity)
	if p, found := t.Policies.Get(world.PolicyKey(k.name, name)); found {
		return p, true
	}
	for _, p := range t.Policies.All() {
		if p.Type == k.name && strings.EqualFold(p.Name, name) {
			return p, true
		}
	}
	if k.global && name == "Global" {
		return world.Policy{Type: k.name, Name: name}, true
	}
	return world.Policy{}, false
}

// show is the instance with its defaults filled in; PascalCase (facts/teams-admin.md J0).
func (k kind) show(p world.Policy) map[string]any {
	m := map[string]any{}
	for key, v := range k.defaults {
		m[key] = v
	}
	for key, v := range p.Props {
		m[key] = v
	}
	m["Identity"], m["ConfigId"] = k.identity(p.Name), p.ID
	m["ConfigMetadata"] = map[string]any{"Authority": "Tenant"}
	return m
}
