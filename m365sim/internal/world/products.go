package world

// Products of generated tenants (facts/licences.csv, facts/service-plans.csv). Those of Office 365 E3 kind are from
// Microsoft's page "Product names and service plan identifiers for licensing".
var (
	planPhone    = ServicePlan{"4828c8ec-dc2e-4779-b502-87ac9ce28ab7", "MCOEV"}
	planPhoneGov = ServicePlan{"db23fce2-a974-42ef-9002-d78dd42a0f22", "MCOEV_GOV"}
	planTeams    = ServicePlan{"57ff2da0-773e-42df-b2af-ffb7a2317929", "TEAMS1"}
	planTeamsGov = ServicePlan{"304767db-7d23-49e8-a945-4a7eb65f9f28", "TEAMS_GOV"}
	planTeamsL4  = ServicePlan{"9953b155-8aef-4c56-92f3-72b0487fce41", "TEAMS_AR_GCCHIGH"}
	planTeamsL5  = ServicePlan{"fd500458-c24c-478e-856c-a6067a8376cd", "TEAMS_AR_DOD"}
)

// products is what a tenant of a cloud owns: the products of a user with Teams Phone, and those of one without.
type products struct{ phone, plain []SKU }

func productsOf(c Cloud) products {
	switch c {
	case GCC:
		return products{
			phone: []SKU{{ID: "1341559b-49df-443c-8e79-fa604fed2d82", PartNumber: "ENTERPRISEPREMIUM_NOPSTNCONF_NOPBI_GOV", Plans: []ServicePlan{planPhoneGov, planTeamsGov}}},
			plain: []SKU{{ID: "e823ca47-49c4-46b3-b38d-ca11d5abe3d2", PartNumber: "M365_G3_GOV", Plans: []ServicePlan{planTeamsGov}}},
		}
	case GCCHigh:
		e3 := SKU{ID: "aea38a85-9bd5-4981-aa00-616b411205bf", PartNumber: "SPE_E3_USGOV_GCCHIGH", Plans: []ServicePlan{planTeamsL4}}
		phone := SKU{ID: "985fcb26-7b94-475b-b512-89356697be71", PartNumber: "MCOEV_USGOV_GCCHIGH", Plans: []ServicePlan{planPhone}}
		return products{phone: []SKU{e3, phone}, plain: []SKU{e3}}
	case DoD:
		e3 := SKU{ID: "d61d61cc-f992-433f-a577-5bd016037eeb", PartNumber: "SPE_E3_USGOV_DOD", Plans: []ServicePlan{planTeamsL5}}
		phone := SKU{ID: "b0e7de67-e503-4934-b729-53d595ba5cd1", PartNumber: "MCOEV_USGOV_DOD", Plans: []ServicePlan{planPhone}}
		return products{phone: []SKU{e3, phone}, plain: []SKU{e3}}
	default:
		return products{
			phone: []SKU{{ID: "26d45bd9-adf1-46cd-a9e1-51e9a5524128", PartNumber: "ENTERPRISEPREMIUM_NOPSTNCONF", Plans: []ServicePlan{planPhone, planTeams}}},
			plain: []SKU{{ID: "05e9a617-0261-4cee-bb44-138d3ef5d965", PartNumber: "SPE_E3", Plans: []ServicePlan{planTeams}}},
		}
	}
}

func licences(skus []SKU) []Licence {
	held := make([]Licence, len(skus))
	for i, s := range skus {
		held[i] = Licence{SKUID: s.ID}
	}
	return held
}
