// Package graph serves the part of Microsoft Graph that the simulator models: organisation, domains, users with delta
// queries, licences, service principals and what was granted to them, directory roles, the telephone numbers under
// /admin/teams, and $batch. Everything else answers 501 NotModelled.
//
// The source of shapes, permissions and costs is contracts/ (graph-v1.0.openapi.yaml, graph-teams-admin.openapi.yaml,
// README.md). Chosen without proof:
//   - Directory.AccessAsUser.All suffices for POST /roleManagement/directory/roleAssignments; Options switches it off.
//   - Every built-in role that the simulator knows counts as activated, so that /directoryRoles lists it.
//   - A directory role counts as long as it is held in the tenant now, not as the token's wids claim says.
//   - What User Administrator and Teams Administrator may read without a permission: access.go.
//   - assignNumber refuses a malformed call at once, and what the rules of Teams refuse by a failed operation.
//   - $count=true without ConsistencyLevel: eventual is ignored; $search without it is refused.
//   - An OData cast (…/microsoft.graph.directoryRole) is served without ConsistencyLevel too.
//   - Application.ReadWrite.OwnedBy does not suffice to write a service principal: ownership is not modelled.
//   - The appRoles of Graph are those the simulator asks for; ids are those of the consent page.
//   - Delta gives all selected properties of a changed user, the unset ones as null.
//   - /admin/teams in a cloud other than global and GCC answers 400 (no such segment): these clouds do not have it.
//
// Not modelled: throttling by cost (the control service can inject 429), $expand, $orderby, groups, applications.
package graph
