package teamsadmin_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/remote/teamsadmin"
	"tcap.cloud/internal/remote/tenant"
)

// service plays the Teams administration API as facts/teams-admin.md has it: answers by "METHOD /path", in turn, the last for ever.
type service struct {
	server *httptest.Server
	door   *tenant.Door

	mu     sync.Mutex
	routes map[string][]http.HandlerFunc
	calls  []string
	bodies []string
	heads  []http.Header
}

func (s *service) App(context.Context, tenant.Ref) (tenant.Credential, error) {
	return tenant.Credential{AppID: "app", Secret: tenant.NewSecret("s")}, nil
}

func (s *service) AppToken(_ context.Context, _ tenant.Ref, _ tenant.Credential, r tenant.Resource, _ bool) (tenant.Token, error) {
	return tenant.Token{Value: tenant.NewSecret(string(r))}, nil
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	call := r.Method + " " + r.URL.Path
	if !strings.HasSuffix(call, "/serviceDiscovery") {
		s.calls, s.bodies, s.heads = append(s.calls, r.Method+" "+r.URL.RequestURI()), append(s.bodies, string(body)), append(s.heads, r.Header)
	}
	list := s.routes[call]
	if len(list) > 1 {
		s.routes[call] = list[1:]
	}
	s.mu.Unlock()
	if len(list) == 0 {
		http.Error(w, "no route "+call, http.StatusNotImplemented)
		return
	}
	list[0](w, r)
}

func (s *service) on(call string, list ...http.HandlerFunc) { s.routes[call] = list }

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{routes: map[string][]http.HandlerFunc{}}
	s.server = httptest.NewTLSServer(s)
	t.Cleanup(s.server.Close)
	s.on("GET /Teams.Tenant/serviceDiscovery", answer(200, `{"endpoints":{"configApiEndpoint":"c.example","adminServiceEndpoint":"admin.example"},"headers":{"x-ms-forest":"1a"}}`))
	door, err := tenant.New(tenant.Options{
		Directory:   tenant.Directory{tenant.Global: {Authority: s.server.URL, Graph: s.server.URL, Teams: s.server.URL}},
		Credentials: s, Tokens: s, HTTP: s.server.Client(), Wait: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.door = door
	return s
}

func (s *service) session() *tenant.Session {
	return s.door.Session(tenant.Ref{TenantID: "contoso", Cloud: tenant.Global})
}

func (s *service) reader() *teamsadmin.Reader { return teamsadmin.NewReader(s.session()) }
func (s *service) writer() *teamsadmin.Writer { return teamsadmin.NewWriter(s.session().Writer()) }

func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Add(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestTheServiceIsFoundOnceAndNamedInEachCall(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.on("GET /Skype.Policy/configurations/OnlineVoiceRoute", answer(200, `[]`))
	s.on("GET /Teams.Tenant/serviceDiscovery", s.routes["GET /Teams.Tenant/serviceDiscovery"][0], answer(500, "")) // a second question would fail
	r := s.reader()
	for range 2 {
		if _, err := r.Policies(t.Context(), "OnlineVoiceRoute"); err != nil {
			t.Fatal(err)
		}
	}
	h := s.heads[1]
	if h.Get("X-MS-Target-Uri") != "https://admin.example/" || h.Get("X-MS-Forest") != "1a" || h.Get("x-authz-scope") != "tenant" ||
		h.Get("X-MS-CmdletName") != "Get-CsOnlineVoiceRoute" || h.Get("Authorization") != "Bearer teams" || h.Get("User-Agent") != "tcap" {
		t.Errorf("headers %v", h)
	}
}

func TestWithoutDiscoveryOrdinaryCallsGoOn(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.on("GET /Teams.Tenant/serviceDiscovery", answer(404, ""))
	s.on("GET /Skype.Policy/configurations/TenantDialPlan", answer(200, `[]`))
	if _, err := s.reader().Policies(t.Context(), "TenantDialPlan"); err != nil || s.heads[0].Get("X-MS-Target-Uri") != "" {
		t.Errorf("%v", err)
	}
	s.on("GET /Teams.Tenant/serviceDiscovery", answer(403, `{"Message":"Access Denied."}`))
	if _, err := s.reader().Policies(t.Context(), "TenantDialPlan"); tenant.AsRefusal(err).Code != teamsadmin.CodeAccessDenied || len(s.calls) != 1 {
		t.Errorf("%v", err)
	}
}

const ana = `{"objectId":"u1","userPrincipalName":"ana@contoso.example","accountType":"User","featureTypes":["Teams","PhoneSystem"],"lineUri":"tel:+61255501234",` +
	`"enterpriseVoiceEnabled":true,"effectivePolicyAssignments":[{"policyType":"OnlineVoiceRoutingPolicy","policyAssignment":{"assignmentType":"direct","displayName":"Tag:AU-All"}},` +
	`{"policyType":"TenantDialPlan","policyAssignment":null}]}`

func checkAna(t *testing.T, u teamsadmin.User) {
	t.Helper()
	if u.ObjectID != "u1" || u.UPN != "ana@contoso.example" || u.AccountType != "User" || !slices.Contains(u.FeatureTypes, "PhoneSystem") ||
		u.LineURI != "tel:+61255501234" || !u.EnterpriseVoice || len(u.Policies) != 1 || u.Policies["OnlineVoiceRoutingPolicy"] != "AU-All" {
		t.Errorf("%+v", u)
	}
}

func TestAUserInAnyCase(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pascal := strings.NewReplacer(`"objectId"`, `"ObjectId"`, `"userPrincipalName"`, `"UserPrincipalName"`, `"lineUri"`, `"LineUri"`, `"featureTypes"`, `"FeatureTypes"`).Replace(ana)
	s.on("GET /Teams.User/users/u1", answer(200, ana), answer(200, pascal), answer(200, "\xef\xbb\xbf"+ana))
	for range 3 {
		u, err := s.reader().User(t.Context(), "u1")
		if err != nil {
			t.Fatal(err)
		}
		checkAna(t, u)
	}
}

func TestUsersComeByPageInAnyWrapping(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for name, pages := range map[string][]http.HandlerFunc{
		"named":               {answer(200, `{"users":[`+ana+`]}`)},
		"named, PC":           {answer(200, `{"Count":1,"Users":[`+ana+`]}`)},
		"bare":                {answer(200, `[`+ana+`]`)},
		"link":                {answer(200, `{"users":[],"nextLink":"`+s.server.URL+`/Teams.User/users?skip=1"}`), answer(200, `{"users":[`+ana+`]}`)},
		"token":               {answer(200, `{"users":[],"skipToken":"a+b"}`), answer(200, `{"users":[`+ana+`],"skipToken":null}`)},
		"same token for ever": {answer(200, `{"users":[],"skipToken":"x"}`), answer(200, `{"users":[`+ana+`],"skipToken":"x"}`)},
	} {
		s.on("GET /Teams.User/users", pages...)
		var users []teamsadmin.User
		for page, err := range s.reader().Users(t.Context()) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			users = append(users, page.Users...)
		}
		if len(users) != 1 {
			t.Errorf("%s: %d users", name, len(users))
			continue
		}
		checkAna(t, users[0])
	}
	s.on("GET /Teams.User/users", answer(200, `"no list"`))
	for _, err := range s.reader().Users(t.Context()) {
		if err == nil {
			t.Error("a text was taken for a list")
		}
	}
}

func TestPoliciesKeepTheirOwnText(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, `[{"Identity":"Tag:AU-All","OnlinePstnUsages":["AU"],"Key":{"a":1}},{"Identity":"Global"}]`)
	_ = z.Close()
	s := newService(t)
	s.on("GET /Skype.Policy/configurations/OnlineVoiceRoutingPolicy", answer(200, packed.String(), "Content-Encoding", "gzip"))
	got, err := s.reader().Policies(t.Context(), "OnlineVoiceRoutingPolicy")
	if err != nil || len(got) != 2 || got[0].Identity != "AU-All" || got[1].Identity != "Global" ||
		string(got[0].Raw) != `{"Identity":"Tag:AU-All","OnlinePstnUsages":["AU"],"Key":{"a":1}}` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAPolicyIsGranted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.on("PUT /Skype.Policy/users/u1", answer(200, "", "X-Ms-ConfigApi-PowerShell-WarningMessage", "it takes a while"), answer(204, ""))
	warned, err := s.writer().GrantPolicy(t.Context(), "u1", "OnlineVoiceRoutingPolicy", "AU-All")
	if err != nil || !slices.Equal(warned, []string{"it takes a while"}) || s.bodies[0] != `{"PolicyType":"OnlineVoiceRoutingPolicy","PolicyName":"AU-All"}` {
		t.Errorf("%v, %v, sent %s", warned, err, s.bodies)
	}
	warned, err = s.writer().GrantPolicy(t.Context(), "u1", "OnlineVoiceRoutingPolicy", "")
	if err != nil || len(warned) != 0 || s.bodies[1] != `{"PolicyType":"OnlineVoiceRoutingPolicy","PolicyName":null}` {
		t.Errorf("%v, %v, sent %s", warned, err, s.bodies)
	}
}

func TestAGrantTriesTheOlderShapeWhereTheFirstIsNotKnown(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.on("PUT /Skype.Policy/users/u1", answer(404, ""))
	s.on("PUT /Skype.Policy/users/u1/TenantDialPlan", answer(200, ""))
	if _, err := s.writer().GrantPolicy(t.Context(), "u1", "TenantDialPlan", "AU"); err != nil || s.bodies[1] != `{"PolicyName":"AU","AdditionalParameters":{}}` {
		t.Errorf("%v, sent %s", err, s.bodies)
	}
	s.on("PUT /Skype.Policy/users/u1", answer(403, `{"Message":"Access Denied."}`))
	if _, err := s.writer().GrantPolicy(t.Context(), "u1", "TenantDialPlan", "AU"); tenant.ClassOf(err) != tenant.Refused || len(s.calls) != 3 {
		t.Errorf("%v, asked %v", err, s.calls)
	}
}

func numbers(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"TelephoneNumber":"6125550%04d","NumberType":"DirectRouting","TargetId":"00000000-0000-0000-0000-000000000000","AssignmentStatus":"Unassigned"}`, from+i)
	}
	return `{"TelephoneNumbers":[` + b.String() + `]}`
}

func TestNumbersComeByPage(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const path = "/Skype.TelephoneNumberMgmt/Tenants/contoso/telephone-numbers"
	s.on("GET "+path, answer(200, numbers(0, 999)), answer(200, numbers(999, 2)))
	var all []teamsadmin.Number
	for page, err := range s.reader().Numbers(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Numbers...)
	}
	if len(all) != 1001 || all[1000].TelephoneNumber != "+61255501000" || all[0].TargetID != "" || all[0].Type != teamsadmin.DirectRouting {
		t.Errorf("%d numbers, %+v", len(all), all[len(all)-1])
	}
	if !slices.Equal(s.calls, []string{"GET " + path + "?locale=en-US&skip=0&top=999", "GET " + path + "?locale=en-US&skip=999&top=999"}) {
		t.Errorf("asked %v", s.calls)
	}
}

func TestNumbersByTheModulesRouteAndNames(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.on("GET /Skype.TelephoneNumberMgmt/Tenants/contoso/telephone-numbers", answer(404, ""))
	s.on("GET /Skype.TelephoneNumberMgmt/cmdlet/assignments", answer(200, `{"phoneNumberAssignments":[{"telephoneNumber":"+61255501234","numberType":"OperatorConnect","assignedPstnTargetId":"u1","pstnAssignmentStatus":"UserAssigned","capability":["UserAssignment"]}]}`))
	for page, err := range s.reader().Numbers(t.Context()) {
		if err != nil || len(page.Numbers) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		n := page.Numbers[0]
		if n.TelephoneNumber != "+61255501234" || n.TargetID != "u1" || n.AssignmentStatus != "UserAssigned" || n.Type != teamsadmin.OperatorConnect || n.Capabilities[0] != "UserAssignment" {
			t.Errorf("%+v", n)
		}
	}
}

var assign = teamsadmin.Assignment{Identity: "u1", TelephoneNumber: "+61255501234", Type: teamsadmin.DirectRouting}

func TestANumberIsAssignedWithItsPlus(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.on("PUT /Skype.TelephoneNumberMgmt/cmdlet/assignments", answer(200, `""`), answer(200, `"Emergency address is missing"`), answer(200, ``))
	for _, want := range [][]string{nil, {"Emergency address is missing"}, nil} {
		warned, err := s.writer().AssignNumber(t.Context(), assign)
		if err != nil || !slices.Equal(warned, want) {
			t.Errorf("%v, %v", warned, err)
		}
	}
	if s.calls[0] != "PUT /Skype.TelephoneNumberMgmt/cmdlet/assignments?Identity=u1&PhoneNumber=%2B61255501234&PhoneNumberType=DirectRouting" || s.bodies[0] != "" {
		t.Errorf("asked %s", s.calls[0])
	}
}

func TestANumberIsUnassigned(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.on("DELETE /Skype.TelephoneNumberMgmt/cmdlet/assignments/u1", answer(200, `true`))
	warned, err := s.writer().UnassignNumber(t.Context(), "u1", "+61255501234", teamsadmin.DirectRouting)
	if err != nil || len(warned) != 0 || s.calls[0] != "DELETE /Skype.TelephoneNumberMgmt/cmdlet/assignments/u1?PhoneNumber=%2B61255501234&PhoneNumberType=DirectRouting" {
		t.Errorf("%v, %v, asked %v", warned, err, s.calls)
	}
}

func TestWhatMicrosoftSaysOfANumber(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		text   string
		class  tenant.Class
		code   string
	}{
		"not there":      {400, "Telephone Number '61255501234' is not found from tenant 'contoso'.", tenant.NotFound, teamsadmin.CodeNumberNotFound},
		"no licence":     {400, "User 'ana@contoso.example' lacks appropriate licenses to assign a 'DirectRouting' number.", tenant.Invalid, teamsadmin.CodeLicenceMissing},
		"another's":      {400, "Telephone Number '+61255501234' has already been assigned to another user", tenant.Conflict, teamsadmin.CodeNumberHeldByOther},
		"on premises":    {400, "The user 'ana@contoso.example' already has a telephone number set in the on-premises Active Directory and synchronized to the cloud.", tenant.Conflict, teamsadmin.CodeOnPremisesNumber},
		"unavailable":    {400, "Service is unavailable. Please try again", tenant.Transient, teamsadmin.CodeServiceUnavailable},
		"access denied":  {403, "Access Denied.", tenant.Refused, teamsadmin.CodeAccessDenied},
		"something else": {400, "Bad things.", tenant.Invalid, "invalid"},
		"not the route":  {404, "", tenant.NotFound, "not-found"},
	} {
		for shape, body := range map[string]string{
			"error": fmt.Sprintf(`{"error":{"code":"BadRequest","message":%q}}`, c.text), "Message": fmt.Sprintf(`{"Message":%q}`, c.text), "bare": fmt.Sprintf("%q", c.text),
		} {
			s := newService(t)
			s.on("PUT /Skype.TelephoneNumberMgmt/cmdlet/assignments", answer(c.status, body))
			_, err := s.writer().AssignNumber(t.Context(), assign)
			r := tenant.AsRefusal(err)
			if r == nil || r.Class != c.class || r.Code != c.code || r.Maybe || r.Source != tenant.SourceTeams {
				t.Errorf("%s, %s: %+v", name, shape, r)
				continue
			}
			if strings.Contains(err.Error(), "ana@") || strings.Contains(err.Error(), "5550") {
				t.Errorf("tenant data in %v", err)
			}
			if r.Detail() != c.text {
				t.Errorf("Microsoft's own text is lost: %q", r.Detail())
			}
		}
	}
}

func TestALostAssignmentMayHaveBeenMade(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.on("PUT /Skype.TelephoneNumberMgmt/cmdlet/assignments", func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = conn.Close()
		}
	})
	_, err := s.writer().AssignNumber(t.Context(), assign)
	if r := tenant.AsRefusal(err); r == nil || !r.Maybe || r.Class != tenant.Network || len(s.calls) != 1 {
		t.Errorf("%v after %v", err, s.calls)
	}
	s.on("PUT /Skype.TelephoneNumberMgmt/cmdlet/assignments", answer(500, `{"Message":"Service is unavailable. Please try again"}`))
	_, err = s.writer().AssignNumber(t.Context(), assign)
	if r := tenant.AsRefusal(err); r == nil || !r.Maybe || r.Code != teamsadmin.CodeServiceUnavailable {
		t.Errorf("%v", err)
	}
}
