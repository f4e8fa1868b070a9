package teamsadmin

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"tcap.cloud/internal/remote/tenant"
)

// NumberType is where a number comes from, as the Teams administration API spells it.
type NumberType string

// The types.
const (
	DirectRouting   NumberType = "DirectRouting"
	OperatorConnect NumberType = "OperatorConnect"
	CallingPlan     NumberType = "CallingPlan"
)

// Number is one telephone number that the tenant has.
type Number struct {
	// TelephoneNumber always has its plus.
	TelephoneNumber string
	Type            NumberType
	// TargetID is the holder's object id; empty when nobody holds it.
	TargetID         string
	AssignmentStatus string
	Capabilities     []string
	LocationID       string
	CivicAddressID   string
}

// NumberPage is some numbers.
type NumberPage struct{ Numbers []Number }

const (
	nobody     = "00000000-0000-0000-0000-000000000000"
	numberPage = 999 // A3: "page until < 999"
)

// numberWire has both forms: the admin center's names, and those of Get-CsPhoneNumberAssignment where they differ.
type numberWire struct {
	TelephoneNumber      string
	PhoneNumber          string
	NumberType           NumberType
	TargetID             string
	AssignedPstnTargetID string
	AssignmentStatus     string
	PstnAssignmentStatus string
	AcquiredCapabilities []string
	Capability           []string
	LocationID           string
	CivicAddressID       string
}

// UnmarshalJSON takes the number from either form.
func (n *Number) UnmarshalJSON(b []byte) error {
	var w numberWire
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*n = Number{
		TelephoneNumber: withPlus(first(w.TelephoneNumber, w.PhoneNumber)), Type: w.NumberType,
		TargetID: somebody(first(w.TargetID, w.AssignedPstnTargetID)), AssignmentStatus: first(w.AssignmentStatus, w.PstnAssignmentStatus),
		Capabilities: append(w.AcquiredCapabilities, w.Capability...), LocationID: somebody(w.LocationID), CivicAddressID: somebody(w.CivicAddressID),
	}
	return nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func withPlus(number string) string {
	if number == "" || strings.HasPrefix(number, "+") {
		return number
	}
	return "+" + strings.TrimPrefix(number, "tel:+")
}

// somebody is empty for the all-zero id that stands for nobody (A3).
func somebody(id string) string {
	if id == nobody {
		return ""
	}
	return id
}

// Numbers streams the tenant's numbers by page: by the admin center's route, whose paging is known, and where that is not there (404)
// by the module's (A3).
func (r *Reader) Numbers(ctx context.Context) iter.Seq2[NumberPage, error] {
	return func(yield func(NumberPage, error) bool) {
		path := "/Skype.TelephoneNumberMgmt/Tenants/" + url.PathEscape(r.session.Ref().TenantID) + "/telephone-numbers"
		for skip := 0; ; {
			query := url.Values{"skip": {strconv.Itoa(skip)}, "top": {strconv.Itoa(numberPage)}, "locale": {"en-US"}}
			page, err := r.numberPage(ctx, path, query)
			if skip == 0 && tenant.ClassOf(err) == tenant.NotFound {
				page, err = r.numberPage(ctx, "/Skype.TelephoneNumberMgmt/cmdlet/assignments", nil)
				yield(page, err)
				return
			}
			if !yield(page, err) || err != nil || len(page.Numbers) < numberPage {
				return
			}
			skip += len(page.Numbers)
		}
	}
}

func (r *Reader) numberPage(ctx context.Context, path string, query url.Values) (NumberPage, error) {
	resp, err := r.call(ctx, r.session, "Get-CsPhoneNumberAssignment", &tenant.Request{Op: "teams.numbers.list", Path: path, Query: query})
	if err != nil {
		return NumberPage{}, err
	}
	numbers, _, err := list[Number]("teams.numbers.list", resp.Body, "TelephoneNumbers", "PhoneNumberAssignments", "value")
	return NumberPage{Numbers: numbers}, err
}

// Assignment is a number for an account.
type Assignment struct {
	// Identity is the account's object id or user principal name.
	Identity string
	// TelephoneNumber is E.164 with its plus.
	TelephoneNumber string
	Type            NumberType
	// LocationID is an emergency location; empty keeps what is there.
	LocationID string
	// Notify lets Microsoft send the account's holder a mail.
	Notify bool
}

// AssignNumber gives the number to the account, which turns enterprise voice on too. The texts are warnings.
func (w *Writer) AssignNumber(ctx context.Context, a Assignment) ([]string, error) {
	return w.changeNumber(ctx, "Set-CsPhoneNumberAssignment", assignRequest(a))
}

// UnassignNumber takes the number from the account. The texts are warnings.
func (w *Writer) UnassignNumber(ctx context.Context, identity, telephoneNumber string, numberType NumberType) ([]string, error) {
	return w.changeNumber(ctx, "Remove-CsPhoneNumberAssignment", unassignRequest(identity, telephoneNumber, numberType))
}

func (w *Writer) changeNumber(ctx context.Context, cmdlet string, req *tenant.Request) ([]string, error) {
	resp, err := w.call(ctx, w.door, cmdlet, req)
	if err != nil {
		return nil, err
	}
	return warnings(resp), nil
}
