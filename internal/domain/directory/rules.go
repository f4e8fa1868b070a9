package directory

import (
	"fmt"
	"slices"
	"strings"
)

// Status says whether somebody can hold a number, and does (S8.1).
type Status string

// The statuses, as the API names them.
const (
	NotLicensed  Status = "not-licensed"
	NotAllocated Status = "not-allocated"
	Allocated    Status = "allocated"
)

// The account types that are told apart (facts/teams-admin.md F, AccountType).
const (
	Person          = "User"
	ResourceAccount = "ResourceAccount"
	Guest           = "Guest"
)

// The plans that make a number possible (facts/teams-admin.md I). MCOEVSMB is the same plan as sold to small companies
// (facts/licences.csv).
func phonePlans() []string { return []string{"MCOEV", "MCOEV_GOV", "MCOEVSMB"} }
func teamsPlans() []string {
	return []string{"TEAMS1", "TEAMS_GOV", "TEAMS_AR_GCCHIGH", "TEAMS_AR_DOD"}
}
func resourcePlans() []string { return []string{"MCOEV_VIRTUALUSER", "MCOEV_VIRTUALUSER_GOV"} }

// Holding is a product that an account holds, the voice plans inside it, and those of them that are switched off.
type Holding struct {
	Product string
	Plans   []string
	Off     []string
}

// Facts are what a verdict rests on. Plans are the assigned plans with Microsoft's capabilityStatus, by short name.
type Facts struct {
	AccountType   string
	UsageLocation string
	Plans         map[string]string
	Holdings      []Holding
	Number        string
	OnPremises    bool
}

// Verdict is what the facts come to. Reason is in words, and empty where there is nothing to say.
type Verdict struct {
	Licensed bool
	Status   Status
	Reason   string
}

// Judge decides whether an account may hold a number. A lacking licence goes before a number that is there: it is what must
// be mended.
func Judge(f Facts) Verdict {
	if f.AccountType == Guest {
		return Verdict{Status: NotLicensed, Reason: "a guest of the tenant, who cannot hold a number"}
	}
	reasons := f.lacks()
	v := Verdict{Licensed: len(reasons) == 0, Status: NotLicensed}
	if v.Licensed {
		v.Status = NotAllocated
		if f.Number != "" {
			v.Status = Allocated
		}
	}
	if f.UsageLocation == "" && v.Status != Allocated {
		reasons = append(reasons, "no usage location")
	}
	switch {
	case f.OnPremises && f.Number != "":
		reasons = append(reasons, "number comes from on-premises Active Directory")
	case f.OnPremises:
		reasons = append(reasons, "account is homed in Skype for Business on premises")
	}
	v.Reason = strings.Join(reasons, "; ")
	return v
}

// need is one thing that a licence must give.
type need struct {
	label string
	plans []string
}

func (f Facts) needs() []need {
	if f.AccountType == ResourceAccount {
		return []need{{"Teams Phone Resource Account", resourcePlans()}}
	}
	return []need{{"Teams", teamsPlans()}, {"Teams Phone", phonePlans()}}
}

// lacks says in words what is wrong with the licences; nothing where a number is possible.
func (f Facts) lacks() []string {
	var absent, other []string
	for _, n := range f.needs() {
		switch how, product := f.standing(n); how {
		case working:
		case pending:
			other = append(other, fmt.Sprintf("%s in %s does not count yet: a new licence takes minutes to hours", n.label, product))
		case suspended:
			other = append(other, fmt.Sprintf("%s is suspended in %s", n.label, product))
		case switchedOff:
			other = append(other, fmt.Sprintf("%s is switched off in %s", n.label, product))
		default:
			absent = append(absent, n.label)
		}
	}
	if len(absent) > 0 {
		other = append([]string{"has " + f.has() + ", needs " + enumerated(absent)}, other...)
	}
	return other
}

// standing of a need, the best first: what is nearest to working is what is worth saying.
type standing int

const (
	missing standing = iota
	switchedOff
	suspended
	pending
	working
)

func (f Facts) standing(n need) (how standing, product string) {
	better := func(s standing, p string) {
		if s > how {
			how, product = s, p
		}
	}
	for _, plan := range n.plans {
		switch f.Plans[plan] {
		case "Enabled", "Warning": // Warning: the subscription has run out, its days of grace have not
			return working, ""
		case "Suspended", "LockedOut":
			better(suspended, "a product of the tenant")
		}
	}
	for _, h := range f.Holdings {
		for _, plan := range n.plans {
			switch {
			case slices.Contains(h.Off, plan):
				better(switchedOff, h.Product)
			case !slices.Contains(h.Plans, plan):
			case f.Plans[plan] == "Suspended", f.Plans[plan] == "LockedOut":
				if how <= suspended { // the product's name says more than the plan alone
					how, product = suspended, h.Product
				}
			default:
				better(pending, h.Product)
			}
		}
	}
	return how, product
}

const fewProducts = 3

// has names the products held, as many as can be read at a glance.
func (f Facts) has() string {
	names := make([]string, 0, len(f.Holdings))
	for _, h := range f.Holdings {
		names = append(names, h.Product)
	}
	if len(names) == 0 {
		return "no Microsoft 365 product"
	}
	if more := len(names) - fewProducts; more > 0 {
		names = append(names[:fewProducts], fmt.Sprintf("%d more", more))
	}
	return enumerated(names)
}

func enumerated(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// CallFacts are what decides whether a call out is possible. PolicyUsages are the PSTN usages of the policy in effect (the
// one granted, else Global); PolicyKnown is false where the tenant has no such policy.
type CallFacts struct {
	Verdict
	AccountType     string
	Enabled         bool
	Number          string
	NumberType      string
	EnterpriseVoice bool
	Policy          string
	PolicyKnown     bool
	PolicyUsages    int
}

// CanCallOut says whether a call to the telephone network is possible, else why not. A number of Operator Connect or of a
// calling plan needs no voice routing policy; a resource account calls though nobody can sign in with it.
func CanCallOut(f CallFacts) (can bool, whyNot string) {
	switch {
	case !f.Licensed:
		return false, f.Reason
	case !f.Enabled && f.AccountType != ResourceAccount:
		return false, "the account is disabled"
	case f.Number == "":
		return false, "no number"
	case !f.EnterpriseVoice:
		return false, "enterprise voice is off"
	case f.NumberType == "OperatorConnect", f.NumberType == "CallingPlan":
		return true, ""
	case f.PolicyUsages > 0:
		return true, ""
	case f.Policy == "":
		return false, "no voice routing policy"
	case !f.PolicyKnown:
		return false, fmt.Sprintf("the voice routing policy %s is not in the tenant", f.Policy)
	}
	return false, fmt.Sprintf("the voice routing policy %s names no PSTN usage", f.Policy)
}
