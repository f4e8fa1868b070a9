package graph

import (
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/teams/telephony"
	"tcap.cloud/m365sim/internal/world"
)

// usualUserProperties are those Graph gives without $select.
func usualUserProperties() []string {
	return []string{"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
		"preferredLanguage", "surname", "userPrincipalName", "id"}
}

// userProperty is one property of a user; ok is false where Graph's user has none of this name. Properties that exist and
// that the simulator keeps nothing for are null.
func userProperty(t *world.Tenant, u world.User, name string) (value any, ok bool) {
	switch strings.ToLower(name) {
	case "id":
		return u.ID, true
	case "userprincipalname":
		return u.UserPrincipalName, true
	case "displayname":
		return orNull(u.DisplayName), true
	case "givenname":
		return orNull(u.GivenName), true
	case "surname":
		return orNull(u.Surname), true
	case "mail":
		return orNull(u.Mail), true
	case "mailnickname":
		nick, _, _ := strings.Cut(u.UserPrincipalName, "@")
		return nick, true
	case "accountenabled":
		return u.AccountEnabled, true
	case "usagelocation":
		return orNull(u.UsageLocation), true
	case "department":
		return orNull(u.Department), true
	case "jobtitle":
		return orNull(u.JobTitle), true
	case "usertype":
		return u.UserType, true
	case "createddatetime":
		return stamp(u.CreatedAt), true
	case "deleteddatetime":
		return stamp(u.DeletedAt), true
	}
	return derivedUserProperty(t, u, name)
}

// derivedUserProperty: what follows from the licences, and what is always the same.
func derivedUserProperty(t *world.Tenant, u world.User, name string) (any, bool) {
	switch strings.ToLower(name) {
	case "assignedlicenses":
		return assignedLicences(u), true
	case "assignedplans":
		return assignedPlans(t, u), true
	case "provisionedplans":
		return provisionedPlans(t, u), true
	case "licenseassignmentstates":
		return assignmentStates(u), true
	case "isresourceaccount":
		if telephony.IsResourceAccount(telephony.EnabledPlans(t, u)) {
			return true, true
		}
		return nil, true
	case "businessphones", "proxyaddresses", "othermails":
		return []string{}, true
	case "mobilephone", "officelocation", "preferredlanguage", "city", "country", "state", "streetaddress", "postalcode", "companyname",
		"employeeid", "externaluserstate", "onpremisessyncenabled", "onpremisesimmutableid", "onpremiseslastsyncdatetime",
		"onpremisessamaccountname", "onpremisesdistinguishedname", "passwordprofile", "signinsessionsvalidfromdatetime":
		return nil, true
	}
	return nil, false
}

// showUser is the user with the named properties, spelt as they were asked for.
func showUser(t *world.Tenant, u world.User, names []string) map[string]any {
	m := make(map[string]any, len(names))
	for _, name := range names {
		if v, known := userProperty(t, u, name); known {
			m[name] = v
		}
	}
	return m
}

// userSelection is what to show of users. A name that is no property of a user is refused as Graph does.
func (c *call) userSelection() ([]string, error) {
	names := c.selection()
	if len(names) == 0 {
		return usualUserProperties(), nil
	}
	if _, err := checkUserNames(names); err != nil {
		return nil, err
	}
	return names, nil
}

func checkUserNames(names []string) ([]string, error) {
	for _, name := range names {
		if _, known := userProperty(&world.Tenant{}, world.User{}, name); !known {
			return nil, refuse(400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '"+name+"' on type 'microsoft.graph.user'.")
		}
	}
	return names, nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// stamp is a time as the directory writes it: UTC, whole seconds; null for none.
func stamp(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format("2006-01-02T15:04:05Z")
}
