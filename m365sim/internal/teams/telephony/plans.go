// Package telephony holds the rules of Teams Phone that Microsoft Graph and the Teams administration API share: who may
// hold a number, how a number is given and taken, and when a granted policy shows. It changes a tenant only inside the
// caller's World.Update, and only after every check has passed.
package telephony

import (
	"slices"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

// EnabledPlans names the service plans that are switched on for the user (facts/teams-admin.md section I).
func EnabledPlans(t *world.Tenant, u world.User) map[string]bool {
	on := map[string]bool{}
	for _, l := range u.Licences {
		sku, ok := t.SKUs.Get(l.SKUID)
		if !ok {
			continue
		}
		for _, p := range sku.Plans {
			if !slices.Contains(l.DisabledPlans, p.ID) {
				on[p.Name] = true
			}
		}
	}
	return on
}

// IsResourceAccount says whether the account is licensed as one (MCOEV_VIRTUALUSER, facts/teams-admin.md section I).
func IsResourceAccount(plans map[string]bool) bool {
	return plans["MCOEV_VIRTUALUSER"] || plans["MCOEV_VIRTUALUSER_GOV"]
}

// HasTeams says whether a Teams plan of any cloud is enabled.
func HasTeams(plans map[string]bool) bool {
	return plans["TEAMS1"] || plans["TEAMS_GOV"] || plans["TEAMS_AR_GCCHIGH"] || plans["TEAMS_AR_DOD"]
}

// HasPhoneSystem says whether a person may hold a number: Teams Phone together with a Teams plan.
func HasPhoneSystem(plans map[string]bool) bool {
	return (plans["MCOEV"] || plans["MCOEV_GOV"]) && HasTeams(plans)
}

// FeatureTypes are the features Get-CsOnlineUser shows for these plans (facts/teams-admin.md section F).
func FeatureTypes(plans map[string]bool) []string {
	features := []string{}
	add := func(yes bool, name string) {
		if yes {
			features = append(features, name)
		}
	}
	add(HasTeams(plans), "Teams")
	add(plans["MCOMEETADV"], "AudioConferencing")
	add(HasPhoneSystem(plans), "PhoneSystem")
	add(hasCallingPlan(plans), "CallingPlan")
	add(IsResourceAccount(plans), "VoiceApp")
	return features
}

// hasCallingPlan: Microsoft's own calling plans are all named MCOPSTN*, the audio conferencing credit MCOPSTNC apart.
func hasCallingPlan(plans map[string]bool) bool {
	for name := range plans {
		if strings.HasPrefix(name, "MCOPSTN") && name != "MCOPSTNC" {
			return true
		}
	}
	return false
}

// mayHold says whether the licences allow a number of this type.
func mayHold(plans map[string]bool, numberType string) bool {
	if IsResourceAccount(plans) {
		return true
	}
	if numberType == CallingPlan && !hasCallingPlan(plans) {
		return false
	}
	return HasPhoneSystem(plans)
}

// FindAccount finds an account by object id, user principal name or SIP address, as the -Identity of the cmdlets does.
func FindAccount(t *world.Tenant, identity string) (world.User, bool) {
	if u, ok := t.Users.Get(strings.ToLower(identity)); ok {
		return u, true
	}
	upn := strings.TrimPrefix(strings.ToLower(identity), "sip:")
	if !strings.Contains(upn, "@") {
		return world.User{}, false
	}
	for _, u := range t.Users.All() {
		if strings.EqualFold(u.UserPrincipalName, upn) {
			return u, true
		}
	}
	return world.User{}, false
}

// VisiblePolicies are the policies granted directly to the user that the service shows at this time: a grant shows
// 30 to 45 s after it was accepted (facts/teams-admin.md A2).
func VisiblePolicies(u world.User, now time.Time) map[string]string {
	seen := make(map[string]string, len(u.Policies))
	for typ, name := range u.Policies {
		seen[typ] = name
	}
	for _, p := range u.PendingPolicies {
		if p.VisibleAt.After(now) {
			continue
		}
		if p.Name == "" {
			delete(seen, p.Type)
		} else {
			seen[p.Type] = p.Name
		}
	}
	return seen
}

// Grant records a policy grant that shows at visibleAt; an empty name takes the direct grant away. Grants that show
// already are folded in, so that the list of pending ones does not grow.
func Grant(u world.User, typ, name string, now, visibleAt time.Time) world.User {
	settled := VisiblePolicies(u, now)
	var pending []world.PendingPolicy
	for _, p := range u.PendingPolicies {
		if p.VisibleAt.After(now) {
			pending = append(pending, p)
		}
	}
	u.Policies = settled
	u.PendingPolicies = append(pending, world.PendingPolicy{Type: typ, Name: name, VisibleAt: visibleAt})
	return u
}
