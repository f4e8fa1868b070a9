package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tcap.cloud/internal/door/api"
)

// actors are the columns of the matrix. Those after other-customer are of the first partner, whose things the paths name.
var actors = strings.Fields("nobody operator op-viewer partner other-partner customer other-customer viewer agent sbc billing")

// row says who gets which status of a route. A write is sent with an ETag that does not hold, so that 412 means allowed and
// nothing is changed; 409 is the answer of an action that is allowed and not possible.
type row struct {
	name string // of the route
	body string
	want string // a status for each actor
}

// core are the expectations of this file's nouns; every other file of nouns adds its own to rows.
var core = []row{
	//                                                  none oper opvw part othp cust othc view agnt sbc  bill
	{"get-operator", ``, "                              401  200  200  200  200  200  200  200  200  403  403"},
	{"update-operator", `{"name":"X"}`, "               401  412  403  403  403  403  403  403  403  403  403"},
	{"list-partners", ``, "                             401  200  200  200  200  200  200  200  200  403  403"},
	{"create-partner", `{"name":"Adatum"}`, "           401  201  403  403  403  403  403  403  403  403  403"},
	{"get-partner", ``, "                               401  200  200  200  404  404  404  200  200  403  403"},
	{"update-partner", `{"name":"X"}`, "                401  412  403  403  403  403  403  403  403  403  403"},
	{"delete-partner", ``, "                            401  412  403  403  403  403  403  403  403  403  403"},
	{"list-customers", ``, "                            401  200  200  200  200  200  200  200  200  403  403"},
	{"create-customer", `{"name":"X","partnerId":"{partner}"}`, "401 201 403 201 404 403 403 403 201 403 403"},
	{"get-customer", ``, "                              401  200  200  200  404  200  404  200  200  403  403"},
	{"update-customer", `{"name":"X"}`, "               401  412  403  412  404  412  404  403  412  403  403"},
	{"delete-customer", ``, "                           401  412  403  412  404  403  403  403  412  403  403"},
	{"list-services", ``, "                             401  200  200  200  404  200  404  200  200  403  403"},
	{"create-service", `{"kind":"direct-routing"}`, "   401  409  403  409  404  409  404  403  409  403  403"},
	{"get-service", ``, "                               401  200  200  200  404  200  404  200  200  403  403"},
	{"update-service", `{"sync":true}`, "               401  412  403  412  404  412  404  403  412  403  403"},
	{"delete-service", ``, "                            401  412  403  412  404  412  404  403  412  403  403"},
	{"list-service-capabilities", ``, "                 401  200  200  200  404  200  404  200  200  403  403"},
	{"list-capabilities", ``, "                         401  200  200  200  200  200  200  200  200  403  403"},
	{"list-api-keys", ``, "                             401  200  403  200  200  200  200  403  403  403  403"},
	{"create-api-key", `{"name":"x","role":"viewer"}`, "401  201  403  201  201  201  201  403  403  403  403"},
	{"get-api-key", ``, "                               401  200  403  200  404  404  404  403  403  403  403"},
	{"update-api-key", `{"name":"x"}`, "                401  412  403  412  404  404  404  403  403  403  403"},
	{"revoke-api-key", ``, "                            401  412  403  412  404  404  404  403  403  403  403"},
	{"list-members", ``, "                              401  200  403  200  200  200  200  403  403  403  403"},
	{"create-member", `{"email":"{actor}@wingtip.example","name":"Bo","role":"viewer"}`, "401 201 403 201 201 201 201 403 403 403 403"},
	{"get-member", ``, "                                401  200  403  200  404  404  404  403  403  403  403"},
	{"update-member", `{"name":"x"}`, "                 401  412  403  412  404  404  404  403  403  403  403"},
	{"disable-member", ``, "                            401  412  403  412  404  404  404  403  403  403  403"},
	{"create-sign-in-link", ``, "                       401  201  403  201  404  404  404  403  403  403  403"},
	{"list-operations", ``, "                           401  200  200  200  200  200  200  200  200  403  403"},
	{"get-operation", ``, "                             401  200  200  200  404  200  404  200  200  403  403"},
	{"act-on-operation", `{"action":"undo"}`, "         401  409  403  409  404  409  404  403  409  403  403"},
	{"list-operation-lines", ``, "                      401  200  200  200  404  200  404  200  200  403  403"},
	{"stream-operation", ``, "                          401  200  200  200  404  200  404  200  200  403  403"},
	{"list-audit", ``, "                                401  200  200  200  200  200  200  200  200  403  403"},
	{"verify-audit", ``, "                              401  200  403  403  403  403  403  403  403  403  403"},
}

// rows is the whole table.
func rows() []row { return append(slices.Clone(core), tenantRows...) }

func TestEveryRouteAnswersEachActorAsTheTableSays(t *testing.T) {
	s := sqlite(t)
	s.end(s.operation) // a stream then ends by itself
	table := map[string]row{}
	for _, r := range rows() {
		table[r.name] = r
	}
	for _, route := range api.Routes() {
		if route.Open {
			continue
		}
		r, known := table[route.Name]
		if !known {
			t.Errorf("%s %s (%s) has no row in the matrix: write down who may use it", route.Method, route.Path, route.Name)
			continue
		}
		delete(table, route.Name)
		want := strings.Fields(r.want)
		if len(want) != len(actors) {
			t.Errorf("%s: %d statuses for %d actors", r.name, len(want), len(actors))
			continue
		}
		for i, actor := range actors {
			if got := s.cell(route, r, actor); fmt.Sprint(got.Status) != want[i] {
				t.Errorf("%s as %s: %d, want %s\n%s", r.name, actor, got.Status, want[i], got.Body)
			}
		}
	}
	for name := range table {
		t.Errorf("the matrix has a row for %s, which is no route", name)
	}
}

func (s *stand) cell(route api.Route, r row, actor string) reply {
	s.t.Helper()
	fill := strings.NewReplacer("{partner}", s.partner, "{customer}", s.customer, "{service}", s.service, "{actor}", actor)
	var headers []string
	switch route.Method {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		headers = []string{"If-Match", `"999"`}
	}
	if actor == "nobody" {
		actor = ""
	}
	return s.ask(actor, route.Method, s.path(route.Path), fill.Replace(r.body), headers...)
}

// path names the first partner's things in a route's path.
func (s *stand) path(pattern string) string {
	pattern = strings.NewReplacer("{userId}", somebody, "{e164}", oneNumber).Replace(pattern)
	for prefix, id := range map[string]string{"/partners/": s.partner, "/customers/": s.customer, "/services/": s.service, "/api-keys/": s.key,
		"/members/": s.member, "/operations/": s.operation} {
		if strings.HasPrefix(pattern, prefix) {
			return strings.Replace(pattern, "{id}", id, 1)
		}
	}
	return pattern
}

func TestRoutesAreNamedOnceAndSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range api.Routes() {
		if seen[r.Name] || seen[r.Method+r.Path] {
			t.Errorf("%s %s (%s) is there twice", r.Method, r.Path, r.Name)
		}
		seen[r.Name], seen[r.Method+r.Path] = true, true
		if r.Summary == "" || r.Tag == "" || (r.Action == "" && !r.Open) {
			t.Errorf("%s says too little: %+v", r.Name, r)
		}
	}
}

func TestWhatLiesOutsideTheScopeAnswersAsIfItWereNotThere(t *testing.T) {
	s := sqlite(t)
	outside := s.ask("other-partner", "GET", "/customers/"+s.customer, "").refusal(t, 404, "not-found")
	missing := s.ask("other-partner", "GET", "/customers/00000000-0000-7000-8000-000000000000", "").refusal(t, 404, "not-found")
	if outside["detail"] != missing["detail"] || outside["title"] != missing["title"] {
		t.Errorf("the two differ:\n%v\n%v", outside, missing)
	}
}
