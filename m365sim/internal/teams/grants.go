package teams

import (
	"encoding/json"
	"hash/fnv"
	"net/http"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/teams/telephony"
	"tcap.cloud/m365sim/internal/world"
)

// grant is PUT /Skype.Policy/users/{user} (facts/teams-admin.md A2, J6): a name grants, null or empty takes the direct
// grant away, and an absent PolicyName is an error.
func (c *call) grant() (any, error) {
	var body map[string]json.RawMessage
	if err := json.NewDecoder(c.r.Body).Decode(&body); err != nil {
		return nil, badRequest("The request body is not valid JSON.")
	}
	typ, _, err := text(body, "PolicyType")
	if err != nil {
		return nil, err
	}
	name, given, err := text(body, "PolicyName")
	if err != nil {
		return nil, err
	}
	if typ == "" || !given {
		return nil, badRequest("PolicyType and PolicyName are required.")
	}
	known, modelled := policyType(typ)
	if !modelled || !known.perUser {
		return nil, badRequest("Policy type '" + typ + "' cannot be granted to a user.")
	}
	now := c.w.Now()
	return "", c.update(func(t *world.Tenant) error {
		u, found := telephony.FindAccount(t, c.path[2])
		if !found {
			return refuse(http.StatusNotFound, "NotFound", "User '"+c.path[2]+"' was not found.")
		}
		granted := ""
		if name != "" {
			p, found := findPolicy(t, known, name)
			if !found || p.Name == "Global" {
				return badRequest(`Policy "` + name + `" is not a user policy. You can assign only a user policy to a specific user.`)
			}
			granted = p.Name
		}
		u = telephony.Grant(u, known.name, granted, now, now.Add(c.delay(u.ID, known.name)))
		t.Users.Put(u.ID, u)
		return nil
	})
}

// delay spreads grants over 30 to 45 s, the same for the same user and type, so that tests repeat.
func (c *call) delay(user, typ string) time.Duration {
	if c.opt.GrantDelay != 0 {
		return max(c.opt.GrantDelay, 0)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(user + typ)) // a hash never fails
	return 30*time.Second + time.Duration(h.Sum32()%15001)*time.Millisecond
}

// text reads a string property whatever the letter case of its name; null is "", and given tells it from an absent one.
func text(body map[string]json.RawMessage, name string) (value string, given bool, err error) {
	for key, raw := range body {
		if !strings.EqualFold(key, name) {
			continue
		}
		if string(raw) == "null" {
			return "", true, nil
		}
		if err := json.Unmarshal(raw, &value); err != nil {
			return "", true, badRequest(name + " must be a string.")
		}
		return value, true, nil
	}
	return "", false, nil
}
