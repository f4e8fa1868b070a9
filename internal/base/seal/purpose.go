package seal

import (
	"fmt"
	"slices"
)

// Purpose says what a sealed value is for. Only declared purposes can be
// sealed or opened.
type Purpose string

// The declared purposes.
const (
	// AuthorizationCode is what Microsoft's sign-in hands the callback; the web
	// role receives it and cannot redeem it.
	AuthorizationCode Purpose = "authorization-code"
	// PKCEVerifier is the proof key (RFC 7636) that belongs to one code.
	PKCEVerifier Purpose = "pkce-verifier"
	// DelegatedToken is an administrator's token, kept for one operation.
	DelegatedToken Purpose = "delegated-token"
	// ClientSecret is a custom app's credential: the secret's value, or the
	// private key of its certificate.
	ClientSecret Purpose = "client-secret"
	// ServiceAccountPassword is the password of the legacy service account.
	ServiceAccountPassword Purpose = "service-account-password"
)

// The jobs that open secrets, by the names Opener.For takes.
const (
	// JobRedeemConsent redeems the code that came with a consent callback.
	JobRedeemConsent = "redeem-consent"
	// JobAdministratorStep does what only a signed-in administrator may do:
	// placing roles, adding and verifying a domain, Migrate.
	JobAdministratorStep = "administrator-step"
	// JobTenantSession obtains app-only tokens for a tenant.
	JobTenantSession = "tenant-session"
	// JobCreateResourceAccount creates resource accounts where the tenant
	// refuses the app; nothing else may use the service account (S9.3).
	JobCreateResourceAccount = "create-resource-account"
)

// rule is one line of the declared list: which jobs may open a purpose, and
// which parts of the binding must be known when it is sealed.
type rule struct {
	purpose     Purpose
	jobs        []string
	needsTenant bool
	needsApp    bool
}

// rules is the list. A code and its verifier may be sealed before the tenant
// is known, as the tenant is read from the redeemed token (S1.5).
func rules() []rule {
	return []rule{
		{purpose: AuthorizationCode, jobs: []string{JobRedeemConsent}, needsApp: true},
		{purpose: PKCEVerifier, jobs: []string{JobRedeemConsent}, needsApp: true},
		{purpose: DelegatedToken, jobs: []string{JobAdministratorStep}, needsApp: true, needsTenant: true},
		{purpose: ClientSecret, jobs: []string{JobTenantSession}, needsApp: true},
		{purpose: ServiceAccountPassword, jobs: []string{JobCreateResourceAccount}},
	}
}

// Purposes lists what can be sealed, for tcap key and the doctor.
func Purposes() []Purpose {
	var all []Purpose
	for _, r := range rules() {
		all = append(all, r.purpose)
	}
	return all
}

// JobsFor lists the jobs that may open a purpose; none for an undeclared one.
func JobsFor(p Purpose) []string {
	r, _ := ruleFor(p)
	return r.jobs
}

// ruleFor finds the line of the list for a purpose.
func ruleFor(p Purpose) (rule, bool) {
	all := rules()
	i := slices.IndexFunc(all, func(r rule) bool { return r.purpose == p })
	if i < 0 {
		return rule{}, false
	}
	return all[i], true
}

// Opener opens sealed values for one named job and refuses every purpose the
// list does not give to that job. The zero Opener opens nothing: it is what
// the web role holds.
type Opener struct {
	identity *Identity
	job      string
}

// NewOpener makes an Opener that opens nothing until For names the job.
func NewOpener(identity *Identity) Opener { return Opener{identity: identity} }

// For gives the Opener of a job. A job that the list does not know gets an
// Opener that refuses everything.
func (o Opener) For(job string) Opener {
	o.job = job
	return o
}

// Open opens a sealed value. Besides the errors of Identity.Open it answers
// ErrForbidden where the job may not open this purpose and ErrNoIdentity
// where this process holds no identity.
func (o Opener) Open(sealed Sealed, b Binding) (Secret, error) {
	if o.identity == nil {
		return Secret{}, ErrNoIdentity
	}
	if o.job == "" || !slices.Contains(JobsFor(b.Purpose), o.job) {
		return Secret{}, fmt.Errorf("opening a value of purpose %q for job %q: %w", b.Purpose, o.job, ErrForbidden)
	}
	return o.identity.Open(sealed, b)
}
