package graph

import (
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

func (c *call) listOrganization() (answer, error) {
	m, err := c.organization()
	if err != nil {
		return answer{}, err
	}
	return c.whole("organization", []map[string]any{m})
}

func (c *call) getOrganization() (answer, error) {
	m, err := c.organization()
	if err != nil {
		return answer{}, err
	}
	if !strings.EqualFold(c.args[0], c.tenant) {
		return answer{}, notFound(c.args[0])
	}
	return c.single("organization", m)
}

func (c *call) organization() (map[string]any, error) {
	var m map[string]any
	err := c.view(func(t *world.Tenant) error {
		domains := []map[string]any{}
		for _, d := range t.Domains {
			if d.Verified {
				domains = append(domains, map[string]any{"name": d.Name, "isDefault": d.IsDefault, "isInitial": d.IsInitial,
					"type": "Managed", "capabilities": "Email, OfficeCommunicationsOnline"})
			}
		}
		m = map[string]any{"id": t.ID, "displayName": t.Name, "createdDateTime": stamp(t.CreatedAt), "verifiedDomains": domains,
			"tenantType": "AAD", "countryLetterCode": "AU", "country": nil, "city": nil, "preferredLanguage": "en", "businessPhones": []string{},
			"onPremisesSyncEnabled": nil, "defaultUsageLocation": nil, "technicalNotificationMails": []string{},
			"assignedPlans": tenantPlans(t), "provisionedPlans": []any{}, "deletedDateTime": nil}
		return nil
	})
	return m, err
}

// tenantPlans are the plans of all products the tenant owns.
func tenantPlans(t *world.Tenant) []map[string]any {
	all := []map[string]any{}
	seen := map[string]bool{}
	for _, sku := range t.SKUs.All() {
		for _, p := range sku.Plans {
			if !seen[p.ID] {
				seen[p.ID] = true
				all = append(all, map[string]any{"assignedDateTime": stamp(t.CreatedAt), "capabilityStatus": "Enabled",
					"service": serviceOf(p.Name), "servicePlanId": p.ID})
			}
		}
	}
	return all
}

func (c *call) listDomains() (answer, error) {
	var all []map[string]any
	err := c.view(func(t *world.Tenant) error {
		for _, d := range t.Domains {
			all = append(all, showDomain(t, d))
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.whole("domains", all)
}

func (c *call) getDomain() (answer, error) {
	var m map[string]any
	err := c.view(func(t *world.Tenant) error {
		for _, d := range t.Domains {
			if strings.EqualFold(d.Name, c.args[0]) {
				m = showDomain(t, d)
				return nil
			}
		}
		return notFound(c.args[0])
	})
	if err != nil {
		return answer{}, err
	}
	return c.single("domains", m)
}

// showDomain: a domain is a root unless its parent is a domain of the same tenant.
func showDomain(t *world.Tenant, d world.Domain) map[string]any {
	_, parent, _ := strings.Cut(d.Name, ".")
	services := []string{}
	if d.Verified {
		services = append(services, "Email", "OfficeCommunicationsOnline")
	}
	return map[string]any{"id": d.Name, "authenticationType": "Managed", "availabilityStatus": nil, "isAdminManaged": true,
		"isDefault": d.IsDefault, "isInitial": d.IsInitial, "isRoot": !verified(t, parent), "isVerified": d.Verified,
		"supportedServices": services, "state": nil, "manufacturer": nil, "model": nil,
		"passwordValidityPeriodInDays": 2147483647, "passwordNotificationWindowInDays": 14}
}
