package api_test

import (
	"fmt"
	"testing"

	"tcap.cloud/internal/engine/operation"
)

func TestAListIsPagedToItsEndWithoutGapsOrRepeats(t *testing.T) {
	s := sqlite(t)
	for i := range 7 {
		s.start(operation.New{Kind: "test", Title: fmt.Sprint(i), PartnerID: s.partner, CustomerID: s.customer})
		if r := s.ask("operator", "POST", "/customers", fmt.Sprintf(`{"name":"Customer %d","partnerId":"%s"}`, i, s.partner)); r.Status != 201 {
			t.Fatal(r.Body)
		}
	}
	for path, want := range map[string]int{"/operations": 8, "/customers": 9, "/audit": 0} {
		seen, cursor := map[string]bool{}, ""
		for {
			v := s.ask("operator", "GET", path+"?limit=3"+cursor, "").json(t)
			for _, item := range v["items"].([]any) {
				m := item.(map[string]any)
				id := fmt.Sprint(m["id"], m["chain"], m["seq"])
				if seen[id] {
					t.Fatalf("%s is listed twice in %s", id, path)
				}
				seen[id] = true
			}
			if want > 0 && v["total"] != float64(want) {
				t.Errorf("%s: total %v, want %d", path, v["total"], want)
			}
			if v["next"] == nil {
				break
			}
			cursor = "&cursor=" + v["next"].(string)
		}
		if want > 0 && len(seen) != want {
			t.Errorf("%s listed %d, want %d", path, len(seen), want)
		}
		if path == "/audit" && len(seen) < 20 {
			t.Errorf("the audit listed %d", len(seen))
		}
	}
}

func TestTheAuditProvesItself(t *testing.T) {
	s := sqlite(t)
	v := s.ask("operator", "GET", "/audit/verify", "").json(t)
	if v["ok"] != true || v["entries"].(float64) < 10 {
		t.Errorf("%v", v)
	}
	s.must(execute(s, `UPDATE audit_entry SET actor = 'somebody else' WHERE chain = 'operator' AND seq = 2`))
	v = s.ask("operator", "GET", "/audit/verify", "").json(t)
	broken, _ := v["broken"].([]any)
	if v["ok"] != false || len(broken) != 1 || broken[0].(map[string]any)["seq"] != float64(2) {
		t.Errorf("%v", v)
	}
}
