package teamsadmin

import (
	"net/http"
	"net/url"
	"strconv"

	"tcap.cloud/internal/remote/tenant"
)

// This file alone holds the wire form of number assignment.
//
// Proven (facts/teams-admin.md J1, module 7.7.0): there is no body. To assign, everything is in the query, Identity too; to unassign,
// Identity is a segment of the path and the rest is in the query. The names are PhoneNumber and PhoneNumberType. The answer is a string
// (a warning when it is not empty) or nothing.
//
// Not proven by any public source: the verbs (PUT, DELETE) and the path of both. They are the best guess of J1. In module 5.2 Identity
// was in the path when assigning too.
const assignmentsPath = "/Skype.TelephoneNumberMgmt/cmdlet/assignments"

func assignRequest(a Assignment) *tenant.Request {
	query := url.Values{"Identity": {a.Identity}, "PhoneNumber": {a.TelephoneNumber}, "PhoneNumberType": {string(a.Type)}}
	if a.LocationID != "" {
		query.Set("LocationId", a.LocationID)
	}
	if a.Notify {
		query.Set("Notify", strconv.FormatBool(a.Notify))
	}
	return &tenant.Request{Op: "teams.numbers.assign", Method: http.MethodPut, Path: assignmentsPath, Query: query}
}

func unassignRequest(identity, telephoneNumber string, numberType NumberType) *tenant.Request {
	return &tenant.Request{
		Op: "teams.numbers.unassign", Method: http.MethodDelete, Path: assignmentsPath + "/" + url.PathEscape(identity),
		Query: url.Values{"PhoneNumber": {telephoneNumber}, "PhoneNumberType": {string(numberType)}},
	}
}
