// Package kindtest is a small stand-in for one tenant, for tests of what is written there: who has which number and which
// policies, with answers that can be refused, lost or delayed.
package kindtest

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/remote/tenant"
)

// TenantID of the stand-in.
const TenantID = "contoso-tenant"

const nobody = "00000000-0000-0000-0000-000000000000"

// Fault is what happens to one request instead of a good answer. After: the request is carried out first.
type Fault struct {
	Status int // 0: the connection is cut
	Text   string
	After  bool
}

// Teams is the tenant. Lock Mu to touch the maps while a test runs requests.
type Teams struct {
	Mu       sync.Mutex
	Users    map[string]string            // user id → number
	Numbers  map[string]string            // number → user id; a number not here is not in the inventory
	Types    map[string]string            // number → type
	Grants   map[string]map[string]string // user id → policy type → name
	Policies map[string][]string          // type → names
	Roles    map[string]string            // "<principal>|<template>" → id of the assignment
	Hook     func(r *http.Request) *Fault // asked first for each request; nil: none
	Writes   int

	server *httptest.Server
	door   *tenant.Door
}

// New serves a tenant with these users and Direct Routing numbers, until the test ends.
func New(t testing.TB, users, numbers []string) *Teams {
	t.Helper()
	s := &Teams{Users: map[string]string{}, Numbers: map[string]string{}, Types: map[string]string{}, Grants: map[string]map[string]string{},
		Policies: map[string][]string{}, Roles: map[string]string{}}
	for _, u := range users {
		s.Users[u] = ""
		s.Grants[u] = map[string]string{}
	}
	for _, n := range numbers {
		s.Numbers[n], s.Types[n] = "", "DirectRouting"
	}
	s.server = httptest.NewTLSServer(s)
	t.Cleanup(s.server.Close)
	door, err := tenant.New(tenant.Options{
		Directory:   tenant.Directory{tenant.Global: {Authority: s.server.URL + "/login", Graph: s.server.URL + "/graph", Teams: s.server.URL + "/teams"}},
		Credentials: s, Tokens: s, HTTP: s.server.Client(), Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Budget: tenant.Budget{PerSecond: 1e6, Burst: 1e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.door = door
	return s
}

// App answers a credential that nothing checks.
func (s *Teams) App(context.Context, tenant.Ref) (tenant.Credential, error) {
	return tenant.Credential{AppID: "app", Secret: tenant.NewSecret("hush")}, nil
}

// AppToken answers a token that nothing checks.
func (s *Teams) AppToken(context.Context, tenant.Ref, tenant.Credential, tenant.Resource, bool) (tenant.Token, error) {
	return tenant.Token{Value: tenant.NewSecret("token"), ExpiresAt: time.Now().Add(time.Hour)}, nil
}

// AppTokenFor answers a token that nothing checks.
func (s *Teams) AppTokenFor(context.Context, tenant.Ref, tenant.Credential, tenant.Resource, string) (tenant.Token, error) {
	return tenant.Token{Value: tenant.NewSecret("token"), ExpiresAt: time.Now().Add(time.Hour)}, nil
}

// Session opens the tenant.
func (s *Teams) Session(_ context.Context, customerID string) (*tenant.Session, tenant.Ref, error) {
	ref := tenant.Ref{CustomerID: customerID, TenantID: TenantID, Cloud: tenant.Global}
	return s.door.Session(ref), ref, nil
}

// Held is who has which number now, both as the people and as the inventory say; a test finds them equal or the stand-in is
// broken.
func (s *Teams) Held() map[string]string {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	return maps.Clone(s.Users)
}

// Give sets a person's number as the tenant's own administrator would.
func (s *Teams) Give(user, number string) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.give(user, number)
}

func (s *Teams) give(user, number string) {
	if old := s.Users[user]; old != "" {
		s.Numbers[old] = ""
	}
	if holder := s.Numbers[number]; holder != "" && number != "" {
		s.Users[holder] = ""
	}
	if s.Users[user] = number; number != "" {
		s.Numbers[number] = user
	}
}

// ServeHTTP answers one request.
func (s *Teams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var fault *Fault
	if s.Hook != nil {
		fault = s.Hook(r)
	}
	if fault == nil {
		s.serve(w, r)
		return
	}
	if fault.After {
		s.serve(httptest.NewRecorder(), r)
	}
	if fault.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	answer(w, fault.Status, map[string]any{"error": map[string]string{"code": "Fault", "message": fault.Text}})
}

func (s *Teams) serve(w http.ResponseWriter, r *http.Request) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if r.Method != http.MethodGet {
		s.Writes++
	}
	path, last := strings.TrimPrefix(r.URL.Path, "/teams"), r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case strings.HasPrefix(path, "/graph"):
		s.graph(w, r)
	case strings.HasPrefix(path, "/Teams.User/users/"):
		s.user(w, last)
	case strings.HasSuffix(path, "/telephone-numbers"):
		s.inventory(w)
	case path == "/Skype.TelephoneNumberMgmt/cmdlet/assignments" && r.Method == http.MethodPut:
		s.assign(w, r)
	case strings.HasPrefix(path, "/Skype.TelephoneNumberMgmt/cmdlet/assignments/") && r.Method == http.MethodDelete:
		s.unassign(w, r, last)
	case strings.HasPrefix(path, "/Skype.Policy/users/") && r.Method == http.MethodPut:
		s.grant(w, r, last)
	case strings.HasPrefix(path, "/Skype.Policy/configurations/"):
		list := []map[string]string{}
		for _, name := range s.Policies[last] {
			list = append(list, map[string]string{"Identity": "Tag:" + name})
		}
		answer(w, 200, list)
	default:
		refuse(w, 404, "Not found.")
	}
}

func (s *Teams) user(w http.ResponseWriter, id string) {
	number, ok := s.Users[id]
	if !ok {
		refuse(w, 404, "User was not found.")
		return
	}
	line := any(nil)
	if number != "" {
		line = "tel:" + number
	}
	policies := []map[string]any{}
	for typ, name := range s.Grants[id] {
		policies = append(policies, map[string]any{"policyType": typ, "policyAssignment": map[string]string{"assignmentType": "direct", "displayName": name}})
	}
	answer(w, 200, map[string]any{"objectId": id, "lineUri": line, "effectivePolicyAssignments": policies})
}

func (s *Teams) inventory(w http.ResponseWriter) {
	list := []map[string]string{}
	for n, holder := range s.Numbers {
		if holder == "" {
			holder = nobody
		}
		list = append(list, map[string]string{"TelephoneNumber": n, "NumberType": s.Types[n], "TargetId": holder})
	}
	answer(w, 200, map[string]any{"TelephoneNumbers": list})
}

// assign refuses as facts/teams-admin.md F says.
func (s *Teams) assign(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	user, number := q.Get("Identity"), q.Get("PhoneNumber")
	holder, known := s.Numbers[number]
	_, exists := s.Users[user]
	switch {
	case !exists:
		refuse(w, 404, "User was not found.")
	case !known || s.Types[number] != q.Get("PhoneNumberType"):
		refuse(w, 400, "Telephone Number '"+number+"' is not found from tenant 'contoso'")
	case holder != "" && holder != user:
		refuse(w, 400, "Telephone Number '"+number+"' has already been assigned to another user")
	default:
		s.give(user, number)
		answer(w, 200, "")
	}
}

func (s *Teams) unassign(w http.ResponseWriter, r *http.Request, user string) {
	number := r.URL.Query().Get("PhoneNumber")
	if s.Numbers[number] != user || number == "" {
		refuse(w, 400, "Telephone Number '"+number+"' is not assigned to the user.")
		return
	}
	s.give(user, "")
	answer(w, 200, true)
}

func (s *Teams) grant(w http.ResponseWriter, r *http.Request, user string) {
	var body struct {
		PolicyType string
		PolicyName *string
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || s.Grants[user] == nil {
		refuse(w, 404, "User was not found.")
		return
	}
	if body.PolicyName == nil || *body.PolicyName == "" {
		delete(s.Grants[user], body.PolicyType)
		answer(w, 200, "")
		return
	}
	for _, name := range s.Policies[body.PolicyType] {
		if strings.EqualFold(name, *body.PolicyName) {
			s.Grants[user][body.PolicyType] = name
			answer(w, 200, "")
			return
		}
	}
	refuse(w, 400, "Policy is not a user policy.")
}

// graph keeps role assignments (facts/entra.md 1.5).
func (s *Teams) graph(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet:
		list := []map[string]string{}
		for key, id := range s.Roles {
			principal, template, _ := strings.Cut(key, "|")
			if strings.Contains(r.URL.Query().Get("$filter"), "'"+principal+"'") {
				list = append(list, map[string]string{"id": id, "principalId": principal, "roleDefinitionId": template, "directoryScopeId": "/"})
			}
		}
		answer(w, 200, map[string]any{"value": list})
	case r.Method == http.MethodPost:
		var body struct{ PrincipalID, RoleDefinitionID string }
		if json.NewDecoder(r.Body).Decode(&body) != nil {
			refuse(w, 400, "The body is not JSON.")
			return
		}
		key := body.PrincipalID + "|" + body.RoleDefinitionID
		if s.Roles[key] != "" {
			refuse(w, 400, "A conflicting object with one or more of the specified property values is present in the directory.")
			return
		}
		s.Roles[key] = "ra-" + key
		answer(w, 201, map[string]string{"id": s.Roles[key]})
	case r.Method == http.MethodDelete:
		for key, id := range s.Roles {
			if strings.HasSuffix(r.URL.Path, "/"+id) {
				delete(s.Roles, key)
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]any{"error": map[string]string{"code": "BadRequest", "message": text}})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that went away is the test's own doing
}
