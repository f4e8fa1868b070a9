package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/fault"
)

type entryWire struct {
	Chain       string    `json:"chain"`
	Seq         int64     `json:"seq"`
	At          time.Time `json:"at"`
	Actor       string    `json:"actor"`
	ActorID     string    `json:"actorId"`
	Action      string    `json:"action"`
	PartnerID   *string   `json:"partnerId"`
	CustomerID  *string   `json:"customerId"`
	TargetKind  string    `json:"targetKind"`
	TargetID    string    `json:"targetId"`
	OperationID *string   `json:"operationId"`
	Detail      any       `json:"detail" doc:"Before and after, where there are such"`
}

func wireEntry(e audit.Entry) entryWire {
	return entryWire{Chain: e.Chain, Seq: e.Seq, At: e.At, Actor: e.Actor, ActorID: e.ActorID, Action: e.Action, PartnerID: orNull(e.PartnerID),
		CustomerID: orNull(e.CustomerID), TargetKind: e.TargetKind, TargetID: e.TargetID, OperationID: orNull(e.OperationID), Detail: e.Detail}
}

type listAudit struct {
	Paging
	Actor       string    `query:"actor" doc:"A name, or kind:id"`
	CustomerID  string    `query:"customerId"`
	Action      string    `query:"action" doc:"For example number.assign"`
	OperationID string    `query:"operationId"`
	TargetKind  string    `query:"targetKind"`
	TargetID    string    `query:"targetId"`
	Since       time.Time `query:"since"`
}

type verifiedWire struct {
	OK      bool         `json:"ok"`
	Entries int64        `json:"entries" doc:"How many hold"`
	Broken  []brokenWire `json:"broken" doc:"The first entry of each chain that does not hold"`
}

type brokenWire struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
	Why   string `json:"why"`
}

func (a *api) audit() {
	register(a, Route{Method: http.MethodGet, Path: "/audit", Name: "list-audit", Tag: "audit", Summary: "Who did what, newest first", Action: access.Read}, a.listAudit)
	register(a, Route{Method: http.MethodGet, Path: "/audit/verify", Name: "verify-audit", Tag: "audit",
		Summary: "Prove that no entry was altered, dropped or reordered; the operator's administrators alone", Action: access.Operate}, a.verifyAudit)
}

// listAudit counts nothing: the total is what was seen of it, which is a lower bound wherever there is more.
func (a *api) listAudit(ctx context.Context, in *listAudit) (*answer[list[entryWire]], error) {
	before, err := auditCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := audit.List(ctx, a.DB.R, audit.Query{Scope: access.From(ctx).Scope, Actor: in.Actor, CustomerID: in.CustomerID, Action: in.Action,
		OperationID: in.OperationID, TargetKind: in.TargetKind, TargetID: in.TargetID, Since: in.Since, Before: before, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	next, total := "", len(found)
	if len(found) > in.Limit {
		found = found[:in.Limit]
		if next, err = cursorOf(found[in.Limit-1]); err != nil {
			return nil, err
		}
	}
	return listOf(found, next, total, next != "" || before != nil, wireEntry), nil
}

func cursorOf(e audit.Entry) (string, error) {
	b, err := json.Marshal(audit.Cursor{At: e.At.UnixMicro(), Chain: e.Chain, Seq: e.Seq})
	return base64.RawURLEncoding.EncodeToString(b), err
}

func auditCursor(s string) (*audit.Cursor, error) {
	if s == "" {
		return nil, nil
	}
	var c audit.Cursor
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "invalid-cursor", "That is no cursor of this list.").WithRemedy("Begin again without one.")
	}
	return &c, nil
}

func (a *api) verifyAudit(ctx context.Context, _ *struct{}) (*answer[verifiedWire], error) {
	entries, broken, err := audit.Verify(ctx, a.DB.R)
	if err != nil {
		return nil, err
	}
	out := verifiedWire{OK: len(broken) == 0, Entries: entries, Broken: make([]brokenWire, 0, len(broken))}
	for _, b := range broken {
		out.Broken = append(out.Broken, brokenWire(b))
	}
	return &answer[verifiedWire]{Body: out}, nil
}
