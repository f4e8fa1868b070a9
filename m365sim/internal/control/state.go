package control

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

// state answers everything that is in the tenant.
func (s *service) state(w http.ResponseWriter, r *http.Request) {
	tenant, err := s.tenant(r)
	if err != nil {
		fail(w, err)
		return
	}
	normalise := false
	if text := r.FormValue("normalised"); text != "" {
		if normalise, err = strconv.ParseBool(text); err != nil {
			fail(w, badRequest("normalised is %q: it is true or false.", text))
			return
		}
	}
	all, err := s.snapshot(tenant)
	if err != nil {
		fail(w, err)
		return
	}
	if normalise {
		all = normalised(all).(object)
	}
	write(w, http.StatusOK, all)
}

type object = map[string]any

func (s *service) snapshot(tenant string) (all object, err error) {
	now := s.world.Now()
	apps := s.world.Apps()
	err = s.world.View(tenant, func(t *world.Tenant) error {
		n := namer{t: t}
		all = object{
			"id": t.ID, "name": t.Name, "cloud": t.Cloud, "createdDateTime": t.CreatedAt, "requireMfa": t.RequireMFA,
			"blockedByConditionalAccess": list(keys(t.BlockedByConditionalAccess), func(id string) any { return id }),
			"domains":                    list(t.Domains, domainState),
			"users":                      users(t, &t.Users, now), "numbers": numbers(t), "subscribedSkus": skus(t),
			"servicePrincipals": principals(&t.ServicePrincipals),
			"grants":            append(grants(n), appRoles(n)...), "roleAssignments": roles(n),
			"applications": applications(t, apps),
			"deletedItems": append(users(t, &t.DeletedUsers, now), principals(&t.DeletedSPs)...),
			"gateways":     []any{}, "pstnUsages": []any{}, "voiceRoutes": []any{}, "voiceRoutingPolicies": []any{}, "dialPlans": []any{},
			"resourceAccounts": []any{}, "callQueues": []any{}, "autoAttendants": []any{}, "schedules": []any{}, "policies": []any{},
		}
		for _, p := range t.Policies.All() {
			section := policySection(p.Type)
			all[section] = append(all[section].([]any), policyState(p, section))
		}
		return nil
	})
	return all, err
}

func policySection(typ string) string {
	switch typ {
	case "OnlinePSTNGateway":
		return "gateways"
	case "OnlinePstnUsages":
		return "pstnUsages"
	case "OnlineVoiceRoute":
		return "voiceRoutes"
	case "OnlineVoiceRoutingPolicy":
		return "voiceRoutingPolicies"
	case "TenantDialPlan":
		return "dialPlans"
	}
	return "policies"
}

func policyState(p world.Policy, section string) object {
	o := object{"id": p.ID, "name": p.Name, "properties": p.Props}
	if section == "policies" {
		o["type"] = p.Type
	}
	return o
}

func list[T any](values []T, state func(T) any) []any {
	out := make([]any, 0, len(values))
	for _, v := range values {
		out = append(out, state(v))
	}
	return out
}

func domainState(d world.Domain) any {
	return object{"name": d.Name, "isVerified": d.Verified, "isInitial": d.IsInitial, "isDefault": d.IsDefault}
}

// users lists the people of a table, with the number assigned to each and the policies that show by now.
func users(t *world.Tenant, of *world.Table[world.User], now time.Time) []any {
	held := map[string]world.Number{}
	for _, n := range t.Numbers.All() {
		if n.TargetID != "" {
			held[n.TargetID] = n
		}
	}
	out := make([]any, 0, of.Len())
	for _, u := range of.All() {
		o := object{
			"id": u.ID, "userPrincipalName": u.UserPrincipalName, "displayName": u.DisplayName, "accountEnabled": u.AccountEnabled,
			"usageLocation": u.UsageLocation, "userType": u.UserType, "licences": list(u.Licences, licenceName(t)),
			"number": nil, "numberType": nil, "policies": policiesOf(u, now), "enterpriseVoice": u.EnterpriseVoice,
			"createdDateTime": u.CreatedAt, "onPremisesNumber": u.OnPremNumber,
		}
		if n, ok := held[u.ID]; ok {
			o["number"], o["numberType"] = n.TelephoneNumber, n.Type
		}
		if !u.DeletedAt.IsZero() {
			o["deletedDateTime"], o["kind"] = u.DeletedAt, "user"
		}
		out = append(out, o)
	}
	return out
}

func licenceName(t *world.Tenant) func(world.Licence) any {
	return func(l world.Licence) any {
		sku, _ := t.SKUs.Get(l.SKUID)
		return cmp.Or(sku.PartNumber, l.SKUID)
	}
}

// policiesOf are the direct grants, those that became visible meanwhile included.
func policiesOf(u world.User, now time.Time) map[string]string {
	got := map[string]string{}
	for typ, name := range u.Policies {
		got[typ] = name
	}
	for _, p := range u.PendingPolicies {
		switch {
		case p.VisibleAt.After(now):
		case p.Name == "":
			delete(got, p.Type)
		default:
			got[p.Type] = p.Name
		}
	}
	return got
}

func numbers(t *world.Tenant) []any {
	out := make([]any, 0, t.Numbers.Len())
	for _, n := range t.Numbers.All() {
		o := object{
			"telephoneNumber": n.TelephoneNumber, "numberType": n.Type, "activationState": n.ActivationState,
			"targetId": n.TargetID, "target": namer{t: t}.name(n.TargetID), "targetKind": n.TargetKind, "locationId": n.LocationID,
		}
		if !n.AssignedAt.IsZero() {
			o["assignedDateTime"] = n.AssignedAt
		}
		out = append(out, o)
	}
	return out
}
