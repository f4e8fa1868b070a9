package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// The job that everything is for, with nothing but HTTP: a tenant is paired, read, and a number lands on somebody.
func TestATenantIsPairedAndANumberLandsOnSomebody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s := newStand(t, database)
		c := s.newCustomer(t, "Wingtip Toys", 250, 7)
		s.pairs(t, c)
		s.hasNoPermission(t, c)
		people := s.free(t, c, 2)
		one, other, e164 := people[0], people[1], e164(1)
		s.stock(t, c, e164)

		op := s.assign(t, c, one.ID, e164)
		s.succeeds(t, op)
		s.landed(t, c, one, e164)
		s.toldOf(t, c, one, e164, op)

		refused := s.api.must(t, "PUT", "/customers/"+c.id+"/users/"+other.ID+"/number", map[string]any{"number": e164}).problem(t, http.StatusConflict)
		if !strings.Contains(refused.Detail, one.DisplayName) && !strings.Contains(refused.Detail, one.UserPrincipalName) {
			t.Errorf("the refusal does not name the holder %s: %q", one.DisplayName, refused.Detail)
		}

		back := operationOf(t, s.api.must(t, "DELETE", "/customers/"+c.id+"/users/"+one.ID+"/number", nil).want(t, http.StatusAccepted))
		s.succeeds(t, back)
		if n := s.number(t, e164); n.State != "free" || n.Holder != nil {
			t.Errorf("after it was taken back the number is %+v", n)
		}
		if held := s.sim.state(t, c.TenantID).holders(e164); len(held) != 0 {
			t.Errorf("in the tenant the number is still on %q", held)
		}
		events := s.history(t, e164)
		if last := events[len(events)-1]; last.Event != "freed" || last.To != "free" || last.OperationID == nil || *last.OperationID != back {
			t.Errorf("the history ends with %+v, not with the operation that freed it", last)
		}
		s.auditHolds(t)
	})
}

// pairs grants access, consents and waits for everybody to be listed.
func (s *stand) pairs(t *testing.T, c customer) {
	t.Helper()
	g := s.grantAccess(t, c)
	var asked []string
	for _, p := range g.Permissions {
		if p.Title == "" || p.UsedFor == "" {
			t.Errorf("the permission %q is shown without its purpose", p.Value)
		}
		asked = append(asked, p.Value)
	}
	slices.Sort(asked)
	if want := []string{"Directory.AccessAsUser.All", "User.Read", "User.Read.All"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	if got := s.card(t, c); got.Status != "pending-consent" {
		t.Errorf("a link alone made the service %q", got.Status)
	}
	s.succeeds(t, s.comeBack(t, s.sim.consent(t, g.ConsentURL, c.GlobalAdmin)))
	if got := s.card(t, c); got.Status != "active" || got.LastSync == nil || got.LastSync.Users != 250 {
		t.Errorf("after the pairing the card is %+v", got)
	}
	var page struct {
		Items []user
		Total int
		Next  *string
	}
	s.api.get(t, "/customers/"+c.id+"/users?limit=1", &page)
	if page.Total != 250 || len(page.Items) != 1 || page.Next == nil {
		t.Errorf("a page of one says %+v, want 1 of 250 and a next", page)
	}
	roles := s.sim.state(t, c.TenantID).roles(s.appID)
	slices.Sort(roles)
	if want := []string{"Teams Administrator", "User Administrator"}; !slices.Equal(roles, want) {
		t.Errorf("the application holds %q, want %q", roles, want)
	}
}

// hasNoPermission: the job is done with the two roles alone. With the application's own token Graph refuses what asks for
// an application permission.
func (s *stand) hasNoPermission(t *testing.T, c customer) {
	t.Helper()
	var token struct {
		Access string `json:"access_token"`
	}
	s.sim.must(t, "POST", "/"+c.TenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {s.appID},
		"client_secret": {s.secret}, "scope": {s.sim.url + "/graph/.default"}}).want(t, http.StatusOK).into(t, &token)
	as := []string{"Authorization", "Bearer " + token.Access}
	s.sim.must(t, "GET", "/graph/v1.0/users?$top=1", nil, as...).want(t, http.StatusOK)
	s.sim.must(t, "GET", "/graph/v1.0/admin/teams/telephoneNumberManagement/numberAssignments", nil, as...).want(t, http.StatusForbidden)
}

// landed looks at the tenant itself and at what the product shows.
func (s *stand) landed(t *testing.T, c customer, who user, e164 string) {
	t.Helper()
	there := s.sim.state(t, c.TenantID)
	if held := there.holders(e164); !slices.Equal(held, []string{who.ID}) {
		t.Errorf("in the tenant the number is on %q, want on %s alone", held, who.ID)
	}
	if p := there.user(who.ID).Policies["OnlineVoiceRoutingPolicy"]; p != voicePolicy {
		t.Errorf("in the tenant the voice routing policy is %q", p)
	}
	var shown user
	s.api.get(t, "/customers/"+c.id+"/users/"+who.ID, &shown)
	if shown.Status != "allocated" || shown.Number == nil || *shown.Number != e164 || shown.VoicePolicy == nil || *shown.VoicePolicy != voicePolicy {
		t.Errorf("the product shows %+v", shown)
	}
	if n := s.number(t, e164); n.State != "assigned" || n.Holder == nil || n.Holder.ID != who.ID || n.OperationID != nil {
		t.Errorf("the inventory shows %+v", n)
	}
}

// event is a line of a number's history.
type event struct {
	Event, To, Actor  string
	From, OperationID *string
	Holder            *struct{ ID, Name string }
}

func (s *stand) history(t *testing.T, e164 string) []event {
	t.Helper()
	var page struct{ Items []event }
	s.api.get(t, "/numbers/"+url.PathEscape(e164)+"/history", &page)
	if len(page.Items) == 0 {
		t.Fatal("the number has no history")
	}
	return page.Items
}

// entry of the audit.
type entry struct {
	Action, Actor, TargetKind, TargetID string
	OperationID                         *string
	Detail                              map[string]any
}

func (s *stand) audit(t *testing.T, operationID string) []entry {
	t.Helper()
	var page struct{ Items []entry }
	s.api.get(t, "/audit?limit=200&operationId="+operationID, &page)
	return page.Items
}

func (s *stand) auditHolds(t *testing.T) {
	t.Helper()
	var got struct {
		OK      bool
		Entries int
	}
	s.api.get(t, "/audit/verify", &got)
	if !got.OK || got.Entries == 0 {
		t.Errorf("the audit does not hold: %+v", got)
	}
}

// toldOf: history and audit tell the story of an assignment, each change intended and with its outcome, each transition
// with its operation.
func (s *stand) toldOf(t *testing.T, c customer, who user, e164, op string) {
	t.Helper()
	var story []string
	for _, e := range s.history(t, e164) {
		story = append(story, e.Event)
		if e.Event == "imported" {
			continue
		}
		if e.OperationID == nil || *e.OperationID != op {
			t.Errorf("the transition %s does not name its operation", e.Event)
		}
		if e.Holder == nil || e.Holder.ID != who.ID {
			t.Errorf("the transition %s does not name who has the number", e.Event)
		}
		if e.Actor == "" {
			t.Errorf("the transition %s does not name who did it", e.Event)
		}
	}
	if want := []string{"imported", "reserved", "assigned"}; !slices.Equal(story, want) {
		t.Errorf("the history tells %q, want %q", story, want)
	}
	count := map[string]int{}
	for _, e := range s.audit(t, op) {
		count[e.Action]++
		if strings.HasPrefix(e.Action, "change.") {
			count[e.Action+" "+e.TargetKind]++
		}
	}
	for _, want := range []string{"number.assign", "change.intended user-number", "change.verified user-number", "change.intended policy-grant",
		"change.verified policy-grant", "operation.succeeded"} {
		if count[want] != 1 {
			t.Errorf("the audit has %q %d times, want once", want, count[want])
		}
	}
	if count["change.intended"] != 2 || count["change.verified"] != 2 || count["change.failed"] != 0 {
		t.Errorf("the audit has %v", count)
	}
}

func TestWhatWasPreviewedIsWhatIsApplied(t *testing.T) {
	t.Parallel()
	s := newStand(t, "sqlite")
	c := s.newPaired(t, "Tailspin Airlines", 40, 11)
	people := s.free(t, c, 3)
	s.stock(t, c, e164(1), e164(2), e164(3), e164(4))

	t.Run("the same plan is carried out", func(t *testing.T) {
		who := people[0]
		shown := s.preview(t, c, who.ID, e164(1))
		if len(shown.Changes) != 2 || shown.Changes[0].Kind != "user-number" || shown.Changes[1].Kind != "policy-grant" {
			t.Fatalf("the plan is %+v", shown)
		}
		if n := s.number(t, e164(1)); n.State != "free" {
			t.Errorf("a dry run made the number %s", n.State)
		}
		if _, wrote := s.sim.made(t, c.TenantID, "PUT", "assignments"); wrote != 0 {
			t.Error("a dry run changed the tenant")
		}
		op := operationOf(t, s.put(t, c, who.ID, e164(1), shown.PlanHash).want(t, http.StatusAccepted))
		s.succeeds(t, op)
		s.landed(t, c, who, e164(1))
		for _, e := range s.audit(t, op) {
			if e.Action == "number.assign" && e.Actor == "" {
				t.Error("the audit does not say who assigned")
			}
		}
	})
	t.Run("what changed here meanwhile is refused at once", func(t *testing.T) {
		who := people[1]
		shown := s.preview(t, c, who.ID, e164(2))
		s.succeeds(t, s.assign(t, c, who.ID, e164(3)))
		s.put(t, c, who.ID, e164(2), shown.PlanHash).problem(t, http.StatusPreconditionFailed, "plan-changed")
		s.landed(t, c, who, e164(3))
		if n := s.number(t, e164(2)); n.State != "free" {
			t.Errorf("after the refusal the number is %s", n.State)
		}
	})
	t.Run("what changed in the tenant meanwhile is refused before anything is written", func(t *testing.T) {
		who := people[2]
		shown := s.preview(t, c, who.ID, e164(4))
		s.sim.act(t, c.TenantID, "set-number", "upn", who.UserPrincipalName, "number", e164(4))
		_, before := s.sim.made(t, c.TenantID, "PUT", "/")
		a := s.put(t, c, who.ID, e164(4), shown.PlanHash)
		if a.status != http.StatusAccepted { // it may be known at once, or be found by the operation
			a.problem(t, http.StatusPreconditionFailed, "plan-changed")
		} else if o := s.ends(t, operationOf(t, a), nil); o.State != "failed" || o.Error == nil || o.Error.Code != "plan-changed" {
			t.Errorf("the operation ended so: %s", o)
		}
		if _, after := s.sim.made(t, c.TenantID, "PUT", "/"); after != before {
			t.Errorf("%d writes reached the tenant", after-before)
		}
		if p := s.sim.state(t, c.TenantID).user(who.ID).Policies["OnlineVoiceRoutingPolicy"]; p != "" {
			t.Errorf("the policy %q was granted", p)
		}
	})
}

// plan as a dry run answers it.
type plan struct {
	PlanHash string
	Changes  []struct{ Kind, Key, Action, Title string }
}

func (s *stand) preview(t *testing.T, c customer, userID, e164 string) plan {
	t.Helper()
	var p plan
	s.api.must(t, "PUT", "/customers/"+c.id+"/users/"+userID+"/number?dryRun=true", map[string]any{"number": e164, "voicePolicy": voicePolicy}).
		want(t, http.StatusOK).into(t, &p)
	if p.PlanHash == "" {
		t.Fatal("the plan has no hash")
	}
	return p
}

func (s *stand) put(t *testing.T, c customer, userID, e164, planHash string) *answer {
	t.Helper()
	return s.api.must(t, "PUT", "/customers/"+c.id+"/users/"+userID+"/number", map[string]any{"number": e164, "voicePolicy": voicePolicy},
		"If-Plan-Match", planHash)
}
