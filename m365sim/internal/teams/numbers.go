package teams

import (
	"errors"
	"net/http"
	"strings"

	"tcap.cloud/m365sim/internal/teams/telephony"
	"tcap.cloud/m365sim/internal/world"
)

const nobody = "00000000-0000-0000-0000-000000000000"

// inventory is the admin centre's list: TelephoneNumbers[] in PascalCase; an unassigned one has the all-zero target
// (facts/teams-admin.md A3).
func (c *call) inventory() (any, error) {
	if !strings.EqualFold(c.path[2], c.tenant) {
		return nil, refuse(http.StatusForbidden, "Forbidden", "Access Denied.")
	}
	return c.numbers(func(n world.Number) map[string]any {
		target := n.TargetID
		if target == "" {
			target = nobody
		}
		return map[string]any{"TelephoneNumber": n.TelephoneNumber, "NumberType": n.Type, "TargetId": target, "AssignmentStatus": telephony.Status(n),
			"AcquiredCapabilities": []string{"UserAssignment", "VoiceApplicationAssignment"}, "LocationId": n.LocationID, "CivicAddressId": "", "AcquisitionDate": n.AssignedAt}
	})
}

// listAssignments is Get-CsPhoneNumberAssignment.
func (c *call) listAssignments() (any, error) {
	return c.numbers(func(n world.Number) map[string]any {
		state := n.ActivationState
		if state == "" {
			state = "Activated"
		}
		category := ""
		if n.TargetID != "" {
			category = "Primary"
		}
		return map[string]any{"TelephoneNumber": n.TelephoneNumber, "NumberType": n.Type, "ActivationState": state, "AssignedPstnTargetId": n.TargetID,
			"AssignmentCategory": category, "Capability": []string{"UserAssignment", "VoiceApplicationAssignment"}, "PstnAssignmentStatus": telephony.Status(n),
			"LocationId": n.LocationID, "NumberSource": "Online"}
	})
}

// numbers pages and filters the inventory.
func (c *call) numbers(show func(world.Number) map[string]any) (any, error) {
	s, err := c.span()
	if err != nil {
		return nil, err
	}
	wanted := c.numberFilter()
	page, seen := []map[string]any{}, 0
	err = c.view(func(t *world.Tenant) error {
		for _, n := range t.Numbers.All() {
			if !wanted(n) {
				continue
			}
			if seen++; seen > s.skip && len(page) < s.top {
				page = append(page, show(n))
			}
		}
		return nil
	})
	return map[string]any{"TelephoneNumbers": page, "TotalCount": seen}, err
}

// numberFilter reads the filters of Get-CsPhoneNumberAssignment that are modelled.
func (c *call) numberFilter() func(world.Number) bool {
	number, target := c.query.Get("TelephoneNumber"), c.query.Get("AssignedPstnTargetId")
	typ, status := c.query.Get("NumberType"), c.query.Get("PstnAssignmentStatus")
	return func(n world.Number) bool {
		return (number == "" || telephony.E164(number) == n.TelephoneNumber) &&
			(target == "" || strings.EqualFold(target, n.TargetID)) &&
			(typ == "" || strings.EqualFold(typ, n.Type)) &&
			(status == "" || strings.EqualFold(status, telephony.Status(n)))
	}
}

func (c *call) assignments() handler {
	switch c.r.Method {
	case http.MethodGet:
		return c.listAssignments
	case http.MethodPut, http.MethodPost:
		return c.assign
	}
	return nil
}

// assign is Set-CsPhoneNumberAssignment: everything is in the query string, nothing in a body (facts/teams-admin.md J1).
// The combinations: Identity + PhoneNumber + PhoneNumberType; Identity + EnterpriseVoiceEnabled; PhoneNumber + LocationId.
func (c *call) assign() (any, error) {
	if c.r.ContentLength > 0 {
		return nil, badRequest("The request must not have a body.")
	}
	identity, number, voice := c.query.Get("Identity"), c.query.Get("PhoneNumber"), c.query.Get("EnterpriseVoiceEnabled")
	if number != "" && voice != "" {
		return nil, badRequest("EnterpriseVoiceEnabled cannot be combined with PhoneNumber.")
	}
	now := c.w.Now()
	err := c.update(func(t *world.Tenant) error {
		switch {
		case identity != "" && number != "" && c.query.Get("PhoneNumberType") != "":
			return c.worded(t, identity, telephony.Assign(t, telephony.Request{Identity: identity, Number: number, Type: c.query.Get("PhoneNumberType"), LocationID: c.query.Get("LocationId")}, now))
		case identity != "" && voice != "":
			return telephony.SetEnterpriseVoice(t, identity, strings.EqualFold(voice, "true"))
		case identity == "" && number != "" && c.query.Get("LocationId") != "":
			return telephony.SetLocation(t, number, c.query.Get("LocationId"))
		}
		return badRequest("The parameters do not make up a known set: Identity, PhoneNumber and PhoneNumberType; Identity and EnterpriseVoiceEnabled; PhoneNumber and LocationId.")
	})
	return "", err
}

// worded puts the misleading text in place of a missing licence's, where the options ask for it.
func (c *call) worded(t *world.Tenant, identity string, err error) error {
	var refused *telephony.Refusal
	if !c.opt.OnPremisesText || !errors.As(err, &refused) || !strings.Contains(refused.Text, "lacks appropriate licenses") {
		return err
	}
	u, _ := telephony.FindAccount(t, identity)
	return badRequest("The user '" + u.UserPrincipalName + "' already has a telephone number set in the on-premises Active Directory and synchronized to the cloud. " +
		"Change the number on premises.")
}

// unassign is Remove-CsPhoneNumberAssignment: Identity + PhoneNumber + PhoneNumberType, or Identity + RemoveAll.
func (c *call) unassign() (any, error) {
	identity, number := c.path[3], c.query.Get("PhoneNumber")
	all := strings.EqualFold(c.query.Get("RemoveAll"), "true")
	if all == (number != "") {
		return nil, badRequest("Either PhoneNumber with PhoneNumberType, or RemoveAll is required.")
	}
	err := c.update(func(t *world.Tenant) error {
		if all {
			return telephony.UnassignAll(t, identity)
		}
		return telephony.Unassign(t, identity, number, c.query.Get("PhoneNumberType"))
	})
	return true, err
}
