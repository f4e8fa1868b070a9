package number_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/engine/kind/kindtest"
	"tcap.cloud/internal/engine/operation"
)

func TestANumberIsGivenReplacedAndTakenBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		s := newStand(t, url, 2, 2)
		ana, policy := s.users[0], "AU"
		id, _, err := s.Assign(t.Context(), root, number.AssignRequest{CustomerID: s.customer.ID, UserID: ana, Number: s.numbers[0], VoicePolicy: &policy})
		s.must(id, err)
		n := s.get(s.numbers[0])
		if n.State != number.Assigned || n.Holder == nil || n.Holder.ID != ana || n.VoicePolicy != "AU" || n.OperationID != "" {
			t.Fatalf("after assigning: %+v", n)
		}
		if u, _ := s.dir.User(t.Context(), "", ana); u.Number != s.numbers[0] || u.VoicePolicy != "AU" {
			t.Errorf("the directory was not told: %+v", u)
		}
		s.must(s.assign(ana, s.numbers[0])) // once more: nothing to do
		s.must(s.assign(ana, s.numbers[1]))
		if old, now := s.get(s.numbers[0]), s.get(s.numbers[1]); old.State != number.Free || now.State != number.Assigned {
			t.Fatalf("after replacing: %s and %s", old.State, now.State)
		}
		s.must(s.unassign(ana))
		if s.teams.Held()[ana] != "" || s.get(s.numbers[1]).State != number.Free || len(s.teams.Grants[ana]) != 0 {
			t.Fatalf("after taking: %v, %s, %v", s.teams.Held(), s.get(s.numbers[1]).State, s.teams.Grants[ana])
		}
		lines, err := s.History(t.Context(), root, s.numbers[0])
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, l := range lines {
			told = append(told, string(l.Event))
		}
		if got := strings.Join(told, " "); got != "imported reserved assigned asked-again assigned unassigning freed" {
			t.Errorf("history: %s", got)
		}
	})
}

func TestOfTwentyWhoWantOneNumberOneGetsIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		s := newStand(t, url, 20, 1)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var won []string
		for _, u := range s.users {
			wg.Go(func() {
				id, err := s.assign(u, s.numbers[0])
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, id)
				} else if !fault.Is(err, "number-held") {
					t.Errorf("%s: %v", u, err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d won", len(won))
		}
		s.must(won[0], nil)
		holders := 0
		for _, n := range s.teams.Held() {
			if n != "" {
				holders++
			}
		}
		if n := s.get(s.numbers[0]); holders != 1 || s.teams.Held()[n.Holder.ID] != n.Number {
			t.Fatalf("%d holders, %+v", holders, n)
		}
	})
}

func TestAnAssignmentThatCannotBeIsRefusedAndMovesNothing(t *testing.T) {
	t.Parallel()
	s := newStand(t, dbURL(t), 3, 4)
	ana, ben := s.users[0], s.users[1]
	other, otherService := s.addCustomer("Tailspin Telecom", "Wingtip Toys")
	s.importAll(other, otherService, "+61255509999")
	s.must(s.assign(ben, s.numbers[3]))
	s.dir.users[s.users[2]] = number.UserInfo{ID: s.users[2], Name: "Person 02", Reason: "has Microsoft 365 E3, needs Teams Phone"}
	policy, version := "Nowhere", s.get(s.numbers[0]).Version+1
	for _, c := range []struct {
		code string
		req  number.AssignRequest
	}{
		{"not-found", number.AssignRequest{UserID: "nobody", Number: s.numbers[0]}},
		{"not-licensed", number.AssignRequest{UserID: s.users[2], Number: s.numbers[0]}},
		{"invalid-number", number.AssignRequest{UserID: ana, Number: "0255500001"}},
		{"number-not-yours", number.AssignRequest{UserID: ana, Number: "+61255508888"}},
		{"number-not-yours", number.AssignRequest{UserID: ana, Number: "+61255509999"}},
		{"number-held", number.AssignRequest{UserID: ana, Number: s.numbers[3]}},
		{"policy-not-found", number.AssignRequest{UserID: ana, Number: s.numbers[0], VoicePolicy: &policy}},
		{"stale-version", number.AssignRequest{UserID: ana, Number: s.numbers[0], IfVersion: version}},
		{"other-service", number.AssignRequest{UserID: ana, Number: s.numbers[0], ServiceID: otherService.ID}},
	} {
		c.req.CustomerID = s.customer.ID
		_, _, err := s.Assign(t.Context(), root, c.req)
		if !fault.Is(err, c.code) {
			t.Errorf("want %s, got %v", c.code, err)
		}
		if c.code == "number-held" && !strings.Contains(err.Error(), "user-01@contoso.example") {
			t.Errorf("the holder is not named: %v", err)
		}
	}
	stranger := access.Actor{Role: access.Agent, Scope: access.Scope{Level: access.Customer, CustomerID: other.ID}}
	viewer := access.Actor{Role: access.Viewer, Scope: root.Scope}
	req := number.AssignRequest{CustomerID: s.customer.ID, UserID: ana, Number: s.numbers[0]}
	if _, _, err := s.Assign(t.Context(), stranger, req); !fault.Is(err, "not-found") {
		t.Errorf("another customer's key: %v", err)
	}
	if _, _, err := s.Assign(t.Context(), viewer, req); !fault.Is(err, "role-forbids") {
		t.Errorf("a viewer: %v", err)
	}
	s.blocked = fault.New(fault.Conflict, "service-suspended", "Suspended.")
	if _, _, err := s.Assign(t.Context(), root, req); !fault.Is(err, "service-suspended") {
		t.Errorf("a suspended service: %v", err)
	}
	s.blocked = nil
	if n := s.get(s.numbers[0]); n.State != number.Free || n.Version != version-1 {
		t.Errorf("something moved: %+v", n)
	}
	if _, err := s.unassign(ana); !fault.Is(err, "no-number") {
		t.Errorf("taking from one without: %v", err)
	}
}

func TestOnePersonHasOneAssignmentAtATime(t *testing.T) {
	t.Parallel()
	s := newStand(t, dbURL(t), 1, 2)
	hold := make(chan struct{})
	s.teams.Hook = func(r *http.Request) *kindtest.Fault {
		<-hold
		return nil
	}
	id, err := s.assign(s.users[0], s.numbers[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.assign(s.users[0], s.numbers[1]); !fault.Is(err, "assignment-running") {
		t.Errorf("a second number: %v", err)
	}
	if _, err := s.assign(s.users[0], s.numbers[0]); !fault.Is(err, "assignment-running") {
		t.Errorf("the same number: %v", err)
	}
	if _, err := s.unassign(s.users[0]); !fault.Is(err, "assignment-running") {
		t.Errorf("taking it back: %v", err)
	}
	if n := s.get(s.numbers[1]); n.State != number.Free {
		t.Errorf("the second number is %s", n.State)
	}
	close(hold)
	s.must(id, nil)
}

func TestARefusedAssignmentGivesTheNumberBack(t *testing.T) {
	t.Parallel()
	s := newStand(t, dbURL(t), 1, 1)
	s.teams.Hook = func(r *http.Request) *kindtest.Fault {
		if r.Method == http.MethodPut {
			return &kindtest.Fault{Status: 400, Text: "User 'x' lacks appropriate licenses to assign a 'DirectRouting' number"}
		}
		return nil
	}
	id, err := s.assign(s.users[0], s.numbers[0])
	if err != nil {
		t.Fatal(err)
	}
	if o := s.end(id); o.State != operation.Failed || o.Error.Code != "licence-missing" {
		t.Fatalf("%s %+v", o.State, o.Error)
	}
	if n := s.get(s.numbers[0]); n.State != number.Free || n.Holder != nil {
		t.Fatalf("%+v", n)
	}
}

func TestAnUnknownOutcomeKeepsTheNumberUntilASyncHasLooked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		for _, landed := range []bool{true, false} {
			s := newStand(t, url, 1, 1)
			s.teams.Hook = func(r *http.Request) *kindtest.Fault { // after the write nothing answers any more
				if r.Method == http.MethodPut || s.teams.Writes > 0 {
					return &kindtest.Fault{Status: 503, After: landed}
				}
				return nil
			}
			if !landed {
				gone := false
				s.teams.Hook = func(r *http.Request) *kindtest.Fault {
					gone = gone || r.Method == http.MethodPut
					if gone {
						return &kindtest.Fault{Status: 503}
					}
					return nil
				}
			}
			id, err := s.assign(s.users[0], s.numbers[0])
			if err != nil {
				t.Fatal(err)
			}
			if o := s.end(id); o.State != operation.Failed {
				t.Fatalf("%s", o.State)
			}
			if n := s.get(s.numbers[0]); n.State != number.Reserved || n.Holder == nil || n.OperationID != "" {
				t.Fatalf("landed %v: %+v", landed, n)
			}
			s.clock.Advance(5 * time.Minute)
			s.sync()
			want := map[bool]number.State{true: number.Assigned, false: number.Free}[landed]
			if n := s.get(s.numbers[0]); n.State != want {
				t.Fatalf("landed %v, after the sync %s", landed, n.State)
			}
			url = freshURL(t, url)
		}
	})
}

func TestAPreviewShowsThePlanAndTouchesNothing(t *testing.T) {
	t.Parallel()
	s := newStand(t, dbURL(t), 1, 2)
	policy := "AU"
	req := number.AssignRequest{CustomerID: s.customer.ID, UserID: s.users[0], Number: s.numbers[0], VoicePolicy: &policy}
	p, _, err := s.Preview(t.Context(), root, req)
	if err != nil || len(p.Changes) != 2 || p.Changes[0].Title != "Assign "+s.numbers[0] || p.Changes[1].Title != "Grant the voice routing policy AU" {
		t.Fatalf("%+v, %v", p, err)
	}
	if s.teams.Writes != 0 || s.get(s.numbers[0]).State != number.Free {
		t.Fatal("a preview changed something")
	}
	stale := req
	stale.PlanHash = "another"
	id, _, err := s.Assign(t.Context(), root, stale)
	if err != nil {
		t.Fatal(err)
	}
	if o := s.end(id); o.State != operation.Failed || o.Error.Code != "plan-changed" || s.get(s.numbers[0]).State != number.Free {
		t.Fatalf("%s %+v", o.State, o.Error)
	}
	req.PlanHash = p.Hash
	id, _, err = s.Assign(t.Context(), root, req)
	s.must(id, err)
	replace := number.AssignRequest{CustomerID: s.customer.ID, UserID: s.users[0], Number: s.numbers[1]}
	if p, _, err = s.Preview(t.Context(), root, replace); err != nil || len(p.Changes) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	replace.PlanHash = p.Hash
	id, _, err = s.Assign(t.Context(), root, replace)
	s.must(id, err)
	take := number.UnassignRequest{CustomerID: s.customer.ID, Number: s.numbers[1]}
	if p, err = s.PreviewUnassign(t.Context(), root, take); err != nil || len(p.Changes) != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	take.PlanHash = p.Hash
	id, err = s.Unassign(t.Context(), root, take)
	s.must(id, err)
}

func TestASyncMarksAndHealsWhatTheTenantsOwnAdministratorDid(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		s := newStand(t, url, 2, 3)
		ana, ben := s.users[0], s.users[1]
		s.must(s.assign(ana, s.numbers[0]))
		s.teams.Give(ben, s.numbers[1])
		s.sync()
		if n := s.get(s.numbers[1]); n.State != number.Free {
			t.Fatalf("a number that moved a moment ago was judged: %s", n.State)
		}
		s.clock.Advance(5 * time.Minute)
		s.sync()
		if n := s.get(s.numbers[1]); n.State != number.Foreign || n.Holder.ID != ben {
			t.Fatalf("%+v", n)
		}
		if _, err := s.assign(ana, s.numbers[1]); !fault.Is(err, "number-foreign") {
			t.Errorf("a foreign number: %v", err)
		}
		if _, err := s.assign(ben, s.numbers[2]); !fault.Is(err, "foreign-number") {
			t.Errorf("a person with a foreign number: %v", err)
		}
		if _, err := s.unassign(ben); !fault.Is(err, "foreign-number") {
			t.Errorf("taking a foreign number: %v", err)
		}
		s.teams.Give(ben, "")
		s.teams.Give(ana, "")
		s.clock.Advance(5 * time.Minute)
		s.sync()
		if a, b := s.get(s.numbers[0]), s.get(s.numbers[1]); a.State != number.Free || b.State != number.Free {
			t.Fatalf("%s and %s", a.State, b.State)
		}
		lines, err := s.History(context.Background(), root, s.numbers[0])
		if err != nil || lines[len(lines)-1].Event != number.TakenElsewhere || lines[len(lines)-1].Holder.ID != ana {
			t.Fatalf("%+v, %v", lines, err)
		}
	})
}
