package telephony

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

// The number types, as the Teams administration API spells them; Graph writes them in camelCase.
const (
	DirectRouting   = "DirectRouting"
	OperatorConnect = "OperatorConnect"
	CallingPlan     = "CallingPlan"
)

// Refusal is Microsoft's answer to a number request it does not carry out: the HTTP status and the text.
type Refusal struct {
	Status int
	Text   string
}

func (r *Refusal) Error() string { return r.Text }

func badRequest(format string, args ...any) *Refusal {
	return &Refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// Request asks for a number to be given to an account.
type Request struct {
	Identity   string // object id, user principal name or SIP address
	Number     string // E.164, with or without +, never tel:
	Type       string // DirectRouting, OperatorConnect, CallingPlan
	LocationID string
}

// E164 is the number with its +, or "" when it is none. An extension of the form ;ext=1234 is kept.
func E164(number string) string {
	ok, err := regexp.MatchString(`^\+?[1-9][0-9]{5,14}(;ext=[0-9]{1,10})?$`, number)
	if err != nil || !ok {
		return ""
	}
	return "+" + strings.TrimPrefix(number, "+")
}

// TypeNamed finds the number type whatever its letter case.
func TypeNamed(name string) (string, bool) {
	for _, typ := range []string{DirectRouting, OperatorConnect, CallingPlan} {
		if strings.EqualFold(typ, name) {
			return typ, true
		}
	}
	return "", false
}

// NumberOf is the number an account holds.
func NumberOf(t *world.Tenant, accountID string) (world.Number, bool) {
	for _, n := range t.Numbers.All() {
		if n.TargetID == accountID {
			return n, true
		}
	}
	return world.Number{}, false
}

// Assign gives the number to the account. The texts of its refusals are those of facts/teams-admin.md section F. A number
// of the account's own that it replaces goes back to the inventory (unproven; the cmdlet's page speaks of one LineUri).
// A Direct Routing number need not be in the inventory before; it is there afterwards.
func Assign(t *world.Tenant, q Request, now time.Time) error {
	typ, ok := TypeNamed(q.Type)
	if !ok {
		return badRequest("The value '%s' is not valid for PhoneNumberType.", q.Type)
	}
	u, ok := FindAccount(t, q.Identity)
	if !ok {
		return &Refusal{http.StatusNotFound, fmt.Sprintf("User '%s' was not found.", q.Identity)}
	}
	n, err := offered(t, q.Number, typ)
	if err != nil {
		return err
	}
	if err := holdable(t, u, n); err != nil {
		return err
	}
	if old, has := NumberOf(t, u.ID); has && old.TelephoneNumber != n.TelephoneNumber {
		release(t, old)
	}
	give(t, u, n, q.LocationID, now)
	return nil
}

// offered is the inventory's number, or a new one where it is a Direct Routing number.
func offered(t *world.Tenant, number, typ string) (world.Number, error) {
	e164 := E164(number)
	if e164 == "" {
		return world.Number{}, badRequest("Telephone Number '%s' is not found from tenant '%s'", number, t.ID)
	}
	n, known := t.Numbers.Get(e164)
	switch {
	case !known && typ == DirectRouting:
		return world.Number{TelephoneNumber: e164, Type: DirectRouting}, nil
	case !known || n.Type != typ:
		return world.Number{}, badRequest("Telephone Number '%s' is not found from tenant '%s'", number, t.ID)
	}
	return n, nil
}

// holdable refuses what the account may not hold.
func holdable(t *world.Tenant, u world.User, n world.Number) error {
	if u.OnPremNumber != "" {
		return badRequest("The user '%s' already has a telephone number set in the on-premises Active Directory and synchronized to the cloud. "+
			"Change the number on premises.", u.UserPrincipalName)
	}
	if !mayHold(EnabledPlans(t, u), n.Type) {
		return badRequest("User '%s' lacks appropriate licenses to assign a '%s' number", u.UserPrincipalName, n.Type)
	}
	if n.TargetID != "" && n.TargetID != u.ID {
		return badRequest("Telephone Number '%s' has already been assigned to another user", n.TelephoneNumber)
	}
	return nil
}

func give(t *world.Tenant, u world.User, n world.Number, location string, now time.Time) {
	n.TargetID, n.TargetKind = u.ID, "user"
	if IsResourceAccount(EnabledPlans(t, u)) {
		n.TargetKind = "resourceAccount"
	}
	if location != "" {
		n.LocationID = clearedByNull(location)
	}
	n.ActivationState, n.AssignedAt = "Activated", now
	t.Numbers.Put(n.TelephoneNumber, n)
	if !u.EnterpriseVoice {
		u.EnterpriseVoice = true
		t.Users.Put(u.ID, u)
	}
}

// clearedByNull: the literal "null" clears a location (facts/teams-admin.md section B).
func clearedByNull(location string) string {
	if strings.EqualFold(location, "null") {
		return ""
	}
	return location
}

// release keeps the number in the inventory without a holder. That a Direct Routing number stays there is unproven.
func release(t *world.Tenant, n world.Number) {
	n.TargetID, n.TargetKind, n.AssignedAt = "", "", time.Time{}
	t.Numbers.Put(n.TelephoneNumber, n)
}

// Unassign takes the number from the account and switches enterprise voice off.
func Unassign(t *world.Tenant, identity, number, numberType string) error {
	typ, ok := TypeNamed(numberType)
	if !ok {
		return badRequest("The value '%s' is not valid for PhoneNumberType.", numberType)
	}
	u, ok := FindAccount(t, identity)
	if !ok {
		return &Refusal{http.StatusNotFound, fmt.Sprintf("User '%s' was not found.", identity)}
	}
	n, ok := t.Numbers.Get(E164(number))
	if !ok || n.Type != typ || n.TargetID != u.ID {
		return badRequest("Telephone Number '%s' is not found from tenant '%s'", number, t.ID)
	}
	release(t, n)
	silence(t, u)
	return nil
}

// UnassignAll takes every number from the account; to have none is no refusal.
func UnassignAll(t *world.Tenant, identity string) error {
	u, ok := FindAccount(t, identity)
	if !ok {
		return &Refusal{http.StatusNotFound, fmt.Sprintf("User '%s' was not found.", identity)}
	}
	for n, has := NumberOf(t, u.ID); has; n, has = NumberOf(t, u.ID) {
		release(t, n)
	}
	silence(t, u)
	return nil
}

// silence switches enterprise voice off, as Remove-CsPhoneNumberAssignment does.
func silence(t *world.Tenant, u world.User) {
	if u.EnterpriseVoice {
		u.EnterpriseVoice = false
		t.Users.Put(u.ID, u)
	}
}

// SetLocation changes the emergency location of a number of the inventory.
func SetLocation(t *world.Tenant, number, location string) error {
	n, ok := t.Numbers.Get(E164(number))
	if !ok {
		return badRequest("Telephone Number '%s' is not found from tenant '%s'", number, t.ID)
	}
	n.LocationID = clearedByNull(location)
	t.Numbers.Put(n.TelephoneNumber, n)
	return nil
}

// SetEnterpriseVoice switches enterprise voice on or off without touching a number.
func SetEnterpriseVoice(t *world.Tenant, identity string, on bool) error {
	u, ok := FindAccount(t, identity)
	if !ok {
		return &Refusal{http.StatusNotFound, fmt.Sprintf("User '%s' was not found.", identity)}
	}
	if on && !HasPhoneSystem(EnabledPlans(t, u)) {
		return badRequest("User '%s' lacks appropriate licenses to assign a '%s' number", u.UserPrincipalName, DirectRouting)
	}
	u.EnterpriseVoice = on
	t.Users.Put(u.ID, u)
	return nil
}

// Status is the assignment status of a number, in the PascalCase of the Teams administration API.
func Status(n world.Number) string {
	switch {
	case n.TargetID == "":
		return "Unassigned"
	case n.TargetKind == "resourceAccount":
		return "VoiceApplicationAssigned"
	}
	return "UserAssigned"
}
