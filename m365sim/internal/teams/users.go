package teams

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tcap.cloud/m365sim/internal/teams/telephony"
	"tcap.cloud/m365sim/internal/world"
)

const maxPage = 1000

// span is the part of a list that was asked for.
type span struct{ skip, top int }

// span reads skip and top, or pageSize and skipToken.
func (c *call) span() (span, error) {
	s := span{top: maxPage}
	for _, p := range []struct {
		name string
		into *int
	}{{"top", &s.top}, {"pageSize", &s.top}, {"skip", &s.skip}} {
		if text := c.query.Get(p.name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return span{}, badRequest("The value '" + text + "' is not valid for " + p.name + ".")
			}
			*p.into = n
		}
	}
	if text := c.query.Get("skipToken"); text != "" {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		n, wrong := strconv.Atoi(string(raw))
		if err != nil || wrong != nil || n < 0 {
			return span{}, badRequest("The skip token is not valid.")
		}
		s.skip = n
	}
	if s.top == 0 || s.top > maxPage {
		s.top = maxPage
	}
	return s, nil
}

// listUsers is Get-CsOnlineUser for everybody, in pages.
func (c *call) listUsers() (any, error) {
	s, err := c.span()
	if err != nil {
		return nil, err
	}
	body := map[string]any{}
	err = c.view(func(t *world.Tenant) error {
		ids := t.Users.IDs()
		from, to := min(s.skip, len(ids)), min(s.skip+s.top, len(ids))
		numbers := held(t)
		users := make([]map[string]any, 0, to-from)
		for _, id := range ids[from:to] {
			u, _ := t.Users.Get(id)
			users = append(users, showUser(t, u, numbers[id], c.w.Now()))
		}
		body["users"] = users
		if to < len(ids) {
			token := base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
			body["skipToken"] = token
			body["nextLink"] = world.CallFrom(c.ctx).Base + "/Teams.User/users?pageSize=" + strconv.Itoa(s.top) + "&skipToken=" + token
		}
		return nil
	})
	return body, err
}

// held is who holds which number.
func held(t *world.Tenant) map[string]world.Number {
	by := map[string]world.Number{}
	for _, n := range t.Numbers.All() {
		if n.TargetID != "" {
			by[n.TargetID] = n
		}
	}
	return by
}

func (c *call) getUser() (any, error) {
	var m map[string]any
	err := c.view(func(t *world.Tenant) error {
		u, found := telephony.FindAccount(t, c.path[2])
		if !found {
			return refuse(http.StatusNotFound, "NotFound", "User '"+c.path[2]+"' was not found.")
		}
		n, _ := telephony.NumberOf(t, u.ID)
		m = showUser(t, u, n, c.w.Now())
		return nil
	})
	return m, err
}

// showUser is the user as Teams sees it; camelCase, as was seen on the wire (facts/teams-admin.md J0).
func showUser(t *world.Tenant, u world.User, n world.Number, now time.Time) map[string]any {
	plans := telephony.EnabledPlans(t, u)
	features := telephony.FeatureTypes(plans)
	line := any(nil)
	if n.TelephoneNumber != "" {
		line = "tel:" + n.TelephoneNumber
	} else if u.OnPremNumber != "" {
		line = u.OnPremNumber
	}
	return map[string]any{
		"objectId": u.ID, "userPrincipalName": u.UserPrincipalName, "sipAddress": "sip:" + u.UserPrincipalName, "displayName": u.DisplayName,
		"accountEnabled": u.AccountEnabled, "usageLocation": u.UsageLocation, "accountType": accountType(u, plans), "featureTypes": features,
		"lineUri": line, "enterpriseVoiceEnabled": u.EnterpriseVoice, "assignedPlan": assignedPlan(t, u),
		"effectivePolicyAssignments": effectivePolicies(u, now),
	}
}

// accountType: facts/teams-admin.md section F. Somebody without a Teams plan is an IneligibleUser.
func accountType(u world.User, plans map[string]bool) string {
	switch {
	case telephony.IsResourceAccount(plans):
		return "ResourceAccount"
	case u.UserType == "Guest":
		return "Guest"
	case !telephony.HasTeams(plans):
		return "IneligibleUser"
	}
	return "User"
}

// assignedPlan lists the plans of the products held.
func assignedPlan(t *world.Tenant, u world.User) []map[string]any {
	all := []map[string]any{}
	for _, l := range u.Licences {
		sku, _ := t.SKUs.Get(l.SKUID)
		for _, p := range sku.Plans {
			status := "Enabled"
			if slices.Contains(l.DisabledPlans, p.ID) {
				status = "Deleted"
			}
			all = append(all, map[string]any{"capability": p.Name, "capabilityStatus": status, "servicePlanId": p.ID, "assignedTimestamp": u.CreatedAt})
		}
	}
	return all
}

// effectivePolicies lists direct grants only: who has none inherits Global, and nothing is shown.
func effectivePolicies(u world.User, now time.Time) []map[string]any {
	seen := telephony.VisiblePolicies(u, now)
	types := make([]string, 0, len(seen))
	for typ := range seen {
		types = append(types, typ)
	}
	slices.Sort(types)
	all := []map[string]any{}
	for _, typ := range types {
		all = append(all, map[string]any{"policyType": typ, "policyAssignment": map[string]any{"assignmentType": "direct", "displayName": seen[typ]}})
	}
	return all
}
