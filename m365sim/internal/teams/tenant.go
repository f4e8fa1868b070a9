package teams

import (
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// serviceDiscovery names the hosts of later calls (facts/teams-admin.md A0); here all are the one that was asked.
func (c *call) serviceDiscovery() (any, error) { return c.discovery(), nil }

func (c *call) discovery() map[string]any {
	host := strings.TrimPrefix(world.CallFrom(c.ctx).Base, "https://")
	return map[string]any{
		"Endpoints": map[string]any{"ConfigApiEndpoint": host, "AdminServiceEndpoint": host},
		"Headers":   map[string]any{"X-MS-Forest": "0a"},
	}
}

// tenants is Get-CsTenant.
func (c *call) tenants() (any, error) {
	var m map[string]any
	err := c.view(func(t *world.Tenant) error {
		domains := []map[string]any{}
		for _, d := range t.Domains {
			if d.Verified {
				domains = append(domains, map[string]any{"name": d.Name, "status": "Enabled"})
			}
		}
		m = map[string]any{"tenantId": t.ID, "displayName": t.Name, "countryOrRegion": "AU", "teamsUpgradeEffectiveMode": "TeamsOnly",
			"verifiedDomains": domains, "serviceDiscovery": c.discovery()}
		return nil
	})
	return []any{m}, err
}

// sipDomains is Get-CsOnlineSipDomain.
func (c *call) sipDomains() (any, error) {
	all := []map[string]any{}
	err := c.view(func(t *world.Tenant) error {
		for _, d := range t.Domains {
			if d.Verified {
				all = append(all, map[string]any{"Name": d.Name, "Status": "Enabled"})
			}
		}
		return nil
	})
	return all, err
}
