package graph

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/teams/telephony"
	"tcap.cloud/m365sim/internal/world"
)

const (
	defaultNumbers = 500
	maxNumbers     = 1000
	operationKind  = "graph-number-operation"
	operationLife  = 30 * 24 * time.Hour
)

// operation is a finished change of a number; all of them are finished by the time they can be read.
type operation struct {
	Created time.Time
	Number  string
	Failure string // "" when it succeeded
}

func (c *call) listNumbers() (answer, error) {
	size, err := c.pageSize(defaultNumbers, maxNumbers)
	if err != nil {
		return answer{}, err
	}
	f, err := parseFilter(c.option("filter"))
	if err != nil {
		return answer{}, err
	}
	skip, err := strconv.Atoi("0" + c.option("skip"))
	if err != nil {
		return answer{}, badRequest("Invalid value '%s' for $skip.", c.option("skip"))
	}
	names, seen, more := c.selection(), 0, false
	var items []any
	err = c.view(func(t *world.Tenant) error {
		for _, n := range t.Numbers.All() {
			m := showNumber(n)
			if !f(func(name string) (any, bool) { v, ok := m[name]; return v, ok }) {
				continue
			}
			if seen++; seen <= skip {
				continue
			}
			if more = len(items) == size; more {
				return nil
			}
			items = append(items, pick(m, names))
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	link := ""
	if more {
		link = c.next("admin/teams/telephoneNumberManagement/numberAssignments", map[string]string{"$skip": itoa(skip + size)})
	}
	return ok(c.collection("admin/teams/telephoneNumberManagement/numberAssignments", items, link))
}

func (c *call) getNumber() (answer, error) {
	var m map[string]any
	err := c.view(func(t *world.Tenant) error {
		for _, n := range t.Numbers.All() {
			if numberID(n) == c.args[0] {
				m = showNumber(n)
				return nil
			}
		}
		return notFound(c.args[0])
	})
	if err != nil {
		return answer{}, err
	}
	return c.single("admin/teams/telephoneNumberManagement/numberAssignments", m)
}

// numberID is base64 of operator and number (contracts/README.md, Behaviour to serve); no operator is modelled.
func numberID(n world.Number) string {
	return base64.RawStdEncoding.EncodeToString([]byte("00000000-0000-0000-0000-000000000000|" + n.TelephoneNumber))
}

func showNumber(n world.Number) map[string]any {
	category := any(nil)
	if n.TargetID != "" {
		category = "primary"
	}
	return map[string]any{
		"id": numberID(n), "telephoneNumber": n.TelephoneNumber, "numberType": camel(n.Type), "activationState": camel(orElse(n.ActivationState, "Activated")),
		"assignmentStatus": camel(telephony.Status(n)), "assignmentTargetId": orNull(n.TargetID), "assignmentCategory": category,
		"capabilities": []string{"userAssignment", "voiceApplicationAssignment"}, "locationId": orNull(n.LocationID), "civicAddressId": nil,
		"city": nil, "isoCountryCode": nil, "networkSiteId": nil, "operatorId": nil, "numberSource": "online", "portInStatus": nil,
		"reverseNumberLookupOptions": []string{}, "supportedCustomerActions": []string{},
	}
}

// camel writes a PascalCase name of the Teams administration API as Graph does.
func camel(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + name[1:]
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

type numberRequest struct {
	TelephoneNumber    string `json:"telephoneNumber"`
	AssignmentTargetID string `json:"assignmentTargetId"`
	NumberType         string `json:"numberType"`
	LocationID         string `json:"locationId"`
}

func (q numberRequest) check(withTarget bool) error {
	switch _, known := telephony.TypeNamed(q.NumberType); {
	case telephony.E164(q.TelephoneNumber) == "":
		return refuse(http.StatusBadRequest, "BadRequest", "telephoneNumber is not a valid telephone number.")
	case !known:
		return refuse(http.StatusBadRequest, "BadRequest", "numberType is not valid.")
	case withTarget && q.AssignmentTargetID == "":
		return refuse(http.StatusBadRequest, "BadRequest", "assignmentTargetId is required.")
	}
	return nil
}

func (c *call) assignNumber() (answer, error) {
	var q numberRequest
	if err := c.read(&q); err != nil {
		return answer{}, err
	}
	if err := q.check(true); err != nil {
		return answer{}, err
	}
	now := c.w.Now()
	return c.operate("Assignment", q, func(t *world.Tenant) error {
		return telephony.Assign(t, telephony.Request{Identity: q.AssignmentTargetID, Number: q.TelephoneNumber, Type: q.NumberType, LocationID: q.LocationID}, now)
	})
}

// unassignNumber names no holder: the number itself says who has it.
func (c *call) unassignNumber() (answer, error) {
	var q numberRequest
	if err := c.read(&q); err != nil {
		return answer{}, err
	}
	if err := q.check(false); err != nil {
		return answer{}, err
	}
	return c.operate("Unassignment", q, func(t *world.Tenant) error {
		n, _ := t.Numbers.Get(telephony.E164(q.TelephoneNumber))
		if n.TargetID == "" {
			return &telephony.Refusal{Status: http.StatusBadRequest, Text: "Telephone Number '" + q.TelephoneNumber + "' is not assigned."}
		}
		return telephony.Unassign(t, n.TargetID, q.TelephoneNumber, q.NumberType)
	})
}

// operate makes the change and an operation that tells how it went: 202 with its address, no body.
func (c *call) operate(kind string, q numberRequest, change func(t *world.Tenant) error) (answer, error) {
	op := operation{Created: c.w.Now(), Number: telephony.E164(q.TelephoneNumber)}
	err := c.update(change)
	var refused *telephony.Refusal
	switch {
	case errors.As(err, &refused):
		op.Failure = refused.Text
	case err != nil:
		return answer{}, err
	}
	id := base64.RawStdEncoding.EncodeToString([]byte(kind + "|" + c.w.NewID()))
	if err := c.w.PutTicket(c.ctx, operationKind, c.tenant+"/"+id, op, operationLife); err != nil {
		return answer{}, err
	}
	at := c.root + "/admin/teams/telephoneNumberManagement/operations('" + id + "')"
	return answer{status: http.StatusAccepted, header: map[string]string{"Location": at}}, nil
}

func (c *call) getOperation() (answer, error) {
	var op operation
	found, err := c.w.PeekTicket(operationKind, c.tenant+"/"+c.args[0], &op)
	if err != nil {
		return answer{}, err
	}
	if !found {
		return answer{}, notFound(c.args[0])
	}
	status, detail := "succeeded", any(nil)
	if op.Failure != "" {
		status, detail = "failed", op.Failure
	}
	number := world.Number{TelephoneNumber: op.Number}
	return c.single("admin/teams/telephoneNumberManagement/operations", map[string]any{
		"id": c.args[0], "createdDateTime": stamp(op.Created), "status": status,
		"numbers": []map[string]any{{"status": status, "statusDetail": detail,
			"resourceLocation": c.root + "/admin/teams/telephoneNumberManagement/numberAssignments('" + numberID(number) + "')"}},
	})
}
