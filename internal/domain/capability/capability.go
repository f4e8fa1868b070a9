// Package capability is the sync guide's Appendix A, and its FAQ table "What
// is Sync used for in Teams?", as one executable table. Portal, API and jobs
// ask Check before they offer or do anything, so that all three refuse the
// same things with the same reason and the same remedy.
//
// Two columns exist: with sync and without. A service is in the first only
// while its pairing works; a synced service that waits for consent, is
// degraded, suspended or disconnected stands in the second, where number rows
// stay allowed as data and nothing is written to the tenant.
//
// Where the two sources differ, Appendix A prevails, being the finer: the FAQ
// marks whole groups.
package capability

import "slices"

// Feature is one row of the table.
type Feature string

// The features. The first blocks are Appendix A's rows; those marked FAQ stand
// in the FAQ's table alone; the last two come from what both tables assume.
const (
	FQDNCreation    Feature = "fqdn-creation"
	DNSUpdate       Feature = "dns-update"
	ValidateDomains Feature = "validate-domains"
	ActivateDomains Feature = "activate-domains"
	DialPlans       Feature = "dial-plans"
	VoiceRoutes     Feature = "voice-routes"

	AssignTrunk   Feature = "assign-trunk"
	CallerID      Feature = "caller-id"
	UsageType     Feature = "usage-type"
	UploadNumbers Feature = "upload-numbers"
	NumberRouting Feature = "number-routing"  // FAQ
	Release       Feature = "release-numbers" // FAQ

	ReadUsers       Feature = "read-users"
	AssignNumbers   Feature = "assign-numbers"
	UnassignNumbers Feature = "unassign-numbers" // FAQ

	ReadResourceAccounts           Feature = "read-resource-accounts" // FAQ
	CreateResourceAccounts         Feature = "create-resource-accounts"
	AssignTemplates                Feature = "assign-templates"
	AssignResourceAccountNumbers   Feature = "assign-resource-account-numbers"
	UnassignResourceAccountNumbers Feature = "unassign-resource-account-numbers" // FAQ
	ResourceAccountBuilder         Feature = "resource-account-builder"          // FAQ

	BillingActiveUsers   Feature = "billing-active-users"   // FAQ
	BillingActiveNumbers Feature = "billing-active-numbers" // FAQ

	TenantAssociation Feature = "tenant-association" // FAQ
	AddService        Feature = "add-service"        // "Operating Without Sync"
	HostedApp         Feature = "hosted-app"         // "Supporting GCC High"
)

// Kind is the kind of service.
type Kind string

// The kinds.
const (
	DirectRouting   Kind = "direct-routing"
	OperatorConnect Kind = "operator-connect"
)

// Cloud is the national cloud of the customer's tenant.
type Cloud string

// The clouds. GCC is on the global endpoints.
const (
	Global  Cloud = "global"
	GCC     Cloud = "gcc"
	GCCHigh Cloud = "gcc-high"
	DoD     Cloud = "dod"
	China   Cloud = "china"
)

// State is the status of the service card.
type State string

// The states.
const (
	PendingConsent State = "pending-consent"
	Activating     State = "activating"
	Active         State = "active"
	Degraded       State = "degraded"
	Suspended      State = "suspended"
	Disconnected   State = "disconnected"
)

// Kinds lists the kinds of service.
func Kinds() []Kind { return []Kind{DirectRouting, OperatorConnect} }

// Clouds lists the clouds.
func Clouds() []Cloud { return []Cloud{Global, GCC, GCCHigh, DoD, China} }

// States lists the states in the order in which a service passes them.
func States() []State {
	return []State{PendingConsent, Activating, Active, Degraded, Suspended, Disconnected}
}

// Service is what a decision depends on.
type Service struct {
	// Kind is Direct Routing or Operator Connect.
	Kind Kind
	// Sync is whether the customer has sync turned on.
	Sync bool
	// Cloud is the tenant's cloud.
	Cloud Cloud
	// State counts only with Sync; the zero State is taken as not connected.
	State State
}

// hasAccess reports whether the service stands in the column "with sync".
func (s Service) hasAccess() bool { return s.Sync && s.State == Active }

// known refuses values from outside the table, so that a typing error in a
// caller is never an allowance.
func (s Service) known() bool {
	return slices.Contains(Kinds(), s.Kind) && slices.Contains(Clouds(), s.Cloud) &&
		(s.State == "" || slices.Contains(States(), s.State))
}

// Decision is the table's answer.
type Decision struct {
	// Allowed is whether the feature may be used.
	Allowed bool
	// DataOnly, with Allowed: the change is kept here, and nothing is written
	// to the tenant before access is back.
	DataOnly bool
	// Temporary, with a refusal: it ends when access is back; what people want
	// meanwhile may be kept and applied then.
	Temporary bool
	// Code is the refusal's stable name, Reason its words. Empty when allowed.
	Code   Code
	Reason string
	// Remedy is what to do about a refusal. A card that knows the cause of lost
	// access has a better one and shows that.
	Remedy Remedy
}

// Remedy is a way out of a refusal.
type Remedy struct {
	// Action names the button; empty where no button helps.
	Action Action
	// Label is the button's text, or what to do in words.
	Label string
}

// Check answers whether a service may use a feature. It is pure, and refuses
// what it does not know.
func Check(f Feature, s Service) Decision {
	row, found := find(f)
	switch {
	case !found:
		return refuseUnknownFeature()
	case !s.known():
		return refuseUnknownService()
	case !row.with.has(s.Kind):
		return refuseKind(s.Kind)
	case row.feature == AddService:
		return checkAddService(s)
	case row.feature == HostedApp:
		return checkHostedApp(s)
	case row.opensAccess:
		return checkOpensAccess(row, s)
	case s.hasAccess():
		return Decision{Allowed: true}
	case row.without.has(s.Kind):
		return Decision{Allowed: true, DataOnly: row.writesTenant.has(s.Kind)}
	case !s.Sync:
		return refuseWithoutSync(row, s)
	default:
		return refuseState(s)
	}
}

// checkAddService: Direct Routing is configured inside the tenant, so that it
// cannot be set up without sync ("Operating Without Sync"; S3.1).
func checkAddService(s Service) Decision {
	if s.Kind == DirectRouting && !s.Sync {
		return refuseDirectRoutingSetup()
	}
	return Decision{Allowed: true}
}

// checkHostedApp: the hosted app cannot work in GCC High and DoD ("Custom
// Applications – Supporting GCC High"), and a service without sync pairs no app.
func checkHostedApp(s Service) Decision {
	switch {
	case s.Cloud == GCCHigh || s.Cloud == DoD:
		return refuseHostedApp(s.Cloud)
	case !s.Sync:
		return refusePairing()
	default:
		return Decision{Allowed: true}
	}
}

// checkOpensAccess is for what brings access about: it cannot ask for it.
func checkOpensAccess(row line, s Service) Decision {
	if s.Sync || row.without.has(s.Kind) {
		return Decision{Allowed: true}
	}
	return refuseWithoutSync(row, s)
}
