package number

import "tcap.cloud/internal/base/fault"

// State of a number, as the API names it.
type State string

// The states. Foreign: held in the tenant by somebody whom we did not give it to.
const (
	Free        State = "free"
	Reserved    State = "reserved"
	Assigned    State = "assigned"
	Releasing   State = "releasing"
	Quarantined State = "quarantined"
	Foreign     State = "foreign"
)

// States lists them in the order of a number's life.
func States() []State {
	return []State{Free, Reserved, Assigned, Releasing, Quarantined, Foreign}
}

// Event is something that happens to a number; its name is what the history shows.
type Event string

// The events that move a number from one state to another.
const (
	Imported         Event = "imported"          // into the inventory
	Allotted         Event = "allotted"          // from the partner's stock to a customer
	ReservedFor      Event = "reserved"          // an assignment was asked for
	Confirmed        Event = "assigned"          // the tenant was seen to have it
	Refused          Event = "refused"           // the assignment was not made
	ReleaseBegun     Event = "unassigning"       // taking it back was asked for
	Freed            Event = "freed"             // the tenant was seen without it
	Kept             Event = "kept"              // it was not taken back
	FoundForeign     Event = "found-foreign"     // seen on somebody whom we did not give it to
	ForeignGone      Event = "foreign-gone"      // and no longer
	TakenElsewhere   Event = "taken-elsewhere"   // its holder lost it in the tenant, not by us
	Released         Event = "released"          // taken from the customer into quarantine
	QuarantineEnded  Event = "quarantine-ended"  // and free for another
	Removed          Event = "removed"           // out of the inventory
	Changed          Event = "changed"           // a property, not the state
	OutcomeIsUnknown Event = "outcome-unknown"   // a call's answer was lost; the next sync says
	PassedOn         Event = "foreign-passed-on" // foreign, and now somebody else's
	AskedAgain       Event = "asked-again"       // its holder is given it once more, perhaps with other policies
)

// moves is the machine: what is not there is refused.
var moves = map[State]map[Event]State{
	"":       {Imported: Free},
	Free:     {Allotted: Free, ReservedFor: Reserved, FoundForeign: Foreign, Released: Quarantined, Removed: "", Changed: Free},
	Reserved: {ReservedFor: Reserved, ReleaseBegun: Releasing, Confirmed: Assigned, Refused: Free, FoundForeign: Foreign, OutcomeIsUnknown: Reserved, Changed: Reserved},
	Assigned: {AskedAgain: Assigned, Confirmed: Assigned, Kept: Assigned, OutcomeIsUnknown: Assigned, ReleaseBegun: Releasing,
		TakenElsewhere: Free, FoundForeign: Foreign, Changed: Assigned},
	Releasing:   {ReleaseBegun: Releasing, Freed: Free, Kept: Assigned, FoundForeign: Foreign, OutcomeIsUnknown: Releasing, Changed: Releasing},
	Quarantined: {QuarantineEnded: Free, Changed: Quarantined},
	Foreign:     {ForeignGone: Free, PassedOn: Foreign, Changed: Foreign},
}

// Next answers the state after an event; false where the event cannot happen to a number in that state. The state of what
// is not, or no longer, in the inventory is empty.
func Next(from State, e Event) (State, bool) {
	to, ok := moves[from][e]
	return to, ok
}

// HasHolder says whether a number in this state has somebody who holds it.
func HasHolder(s State) bool {
	return s == Reserved || s == Assigned || s == Releasing || s == Foreign
}

// cannotGive refuses to give a number to a person, saying why and what to do; nil where it may be reserved, or is his.
func cannotGive(n Number, customerID, userID string) *fault.Fault {
	if n.CustomerID != customerID {
		return notYours(n.Number)
	}
	mine := n.heldBy(userID)
	switch {
	case n.State == Free, mine && n.OperationID == "" && (n.State == Assigned || n.State == Reserved):
		return nil
	case n.State == Foreign:
		return fault.New(fault.Conflict, "number-foreign", "%s is held in the tenant by %s, who was not given it here.", n.Number, n.holderName()).
			WithRemedy("Take it from %s in Teams admin center, or choose another number.", n.holderName())
	case n.State == Releasing:
		return fault.New(fault.Conflict, "number-releasing", "%s is just being taken back from %s.", n.Number, n.holderName()).
			WithRemedy("Wait until it is free, or choose another number.")
	case n.State == Quarantined:
		return fault.New(fault.Conflict, "number-quarantined", "%s was released and rests until %s.", n.Number, n.QuarantineUntil.Format("2006-01-02")).
			WithRemedy("Choose another number.")
	}
	return fault.New(fault.Conflict, "number-held", "%s is held by %s.", n.Number, n.holderName()).
		WithRemedy("Take it from %s first, or choose another number.", n.holderName())
}

// notYours is the answer for a number that is nobody's, another customer's or another partner's: the three must not differ.
func notYours(number string) *fault.Fault {
	return fault.New(fault.NotFound, "number-not-yours", "%s is not in this customer's inventory.", number).
		WithRemedy("Import the number for this customer first.")
}
