package number

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var everyEvent = []Event{Imported, Allotted, ReservedFor, Confirmed, Refused, ReleaseBegun, Freed, Kept, FoundForeign, ForeignGone,
	TakenElsewhere, Released, QuarantineEnded, Removed, Changed, OutcomeIsUnknown, PassedOn, AskedAgain}

func TestOnlyAnAssignmentOrTheTenantGivesANumberAHolder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		state := State("")
		for _, e := range rapid.SliceOfN(rapid.SampledFrom(everyEvent), 1, 60).Draw(t, "events") {
			to, ok := Next(state, e)
			if !ok {
				continue
			}
			if !HasHolder(state) && HasHolder(to) && e != ReservedFor && e != FoundForeign {
				t.Fatalf("%s gave a %s number a holder", e, state)
			}
			if to == Assigned && state != Assigned && e != Confirmed && e != Kept {
				t.Fatalf("%s made a %s number assigned", e, state)
			}
			if (to == Quarantined || to == "") && state != Free && state != Quarantined {
				t.Fatalf("%s took a %s number away", e, state)
			}
			if state = to; state == "" {
				return
			}
		}
	})
}

func TestEveryStateCanComeBackToFree(t *testing.T) {
	t.Parallel()
	for _, from := range States() {
		reached := map[State]bool{from: true}
		for range States() {
			for s := range reached {
				for _, e := range everyEvent {
					if to, ok := Next(s, e); ok {
						reached[to] = true
					}
				}
			}
		}
		if !reached[Free] {
			t.Errorf("%s never comes back", from)
		}
	}
}

func TestTheMachineRefusesWhatItsTableDoesNotHave(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from State
		e    Event
	}{{Free, Confirmed}, {Assigned, ReservedFor}, {Foreign, ReservedFor}, {Foreign, ReleaseBegun}, {Quarantined, ReservedFor},
		{Assigned, Released}, {Reserved, Released}, {"", ReservedFor}, {Releasing, ReservedFor}} {
		if to, ok := Next(c.from, c.e); ok {
			t.Errorf("%s + %s → %s", c.from, c.e, to)
		}
	}
}

func TestWhatASyncDecidesFitsTheMachineAndWhatWasSeen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	who := rapid.SampledFrom([]string{"ana", "ben", "cleo"})
	rapid.Check(t, func(t *rapid.T) {
		n := Number{Number: "+61255500001", State: rapid.SampledFrom(States()).Draw(t, "state"), UpdatedAt: now.Add(-time.Hour)}
		if HasHolder(n.State) {
			n.Holder = &Holder{ID: who.Draw(t, "holder")}
		}
		if rapid.Bool().Draw(t, "busy") {
			n.OperationID = "op"
		}
		if rapid.Bool().Draw(t, "fresh") {
			n.UpdatedAt = now
		}
		var on, holder *Seen
		if rapid.Bool().Draw(t, "seen") {
			on = &Seen{UserID: who.Draw(t, "on"), Number: n.Number}
		}
		if on != nil && on.UserID == n.holderID() {
			holder = on
		} else if n.Holder != nil && rapid.Bool().Draw(t, "holderSeen") {
			holder = &Seen{UserID: n.Holder.ID, Number: rapid.SampledFrom([]string{"", "+61255500002"}).Draw(t, "other")}
		}
		st, ok := reconcile(n, on, holder, now, 3*time.Minute)
		if !ok {
			return
		}
		to, fits := Next(n.State, st.event)
		switch {
		case n.OperationID != "" || n.UpdatedAt.Equal(now):
			t.Fatal("judged what it must leave alone")
		case !fits:
			t.Fatalf("%s of a %s number", st.event, n.State)
		case on == nil && holder == nil:
			t.Fatal("judged without having seen anybody")
		case on == nil && to != Free:
			t.Fatalf("%s, seen on nobody", to)
		case on != nil && to == Free:
			t.Fatal("free, and seen on somebody")
		case on != nil && to == Assigned && !n.heldBy(on.UserID):
			t.Fatal("assigned to somebody it was not given to")
		}
	})
}
