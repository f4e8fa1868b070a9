// Package m365sim is Microsoft 365 on a desk: Entra ID, Microsoft Graph and the Teams administration API in one
// http.Handler, for demonstrations, rehearsals and tests. It keeps what it is told, enforces what Microsoft enforces, and
// answers 501, naming the route, to what it does not model.
//
// # Addresses
//
// A Host header with one of Microsoft's names tells service and cloud. Otherwise the first path segment does: /login, /graph,
// /teams and /operator are stripped; any other is a tenant of the login service, because Microsoft's libraries take the first
// segment of an authority as the tenant. Issuers carry the address the caller used, with /login when it used that;
// over plain HTTP they carry Options.BaseURL, else the address Serve listens on. /_sim is the control interface on every name.
//
// # Chosen without proof
//
// What no source says, chosen once. The packages of the services list theirs in their own doc comments.
//
//   - Only a verified domain finds a tenant; a deleted tenant is gone for good, and its initial domain stays taken.
//   - A deleted service principal keeps its grants and directory roles: they are good again when it is restored. A new
//     consent makes another service principal, without them.
//   - Deleting a user keeps number, licences and roles for a restoration. Taking a licence away leaves the number.
//   - A Direct Routing number that is taken from somebody stays in the tenant's inventory, unassigned.
//   - Lifting conditional access without naming an application also ends the demand for a second factor.
//   - Three signing keys are published at most; one set serves all tenants and clouds.
//   - Generated tenants: 90 % of users in Australia, 7 % in New Zealand, 3 % without a usage location; of those without Teams
//     Phone 80 % hold a product with Teams. The cloud of 21Vianet has the worldwide product names.
//   - 429 by a fault says Retry-After: 10 unless told otherwise. Faults' bodies are worded as the service words its errors.
//
// # Faults
//
// Faults concern the calls of a tenant: the one in the path of the login service, the tid of the bearer token elsewhere.
// They happen in the order they were made, until one of them ends the call. In a path glob * is any run of characters,
// slashes too, and the case does not matter; the path is tried with and without the service's prefix. lost-response and
// truncate happen after the call was done. stale-read gives the last remembered 200 to the same GET again, whoever asks; 256
// answers of 256 KiB at most are remembered, not over a restart, and a GET that is not remembered is done. A call held before
// it is done whose client goes away is not done; one held after keeps its effect. Calls made by POST /_sim/consent and the
// control interface are in no journal and know no faults.
//
// # Not modelled
//
// Operator Connect, DNS, voice routes changed by an administrator, call queues, auto attendants, schedules, resource accounts
// as the control interface's state lists them, snapshot and restore of the world.
package m365sim
