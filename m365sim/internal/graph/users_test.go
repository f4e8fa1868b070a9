package graph_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"tcap.cloud/m365sim/internal/world"
)

func ids(items []map[string]any) []string {
	var all []string
	for _, m := range items {
		all = append(all, m["id"].(string))
	}
	return all
}

func TestUsersComeInPagesWithoutLossOrRepetition(t *testing.T) {
	t.Parallel()
	l := newLab(t, 250)
	bearer := l.app("User.Read.All")
	all, _ := l.follow("/users?$top=40&$select=id", bearer)
	got := ids(all)
	slices.Sort(got)
	if len(slices.Compact(got)) != 250 {
		t.Fatalf("have %d different users of 250", len(slices.Compact(got)))
	}
	if n := len(l.get("/users", bearer).items()); n != 100 {
		t.Fatalf("the standard page is 100, have %d", n)
	}
	if n := len(l.get("/users?$top=999", bearer).items()); n != 250 {
		t.Fatalf("have %d", n)
	}
	l.want(l.get("/users?$top=1000", bearer), 400, "Request_BadRequest")
	l.want(l.get("/users?$top=0", bearer), 400, "Request_BadRequest")
	l.want(l.get("/users?$skiptoken=junk", bearer), 400, "")
}

func TestPagingSurvivesADeletion(t *testing.T) {
	t.Parallel()
	l := newLab(t, 30)
	bearer := l.app("User.Read.All")
	first := l.get("/users?$top=10&$select=id", bearer)
	seen := ids(first.items())
	l.change(func(t *world.Tenant) { t.Users.Delete(seen[9]); t.Users.Delete(seen[2]) })
	rest, _ := l.follow(first.text1("@odata.nextLink"), bearer)
	seen = append(seen, ids(rest)...)
	slices.Sort(seen)
	if n := len(slices.Compact(seen)); n != 30 {
		t.Fatalf("a deletion between pages lost users: %d of 30 seen", n)
	}
}

func TestSelectGivesWhatIsNamedAndRefusesWhatIsUnknown(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	bearer := l.app("User.Read.All")
	m := l.get("/users?$select=id,usageLocation,assignedLicenses,assignedPlans,licenseAssignmentStates,accountEnabled", bearer).items()[0]
	if len(m) != 6 || m["accountEnabled"] != true {
		t.Fatalf("have %v", m)
	}
	usual := l.get("/users/"+l.user.ID, bearer).body
	if _, has := usual["assignedLicenses"]; has || usual["userPrincipalName"] != l.user.UserPrincipalName {
		t.Fatalf("without $select only the usual properties are given: %v", usual)
	}
	l.want(l.get("/users?$select=colour", bearer), 400, "BadRequest")
}

func TestUsersAreFilteredAndCounted(t *testing.T) {
	t.Parallel()
	l := newLab(t, 60)
	l.change(func(t *world.Tenant) { u := l.user; u.AccountEnabled = false; t.Users.Put(u.ID, u) })
	bearer := l.app("User.Read.All")
	upn := l.user.UserPrincipalName
	for filter, want := range map[string]int{
		"userPrincipalName eq '" + strings.ToUpper(upn) + "'":                         1,
		"startswith(userPrincipalName,'" + upn + "')":                                 1,
		"accountEnabled eq false":                                                     1,
		"accountEnabled eq true":                                                      59,
		"accountEnabled eq true and userPrincipalName eq '" + upn + "'":               0,
		"accountEnabled eq false or userPrincipalName eq 'admin@" + l.domain + "'":    2,
		"userPrincipalName ge '" + upn + "' and userPrincipalName lt '" + upn + "~'":  1,
		"not(accountEnabled eq false)":                                                59,
		"userPrincipalName in ('" + upn + "','x''y')":                                 1,
		"endswith(userPrincipalName,'@" + l.domain + "') and department eq 'Nowhere'": 0,
	} {
		r := l.get("/users?$top=999&$count=true&$select=id&$filter="+url.QueryEscape(filter), bearer, "ConsistencyLevel", "eventual")
		l.want(r, 200, "")
		if len(r.items()) != want || r.body["@odata.count"] != float64(want) {
			t.Errorf("%s: have %d, count %v, want %d", filter, len(r.items()), r.body["@odata.count"], want)
		}
	}
	if _, counted := l.get("/users?$count=true", bearer).body["@odata.count"]; counted {
		t.Error("without ConsistencyLevel nothing is counted")
	}
	l.want(l.get("/users?$filter=frobnicate", bearer), 501, "NotModelled")
	l.want(l.get("/users/$count", bearer), 400, "")
	if r := l.get("/users/$count", bearer, "ConsistencyLevel", "eventual"); r.text != "60" {
		t.Errorf("have %q", r.text)
	}
	l.want(l.get(`/users?$search="displayName:a"`, bearer), 400, "Request_UnsupportedQuery")
	found := l.get(`/users?$search="userPrincipalName:`+url.QueryEscape(upn)+`"`, bearer, "ConsistencyLevel", "eventual")
	if len(found.items()) != 1 {
		t.Errorf("search: %s", found.text)
	}
}

func TestAUserIsChangedOrRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	bearer := l.app("User.ReadWrite.All")
	path := "/users/" + l.user.UserPrincipalName
	l.want(l.do("PATCH", path, bearer, `{"usageLocation":"nz","accountEnabled":false,"displayName":"New Name"}`), 204, "")
	got := l.get(path+"?$select=usageLocation,accountEnabled,displayName", bearer).body
	if got["usageLocation"] != "NZ" || got["accountEnabled"] != false || got["displayName"] != "New Name" {
		t.Fatalf("have %v", got)
	}
	for _, bad := range []string{`{"displayName":"X","usageLocation":"AUS"}`, `{"displayName":"X","usageLocation":null}`, `{"displayName":"X","colour":"red"}`, `{"displayName":"X","accountEnabled":"yes"}`,
		`{"displayName":"X","userPrincipalName":"x@fabrikam.example"}`, `{"displayName":"X","userPrincipalName":"` + l.admin.UserPrincipalName + `"}`, `not json`} {
		l.want(l.do("PATCH", path, bearer, bad), 400, "Request_BadRequest")
	}
	if got := l.get(path, bearer).body["displayName"]; got != "New Name" {
		t.Fatalf("a refused change left %v behind", got)
	}
	l.want(l.do("PATCH", "/users/nobody", bearer, `{}`), 404, "Request_ResourceNotFound")
	l.want(l.do("PATCH", path, l.app("User.Read.All"), `{}`), 403, "Authorization_RequestDenied")
}

func TestUsersAreMadeAndDeleted(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	bearer := l.app("User.ReadWrite.All")
	upn := "activation@" + l.domain
	body := `{"accountEnabled":true,"displayName":"Activation","mailNickname":"activation","passwordProfile":{"password":"Pw-12345!"},"usageLocation":"AU","userPrincipalName":"` + upn + `"}`
	l.want(l.do("POST", "/users", bearer, `{"displayName":"No name"}`), 400, "Request_BadRequest")
	made := l.do("POST", "/users", bearer, body)
	l.want(made, 201, "")
	l.want(l.do("POST", "/users", bearer, body), 400, "Request_BadRequest")
	l.want(l.do("DELETE", "/users/"+upn, l.app("User.Read.All"), ""), 403, "")
	l.want(l.do("DELETE", "/users/"+upn, bearer, ""), 204, "")
	l.want(l.get("/users/"+upn, bearer), 404, "")
	l.view(func(tn *world.Tenant) {
		if _, kept := tn.DeletedUsers.Get(made.body["id"].(string)); !kept {
			t.Error("a deleted user stays restorable")
		}
	})
}

func TestCallsTellTheirCost(t *testing.T) {
	t.Parallel()
	l := newLab(t, 3)
	bearer := l.app("User.Read.All", "Organization.Read.All")
	for path, want := range map[string]string{
		"/users": "2", "/users?$select=id": "1", "/users?$top=5&$select=id": "1", "/users?$top=100": "2",
		"/subscribedSkus": "3", "/subscribedSkus?$select=skuId": "2", "/organization": "1",
	} {
		if got := l.get(path, bearer).header.Get("x-ms-resource-unit"); got != want {
			t.Errorf("%s costs %s, have %s", path, want, got)
		}
	}
}
