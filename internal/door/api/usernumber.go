package api

import (
	"context"
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/number"
)

type assignNumber struct {
	ID     string `path:"id"`
	UserID string `path:"userId" doc:"Entra object ID"`
	IfMatch
	Planned
	Body struct {
		Number      string        `json:"number" doc:"E.164; one of this customer's that is free"`
		VoicePolicy maybe[string] `json:"voicePolicy,omitempty" doc:"Absent is the service's default, null takes away what the person has"`
		DialPlan    maybe[string] `json:"dialPlan,omitempty" doc:"Absent is the service's default, null takes away what the person has"`
	}
}

type unassignNumber struct {
	ID     string `path:"id"`
	UserID string `path:"userId" doc:"Entra object ID"`
	IfMatch
	Planned
}

// userNumber gives people numbers and takes them back. The ETag that If-Match names is that of the number.
func (a *api) userNumber() {
	route := func(method, name, summary string) Route {
		return Route{Method: method, Path: "/customers/{id}/users/{userId}/number", Name: name, Tag: "users", Summary: summary, Action: access.Assign,
			Status: http.StatusAccepted}
	}
	register(a, route(http.MethodPut, "assign-number", "Give somebody a number, in place of one he has of us; If-Match names the number's ETag"), a.assignNumber)
	register(a, route(http.MethodDelete, "unassign-number", "Take somebody's number back; If-Match names the number's ETag"), a.unassignNumber)
}

func (a *api) assignNumber(ctx context.Context, in *assignNumber) (*effect, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	req := number.AssignRequest{CustomerID: in.ID, UserID: in.UserID, Number: in.Body.Number, VoicePolicy: in.Body.VoicePolicy.ptr(),
		DialPlan: in.Body.DialPlan.ptr(), PlanHash: in.IfPlanMatch, IfVersion: version}
	if in.DryRun || in.IfPlanMatch != "" {
		p, warnings, err := a.Numbers.Preview(ctx, access.From(ctx), req)
		if err != nil {
			return nil, err
		}
		if in.DryRun {
			return planned(p, warnings), nil
		}
		if err := in.stillTheSame(p); err != nil {
			return nil, err
		}
	}
	id, warnings, err := a.Numbers.Assign(ctx, access.From(ctx), req)
	if err != nil {
		return nil, err
	}
	return a.begin(ctx, id, warnings...)
}

func (a *api) unassignNumber(ctx context.Context, in *unassignNumber) (*effect, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	req := number.UnassignRequest{CustomerID: in.ID, UserID: in.UserID, PlanHash: in.IfPlanMatch, IfVersion: version}
	if in.DryRun || in.IfPlanMatch != "" {
		p, err := a.Numbers.PreviewUnassign(ctx, access.From(ctx), req)
		if err != nil {
			return nil, err
		}
		if in.DryRun {
			return planned(p, nil), nil
		}
		if err := in.stillTheSame(p); err != nil {
			return nil, err
		}
	}
	id, err := a.Numbers.Unassign(ctx, access.From(ctx), req)
	if err != nil {
		return nil, err
	}
	return a.begin(ctx, id)
}
