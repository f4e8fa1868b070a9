package capability

import "slices"

// kinds is a set of service kinds: one cell of the table.
type kinds uint8

const (
	none   kinds = 0
	drOnly kinds = 1
	ocOnly kinds = 2
	both         = drOnly | ocOnly
)

// has reports whether a kind is in the set.
func (k kinds) has(kind Kind) bool {
	switch kind {
	case DirectRouting:
		return k&drOnly != 0
	case OperatorConnect:
		return k&ocOnly != 0
	default:
		return false
	}
}

// line is one row of the table.
type line struct {
	feature     Feature
	section     Section
	title       string
	description string
	with        kinds // column "With Sync"
	without     kinds // column "Without Sync", and with sync while there is no access
	// writesTenant: for these kinds the row, where allowed without access, is
	// kept as data. Operator Connect's number rows go through the operator's own
	// tenant and need no access to the customer's.
	writesTenant kinds
	// opensAccess: the row is how access comes about, so no state refuses it.
	opensAccess bool
	// runbook: the portal has a PowerShell runbook for it.
	runbook bool
	// printed are the rows of the guide that this line answers for.
	printed []Source
}

// find gives the line of a feature.
func find(f Feature) (line, bool) {
	all := table()
	i := slices.IndexFunc(all, func(l line) bool { return l.feature == f })
	if i < 0 {
		return line{}, false
	}
	return all[i], true
}

// appendixA names a row of Appendix A.
func appendixA(section, feature string) Source {
	return Source{Table: "Appendix A", Section: section, Feature: feature}
}

// faq names a row of the FAQ's table.
func faq(section, feature string) Source {
	return Source{Table: "FAQ", Section: section, Feature: feature}
}

// table is the whole table, in the order in which it is shown.
func table() []line {
	return slices.Concat(serviceLines(), activationLines(), numberLines(), userLines(), resourceAccountLines(), billingLines())
}

// serviceLines: adding a service and joining it to a tenant.
func serviceLines() []line {
	return []line{
		{feature: AddService, section: SectionService, title: "Add the service",
			description: "Sell the customer this kind of service and set it up.",
			with:        both, without: ocOnly, opensAccess: true},
		{feature: HostedApp, section: SectionService, title: "Hosted app",
			description: "Pair with the operator's own app registration, by Grant access.",
			with:        both, without: none, opensAccess: true},
		{feature: TenantAssociation, section: SectionService, title: "Tenant association",
			description: "Join the service to the customer's Microsoft 365 tenant.",
			with:        both, without: ocOnly, opensAccess: true,
			printed: []Source{faq("Service Configuration", "Tenant Association")}},
	}
}

// activationLines: what Direct Routing needs inside the tenant.
func activationLines() []line {
	const a, f = "Service Configuration & Activation", "Service Configuration"
	return []line{
		{feature: FQDNCreation, section: SectionService, title: "SBC domain name",
			description: "Create the FQDN of the SBC within the customer's tenant.",
			with:        drOnly, printed: []Source{appendixA(a, "FQDN creation of SBCs within customers tenant")}},
		{feature: DNSUpdate, section: SectionService, title: "DNS update",
			description: "Write the verification record and the addresses to the operator's DNS zone.",
			with:        drOnly, printed: []Source{appendixA(a, "TCAP DNS Update")}},
		{feature: ValidateDomains, section: SectionService, title: "Validate domains",
			description: "Have Microsoft verify the SBC's domain.",
			with:        drOnly, printed: []Source{appendixA(a, "Validate Domains"), faq(f, "Domain Validation")}},
		{feature: ActivateDomains, section: SectionService, title: "Activate domains",
			description: "Activate the domain with a licensed user or resource account, so that the derived trunk works.",
			with:        drOnly, printed: []Source{appendixA(a, "Activate Domains")}},
		{feature: DialPlans, section: SectionService, title: "Dial plans",
			description: "Create dial plans with their normalisation rules.",
			with:        drOnly, printed: []Source{appendixA(a, "Creation of Dial Plans"), faq(f, "Dial Plans")}},
		{feature: VoiceRoutes, section: SectionService, title: "Voice routes",
			description: "Create PSTN usages, voice routes and voice routing policies.",
			with:        drOnly, printed: []Source{appendixA(a, "Creation of Voice Routes"), faq(f, "Voice Policies")}},
	}
}

// numberLines: numbers need no permission of the customer. The FAQ's "OC
// Only" for them means writing to the tenant; as data they stay allowed.
func numberLines() []line {
	const s = "Number Management"
	return []line{
		{feature: AssignTrunk, section: SectionNumbers, title: "Assign trunk",
			description: "Say which carrier trunk carries a number.",
			with:        both, without: both, writesTenant: drOnly,
			printed: []Source{appendixA(s, "Assign trunk")}},
		{feature: CallerID, section: SectionNumbers, title: "Caller ID",
			description: "Say which number is shown to the called party.",
			with:        both, without: both, writesTenant: drOnly,
			printed: []Source{appendixA(s, "Caller ID")}},
		{feature: NumberRouting, section: SectionNumbers, title: "Number routing",
			description: "Say where calls to and from a number go.",
			with:        both, without: both, writesTenant: drOnly,
			printed: []Source{faq(s, "Routing")}},
		{feature: UsageType, section: SectionNumbers, title: "Usage type",
			description: "Say whether a number is for users, resource accounts or conferencing.",
			with:        ocOnly, without: ocOnly,
			printed: []Source{appendixA(s, "Usage type"), faq(s, "Usage Types")}},
		{feature: UploadNumbers, section: SectionNumbers, title: "Upload numbers",
			description: "Upload numbers to the customer's Teams admin center.",
			with:        ocOnly, without: ocOnly,
			printed: []Source{appendixA(s, "Upload numbers to Teams Admin Center")}},
		{feature: Release, section: SectionNumbers, title: "Release numbers",
			description: "Take numbers from the customer, into quarantine before reuse.",
			with:        both, without: both, writesTenant: drOnly,
			printed: []Source{faq(s, "Release")}},
	}
}

// userLines: everything about users goes through the tenant.
func userLines() []line {
	const s = "User Management"
	return []line{
		{feature: ReadUsers, section: SectionUsers, title: "Read Teams users",
			description: "Read users with their licences, numbers and voice policies, and keep them current.",
			with:        both, printed: []Source{appendixA(s, "Read Teams users"), faq(s, "Read User List from Teams")}},
		{feature: AssignNumbers, section: SectionUsers, title: "Assign numbers to users",
			description: "Give users their number with policy, dial plan and location.",
			with:        both, runbook: true,
			printed: []Source{appendixA(s, "Assign numbers"), faq(s, "Assign/Unassign Numbers")}},
		{feature: UnassignNumbers, section: SectionUsers, title: "Unassign numbers from users",
			description: "Take numbers from users and make them free.",
			with:        both, runbook: true, printed: []Source{faq(s, "Assign/Unassign Numbers")}},
	}
}

// resourceAccountLines: resource accounts and the Builder.
func resourceAccountLines() []line {
	const s, b = "Resource Account Management", "Resource Account Builder"
	return []line{
		{feature: ReadResourceAccounts, section: SectionResourceAccounts, title: "Read resource accounts",
			description: "Read resource accounts with their licences and numbers.",
			with:        both, printed: []Source{faq(s, "Read List from Teams")}},
		{feature: CreateResourceAccounts, section: SectionResourceAccounts, title: "Create resource accounts",
			description: "Create resource accounts for call queues and auto attendants.",
			with:        both, printed: []Source{appendixA(s, "Create resource accounts"), faq(b, "Create Resource Accounts")}},
		{feature: AssignTemplates, section: SectionResourceAccounts, title: "Assign templates",
			description: "Configure a resource account from a call flow template.",
			with:        both, printed: []Source{appendixA(s, "Assign templates")}},
		{feature: AssignResourceAccountNumbers, section: SectionResourceAccounts, title: "Assign numbers to resource accounts",
			description: "Give resource accounts their number.",
			with:        both, runbook: true,
			printed: []Source{appendixA(s, "Assign numbers"), faq(s, "Assign/Unassign Numbers")}},
		{feature: UnassignResourceAccountNumbers, section: SectionResourceAccounts, title: "Unassign numbers from resource accounts",
			description: "Take numbers from resource accounts and make them free.",
			with:        both, runbook: true, printed: []Source{faq(s, "Assign/Unassign Numbers")}},
		{feature: ResourceAccountBuilder, section: SectionResourceAccounts, title: "Resource Account Builder",
			description: "Create call queues, auto attendants and all under them from one form.",
			with:        both, printed: []Source{faq(b, "Create CQ/AA logic")}},
	}
}

// billingLines: active users are counted in the tenant, numbers here. The
// FAQ says of its billing row that it is "NOT applicable to active numbers".
func billingLines() []line {
	return []line{
		{feature: BillingActiveUsers, section: SectionBilling, title: "Active users and resource groups",
			description: "Count the users and resource groups that hold one of our numbers.",
			with:        both, printed: []Source{faq("Billing", "Read active Users/RSG")}},
		{feature: BillingActiveNumbers, section: SectionBilling, title: "Active numbers",
			description: "Count the customer's numbers.",
			with:        both, without: both,
			printed: []Source{faq("Billing", "NOT applicable to active numbers")}},
	}
}
