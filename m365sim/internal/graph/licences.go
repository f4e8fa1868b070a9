package graph

import (
	"slices"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

func assignedLicences(u world.User) []map[string]any {
	all := []map[string]any{}
	for _, l := range u.Licences {
		all = append(all, map[string]any{"skuId": l.SKUID, "disabledPlans": list(l.DisabledPlans)})
	}
	return all
}

// assignmentStates: every licence of the simulator is assigned directly and in force.
func assignmentStates(u world.User) []map[string]any {
	all := []map[string]any{}
	for _, l := range u.Licences {
		all = append(all, map[string]any{"skuId": l.SKUID, "disabledPlans": list(l.DisabledPlans), "assignedByGroup": nil,
			"state": "Active", "error": "None", "lastUpdatedDateTime": stamp(u.CreatedAt)})
	}
	return all
}

// assignedPlans shows the plans of all products held; one switched off in each product that has it is Deleted.
func assignedPlans(t *world.Tenant, u world.User) []map[string]any {
	all := []map[string]any{}
	eachPlan(t, u, func(p world.ServicePlan, enabled bool) {
		status := "Enabled"
		if !enabled {
			status = "Deleted"
		}
		all = append(all, map[string]any{"assignedDateTime": stamp(u.CreatedAt), "capabilityStatus": status,
			"service": serviceOf(p.Name), "servicePlanId": p.ID})
	})
	return all
}

func provisionedPlans(t *world.Tenant, u world.User) []map[string]any {
	all := []map[string]any{}
	eachPlan(t, u, func(p world.ServicePlan, enabled bool) {
		if enabled {
			all = append(all, map[string]any{"capabilityStatus": "Enabled", "provisioningStatus": "Success", "service": serviceOf(p.Name)})
		}
	})
	return all
}

// eachPlan gives each plan once, enabled when any product has it switched on.
func eachPlan(t *world.Tenant, u world.User, fn func(p world.ServicePlan, enabled bool)) {
	var order []world.ServicePlan
	enabled := map[string]bool{}
	for _, l := range u.Licences {
		sku, _ := t.SKUs.Get(l.SKUID)
		for _, p := range sku.Plans {
			if _, seen := enabled[p.ID]; !seen {
				order = append(order, p)
			}
			enabled[p.ID] = enabled[p.ID] || !slices.Contains(l.DisabledPlans, p.ID)
		}
	}
	for _, p := range order {
		fn(p, enabled[p.ID])
	}
}

// serviceOf is the name of the service a plan belongs to, as assignedPlans shows it.
func serviceOf(plan string) string {
	switch {
	case strings.HasPrefix(plan, "MCO"):
		return "MicrosoftCommunicationsOnline"
	case strings.HasPrefix(plan, "TEAMS"):
		return "TeamspaceAPI"
	case strings.HasPrefix(plan, "EXCHANGE"):
		return "exchange"
	}
	return plan
}

func list(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}

func (c *call) licenceDetails() (answer, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		u, found := t.UserByName(c.args[0])
		if !found {
			return notFound(c.args[0])
		}
		for _, l := range u.Licences {
			sku, _ := t.SKUs.Get(l.SKUID)
			all = append(all, map[string]any{"id": encode(u.ID + l.SKUID), "skuId": l.SKUID, "skuPartNumber": sku.PartNumber,
				"servicePlans": planInfos(sku, l.DisabledPlans)})
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("users('"+c.args[0]+"')/licenseDetails", all)
}

func planInfos(sku world.SKU, disabled []string) []map[string]any {
	all := []map[string]any{}
	for _, p := range sku.Plans {
		status := "Success"
		if slices.Contains(disabled, p.ID) {
			status = "Disabled"
		}
		all = append(all, map[string]any{"servicePlanId": p.ID, "servicePlanName": p.Name, "provisioningStatus": status, "appliesTo": "User"})
	}
	return all
}

func (c *call) listSKUs() (answer, error) {
	all, err := c.skus()
	if err != nil {
		return answer{}, err
	}
	return c.whole("subscribedSkus", all)
}

func (c *call) getSKU() (answer, error) {
	all, err := c.skus()
	if err != nil {
		return answer{}, err
	}
	for _, m := range all {
		if m["id"] == c.args[0] {
			return c.single("subscribedSkus", m)
		}
	}
	return answer{}, notFound(c.args[0])
}

// skus counts the units in use; the id of a subscribed SKU is the tenant's id and the SKU's.
func (c *call) skus() ([]map[string]any, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		used := consumed(t)
		for _, sku := range t.SKUs.All() {
			all = append(all, map[string]any{
				"id": t.ID + "_" + sku.ID, "accountId": t.ID, "accountName": t.Name, "appliesTo": "User", "capabilityStatus": "Enabled",
				"skuId": sku.ID, "skuPartNumber": sku.PartNumber, "consumedUnits": used[sku.ID], "subscriptionIds": []string{},
				"prepaidUnits": map[string]any{"enabled": sku.Enabled, "suspended": 0, "warning": 0, "lockedOut": 0},
				"servicePlans": planInfos(sku, nil),
			})
		}
		return nil
	})
	return all, err
}

func consumed(t *world.Tenant) map[string]int {
	used := map[string]int{}
	for _, u := range t.Users.All() {
		for _, l := range u.Licences {
			used[l.SKUID]++
		}
	}
	return used
}

type licenceChange struct {
	AddLicenses    []licenceWanted `json:"addLicenses"`
	RemoveLicenses []string        `json:"removeLicenses"`
}

type licenceWanted struct {
	SKUID         string   `json:"skuId"`
	DisabledPlans []string `json:"disabledPlans"`
}

// assignLicence adds and removes products in one step; nothing is changed when any part is refused.
func (c *call) assignLicence() (answer, error) {
	var change licenceChange
	if err := c.read(&change); err != nil {
		return answer{}, err
	}
	if change.AddLicenses == nil || change.RemoveLicenses == nil {
		return answer{}, badRequest("One or more parameters of the operation 'assignLicense' are missing from the request payload. "+
			"The missing parameters are: %s.", missing(change))
	}
	var shown map[string]any
	err := c.update(func(t *world.Tenant) error {
		u, found := t.UserByName(c.args[0])
		if !found {
			return notFound(c.args[0])
		}
		held, err := change.apply(t, u)
		if err != nil {
			return err
		}
		u.Licences = held
		t.Users.Put(u.ID, u)
		shown = showUser(t, u, append(usualUserProperties(), "assignedLicenses", "usageLocation"))
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	shown["@odata.context"] = c.context("users/$entity")
	return ok(shown)
}

func missing(l licenceChange) string {
	var names []string
	if l.AddLicenses == nil {
		names = append(names, "addLicenses")
	}
	if l.RemoveLicenses == nil {
		names = append(names, "removeLicenses")
	}
	return strings.Join(names, ", ")
}

// apply is what the user would hold afterwards.
func (l licenceChange) apply(t *world.Tenant, u world.User) ([]world.Licence, error) {
	if len(l.AddLicenses) > 0 && u.UsageLocation == "" {
		return nil, badRequest("License assignment cannot be done for user with invalid usage location.")
	}
	held := slices.Clone(u.Licences)
	for _, id := range l.RemoveLicenses {
		at := slices.IndexFunc(held, func(h world.Licence) bool { return strings.EqualFold(h.SKUID, id) })
		if at < 0 {
			return nil, badRequest("User does not have a corresponding license.")
		}
		held = slices.Delete(held, at, at+1)
	}
	for _, w := range l.AddLicenses {
		sku, known := t.SKUs.Get(strings.ToLower(w.SKUID))
		if !known {
			return nil, badRequest("License %s does not correspond to a valid company License.", w.SKUID)
		}
		if err := w.plansOf(sku); err != nil {
			return nil, err
		}
		licence := world.Licence{SKUID: sku.ID, DisabledPlans: w.DisabledPlans}
		if at := slices.IndexFunc(held, func(h world.Licence) bool { return h.SKUID == sku.ID }); at >= 0 {
			held[at] = licence
			continue
		}
		// No more than one unit per user can be in use, so that counting is needed only where they might not do.
		if t.Users.Len() > sku.Enabled && consumed(t)[sku.ID] >= sku.Enabled {
			return nil, badRequest("Subscription with SKU %s does not have any available licenses.", sku.ID)
		}
		held = append(held, licence)
	}
	return held, nil
}

func (w licenceWanted) plansOf(sku world.SKU) error {
	for _, id := range w.DisabledPlans {
		if !slices.ContainsFunc(sku.Plans, func(p world.ServicePlan) bool { return p.ID == id }) {
			return badRequest("The service plan %s is not part of the license %s.", id, sku.ID)
		}
	}
	return nil
}
