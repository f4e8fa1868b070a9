package msgraph

import "context"

// SubscribedSKU is a product that the tenant has bought.
type SubscribedSKU struct {
	SkuID            string        `json:"skuId"`
	SkuPartNumber    string        `json:"skuPartNumber"`
	AppliesTo        string        `json:"appliesTo"`
	CapabilityStatus string        `json:"capabilityStatus"`
	ConsumedUnits    int           `json:"consumedUnits"`
	PrepaidUnits     PrepaidUnits  `json:"prepaidUnits"`
	ServicePlans     []ServicePlan `json:"servicePlans"`
}

// PrepaidUnits are how many of a product there are, by state.
type PrepaidUnits struct {
	Enabled   int `json:"enabled"`
	Suspended int `json:"suspended"`
	Warning   int `json:"warning"`
	LockedOut int `json:"lockedOut"`
}

// ServicePlan is one service inside a product.
type ServicePlan struct {
	ServicePlanID      string `json:"servicePlanId"`
	ServicePlanName    string `json:"servicePlanName"`
	ProvisioningStatus string `json:"provisioningStatus"`
	AppliesTo          string `json:"appliesTo"`
}

// SubscribedSKUs reads what the tenant has bought.
func (r *Reader) SubscribedSKUs(ctx context.Context) ([]SubscribedSKU, error) {
	return all[SubscribedSKU](ctx, r, "subscribedSkus.list", "/subscribedSkus", nil)
}
