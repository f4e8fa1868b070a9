package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/directory"
)

type userWire struct {
	ID                string    `json:"id" doc:"Entra object ID"`
	CustomerID        string    `json:"customerId"`
	UserPrincipalName string    `json:"userPrincipalName"`
	DisplayName       string    `json:"displayName"`
	Enabled           bool      `json:"enabled" doc:"Whether the account may sign in"`
	AccountType       string    `json:"accountType"`
	UsageLocation     *string   `json:"usageLocation"`
	Status            string    `json:"status" enum:"not-licensed,not-allocated,allocated"`
	Reason            *string   `json:"reason" doc:"Why no number may be held, in words"`
	Managed           bool      `json:"managed"`
	Number            *string   `json:"number"`
	NumberType        *string   `json:"numberType" doc:"As Microsoft names it"`
	VoicePolicy       *string   `json:"voicePolicy" doc:"null is the tenant's Global one"`
	DialPlan          *string   `json:"dialPlan" doc:"null is the tenant's Global one"`
	Licences          []string  `json:"licences" doc:"Products by name"`
	CanCallOut        bool      `json:"canCallOut"`
	WhyNot            *string   `json:"whyNot" doc:"Why calling out is not possible, in words"`
	UpdatedAt         time.Time `json:"updatedAt"`
	Version           int64     `json:"version"`
}

func wireUser(u directory.User) userWire {
	return userWire{ID: u.ID, CustomerID: u.CustomerID, UserPrincipalName: u.UserPrincipalName, DisplayName: u.DisplayName, Enabled: u.Enabled,
		AccountType: u.AccountType, UsageLocation: orNull(u.UsageLocation), Status: string(u.Status), Reason: orNull(u.Reason), Managed: u.Managed,
		Number: orNull(u.Number), NumberType: orNull(u.NumberType), VoicePolicy: orNull(u.VoicePolicy), DialPlan: orNull(u.DialPlan),
		Licences: orEmpty(u.Licences), CanCallOut: u.CanCallOut, WhyNot: orNull(u.WhyNot), UpdatedAt: u.UpdatedAt.UTC(), Version: u.Version}
}

type listUsers struct {
	ID string `path:"id"`
	Paging
	Status      string `query:"status" enum:"not-licensed,not-allocated,allocated"`
	Managed     string `query:"managed" enum:"true,false"`
	CanCallOut  string `query:"canCallOut" enum:"true,false"`
	AccountType string `query:"accountType" enum:"User,ResourceAccount"`
	Number      string `query:"number" doc:"has, none, or one number in E.164"`
	Search      string `query:"search" doc:"Part of a name, address or number"`
	Sort        string `query:"sort" enum:"name,-name,upn,-upn,number,-number,status,-status" doc:"Default: name"`
}

type oneUser struct {
	ID     string `path:"id"`
	UserID string `path:"userId" doc:"Entra object ID"`
}

type patchUser struct {
	ID     string `path:"id"`
	UserID string `path:"userId" doc:"Entra object ID"`
	IfMatch
	Body struct {
		Managed *bool `json:"managed,omitempty" doc:"Whether this person's number is looked after here"`
	}
}

func (a *api) users() {
	route := func(method, path, name, summary string, action access.Action) Route {
		return Route{Method: method, Path: "/customers/{id}/users" + path, Name: name, Tag: "users", Summary: summary, Action: action}
	}
	register(a, route(http.MethodGet, "", "list-users", "People and resource accounts of the tenant, as the last sync saw them", access.Read), a.listUsers)
	register(a, route(http.MethodGet, "/{userId}", "get-user", "One of them", access.Read),
		func(ctx context.Context, in *oneUser) (*tagged[userWire], error) {
			u, err := a.Directory.User(ctx, access.From(ctx), in.ID, in.UserID)
			if err != nil {
				return nil, err
			}
			return tag(u.Version, wireUser(u)), nil
		})
	register(a, route(http.MethodPatch, "/{userId}", "update-user", "Say whether somebody is managed here", access.Assign), a.updateUser)
}

func (a *api) listUsers(ctx context.Context, in *listUsers) (*answer[list[userWire]], error) {
	items, next, total, err := a.Directory.Users(ctx, access.From(ctx), in.ID, directory.Query{Status: directory.Status(in.Status), Managed: flag(in.Managed),
		CanCallOut: flag(in.CanCallOut), AccountType: in.AccountType, Number: plus(in.Number), Search: in.Search, Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listOf(items, next, min(total, directory.TooMany-1), total >= directory.TooMany, wireUser), nil
}

func (a *api) updateUser(ctx context.Context, in *patchUser) (*tagged[userWire], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	u, err := a.Directory.UpdateUser(ctx, access.From(ctx), in.ID, in.UserID, directory.UserPatch{Managed: in.Body.Managed, IfVersion: version})
	if err != nil {
		return nil, err
	}
	return tag(u.Version, wireUser(u)), nil
}

// flag is a filter that may be absent.
func flag(s string) *bool {
	if s == "" {
		return nil
	}
	yes := s == "true"
	return &yes
}

// plus mends a number in a query whose + was not escaped, where it means a blank.
func plus(s string) string {
	if rest, ok := strings.CutPrefix(s, " "); ok && strings.Trim(rest, "0123456789") == "" && rest != "" {
		return "+" + rest
	}
	return s
}
