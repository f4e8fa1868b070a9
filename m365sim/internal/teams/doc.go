// Package teams serves the Teams administration REST API (the one behind the MicrosoftTeams module and the Teams admin
// centre, facts/teams-admin.md A and J): tenant and users as Teams sees them, the telephone-number inventory, giving and
// taking numbers, policy instances, and grants of policies to users. Everything else answers 501 NotModelled.
//
// Every call asks for a token for the API and, in the tenant now, for Teams Administrator or Global Administrator held by
// the calling principal: else 403 Access Denied.
//
// Chosen without proof (facts/teams-admin.md H):
//   - A number is given by PUT or POST /Skype.TelephoneNumberMgmt/cmdlet/assignments?… and taken by
//     DELETE /Skype.TelephoneNumberMgmt/cmdlet/assignments/{identity}?…; success is 200 with an empty JSON string, and true.
//   - GET …/cmdlet/assignments answers {TelephoneNumbers:[…]} with the column names of Get-CsPhoneNumberAssignment.
//   - Users are paged with top (or pageSize) and skip, or skipToken; nextLink and skipToken lead on.
//   - A second number replaces the first one; a number taken back stays in the inventory, unassigned.
//   - Granting an unknown policy, or Global, is refused with the text of the older cmdlets.
//   - A policy that is granted to somebody cannot be deleted; deleting Global puts its defaults back.
//   - A usage must exist before a route or a policy names it, a gateway's domain must be verified in the tenant (the
//     up to 24 hours of waiting, and the licensed user in the domain, are not modelled).
//   - A policy type whose writes no source proves is written like the others.
//
// Not modelled: grants to groups and to the tenant (501), orders, voice applications, resource accounts, emergency data.
package teams
