package msgraph

import (
	"context"
	"errors"
)

// Organization is the tenant as its people know it.
type Organization struct {
	ID              string           `json:"id"`
	DisplayName     string           `json:"displayName"`
	CountryCode     string           `json:"countryLetterCode"`
	VerifiedDomains []VerifiedDomain `json:"verifiedDomains"`
}

// VerifiedDomain is a domain that the tenant has proven to be its own.
type VerifiedDomain struct {
	Name         string `json:"name"`
	Type         string `json:"type"`
	Capabilities string `json:"capabilities"`
	IsDefault    bool   `json:"isDefault"`
	IsInitial    bool   `json:"isInitial"`
}

// Organization reads the tenant itself (GET /organization, which lists exactly one).
func (r *Reader) Organization(ctx context.Context) (Organization, error) {
	list, err := all[Organization](ctx, r, "organization.get", "/organization", selecting("id", "displayName", "countryLetterCode", "verifiedDomains"))
	if err != nil {
		return Organization{}, err
	}
	if len(list) == 0 {
		return Organization{}, errors.New("organization.get: Graph lists no organisation")
	}
	return list[0], nil
}
