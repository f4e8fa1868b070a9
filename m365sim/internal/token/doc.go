// Package token mints and verifies the JSON Web Tokens of the simulated Microsoft identity platform. They are signed with
// the world's keys and live on the world's clock, so that advancing the clock makes them expire.
//
// Access tokens have the shape of version 1 (issuer https://sts.windows.net/{tid}/), because that is what Microsoft Graph
// and the Teams administration API accept; ID tokens have the shape of version 2 (facts/entra.md §5).
package token
