package teams

import (
	"regexp"
	"slices"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// furnished is a new instance with what the service adds by itself: a dial plan gets the rule "Prefix All" and its simple
// name, a route and a gateway their name (facts/teams-admin.md section B).
func furnished(p world.Policy) world.Policy {
	p.Props = merge(nil, p.Props)
	standard := func(key string, v any) {
		if _, given := p.Props[key]; !given {
			p.Props[key] = v
		}
	}
	switch p.Type {
	case "TenantDialPlan":
		standard("SimpleName", p.Name)
		standard("NormalizationRules", []any{map[string]any{"Name": "Prefix All", "Description": nil, "Pattern": `^(\d+)$`, "Translation": "+$1", "IsInternalExtension": false}})
	case "OnlineVoiceRoute":
		standard("Name", p.Name)
	case "OnlinePSTNGateway":
		standard("Fqdn", p.Name)
	}
	return p
}

// check refuses an instance that the service would not take (facts/teams-admin.md section B).
func check(t *world.Tenant, p world.Policy) error {
	switch p.Type {
	case "OnlineVoiceRoute":
		if err := checkUsages(t, p); err != nil {
			return err
		}
		return checkGateways(t, p)
	case "OnlineVoiceRoutingPolicy":
		return checkUsages(t, p)
	case "TenantDialPlan":
		return checkDialPlan(p)
	case "OnlinePSTNGateway":
		return checkGateway(t, p)
	}
	return nil
}

func words(v any) []string {
	var all []string
	items, _ := v.([]any)
	for _, item := range items {
		if s, isText := item.(string); isText {
			all = append(all, s)
		}
	}
	return all
}

// checkUsages: a usage must exist before a route or a policy names it.
func checkUsages(t *world.Tenant, p world.Policy) error {
	k, _ := policyType("OnlinePstnUsages")
	usages, _ := findPolicy(t, k, "Global")
	known := words(usages.Props["Usage"])
	for _, u := range words(p.Props["OnlinePstnUsages"]) {
		if !slices.Contains(known, u) {
			return badRequest("Cannot find specified Online PSTN usage '" + u + "'.")
		}
	}
	return nil
}

// checkGateways: a route names gateways of the tenant, or trunks derived from a carrier's by a verified subdomain.
func checkGateways(t *world.Tenant, p world.Policy) error {
	for _, fqdn := range words(p.Props["OnlinePstnGatewayList"]) {
		if _, own := t.Policies.Get(world.PolicyKey("OnlinePSTNGateway", fqdn)); !own && !configured(t, fqdn) {
			return unknownDomain(fqdn)
		}
	}
	return nil
}

func unknownDomain(fqdn string) *problem {
	return badRequest(`Cannot use the "` + fqdn + `" domain as it was not configured for this tenant.`)
}

func configured(t *world.Tenant, name string) bool {
	return slices.ContainsFunc(t.Domains, func(d world.Domain) bool {
		return d.Verified && !d.IsInitial && strings.EqualFold(d.Name, name)
	})
}

// checkGateway: the name itself or its parent is a verified domain, and never the initial one.
func checkGateway(t *world.Tenant, p world.Policy) error {
	_, parent, _ := strings.Cut(p.Name, ".")
	port, _ := p.Props["SipSignalingPort"].(float64)
	switch {
	case len(p.Name) > 63:
		return badRequest("Fqdn must not be longer than 63 characters.")
	case !configured(t, p.Name) && !configured(t, parent):
		return unknownDomain(p.Name)
	case port < 1 || port > 65535:
		return badRequest("SipSignalingPort must be between 1 and 65535.")
	}
	return nil
}

func checkDialPlan(p world.Policy) error {
	if p.Name == "Global" {
		return nil
	}
	if ok, err := regexp.MatchString(`^[A-Za-z0-9-][A-Za-z0-9.-]{0,48}$`, p.Name); err != nil || !ok {
		return badRequest("The identity of a dial plan has up to 49 letters, digits, dots and hyphens, and does not begin with a dot.")
	}
	rules, _ := p.Props["NormalizationRules"].([]any)
	if len(rules) > 50 {
		return badRequest("A dial plan has at most 50 normalization rules.")
	}
	return nil
}
