package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"tcap.cloud/internal/domain/number"
)

func TestANumbersPathMayBeEscapedOrNot(t *testing.T) {
	s := sqlite(t)
	for _, path := range []string{"/numbers/+61255500001", "/numbers/%2B61255500001", "/numbers/%2b61255500001"} {
		r := s.ask("operator", "GET", path, "")
		v := r.json(t)
		if r.Status != 200 || v["number"] != oneNumber || r.Header.Get("ETag") == "" {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
		for _, name := range []string{"partnerId", "customerId", "serviceId", "numberType", "state", "trunkId", "callerId", "usage", "locationId", "country", "type", "tags", "holder"} {
			if _, there := v[name]; !there {
				t.Errorf("a number has no %s", name)
			}
		}
	}
	for _, path := range []string{"/numbers/61255500001", "/numbers/+61255500002", "/numbers/+", "/numbers/+61255500001255500001"} {
		s.ask("operator", "GET", path, "").refusal(t, 404, "not-found")
	}
	for _, path := range []string{"/numbers/%00", "/numbers/+6125550000%00", "/customers/%00", "/numbers?search=%00"} {
		s.ask("operator", "GET", path, "").refusal(t, 400, "nul-character")
	}
	s.ask("operator", "POST", "/partners", `{"name":"a\u0000b"}`).refusal(t, 400, "nul-character")
}

func TestFiltersOfNumbersNarrowTheList(t *testing.T) {
	s := sqlite(t)
	for query, want := range map[string]float64{"": 1, "state=free": 1, "state=assigned": 0, "customerId=" + s.customer: 1, "customerId=" + s.otherCustomer: 0,
		"partnerId=" + s.partner: 1, "serviceId=" + s.service: 1, "numberType=direct-routing": 1, "numberType=operator-connect": 0, "search=5550": 1,
		"search=%2B6125550": 1, "search=+6125550": 1, "search=nobody": 0} {
		if got := s.ask("operator", "GET", "/numbers?"+query, "").json(t)["total"]; got != want {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	if got := s.ask("other-partner", "GET", "/numbers", "").json(t)["total"]; got != 0.0 {
		t.Errorf("another partner sees %v numbers", got)
	}
	for _, query := range []string{"state=lost", "numberType=x", "sort=shoe", "limit=0"} {
		s.ask("operator", "GET", "/numbers?"+query, "").refusal(t, 422, "validation")
	}
	s.ask("operator", "GET", "/numbers?holder=x", "").refusal(t, 422, "unknown-field")
	s.ask("operator", "GET", "/numbers?cursor=x", "").refusal(t, 422, "invalid-cursor")
}

func TestWhatANumberIsUsedForIsChangedAndTakenAway(t *testing.T) {
	s := sqlite(t)
	path := "/numbers/" + oneNumber
	first := s.ask("operator", "GET", path, "").Header.Get("ETag")
	r := s.ask("operator", "PATCH", path, `{"callerId":"+61255500001","usage":"reception","tags":["sydney","ground floor"]}`, "If-Match", first)
	if v := r.json(t); r.Status != 200 || v["callerId"] != "+61255500001" || v["usage"] != "reception" || stringOf(v["tags"]) != "[sydney ground floor]" {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	s.ask("operator", "PATCH", path, `{"usage":"x"}`, "If-Match", first).refusal(t, 412, "stale-version")
	r = s.ask("operator", "PATCH", path, `{"callerId":null,"tags":null}`, "If-Match", r.Header.Get("ETag"))
	if v := r.json(t); r.Status != 200 || v["callerId"] != nil || v["usage"] != "reception" || stringOf(v["tags"]) != "[]" {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	s.ask("operator", "PATCH", path, `{"callerId":"12"}`).refusal(t, 422, "invalid-number")
	s.ask("operator", "PATCH", path, `{"tags":["=HYPERLINK()"]}`).refusal(t, 422, "invalid-number")
	s.ask("operator", "PATCH", path, `{"state":"assigned"}`).refusal(t, 422, "unknown-field")
}

func TestAReleasedNumberRests(t *testing.T) {
	s := sqlite(t)
	path := "/numbers/" + oneNumber
	if r := s.ask("operator", "DELETE", path, "", "If-Match", s.ask("operator", "GET", path, "").Header.Get("ETag")); r.Status != 204 || r.Body != "" {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	if v := s.ask("partner", "GET", path, "").json(t); v["state"] != "quarantined" || v["customerId"] != nil || v["quarantineUntil"] == nil {
		t.Errorf("%v", v)
	}
	s.ask("customer", "GET", path, "").refusal(t, 404, "not-found")
	s.ask("operator", "DELETE", path, "").refusal(t, 409, "number-quarantined")
	items := s.ask("operator", "GET", path+"/history", "").json(t)["items"].([]any)
	if len(items) != 2 || items[0].(map[string]any)["event"] != "imported" || items[1].(map[string]any)["to"] != "quarantined" {
		t.Errorf("%v", items)
	}
}

func TestAnImportAnswersOneOutcomeForEachLine(t *testing.T) {
	s := sqlite(t)
	body := fmt.Sprintf(`{"customerId":%q,"serviceId":%q,"numbers":[{"number":"+61255500001"},{"number":"+61255500002","tags":["sydney"]},{"number":"12"},{"number":"+61255500002"}]}`,
		s.customer, s.service)
	r := s.ask("operator", "POST", "/numbers/import", body)
	v := r.json(t)
	if r.Status != 200 || v["created"] != 1.0 || v["exists"] != 1.0 || v["rejected"] != 2.0 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	for i, want := range []string{"exists", "created", "rejected", "rejected"} {
		o := v["items"].([]any)[i].(map[string]any)
		if o["line"] != float64(i+1) || o["outcome"] != want || o["number"] == "" || (o["error"] != nil) != (want == "rejected") {
			t.Errorf("line %d: %v", i+1, o)
		}
	}
	again := s.ask("operator", "POST", "/numbers/import", body).json(t)
	if again["created"] != 0.0 || again["exists"] != 2.0 {
		t.Errorf("a repeat made something: %v", again)
	}
	taken := s.ask("operator", "POST", "/numbers/import", fmt.Sprintf(`{"customerId":%q,"numberType":"direct-routing","numbers":[{"number":"+61255500001"}]}`, s.otherCustomer)).json(t)
	o := taken["items"].([]any)[0].(map[string]any)
	if o["outcome"] != "rejected" || o["error"].(map[string]any)["code"] != "belongs-to-another" || strings.Contains(stringOf(o), "Wingtip") {
		t.Errorf("%v", o)
	}
}

func TestAnImportOfCSVReadsWhatPeopleSend(t *testing.T) {
	s := sqlite(t)
	for i, text := range []string{"+61255500010", "number,tags\r\n+61255500011,sydney|desk\r\n", "\xef\xbb\xbfNumber;Country\n0255500012;AU\n", "\"number\"\t\"type\"\n\"+61255500013\"\t\"fixed\"\n"} {
		r := s.ask("operator", "POST", "/numbers/import?customerId="+s.customer+"&serviceId="+s.service, text, "Content-Type", "text/csv; charset=utf-8")
		if v := r.json(t); r.Status != 200 || v["created"] != 1.0 || v["items"].([]any)[0].(map[string]any)["number"] != fmt.Sprintf("+6125550001%d", i) {
			t.Errorf("%q: %d %s", text, r.Status, r.Body)
		}
	}
}

func TestAFileThatCannotBeReadSaysAtWhichLine(t *testing.T) {
	s := sqlite(t)
	where := "/numbers/import?customerId=" + s.customer + "&serviceId=" + s.service
	for _, c := range []struct {
		name, body   string
		status       int
		code, naming string
	}{
		{"not UTF-8", "number\n+61255500010\n+6125550\xff\n", 422, "not-utf8", "line 3"},
		{"a stray quote", "number\n\"+6125550\"0010\n", 422, "bad-csv", "line 2"},
		{"an unknown column", "number,colour\n+61255500010,red\n", 422, "unknown-column", "header[2]"},
		{"no lines", "number\n", 422, "empty", ""},
		{"too many lines", strings.Repeat("+61255500010\n", number.MaxLines+1), 413, "too-large", "line 100001"},
	} {
		v := s.ask("operator", "POST", where, c.body, "Content-Type", "text/csv").refusal(t, c.status, c.code)
		if c.naming != "" && !strings.Contains(stringOf(v["errors"]), c.naming) {
			t.Errorf("%s: errors are %v", c.name, v["errors"])
		}
	}
	if got := s.ask("operator", "GET", "/numbers", "").json(t)["total"]; got != 1.0 {
		t.Errorf("a refused file left %v numbers", got)
	}
}

func TestAnImportThatDoesNotFitIsRefused(t *testing.T) {
	s := sqlite(t)
	const where = "/numbers/import"
	s.ask("operator", "POST", where, `{"customerId":`).refusal(t, 400, "malformed-body")
	s.ask("operator", "POST", where, ``).refusal(t, 400, "malformed-body")
	s.ask("operator", "POST", where, `{"customerId":"`+s.customer+`","numbers":[{"numbr":"+61255500010"}]}`).refusal(t, 422, "unknown-field")
	v := s.ask("operator", "POST", where, `{"customerId":"`+s.customer+`","numbers":[{"number":"+61255500010"},{"number":61255500011}]}`).refusal(t, 422, "validation")
	if !strings.Contains(stringOf(v["errors"]), "body.numbers[1].number") {
		t.Errorf("the field is not named: %v", v["errors"])
	}
	s.ask("operator", "POST", where, `{"customerId":"`+s.customer+`","numbers":[]}`).refusal(t, 422, "validation")
	s.ask("operator", "POST", where, `{"customerId":"`+s.customer+`","numbers":[{"number":"+61255500010"}]}`).refusal(t, 422, "invalid-import")
	s.ask("operator", "POST", where, "number\n+61255500010\n", "Content-Type", "text/csv").refusal(t, 422, "validation")
	s.ask("operator", "POST", where+"?customerid=x", "+61255500010", "Content-Type", "text/csv").refusal(t, 422, "unknown-field")
	s.ask("operator", "POST", where+"?customerId="+s.customer, "+61255500010", "Content-Type", "text/csv; charset=iso-8859-1").refusal(t, 415, "unsupported-media-type")
	s.ask("operator", "POST", where, "x", "Content-Type", "application/xml").refusal(t, 415, "unsupported-media-type")
	s.ask("operator", "POST", where+"?customerId="+s.customer, strings.Repeat("+61255500010\n", 1_000_000), "Content-Type", "text/csv").refusal(t, 413, "body-too-large")
	s.ask("other-partner", "POST", where, `{"customerId":"`+s.customer+`","numberType":"direct-routing","numbers":[{"number":"+61255500010"}]}`).refusal(t, 404, "not-found")
}

func TestALargeImportIsAnOperationWithOneOutcomeForEachLine(t *testing.T) {
	w := connected(t, true)
	var b strings.Builder
	b.WriteString("number\n12\n")
	for i := range 1200 {
		fmt.Fprintf(&b, "+6125550%04d\n", i)
	}
	r := w.ask("operator", "POST", "/numbers/import?customerId="+w.customer+"&serviceId="+w.service, b.String(), "Content-Type", "text/csv", "Idempotency-Key", "one")
	v := r.json(t)
	if r.Status != 202 || r.Header.Get("Location") != "/api/v1/operations/"+v["id"].(string) || v["kind"] != "number-import" {
		t.Fatalf("%d %v %s", r.Status, r.Header, r.Body)
	}
	done := w.until(r.Header.Get("Location"), "succeeded")
	if done["failedLines"] != 1.0 || done["progress"].(map[string]any)["done"] != 1201.0 {
		t.Errorf("%v", done)
	}
	bad := w.ask("operator", "GET", r.Header.Get("Location")+"/lines?failed=true", "").json(t)["items"].([]any)
	if len(bad) != 1 || bad[0].(map[string]any)["line"] != 2.0 || bad[0].(map[string]any)["outcome"] != "rejected" {
		t.Errorf("%v", bad)
	}
	counts, err := w.numbers.Counts(context.Background(), w.system, number.Query{CustomerID: w.customer})
	w.must(err)
	if counts[number.Free] != 1200 {
		t.Errorf("%v are free", counts)
	}
	again := w.ask("operator", "POST", "/numbers/import?customerId="+w.customer+"&serviceId="+w.service, b.String(), "Content-Type", "text/csv", "Idempotency-Key", "one")
	if again.Header.Get("Idempotent-Replayed") != "true" || again.Body != r.Body {
		t.Errorf("the repeat was not answered alike: %v", again.Header)
	}
}

func TestOneNumberIsMadeOnceAndRefusedLikeALineOfAFile(t *testing.T) {
	s := sqlite(t)
	body := func(n string) string {
		return fmt.Sprintf(`{"customerId":%q,"serviceId":%q,"number":%q}`, s.customer, s.service, n)
	}
	r := s.ask("operator", "POST", "/numbers", body("+61255500077"))
	if r.Status != 201 || r.Header.Get("Location") != "/api/v1/numbers/+61255500077" || r.json(t)["state"] != "free" {
		t.Fatalf("%d %s %s", r.Status, r.Header.Get("Location"), r.Body)
	}
	s.ask("operator", "POST", "/numbers", body("+61255500077")).refusal(t, 409, "number-exists")
	s.ask("operator", "POST", "/numbers", body("0255500078")).refusal(t, 422, "needs-country")
	s.ask("operator", "POST", "/numbers", body("=1+1")).refusal(t, 422, "formula")
}
