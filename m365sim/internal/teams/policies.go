package teams

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/teams/telephony"
	"tcap.cloud/m365sim/internal/world"
)

// policies is the collection of a type: GET lists it as a bare array, POST adds to it.
func (c *call) policies() handler {
	k, modelled := policyType(c.path[2])
	switch {
	case !modelled:
		return nil
	case c.r.Method == http.MethodGet:
		return func() (any, error) { return c.listPolicies(k) }
	case c.r.Method == http.MethodPost:
		return func() (any, error) { return c.createPolicy(k) }
	}
	return nil
}

// policy is one instance.
func (c *call) policy() handler {
	k, modelled := policyType(c.path[2])
	name := c.path[len(c.path)-1]
	if !modelled {
		return nil
	}
	switch c.r.Method {
	case http.MethodGet:
		return func() (any, error) { return c.getPolicy(k, name) }
	case http.MethodPut:
		return func() (any, error) { return c.changePolicy(k, name) }
	case http.MethodDelete:
		return func() (any, error) { return c.deletePolicy(k, name) }
	}
	return nil
}

func (c *call) listPolicies(k kind) (any, error) {
	all := []map[string]any{}
	err := c.view(func(t *world.Tenant) error {
		if p, found := findPolicy(t, k, "Global"); found {
			all = append(all, k.show(p))
		}
		for _, p := range t.Policies.All() {
			if p.Type == k.name && p.Name != "Global" {
				all = append(all, k.show(p))
			}
		}
		return nil
	})
	return all, err
}

func missing(k kind, identity string) *problem {
	return refuse(http.StatusNotFound, "NotFound", "Cannot find "+k.name+" with identity '"+identity+"'.")
}

func (c *call) getPolicy(k kind, identity string) (any, error) {
	var m map[string]any
	err := c.view(func(t *world.Tenant) error {
		p, found := findPolicy(t, k, identity)
		if !found {
			return missing(k, identity)
		}
		m = k.show(p)
		return nil
	})
	return m, err
}

// properties reads the body: the properties to set, apart from what only reads back.
func (c *call) properties() (identity string, set map[string]any, err error) {
	if err := json.NewDecoder(c.r.Body).Decode(&set); err != nil || set == nil {
		return "", nil, badRequest("The request body is not a JSON object.")
	}
	for key, v := range set {
		switch strings.ToLower(key) {
		case "identity":
			identity, _ = v.(string)
			delete(set, key)
		case "configid", "configmetadata", "key":
			delete(set, key)
		}
	}
	return identity, set, nil
}

// createPolicy is POST on the collection, the body with Identity (facts/teams-admin.md A1, J6).
func (c *call) createPolicy(k kind) (any, error) {
	identity, set, err := c.properties()
	if err != nil {
		return nil, err
	}
	if identity == "" {
		identity = ownName(set)
	}
	name := bare(identity)
	switch {
	case name == "":
		return nil, badRequest("Identity is required.")
	case k.only:
		return nil, badRequest("Only the Global instance of " + k.name + " exists.")
	}
	p := furnished(world.Policy{Type: k.name, Name: name, ID: c.w.NewID(), Props: set})
	return true, c.update(func(t *world.Tenant) error {
		if _, exists := findPolicy(t, k, name); exists {
			return refuse(http.StatusConflict, "Conflict", k.name+" '"+identity+"' already exists.")
		}
		if err := check(t, p); err != nil {
			return err
		}
		t.Policies.Put(world.PolicyKey(k.name, name), p)
		return nil
	})
}

// ownName: a route may come with Name, a gateway with Fqdn instead of Identity (facts/teams-admin.md section B).
func ownName(set map[string]any) string {
	for _, key := range []string{"Name", "Fqdn"} {
		if name, isText := set[key].(string); isText {
			return name
		}
	}
	return ""
}

// changePolicy merges the given properties into the instance: what is absent stays as it was.
func (c *call) changePolicy(k kind, identity string) (any, error) {
	_, set, err := c.properties()
	if err != nil {
		return nil, err
	}
	fresh := c.w.NewID()
	return true, c.update(func(t *world.Tenant) error {
		p, found := findPolicy(t, k, identity)
		if !found {
			return missing(k, identity)
		}
		if p.ID == "" {
			p.ID = fresh
		}
		p.Props = merge(p.Props, set)
		if err := check(t, p); err != nil {
			return err
		}
		t.Policies.Put(world.PolicyKey(k.name, p.Name), p)
		return nil
	})
}

// merge makes a new map: the old one is shared with whoever reads the world. Names match whatever their letter case.
func merge(old, set map[string]any) map[string]any {
	merged := make(map[string]any, len(old)+len(set))
	for key, v := range old {
		merged[key] = v
	}
	for key, v := range set {
		for known := range old {
			if strings.EqualFold(known, key) {
				key = known
			}
		}
		merged[key] = v
	}
	return merged
}

// deletePolicy: Global goes back to its defaults; one that is granted to somebody stays.
func (c *call) deletePolicy(k kind, identity string) (any, error) {
	later := c.w.Now().Add(time.Hour) // a grant that does not show yet counts too
	return true, c.update(func(t *world.Tenant) error {
		p, found := findPolicy(t, k, identity)
		if !found {
			return missing(k, identity)
		}
		if p.Name != "Global" && k.perUser {
			for _, u := range t.Users.All() {
				if telephony.VisiblePolicies(u, later)[k.name] == p.Name {
					return badRequest(`The policy "` + p.Name + `" is currently assigned to one or more users or groups. Ensure policy is not assigned before removing.`)
				}
			}
		}
		t.Policies.Delete(world.PolicyKey(k.name, p.Name))
		return nil
	})
}
