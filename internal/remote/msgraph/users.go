package msgraph

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"tcap.cloud/internal/remote/tenant"
)

// User is what we read of a person or resource account.
type User struct {
	ID                string            `json:"id"`
	UserPrincipalName string            `json:"userPrincipalName"`
	DisplayName       string            `json:"displayName"`
	GivenName         string            `json:"givenName"`
	Surname           string            `json:"surname"`
	Mail              string            `json:"mail"`
	UserType          string            `json:"userType"`
	AccountEnabled    bool              `json:"accountEnabled"`
	UsageLocation     string            `json:"usageLocation"`
	Country           string            `json:"country"`
	City              string            `json:"city"`
	Department        string            `json:"department"`
	JobTitle          string            `json:"jobTitle"`
	OfficeLocation    string            `json:"officeLocation"`
	BusinessPhones    []string          `json:"businessPhones"`
	MobilePhone       string            `json:"mobilePhone"`
	OnPremisesSync    bool              `json:"onPremisesSyncEnabled"`
	IsResourceAccount bool              `json:"isResourceAccount"`
	AssignedLicenses  []AssignedLicense `json:"assignedLicenses"`
	AssignedPlans     []AssignedPlan    `json:"assignedPlans"`
	// Removed is set in a delta for one who is gone; nothing but the id is there then.
	Removed *Removal `json:"@removed"`
}

// Removal says how one went: `changed` (restorable for 30 days) or `deleted` (for good).
type Removal struct {
	Reason string `json:"reason"`
}

// AssignedLicense is a product that the user holds, with the plans of it that are switched off.
type AssignedLicense struct {
	SkuID         string   `json:"skuId"`
	DisabledPlans []string `json:"disabledPlans"`
}

// AssignedPlan is a service plan; it works when CapabilityStatus is `Enabled` (or `Warning`).
type AssignedPlan struct {
	ServicePlanID    string `json:"servicePlanId"`
	Service          string `json:"service"`
	CapabilityStatus string `json:"capabilityStatus"`
}

// UserFields are the properties that User has, for $select.
func UserFields() []string {
	return []string{
		"id", "userPrincipalName", "displayName", "givenName", "surname", "mail", "userType", "accountEnabled", "usageLocation", "country",
		"city", "department", "jobTitle", "officeLocation", "businessPhones", "mobilePhone", "onPremisesSyncEnabled", "isResourceAccount",
		"assignedLicenses", "assignedPlans",
	}
}

// UserRow is one user as Graph wrote it. Reading rows without decoding them lets a repeated sync hash them first and decode only what
// changed (facts/dependencies.md: half the cost).
type UserRow struct {
	// Raw is the user's JSON, of this page alone: copy what is kept.
	Raw json.RawMessage
}

// UnmarshalJSON keeps the bytes.
func (r *UserRow) UnmarshalJSON(b []byte) error {
	r.Raw = append(r.Raw[:0], b...)
	return nil
}

// User decodes the row.
func (r UserRow) User() (User, error) {
	var u User
	err := decode("users.decode", r.Raw, &u)
	return u, err
}

// Page is some users, and where to go on. Next is set while there is more; Delta on the last page of a delta, for the next time.
type Page struct {
	Rows        []UserRow
	Next, Delta string
}

// ErrDeltaExpired means that Graph has forgotten the place to go on from (410 Gone): start anew with an empty token.
var ErrDeltaExpired = errors.New("the delta token has expired")

// DeltaLatest as a token asks for a place to go on from, and no users.
const DeltaLatest = "latest"

// DeltaUsers streams users by page: everybody when token is empty, what changed since when it is a Delta (or a Next, to go on after a
// break) of an earlier run. fields is for $select; nil: UserFields. It ends after the last page or the first error.
func (r *Reader) DeltaUsers(ctx context.Context, token string, fields []string) iter.Seq2[Page, error] {
	path, query := token, url.Values(nil)
	if token == "" || token == DeltaLatest {
		path, query = "/users/delta", selecting(fieldsOr(fields)...)
		if token == DeltaLatest {
			query.Set("$deltatoken", DeltaLatest)
		}
	}
	return userPages(pages[UserRow](ctx, r, "users.delta", path, query, largePages()))
}

// UserQuery narrows ListUsers. Filter is OData, as it is.
type UserQuery struct {
	Fields []string
	Filter string
}

// ListUsers streams users by page, 999 at a time. Ranges of userPrincipalName may be read side by side.
func (r *Reader) ListUsers(ctx context.Context, q UserQuery) iter.Seq2[Page, error] {
	query := selecting(fieldsOr(q.Fields)...)
	query.Set("$top", "999")
	if q.Filter != "" {
		query.Set("$filter", q.Filter)
	}
	return userPages(pages[UserRow](ctx, r, "users.list", "/users", query, nil))
}

// User reads one by object id or user principal name.
func (r *Reader) User(ctx context.Context, id string) (User, error) {
	var u User
	err := r.get(ctx, "users.get", "/users/"+segment(id), selecting(UserFields()...), &u)
	return u, err
}

func fieldsOr(fields []string) []string {
	if len(fields) == 0 {
		return UserFields()
	}
	return fields
}

func largePages() http.Header { return http.Header{"Prefer": {"odata.maxpagesize=999"}} }

func userPages(source iter.Seq2[collection[UserRow], error]) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for page, err := range source {
			if !yield(Page{Rows: page.Value, Next: page.NextLink, Delta: page.DeltaLink}, deltaError(err)) {
				return
			}
		}
	}
}

// deltaError recognises a forgotten place: 410, or 400 with one of the words that Graph uses for it.
func deltaError(err error) error {
	refusal := tenant.AsRefusal(err)
	if refusal == nil {
		return err
	}
	word := strings.ToLower(refusal.Word)
	if refusal.Status == http.StatusGone || strings.Contains(word, "syncstate") || word == "directory_expiredpagetoken" {
		return errors.Join(ErrDeltaExpired, err)
	}
	return err
}
