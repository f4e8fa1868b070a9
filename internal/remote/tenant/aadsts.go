package tenant

import "slices"

// SignInRule is one row of what Entra ID's sign-in may answer.
type SignInRule struct {
	// Codes are the AADSTS numbers that mean this.
	Codes []int
	// Class is what it means when the application itself signs in.
	Class Class
	// Interactive is what it means while a person signs in or consents; empty means the same.
	Interactive Class
	// Code is our short word.
	Code string
	// Title and Remedy say it to people.
	Title, Remedy string
}

// signInRules is facts/entra.md §2.3 as data (Microsoft's page: "Microsoft Entra authentication and authorization error codes").
// A tenant is thought lost only by rows of class access-lost and config; Microsoft may change its codes at any time, so an unknown one
// falls by its `error` word and status (signInFallback).
var signInRules = []SignInRule{
	{[]int{700016}, AccessLost, Config, "app-missing", "The application is not in the tenant", "An administrator of the customer grants access again; at the first pairing check tenant and cloud."},
	{[]int{7000112}, AccessLost, "", "app-disabled", "The application is disabled in the tenant", "An administrator of the customer enables the enterprise application again."},
	{[]int{7000113, 7000114}, Ours, "", "on-behalf-of-refused", "The application may not act on behalf of another", "Report it: the request should not have been made."},
	{[]int{7000215}, Config, "", "secret-wrong", "The client secret is wrong", "The owner of the registration makes a new secret and enters its value, not its ID."},
	{[]int{7000216, 7000218}, Ours, "", "secret-not-sent", "No client secret was sent", "Report it: the request went out without its credential."},
	{[]int{7000222}, Config, "", "secret-expired", "All client secrets have expired", "The owner of the registration makes a new secret and enters its value."},
	{[]int{700027}, Config, "", "certificate-refused", "The certificate is not the registered one", "The owner of the registration uploads the certificate that is in use, or a new pair."},
	{[]int{700024}, Ours, "", "clock-skewed", "The assertion is outside its time", "Check the clock of the server."},
	{[]int{700025}, Config, "", "public-client", "The registration is for a public client", "The owner of the registration lists the redirect address under Web."},
	{[]int{65001}, AccessLost, "", "consent-missing", "Nobody has consented to the application", "An administrator of the customer grants access."},
	{[]int{65004}, User, "", "consent-declined", "Consent was declined", "The administrator starts again and accepts."},
	{[]int{650052, 650054, 650056, 650057}, Config, "", "registration-incomplete", "The registration asks for a service that the tenant or the registration lacks", "The owner of the registration checks its API permissions; the customer checks its subscriptions."},
	{[]int{50001}, Ours, "", "resource-missing", "The service asked for does not exist in the tenant", "Check the customer's cloud."},
	{[]int{500011}, Ours, "", "resource-not-found", "The service asked for is not in the tenant", "Check the customer's cloud."},
	{[]int{500014}, AccessLost, "", "resource-disabled", "The service itself is disabled in the tenant", "An administrator of the customer enables the enterprise application of the service."},
	{[]int{50011, 500113, 900971}, Config, "", "redirect-mismatch", "The redirect address is not registered", "The owner of the registration adds the redirect address, letter by letter."},
	{[]int{50012}, Config, "", "authentication-failed", "The application's proof was not accepted", "The owner of the registration checks certificate and secret."},
	{[]int{50020}, User, "", "wrong-directory", "The account belongs to another directory", "The administrator signs in with an account of the customer's own tenant."},
	{[]int{50034}, User, "", "account-unknown", "The account does not exist in the directory", "The administrator signs in with an existing account."},
	{[]int{50053}, User, "", "account-locked", "The account is locked", "The administrator waits, or another administrator unlocks it."},
	{[]int{50055}, User, "", "password-expired", "The password has expired", "The administrator sets a new password."},
	{[]int{50057}, User, "", "account-disabled", "The account is disabled", "Another administrator signs in."},
	{[]int{50076}, User, "", "mfa-needed", "A second factor is needed", "The administrator signs in again."},
	{[]int{50079}, User, "", "mfa-enrolment-needed", "A second factor must be set up", "The administrator signs in again and sets it up."},
	{[]int{50105, 501051}, AccessLost, User, "not-assigned", "The tenant lets only assigned accounts use the application", "An administrator of the customer assigns it, or lifts the assignment requirement."},
	{[]int{50126}, User, "", "password-wrong", "User name or password is wrong", "The administrator signs in again."},
	{[]int{50128, 50059}, Config, "", "tenant-unnamed", "The tenant cannot be told from the request", "Check the tenant's id or domain."},
	{[]int{50194}, Ours, "", "single-tenant-app", "A single-tenant application was used outside its tenant", "Report it: the sign-in must name the tenant."},
	{[]int{50196}, Throttled, "", "loop-detected", "The same request came too often", "Wait; if it stays, report it."},
	{[]int{53000, 530003}, User, "", "device-not-compliant", "Conditional access asks for another device", "The administrator signs in from a managed device."},
	{[]int{53003}, AccessLost, User, "conditional-access", "Conditional access blocks the sign-in", "An administrator of the customer exempts the application, or its addresses, from the policy."},
	{[]int{530032, 530035}, AccessLost, "", "security-policy", "The tenant's security policy blocks the sign-in", "An administrator of the customer exempts the application from the policy."},
	{[]int{90002}, AccessLost, Config, "tenant-missing", "There is no such tenant", "Check the tenant's id and cloud; the tenant may have been deleted."},
	{[]int{900021, 900023}, Config, "", "tenant-malformed", "The tenant's id is malformed", "Check the tenant's id or domain."},
	{[]int{90013}, Ours, "", "input-invalid", "Microsoft could not read the request", "Report it."},
	{[]int{90033, 90006, 90012, 90024, 90090, 50033, 50087}, Transient, "", "sign-in-unavailable", "Microsoft's sign-in is briefly unavailable", "Nothing to do; it is tried again."},
	{[]int{90055}, Throttled, "", "sign-in-throttled", "The tenant's sign-ins are throttled", "Nothing to do; it is tried again, more slowly."},
	{[]int{90094}, User, "", "admin-consent-needed", "An administrator must consent", "Somebody with the right to consent for the organisation starts again."},
	{[]int{90095}, User, "", "consent-requested", "Consent was asked of an administrator", "An administrator of the customer answers the request, then starts again."},
	{[]int{90099}, Config, "", "partner-consent-needed", "The application needs consent before a partner may use it", "An administrator of the customer grants access."},
	{[]int{70011}, Ours, "", "scope-invalid", "The scope asked for is not valid", "Report it."},
	{[]int{70008, 700082, 50173, 70043}, User, "", "sign-in-expired", "The sign-in has expired or was revoked", "The administrator signs in again."},
	{[]int{54005, 700005, 501481, 501491, 50147}, User, "", "sign-in-spent", "The sign-in was used already or belongs to another attempt", "The administrator starts again."},
	{[]int{700054}, Config, "", "id-token-off", "The registration does not issue ID tokens", "The owner of the registration ticks ID tokens under Authentication."},
	{[]int{1002016}, Ours, "", "tls-too-old", "The connection's encryption is too old", "Check what stands between the server and Microsoft."},
	{[]int{900382, 900432, 900383, 90038}, Config, "", "wrong-cloud", "The tenant belongs to another cloud", "Choose the customer's cloud again."},
	{[]int{1000031}, AccessLost, "", "app-unavailable", "The tenant does not let the application in at this time", "An administrator of the customer checks the enterprise application."},
}

// signInFallback answers for a code that has no row. None of it is access-lost for an application: a tenant is lost only by a row.
var signInFallback = []struct {
	word string
	rule SignInRule
}{
	{"invalid_client", SignInRule{nil, Config, "", "credential-refused", "The application's credential was not accepted", "The owner of the registration checks secret and certificate."}},
	{"unauthorized_client", SignInRule{nil, Config, "", "app-not-authorised", "The application may not sign in like this", "The owner of the registration checks it."}},
	{"invalid_grant", SignInRule{nil, Config, User, "grant-refused", "The sign-in was not accepted", "Sign in again; if it stays, check the tenant's policies."}},
	{"interaction_required", SignInRule{nil, Config, User, "interaction-needed", "A person must sign in", "The administrator signs in again."}},
	{"consent_required", SignInRule{nil, Config, User, "consent-needed", "Consent is needed", "An administrator of the customer grants access."}},
	{"login_required", SignInRule{nil, User, "", "login-needed", "A person must sign in", "The administrator signs in again."}},
	{"access_denied", SignInRule{nil, Config, User, "sign-in-denied", "The sign-in was denied", "The administrator starts again and accepts."}},
	{"invalid_tenant", SignInRule{nil, Config, "", "tenant-invalid", "The tenant was not accepted", "Check the tenant's id and cloud."}},
	{"invalid_resource", SignInRule{nil, Config, "", "resource-refused", "The service asked for is not available in the tenant", "Check the customer's cloud and subscriptions."}},
	{"invalid_scope", SignInRule{nil, Ours, "", "scope-refused", "The scope asked for was not accepted", "Report it."}},
	{"unsupported_response_type", SignInRule{nil, Config, "", "response-type-refused", "The registration does not allow this way of signing in", "The owner of the registration ticks ID tokens under Authentication."}},
	{"temporarily_unavailable", SignInRule{nil, Transient, "", "sign-in-unavailable", "Microsoft's sign-in is briefly unavailable", "Nothing to do; it is tried again."}},
	{"server_error", SignInRule{nil, Transient, "", "sign-in-unavailable", "Microsoft's sign-in is briefly unavailable", "Nothing to do; it is tried again."}},
	{"invalid_request", SignInRule{nil, Ours, "", "sign-in-malformed", "Microsoft could not read the request", "Report it."}},
}

// SignInRules are all rows, for documentation and for telling a stored short code in words.
func SignInRules() []SignInRule {
	rules := slices.Clone(signInRules)
	for _, f := range signInFallback {
		rules = append(rules, f.rule)
	}
	return rules
}

// ClassifySignIn finds the row for an answer of Entra ID: by AADSTS numbers first, then by `error` word, then by status. 429 and 5xx
// are never taken for a lasting refusal, whatever they carry.
func ClassifySignIn(codes []int, word string, status int) SignInRule {
	rule, known := signInRow(codes)
	switch {
	case status == 429 && !(known && rule.Class == Throttled):
		return SignInRule{nil, Throttled, "", "sign-in-throttled", "The tenant's sign-ins are throttled", "Nothing to do; it is tried again, more slowly."}
	case status >= 500 && !(known && !rule.Class.Permanent()):
		return SignInRule{nil, Transient, "", "sign-in-unavailable", "Microsoft's sign-in is briefly unavailable", "Nothing to do; it is tried again."}
	case known:
		return rule
	}
	for _, f := range signInFallback {
		if f.word == word {
			return f.rule
		}
	}
	if status == 408 {
		return SignInRule{nil, Transient, "", "sign-in-unavailable", "Microsoft's sign-in is briefly unavailable", "Nothing to do; it is tried again."}
	}
	return SignInRule{nil, Ours, "", "sign-in-unreadable", "Microsoft's answer was not understood", "Report it."}
}

func signInRow(codes []int) (SignInRule, bool) {
	for _, code := range codes {
		for _, rule := range signInRules {
			if slices.Contains(rule.Codes, code) {
				return rule, true
			}
		}
	}
	return SignInRule{}, false
}

// For is the class for the kind of sign-in.
func (r SignInRule) For(interactive bool) Class {
	if interactive && r.Interactive != "" {
		return r.Interactive
	}
	return r.Class
}
