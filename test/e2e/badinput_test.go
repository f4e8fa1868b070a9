package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// outcomeOfLine is what an import says of one line.
type outcomeOfLine struct {
	Line            int
	Number, Outcome string
	Error           *struct{ Code, Detail string }
}

type imported struct {
	Items                     []outcomeOfLine
	Created, Exists, Rejected int
}

// wrongLine is a line of an import, and the code it is to be answered with; "" is a line that is good.
type wrongLine struct{ name, number, code string }

func wrongLines() []wrongLine {
	return []wrongLine{
		{"good", "+61255505101", ""},
		{"the same again", "+61255505101", "duplicate-line"},
		{"the same in another spelling", "+61 2 5550 5101", "duplicate-line"},
		{"national, completed by the customer's country", "02 5550 5102", ""},
		{"a formula", "=1+1", "formula"},
		{"a formula that calls out", `=HYPERLINK("https://tailspin.example","x")`, "formula"},
		{"a formula that begins with an at", "@SUM(A1:A9)", "formula"},
		{"a formula that begins with a plus", "+1+cmd|' /C calc'!A0", ""},
		{"words", "reception", ""},
		{"nothing", "", "empty"},
		{"too short", "+612555", "invalid-for-country"},
		{"too long", "+6125550510112345", "too-long"},
		{"a country there is not", "+999123456789", "unknown-country"},
		{"an extension", "+61255505103;ext=12", "has-extension"},
		{"what a spreadsheet made of it", "6.12556E+10", "scientific-notation"},
		{"good, after all the others", "+61255505104", ""},
	}
}

// good are the lines of wrongLines that are to be created.
var good = map[string]string{"+61255505101": "+61255505101", "02 5550 5102": "+61255505102", "+61255505104": "+61255505104"}

func TestBadInputIsAnsweredClearlyAndChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s := newStand(t, database)
		c := s.newPaired(t, "Wingtip Toys", 60, 3)
		t.Run("lines of an import", func(t *testing.T) { s.badLines(t, c) })
		t.Run("files", func(t *testing.T) { s.badFiles(t, c) })
		t.Run("requests", func(t *testing.T) { s.badRequests(t, c) })
		t.Run("assignments", func(t *testing.T) { s.badAssignments(t, c) })
		s.auditHolds(t)
	})
}

// badLines: each line has its answer, the good ones are in the inventory, and a repeat changes nothing.
func (s *stand) badLines(t *testing.T, c customer) {
	body := map[string]any{"customerId": c.id, "serviceId": c.service}
	var lines []map[string]string
	var file strings.Builder
	for _, l := range wrongLines() {
		lines = append(lines, map[string]string{"number": l.number})
		fmt.Fprintf(&file, "\"%s\"\n", strings.ReplaceAll(l.number, `"`, `""`))
	}
	body["numbers"] = lines
	var first, again imported
	s.api.must(t, "POST", "/numbers/import", body).want(t, http.StatusOK).into(t, &first)
	s.judge(t, first, "created")
	if first.Created != len(good) || first.Rejected != len(wrongLines())-len(good) || first.Exists != 0 {
		t.Errorf("the import counts %d created, %d rejected, %d existing", first.Created, first.Rejected, first.Exists)
	}
	s.inStock(t, c)
	s.api.must(t, "POST", "/numbers/import", body).want(t, http.StatusOK).into(t, &again)
	s.judge(t, again, "exists")

	// The same as a file: the line of nothing is blank there, and passed over.
	var byFile imported
	s.importFile(t, c, []byte(file.String())).want(t, http.StatusOK).into(t, &byFile)
	if byFile.Created != 0 || byFile.Exists != len(good) || byFile.Rejected != len(wrongLines())-len(good)-1 {
		t.Errorf("the file counts %d created, %d existing, %d rejected", byFile.Created, byFile.Exists, byFile.Rejected)
	}
	s.inStock(t, c)
}

func (s *stand) judge(t *testing.T, got imported, createdOrExists string) {
	t.Helper()
	want := wrongLines()
	if len(got.Items) != len(want) {
		t.Fatalf("%d lines are answered, want %d", len(got.Items), len(want))
	}
	for i, it := range got.Items {
		w := want[i]
		if it.Line != i+1 {
			t.Errorf("%s: answered as line %d, it was line %d", w.name, it.Line, i+1)
		}
		if full, is := good[w.number]; is && w.code == "" {
			if it.Outcome != createdOrExists || it.Number != full || it.Error != nil {
				t.Errorf("%s: %+v, want %s %s", w.name, it, createdOrExists, full)
			}
			continue
		}
		if it.Outcome != "rejected" || it.Error == nil || it.Error.Code == "" || it.Error.Detail == "" {
			t.Errorf("%s (%q): %+v, want it rejected with a reason", w.name, w.number, it)
			continue
		}
		if w.code != "" && it.Error.Code != w.code {
			t.Errorf("%s (%q): rejected with %q, want %q", w.name, w.number, it.Error.Code, w.code)
		}
	}
}

// inStock: the good lines are there and nothing else is.
func (s *stand) inStock(t *testing.T, c customer) {
	t.Helper()
	var page struct{ Items []number }
	s.api.get(t, "/numbers?limit=1000&customerId="+c.id, &page)
	var have, want []string
	for _, n := range page.Items {
		have = append(have, n.Number)
	}
	for _, n := range good {
		want = append(want, n)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("the inventory has %q, want %q", have, want)
	}
}

func (s *stand) importFile(t *testing.T, c customer, file []byte) *answer {
	t.Helper()
	return s.api.must(t, "POST", "/numbers/import?customerId="+c.id+"&serviceId="+c.service, file, "Content-Type", "text/csv")
}

func (s *stand) badFiles(t *testing.T, c customer) {
	huge := bytes.Repeat([]byte("+61255505199\n"), 11<<20/13)
	for name, f := range map[string]struct {
		file   []byte
		status int
		codes  []string
		names  string // what the refusal must name
	}{
		"empty":                {nil, 422, []string{"empty"}, ""},
		"a header alone":       {[]byte("number,country\n"), 422, []string{"empty"}, ""},
		"an unknown column":    {[]byte("number,colour\n+61255505199,red\n"), 422, []string{"unknown-column"}, "header[2]"},
		"a column twice":       {[]byte("number,number\n+61255505199,+61255505198\n"), 422, []string{"unknown-column"}, "header[2]"},
		"not UTF-8":            {[]byte("number\n+61255505199\n\xff\xfe\n"), 422, []string{"not-utf8"}, "line 3"},
		"a quote in the wrong": {[]byte("number\n+61255505199\n\"a\"b\n"), 422, []string{"bad-csv"}, "line 3"},
		"more than 10 MB":      {huge, 413, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.importFile(t, c, f.file).problem(t, f.status, f.codes...)
			if f.names != "" && !slices.ContainsFunc(p.Errors, func(e struct{ Path, Code, Detail string }) bool { return e.Path == f.names }) {
				t.Errorf("the refusal names %+v, want %q", p.Errors, f.names)
			}
		})
	}
	s.inStock(t, c)
}

func (s *stand) badRequests(t *testing.T, c customer) {
	before := s.total(t, "/customers")
	type m = map[string]any
	for name, r := range map[string]struct {
		method, path string
		body         any
		status       int
		codes        []string
		field        string // "" where no field is to be named
	}{
		"an unknown field":               {"POST", "/customers", m{"name": "A", "partnerId": s.partner, "tenent": "x"}, 422, []string{"unknown-field"}, "tenent"},
		"an unknown field of a line":     {"POST", "/numbers/import", m{"customerId": c.id, "numbers": []m{{"number": e164(1), "colour": "red"}}}, 422, []string{"unknown-field"}, "colour"},
		"an unknown filter":              {"GET", "/numbers?colour=red", nil, 422, []string{"unknown-field"}, "colour"},
		"an unknown cloud":               {"POST", "/customers", m{"name": "A", "partnerId": s.partner, "cloud": "mars"}, 422, nil, "cloud"},
		"a name that is missing":         {"POST", "/customers", m{"partnerId": s.partner}, 422, nil, "name"},
		"a name that is empty":           {"POST", "/customers", m{"partnerId": s.partner, "name": "  "}, 422, nil, "name"},
		"a name that is too long":        {"POST", "/customers", m{"partnerId": s.partner, "name": strings.Repeat("a", 300)}, 422, nil, "name"},
		"a tenant that is no id":         {"POST", "/customers", m{"partnerId": s.partner, "name": "A", "tenantId": "wingtip"}, 422, nil, "tenantId"},
		"a country there is not":         {"POST", "/customers", m{"partnerId": s.partner, "name": "A", "country": "Narnia"}, 422, nil, "country"},
		"a time zone there is not":       {"POST", "/customers", m{"partnerId": s.partner, "name": "A", "timeZone": "Mars/Olympus"}, 422, nil, "timeZone"},
		"a partner there is not":         {"POST", "/customers", m{"partnerId": "0197aaaa-0000-7000-8000-000000000000", "name": "A"}, 404, []string{"not-found"}, ""},
		"a word where a number belongs":  {"POST", "/customers", m{"partnerId": s.partner, "name": "A", "seatLimit": "many"}, 422, nil, "seatLimit"},
		"a kind of service there is not": {"POST", "/customers/" + c.id + "/services", m{"kind": "carrier-pigeon"}, 422, nil, "kind"},
		"no JSON":                        {"POST", "/customers", []byte("{\"name\":"), 400, nil, ""},
		"no body":                        {"POST", "/customers", nil, 400, nil, ""},
		"a body over the limit":          {"POST", "/customers", m{"name": "A", "partnerId": strings.Repeat("a", 2<<20)}, 413, nil, ""},
		"an import over the limit":       {"POST", "/numbers/import", m{"customerId": strings.Repeat("a", 11<<20)}, 413, nil, ""},
		"a cursor that is none":          {"GET", "/customers?cursor=back", nil, 422, []string{"invalid-cursor"}, ""},
		"a cursor of operations":         {"GET", "/operations?cursor=back", nil, 422, []string{"invalid-cursor"}, ""},
		"a zero byte in a name":          {"POST", "/customers", m{"name": "A\x00B", "partnerId": s.partner}, 400, []string{"nul-character"}, ""},
		"a zero byte in an id":           {"GET", "/customers/%00", nil, 400, []string{"nul-character"}, ""},
		"a zero byte in an operation":    {"GET", "/operations/%00", nil, 400, []string{"nul-character"}, ""},
		"a zero byte in a user":          {"GET", "/customers/" + c.id + "/users/%00", nil, 400, []string{"nul-character"}, ""},
		"a limit that is none":           {"GET", "/customers?limit=100000", nil, 422, nil, "limit"},
		"a customer there is not":        {"GET", "/customers/nobody", nil, 404, []string{"not-found"}, ""},
		"a number that is none":          {"GET", "/numbers/0255505101", nil, 404, []string{"not-found"}, ""},
		"an address there is not":        {"GET", "/pigeons", nil, 404, nil, ""},
		"a method there is not":          {"PUT", "/customers", m{}, 405, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.api.must(t, r.method, r.path, r.body, "Content-Type", "application/json").problem(t, r.status, r.codes...)
			if r.field != "" && !slices.ContainsFunc(p.Errors, func(e struct{ Path, Code, Detail string }) bool {
				return strings.Contains(e.Path+" "+e.Detail, r.field) && e.Code != ""
			}) {
				t.Errorf("the refusal names %+v, want %q: %s", p.Errors, r.field, p.Detail)
			}
		})
	}
	t.Run("a media type nobody takes", func(t *testing.T) {
		s.api.must(t, "POST", "/customers", []byte("name=A"), "Content-Type", "application/x-www-form-urlencoded").problem(t, http.StatusUnsupportedMediaType)
	})
	t.Run("zero bytes in what is looked for", func(t *testing.T) {
		for _, path := range []string{"/customers?search=%00", "/numbers?search=%00", "/customers/" + c.id + "/users?search=%00", "/operations?customerId=%00",
			"/operations?kind=%00", "/audit?actor=%00", "/audit?action=%00", "/operations?cursor=%00", "/numbers?customerId=%00", "/api-keys?search=%00"} {
			s.api.must(t, "GET", path, nil).problem(t, http.StatusBadRequest, "nul-character")
		}
	})
	if after := s.total(t, "/customers"); after != before {
		t.Errorf("there are %d customers, before the refusals %d", after, before)
	}
	s.inStock(t, c)
}

func (s *stand) total(t *testing.T, path string) int {
	t.Helper()
	var page struct{ Total int }
	s.api.get(t, path, &page)
	return page.Total
}

func (s *stand) badAssignments(t *testing.T, c customer) {
	who := s.free(t, c, 1)[0]
	var unlicensed struct{ Items []user }
	s.api.get(t, "/customers/"+c.id+"/users?status=not-licensed&limit=1", &unlicensed)
	if len(unlicensed.Items) == 0 {
		t.Fatal("everybody has a licence")
	}
	mine := "+61255505101"
	operations := s.total(t, "/operations?kind=number-assign")
	_, wrote := s.sim.made(t, c.TenantID, "PUT", "/")
	type m = map[string]any
	for name, r := range map[string]struct {
		user   string
		body   any
		status int
		codes  []string
	}{
		"a number that is none":             {who.ID, m{"number": "reception"}, 422, []string{"invalid-number"}},
		"a number that is not E.164":        {who.ID, m{"number": "02 5550 5101"}, 422, []string{"invalid-number"}},
		"a formula":                         {who.ID, m{"number": "=1+1"}, 422, []string{"invalid-number"}},
		"a number of nobody":                {who.ID, m{"number": e164(900)}, 409, nil},
		"an unknown field":                  {who.ID, m{"number": mine, "policy": voicePolicy}, 422, []string{"unknown-field"}},
		"no number":                         {who.ID, m{}, 422, nil},
		"a policy the tenant does not have": {who.ID, m{"number": mine, "voicePolicy": "Mars"}, 422, []string{"policy-not-found"}},
		"a person there is not":             {"nobody", m{"number": mine}, 404, []string{"not-found"}},
		"a person without a licence":        {unlicensed.Items[0].ID, m{"number": mine}, 409, []string{"not-licensed"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.api.must(t, "PUT", "/customers/"+c.id+"/users/"+r.user+"/number", r.body)
			if r.status == http.StatusConflict && a.status == http.StatusNotFound && name == "a number of nobody" {
				a.problem(t, http.StatusNotFound) // not in the inventory, or another's: the two must not differ
				return
			}
			a.problem(t, r.status, r.codes...)
		})
	}
	if after := s.total(t, "/operations?kind=number-assign"); after != operations {
		t.Errorf("%d operations were begun", after-operations)
	}
	if _, after := s.sim.made(t, c.TenantID, "PUT", "/"); after != wrote {
		t.Errorf("%d writes reached the tenant", after-wrote)
	}
	if n := s.number(t, mine); n.State != "free" {
		t.Errorf("after the refusals the number is %s", n.State)
	}
}

// manyUsers fill three pages of Graph's delta.
const manyUsers = 2500

func TestATenantThatVanishesInTheMiddleOfASync(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		long(t)
		s := newStand(t, database)
		t.Run("of the first one", func(t *testing.T) {
			c := s.newCustomer(t, "Tailspin Airlines", manyUsers, 1)
			op := s.vanishes(t, c, func() string { return s.beginPairing(t, c) })
			if got := s.card(t, c); got.Status != "pending-consent" || got.Cause == nil || got.Cause.Detail == "" {
				t.Errorf("the card is %+v, want pending-consent and why", got)
			}
			t.Logf("the operation says: %s", op.Error.Detail)
			s.api.must(t, "POST", "/services/"+c.service+"/resync", map[string]any{}).problem(t, http.StatusConflict)
		})
		t.Run("of a later one", func(t *testing.T) {
			c := s.newPaired(t, "Wingtip Toys", manyUsers, 2)
			who := s.free(t, c, 1)[0]
			s.stock(t, c, e164(1))
			s.succeeds(t, s.assign(t, c, who.ID, e164(1)))
			// Everybody who is there already stays listed, and with his number, whatever was read of the rest.
			s.sim.must(t, "POST", "/_sim/tenants/"+c.TenantID+"/actions", map[string]any{"action": "add-users", "count": manyUsers}).want(t, http.StatusOK)
			op := s.vanishes(t, c, func() string {
				return operationOf(t, s.api.must(t, "POST", "/services/"+c.service+"/resync", map[string]any{}).want(t, http.StatusAccepted))
			})
			t.Logf("the operation says: %s", op.Error.Detail)
			if n := s.total(t, "/customers/"+c.id+"/users?limit=1"); n < manyUsers {
				t.Errorf("%d users are listed, before the tenant vanished %d", n, manyUsers)
			}
			if n := s.number(t, e164(1)); n.State != "assigned" || n.Holder == nil || n.Holder.ID != who.ID {
				t.Errorf("the number of before is %+v", n)
			}
			var shown user
			s.api.get(t, "/customers/"+c.id+"/users/"+who.ID, &shown)
			if shown.Number == nil || *shown.Number != e164(1) {
				t.Errorf("its holder is shown as %+v", shown)
			}
			if got := s.card(t, c); got.Status == "pending-consent" || got.Status == "disconnected" {
				t.Errorf("the card is %+v", got)
			}
		})
		s.auditHolds(t)
	})
}

// vanishes deletes the tenant while the second page of its users is on its way, and answers the operation's end.
func (s *stand) vanishes(t *testing.T, c customer, begin func() string) operation {
	t.Helper()
	h := s.sim.hold(t, c.TenantID, "GET", "*/users/delta", "before")
	id := begin()
	h.held(t)
	h.release(t)
	h.held(t)
	s.sim.act(t, c.TenantID, "delete-tenant")
	h.remove(t)
	var o operation
	eventually(t, "the operation ends", time.Minute, func() (bool, string, error) {
		o = s.operation(t, id)
		return o.final(), o.String(), nil
	})
	if o.State != "failed" || o.Error == nil || o.Error.Code == "" || o.Error.Detail == "" {
		t.Fatalf("the operation ended without a clear answer: %s", o)
	}
	if strings.Contains(o.Error.Code, "internal") || strings.Contains(o.Error.Code, "gave-up") {
		t.Errorf("the answer is not the tenant's being gone: %s", o)
	}
	var open struct{ Items []operation }
	s.api.get(t, "/operations?unfinished=true&customerId="+url.QueryEscape(c.id), &open)
	for _, left := range open.Items {
		t.Errorf("an operation goes on for the tenant that is gone: %s", left)
	}
	return o
}
