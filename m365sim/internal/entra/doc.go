// Package entra is the login service of the simulated Microsoft 365: metadata and keys, sign-in and consent pages, the
// authorize, admin-consent and token endpoints (facts/entra.md §1, §2, §5). It refuses what Microsoft refuses, with
// Microsoft's codes.
//
// # Pages
//
// The pages are plain forms, so that a program can play them. Every page has <main data-page="…">:
//
//	sign-in  form method=post action="?"  fields flow (hidden), upn, password; data-code="50126" (50034 …) after a refusal
//	consent  form method=post action="?"  field flow (hidden), buttons name=decision value=accept|accept-for-me|cancel
//	reply    form id=reply method=post action=<redirect URI>, hidden fields: the form_post answer
//	error    a dead end: data-code="50011", the words in the element id="error-text"; HTTP 400
//
// Who may consent for the organisation is offered accept-for-me and accept (admin consent: accept alone), anybody else
// accept-for-me. A form is sent to the address of the page it stands on, without its query. An answer in the query or fragment is a 302.
// After a refusal that the person can mend (wrong password) the sign-in page comes again with status 200.
//
// # Chosen without proof
//
// The order of checks at the token endpoint is tenant, client, service principal, disabled, credential, scope,
// conditional access. A dead-end page has status 400. Interactive sign-in counts as multi-factor when the tenant
// requires it. Asking for /.default shows the consent page only when nothing is granted yet or prompt=consent, as
// Microsoft's description of that scope says; an administrator who then accepts for the organisation grants the
// registration's application permissions too, and a person without such a role is refused (90094) when the registration
// has any. A Graph address of another cloud is refused (500011), so is a tenant on another cloud's login host (90002).
// A code asked for at organizations may be redeemed there or at the person's own tenant. Client credentials at
// organizations are refused (50059). A code verifier without a challenge is refused (501481).
// A refresh token stays usable after it was used, and dies with the person's password (50173). ID tokens carry no wids.
//
// # Not modelled
//
// Device code, on-behalf-of, guests, federated credentials (an assertion of a foreign issuer is refused with 70021),
// personal accounts, lock-out after wrong passwords (50053), continuous access evaluation, the v1 authorize and token
// endpoints.
package entra
