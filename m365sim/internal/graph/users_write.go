package graph

import (
	"encoding/json"
	"net/http"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// patchUser changes the named properties only; one bad value changes nothing.
func (c *call) patchUser() (answer, error) {
	var change map[string]json.RawMessage
	if err := c.read(&change); err != nil {
		return answer{}, err
	}
	err := c.update(func(t *world.Tenant) error {
		u, found := t.UserByName(c.args[0])
		if !found {
			return notFound(c.args[0])
		}
		for name, raw := range change {
			if err := setUser(t, &u, name, raw); err != nil {
				return err
			}
		}
		t.Users.Put(u.ID, u)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return noContent()
}

// setUser changes one property. A property that Graph's user has and that is not modelled for writing is 501.
func setUser(t *world.Tenant, u *world.User, name string, raw json.RawMessage) error {
	var target *string
	switch strings.ToLower(name) {
	case "displayname":
		target = &u.DisplayName
	case "givenname":
		target = &u.GivenName
	case "surname":
		target = &u.Surname
	case "department":
		target = &u.Department
	case "jobtitle":
		target = &u.JobTitle
	case "mail":
		target = &u.Mail
	case "accountenabled":
		return readValue(name, raw, &u.AccountEnabled)
	case "usagelocation":
		return setUsageLocation(u, raw)
	case "userprincipalname":
		return setUPN(t, u, raw)
	case "passwordprofile":
		var p struct {
			Password string `json:"password"`
		}
		err := readValue(name, raw, &p)
		u.Password = p.Password
		return err
	case "mailnickname", "@odata.type":
		return nil
	default:
		if _, known := userProperty(t, *u, name); known {
			return unsupported("writing " + name + " of a user")
		}
		return badRequest("Property '%s' does not exist as a declared property or extension property.", name)
	}
	if string(raw) == "null" {
		*target = ""
		return nil
	}
	return readValue(name, raw, target)
}

func readValue(name string, raw json.RawMessage, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return badRequest("Invalid value specified for property '%s' of resource 'User'.", name)
	}
	return nil
}

// setUsageLocation takes an ISO 3166 alpha-2 code; null is refused, for a location once set cannot be cleared.
func setUsageLocation(u *world.User, raw json.RawMessage) error {
	var code string
	if err := json.Unmarshal(raw, &code); err != nil || len(code) != 2 || strings.Trim(strings.ToUpper(code), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return badRequest("Invalid value specified for property 'usageLocation' of resource 'User'.")
	}
	u.UsageLocation = strings.ToUpper(code)
	return nil
}

// setUPN takes a name on a verified domain that nobody else has.
func setUPN(t *world.Tenant, u *world.User, raw json.RawMessage) error {
	var upn string
	if err := readValue("userPrincipalName", raw, &upn); err != nil {
		return err
	}
	_, domain, found := strings.Cut(upn, "@")
	if !found || !verified(t, domain) {
		return badRequest("The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.")
	}
	if other, taken := t.UserByName(upn); taken && other.ID != u.ID {
		return badRequest("Another object with the same value for property userPrincipalName already exists.")
	}
	u.UserPrincipalName = upn
	return nil
}

func verified(t *world.Tenant, domain string) bool {
	for _, d := range t.Domains {
		if d.Verified && strings.EqualFold(d.Name, domain) {
			return true
		}
	}
	return false
}

// createUser asks for what Graph asks for: accountEnabled, displayName, mailNickname, passwordProfile, userPrincipalName.
func (c *call) createUser() (answer, error) {
	var given map[string]json.RawMessage
	if err := c.read(&given); err != nil {
		return answer{}, err
	}
	for _, name := range []string{"accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"} {
		if _, there := given[name]; !there {
			return answer{}, badRequest("A value is required for property '%s' of resource 'User'.", name)
		}
	}
	u := world.User{ID: c.w.NewID(), UserType: "Member", CreatedAt: c.w.Now()}
	var shown map[string]any
	err := c.update(func(t *world.Tenant) error {
		for name, raw := range given {
			if err := setUser(t, &u, name, raw); err != nil {
				return err
			}
		}
		t.Users.Put(u.ID, u)
		shown = showUser(t, u, usualUserProperties())
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	shown["@odata.context"] = c.context("users/$entity")
	return answer{status: http.StatusCreated, body: shown, header: map[string]string{"Location": c.root + "/users/" + u.ID}}, nil
}

// deleteUser moves the user to the deleted items, where it stays restorable. Roles and numbers stay with its id, as seen
// at Microsoft (facts/teams-admin.md section F: deleted but assigned numbers).
func (c *call) deleteUser() (answer, error) {
	now := c.w.Now()
	err := c.update(func(t *world.Tenant) error {
		u, found := t.UserByName(c.args[0])
		if !found {
			return notFound(c.args[0])
		}
		u.DeletedAt = now
		t.Users.Delete(u.ID)
		t.DeletedUsers.Put(u.ID, u)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return noContent()
}
