package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"
)

// person may sign in at the simulated Microsoft.
type person struct{ UPN, Password string }

// tenant is one in the simulator.
type tenant struct {
	TenantID, Domain string
	GlobalAdmin      person
}

// thing is what the API lists: as much of it as these tests look at.
type thing struct {
	ID, Name, Kind, Status, State, Number, DisplayName, UserPrincipalName string
	WaitingFor                                                            *string
}

type list struct{ Items []thing }

// world is what the pages are shown with: the demo's own, and states that the demo has not.
type world struct {
	wingtip, service, partner string // the customer that works
	pending                   string // the service of one that waits for its administrator
	holder, user              thing  // with a number, without one but licensed
	free, held                string // numbers
	done, failed              string // operations
	stray                     string // a customer for whom a tenant has answered that was not named beforehand
	shrinking, brake          string // a customer whose sync would remove most of its users, and that operation
	key, member               string
}

var made struct {
	once  sync.Once
	world world
	err   error
}

// world answers the ids, making what is missing once.
func (s *stage) world(t *testing.T) world {
	t.Helper()
	made.once.Do(func() { made.err = s.build(&made.world) })
	if made.err != nil {
		t.Fatalf("building what the pages show: %v", made.err)
	}
	return made.world
}

func (s *stage) build(w *world) error {
	return errors.Join(s.lookUp(w), s.strangersTenant(w), s.shrink(w), s.fail(w), s.people(w))
}

// one answers the first thing of a list.
func (s *stage) one(path string) (thing, error) {
	var page list
	if err := s.api.call("GET", path, nil, &page); err != nil {
		return thing{}, err
	}
	if len(page.Items) == 0 {
		return thing{}, fmt.Errorf("%s lists nothing", path)
	}
	return page.Items[0], nil
}

func (s *stage) lookUp(w *world) error {
	customer, err := s.one("/customers?search=Wingtip")
	partner, err2 := s.one("/partners?search=Contoso")
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	w.wingtip, w.partner = customer.ID, partner.ID
	waits, err := s.one("/customers?search=Tailspin")
	if err != nil {
		return err
	}
	pending, err := s.one("/customers/" + waits.ID + "/services")
	if err != nil {
		return err
	}
	w.pending = pending.ID
	service, err := s.one("/customers/" + w.wingtip + "/services")
	holder, err2 := s.one("/customers/" + w.wingtip + "/users?number=has&limit=1")
	user, err3 := s.one("/customers/" + w.wingtip + "/users?status=not-allocated&limit=1")
	free, err4 := s.one("/numbers?state=free&limit=1")
	held, err5 := s.one("/numbers?state=assigned&limit=1")
	done, err6 := s.one("/operations?limit=1&state=succeeded")
	w.service, w.holder, w.user, w.free, w.held, w.done = service.ID, holder, user, free.Number, held.Number, done.ID
	return errors.Join(err, err2, err3, err4, err5, err6)
}

// customer makes one with a Direct Routing service; a tenant id of "" leaves the tenant to whoever consents.
func (s *stage) customer(partner, name, tenantID string) (id, service string, err error) {
	var c, svc thing
	body := map[string]any{"name": name, "partnerId": partner, "cloud": "global", "country": "AU"}
	if tenantID != "" {
		body["tenantId"] = tenantID
	}
	if err := s.api.call("POST", "/customers", body, &c); err != nil {
		return "", "", err
	}
	err = s.api.call("POST", "/customers/"+c.ID+"/services", map[string]any{"kind": "direct-routing", "sync": true}, &svc)
	return c.ID, svc.ID, err
}

func (s *stage) tenant(name string, users int, seed int64) (tenant, error) {
	var made tenant
	err := s.sim.call("POST", "/_sim/tenants", map[string]any{"name": name, "cloud": "global", "users": users, "seed": seed, "licensedShare": 0.9}, &made)
	return made, err
}

// consent plays the administrator's browser to its end.
func (s *stage) consent(service string, who person) error {
	var grant struct{ ConsentURL string }
	if err := s.api.call("POST", "/services/"+service+"/grant-access", map[string]any{}, &grant); err != nil {
		return err
	}
	var reply struct {
		URL  string
		Form map[string]string
	}
	if err := s.sim.call("POST", "/_sim/consent", map[string]any{"authorizeUrl": grant.ConsentURL, "upn": who.UPN, "password": who.Password, "decision": "accept"}, &reply); err != nil {
		return err
	}
	form := url.Values{}
	for k, v := range reply.Form {
		form.Set(k, v)
	}
	return client{}.call("POST", reply.URL, form, nil)
}

// until waits for a status or a state.
func (s *stage) until(path, status string) error {
	return eventually(context.Background(), 60*time.Second, func() (bool, string, error) {
		var it thing
		err := s.api.call("GET", path, nil, &it)
		if it.State == "failed" && status != "failed" {
			return false, "", fmt.Errorf("%s has failed", path)
		}
		return it.Status == status || it.State == status, path + " is " + it.Status + it.State, err
	})
}

// strangersTenant: consent comes from a tenant that nobody named.
func (s *stage) strangersTenant(w *world) error {
	t, err := s.tenant("Alpine Ski House", 12, 21)
	if err != nil {
		return err
	}
	id, service, err := s.customer(w.partner, "Alpine Ski House", "")
	if err != nil {
		return err
	}
	w.stray = id
	return s.consent(service, t.GlobalAdmin)
}

// shrink: most people of a tenant are gone, and the sync that sees it asks before it removes them.
func (s *stage) shrink(w *world) error {
	t, err := s.tenant("Proseware", 60, 22)
	if err != nil {
		return err
	}
	id, service, err := s.customer(w.partner, "Proseware", t.TenantID)
	if err != nil {
		return err
	}
	w.shrinking = id
	if err := errors.Join(s.consent(service, t.GlobalAdmin), s.until("/services/"+service, "active")); err != nil {
		return err
	}
	return eventually(context.Background(), 60*time.Second, func() (bool, string, error) {
		var open list
		if err := s.api.call("GET", "/operations?unfinished=true&customerId="+id, nil, &open); err != nil {
			return false, "", err
		}
		for _, o := range open.Items {
			if o.WaitingFor != nil && *o.WaitingFor == "confirmation" {
				w.brake = o.ID
				return true, "", nil
			}
		}
		if len(open.Items) > 0 {
			return false, fmt.Sprintf("%+v", open.Items), nil
		}
		err := s.sim.call("POST", "/_sim/tenants/"+t.TenantID+"/actions", map[string]any{"action": "delete-users", "count": 50}, nil)
		if err != nil {
			return false, "", err
		}
		return false, "asked for a sync", s.api.call("POST", "/services/"+service+"/resync", map[string]any{}, nil)
	})
}

// fail: somebody is gone from the tenant since the last sync, and is given a number.
func (s *stage) fail(w *world) error {
	t, err := s.tenant("Northwind Traders", 20, 23)
	if err != nil {
		return err
	}
	id, service, err := s.customer(w.partner, "Northwind Traders", t.TenantID)
	if err != nil {
		return err
	}
	if err := errors.Join(s.consent(service, t.GlobalAdmin), s.until("/services/"+service, "active")); err != nil {
		return err
	}
	gone, err := s.one("/customers/" + id + "/users?status=not-allocated&limit=1")
	if err != nil {
		return err
	}
	var op thing
	err = errors.Join(
		s.api.call("POST", "/numbers/import", map[string]any{"customerId": id, "serviceId": service, "numbers": []map[string]string{{"number": "+61255509001"}}}, nil),
		s.sim.call("POST", "/_sim/tenants/"+t.TenantID+"/actions", map[string]any{"action": "delete-user", "upn": gone.UserPrincipalName}, nil),
		s.api.call("PUT", "/customers/"+id+"/users/"+gone.ID+"/number", map[string]any{"number": "+61255509001"}, &op))
	w.failed = op.ID
	return errors.Join(err, s.until("/operations/"+op.ID, "failed"))
}

func (s *stage) people(w *world) error {
	var key, member thing
	err := s.api.call("POST", "/api-keys", map[string]any{"name": "Billing export", "role": "viewer"}, &key)
	err2 := s.api.call("POST", "/members", map[string]any{"email": "robin@fabrikam.example", "name": "Robin", "role": "agent"}, &member)
	w.key, w.member = key.ID, member.ID
	return errors.Join(err, err2)
}
