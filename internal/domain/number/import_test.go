package number_test

import (
	"fmt"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/number"
)

func TestAnImportIsAtomicByLineAndSafeToRepeat(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		s := newStand(t, url, 0, 0)
		other, otherService := s.addCustomer("Tailspin Telecom", "Wingtip Toys")
		s.importAll(other, otherService, "+61255509999")
		lines := []number.Line{
			{Line: 1, Number: "+61255500001", Tags: []string{"sales"}}, {Line: 2, Number: "=1+1"}, {Line: 3, Number: "(02) 5550 0002"},
			{Line: 4, Number: "+61255500001"}, {Line: 5, Number: "+61255509999"}, {Line: 6, Number: "+6125550"},
			{Line: 7, Number: "+61255500003", Tags: []string{"=cmd()"}}, {Line: 8, Number: "+61255500004", CallerID: "nobody"},
			{Line: 9, Number: "+61255500005", Country: "NZ"}, {Line: 10, Number: "+61255500006", Type: "velvet"}, {Line: 11, Number: "+61255500007", Country: "XQ"},
		}
		codes := []string{"", "formula", "", "duplicate-line", "belongs-to-another", "too-short", "formula", "bad-caller-id", "wrong-country", "unknown-type", "unknown-country"}
		for round, want := range []string{number.Created, number.Exists} {
			r, err := s.Import(t.Context(), root, number.ImportRequest{CustomerID: s.customer.ID, ServiceID: s.service.ID, Lines: lines})
			if err != nil {
				t.Fatal(err)
			}
			if r.Rejected != 9 || r.Created+r.Exists != 2 {
				t.Errorf("round %d: %+v", round, r)
			}
			for i, o := range r.Items {
				switch {
				case codes[i] == "" && (o.Outcome != want || o.Error != nil):
					t.Errorf("line %d: %+v", o.Line, o)
				case codes[i] == "too-short" && o.Outcome == number.Rejected:
				case codes[i] != "" && (o.Outcome != number.Rejected || o.Error.Code != codes[i]):
					t.Errorf("line %d: %+v %+v, want %s", o.Line, o, o.Error, codes[i])
				}
			}
		}
		n := s.get("+61255500002")
		if n.Country != "AU" || n.ServiceID != s.service.ID || n.State != number.Free || n.NumberType != "direct-routing" {
			t.Errorf("%+v", n)
		}
		if lines, err := s.History(t.Context(), root, n.Number); err != nil || len(lines) != 1 {
			t.Errorf("a repeat is in the history: %+v, %v", lines, err)
		}
	})
}

func TestALargeImportGoesOnWhereItWasCut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		s := newStand(t, url, 0, 0)
		var lines []number.Line
		for i := range 1600 {
			lines = append(lines, number.Line{Line: i + 1, Number: fmt.Sprintf("+6125550%04d", i)})
		}
		lines[10].Number = "rubbish"
		lines[1500].Number = lines[20].Number
		r, err := s.Import(t.Context(), root, number.ImportRequest{CustomerID: s.customer.ID, ServiceID: s.service.ID, Lines: lines})
		if err != nil || r.OperationID == "" {
			t.Fatalf("%+v, %v", r, err)
		}
		s.stop()
		s.start()
		o := s.must(r.OperationID, nil)
		if string(o.Result) != `{"created":1598,"exists":0,"rejected":2}` || o.FailedLines != 2 || o.Done != 1600 {
			t.Fatalf("%s, failed %d, done %d", o.Result, o.FailedLines, o.Done)
		}
		failed, err := s.ops.Lines(t.Context(), r.OperationID, 0, 10, true)
		if err != nil || len(failed) != 2 || failed[0].Line != 11 || failed[1].Line != 1501 || failed[1].Error.Code != "duplicate-line" {
			t.Fatalf("%+v, %v", failed, err)
		}
		counts, err := s.Counts(t.Context(), root, number.Query{CustomerID: s.customer.ID})
		if err != nil || counts[number.Free] != 1598 {
			t.Fatalf("%v, %v", counts, err)
		}
	})
}

func TestAReleasedNumberRestsBeforeAnotherGetsIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		s := newStand(t, url, 1, 2)
		other, otherService := s.addCustomerOf(s.customer.PartnerID, "Wingtip Toys")
		s.must(s.assign(s.users[0], s.numbers[1]))
		if err := s.Release(t.Context(), root, s.numbers[1], 0); !fault.Is(err, "number-held") {
			t.Errorf("one that is held: %v", err)
		}
		if err := s.Release(t.Context(), root, s.numbers[0], 99); !fault.Is(err, "stale-version") {
			t.Errorf("an old version: %v", err)
		}
		if err := s.Release(t.Context(), root, s.numbers[0], 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Release(t.Context(), root, s.numbers[0], 0); !fault.Is(err, "number-quarantined") {
			t.Errorf("twice: %v", err)
		}
		if r := s.importAll(other, otherService, s.numbers[0]); r.Rejected != 1 || r.Items[0].Error.Code != "number-quarantined" {
			t.Errorf("while it rests: %+v", r)
		}
		if n, err := s.EndQuarantines(t.Context()); n != 0 || err != nil {
			t.Errorf("ended early: %d, %v", n, err)
		}
		s.clock.Advance(31 * 24 * time.Hour)
		if n, err := s.EndQuarantines(t.Context()); n != 1 || err != nil {
			t.Fatalf("ended %d, %v", n, err)
		}
		if r := s.importAll(other, otherService, s.numbers[0]); r.Created != 1 {
			t.Fatalf("afterwards: %+v", r.Items[0].Error)
		}
		theirs := access.Actor{Role: access.Agent, Scope: access.Scope{Level: access.Customer, CustomerID: other.ID}}
		lines, err := s.History(t.Context(), theirs, s.numbers[0])
		if err != nil || len(lines) != 1 || lines[0].Event != number.Allotted {
			t.Errorf("the next owner sees the life before: %+v, %v", lines, err)
		}
		if err := s.Release(t.Context(), theirs, s.numbers[1], 0); !fault.Is(err, "not-found") {
			t.Errorf("another customer's number: %v", err)
		}
		if lines, err = s.History(t.Context(), root, s.numbers[0]); err != nil || len(lines) != 4 {
			t.Errorf("the whole life: %+v, %v", lines, err)
		}
	})
}

func TestAnImportIsRefusedWhereItHasNowhereToGo(t *testing.T) {
	t.Parallel()
	s := newStand(t, dbURL(t), 0, 0)
	_, foreign := s.addCustomer("Tailspin Telecom", "Wingtip Toys")
	lines := []number.Line{{Line: 1, Number: "+61255500001"}}
	for _, c := range []struct {
		code string
		req  number.ImportRequest
	}{
		{"empty", number.ImportRequest{CustomerID: s.customer.ID, ServiceID: s.service.ID}},
		{"not-found", number.ImportRequest{CustomerID: "nobody", Lines: lines}},
		{"not-found", number.ImportRequest{CustomerID: s.customer.ID, ServiceID: foreign.ID, Lines: lines}},
		{"invalid-import", number.ImportRequest{CustomerID: s.customer.ID, Lines: lines}},
		{"invalid-import", number.ImportRequest{CustomerID: s.customer.ID, ServiceID: s.service.ID, NumberType: "operator-connect", Lines: lines}},
		{"too-large", number.ImportRequest{CustomerID: s.customer.ID, Lines: make([]number.Line, number.MaxLines+1)}},
	} {
		if _, err := s.Import(t.Context(), root, c.req); !fault.Is(err, c.code) {
			t.Errorf("want %s, got %v", c.code, err)
		}
	}
	viewer := access.Actor{Role: access.Viewer, Scope: root.Scope}
	if _, err := s.Import(t.Context(), viewer, number.ImportRequest{CustomerID: s.customer.ID, Lines: lines}); !fault.Is(err, "role-forbids") {
		t.Error(err)
	}
}

func TestAListIsPagedSearchedAndKeptInsideItsScope(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		s := newStand(t, url, 2, 25)
		other, otherService := s.addCustomer("Tailspin Telecom", "Wingtip Toys")
		s.importAll(other, otherService, "+61255509999")
		s.must(s.assign(s.users[1], s.numbers[7]))
		mine := access.Actor{Role: access.Viewer, Scope: access.Scope{Level: access.Customer, CustomerID: s.customer.ID}}
		for _, sort := range []string{"", "-number", "state", "-state", "holder", "-holder"} {
			seen, q := map[string]bool{}, number.Query{Sort: sort, Limit: 10}
			for {
				page, err := s.Numbers.Numbers(t.Context(), mine, q)
				if err != nil || page.Total != 25 {
					t.Fatalf("sort %q: %d, %v", sort, page.Total, err)
				}
				for _, n := range page.Items {
					if seen[n.Number] {
						t.Fatalf("sort %q: %s twice", sort, n.Number)
					}
					seen[n.Number] = true
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
			if len(seen) != 25 {
				t.Fatalf("sort %q: %d numbers", sort, len(seen))
			}
		}
		for search, want := range map[string]int{"5550 0008": 1, "person 01": 1, "%": 0, "+61 2 5550": 25, "nothing": 0} {
			if page, err := s.Numbers.Numbers(t.Context(), mine, number.Query{Search: search}); err != nil || page.Total != want {
				t.Errorf("%q finds %d, want %d (%v)", search, page.Total, want, err)
			}
		}
		if n, err := s.NextFree(t.Context(), mine, s.service.ID); err != nil || n.Number != s.numbers[0] {
			t.Errorf("next free %+v, %v", n, err)
		}
		if _, err := s.NextFree(t.Context(), mine, otherService.ID); !fault.Is(err, "no-free-number") {
			t.Errorf("another's next free: %v", err)
		}
		if _, err := s.Number(t.Context(), mine, "+61255509999"); !fault.Is(err, "not-found") {
			t.Errorf("another's number: %v", err)
		}
		if _, err := s.Numbers.Numbers(t.Context(), mine, number.Query{Sort: "colour"}); !fault.Is(err, "unknown-sort") {
			t.Error(err)
		}
		if _, err := s.Numbers.Numbers(t.Context(), mine, number.Query{Cursor: "?"}); !fault.Is(err, "invalid-cursor") {
			t.Error(err)
		}
	})
}

func TestAPropertyIsChangedOnTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	s := newStand(t, dbURL(t), 0, 1)
	caller, bad, tags := "+61255500009", "12", []string{"sales", " sales ", "vip"}
	n := s.get(s.numbers[0])
	got, err := s.Update(t.Context(), root, n.Number, number.Patch{CallerID: &caller, Tags: &tags}, n.Version)
	if err != nil || got.CallerID != caller || len(got.Tags) != 2 || got.Version != n.Version+1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if again := s.get(n.Number); again.CallerID != caller || again.Version != got.Version {
		t.Fatalf("%+v", again)
	}
	if _, err := s.Update(t.Context(), root, n.Number, number.Patch{CallerID: &caller}, n.Version); !fault.Is(err, "stale-version") {
		t.Error(err)
	}
	formula := []string{"=1"}
	if _, err := s.Update(t.Context(), root, n.Number, number.Patch{CallerID: &bad, Tags: &formula}, 0); !fault.Is(err, "invalid-number") {
		t.Error(err)
	}
}
