// Package api is the REST API under /api/v1 (contracts/rest-api.md is its promise to integrators). A handler decodes, asks
// one room of the house and encodes; what may be done and seen is decided below it. Wire types are private to this package.
//
// To add a route: a file for the noun, a method of *api that calls register (or raw) for each, and its name in routes().
// The matrix in matrix_test.go fails until somebody has written down who may use it.
package api
