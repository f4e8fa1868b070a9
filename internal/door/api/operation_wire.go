package api

import (
	"encoding/json"
	"time"

	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

type operationWire struct {
	ID          string       `json:"id"`
	Kind        string       `json:"kind"`
	Title       string       `json:"title"`
	CustomerID  *string      `json:"customerId"`
	ServiceID   *string      `json:"serviceId"`
	State       string       `json:"state" enum:"queued,running,waiting,succeeded,failed,cancelled"`
	Progress    progressWire `json:"progress"`
	Steps       []stepWire   `json:"steps" doc:"Empty in lists"`
	DueAt       *time.Time   `json:"dueAt"`
	DueWhy      *string      `json:"dueWhy"`
	WaitingFor  *string      `json:"waitingFor" enum:"administrator-sign-in,microsoft,confirmation,person,retry"`
	FailedLines int          `json:"failedLines"`
	Error       *whyWire     `json:"error"`
	Result      any          `json:"result" doc:"What came of it; its shape is that of the kind"`
	CancelAsked bool         `json:"cancelAsked"`
	UndoOf      *string      `json:"undoOf"`
	Actor       string       `json:"actor" doc:"Who asked for it"`
	Correlation string       `json:"correlationId"`
	CreatedAt   time.Time    `json:"createdAt"`
	StartedAt   *time.Time   `json:"startedAt"`
	FinishedAt  *time.Time   `json:"finishedAt"`
	Version     int64        `json:"version"`
}

type progressWire struct {
	Done  int `json:"done"`
	Total int `json:"total" doc:"0 is not known yet"`
}

type stepWire struct {
	Name       string     `json:"name"`
	State      string     `json:"state" enum:"planned,running,waiting,done,failed"`
	Detail     string     `json:"detail"`
	StartedAt  *time.Time `json:"startedAt"`
	FinishedAt *time.Time `json:"finishedAt"`
}

// whyWire is why an operation or a line failed.
type whyWire struct {
	Code   string      `json:"code"`
	Detail string      `json:"detail"`
	Remedy *remedyWire `json:"remedy"`
}

type lineWire struct {
	Line    int      `json:"line"`
	Input   string   `json:"input"`
	Outcome string   `json:"outcome"`
	Error   *whyWire `json:"error"`
}

type grantWire struct {
	ConsentURL  string               `json:"consentUrl"`
	Permissions []pairing.Permission `json:"permissions"`
	Roles       []pairing.Role       `json:"roles"`
	ExpiresAt   time.Time            `json:"expiresAt"`
}

func wireGrant(g pairing.Grant) grantWire { return grantWire(g) }

func wireOperation(o operation.Row) operationWire {
	out := operationWire{ID: o.ID, Kind: o.Kind, Title: o.Title, CustomerID: orNull(o.CustomerID), ServiceID: orNull(o.ServiceID), State: string(o.State),
		Progress: progressWire{Done: o.Done, Total: o.Total}, Steps: []stepWire{}, DueAt: when(o.DueAt), DueWhy: orNull(o.DueWhy),
		WaitingFor: orNull(string(o.WaitingFor)), FailedLines: o.FailedLines, Error: wireWhy(o.Error), CancelAsked: o.CancelAsked,
		UndoOf: orNull(o.UndoOf), Actor: o.Actor, Correlation: o.CorrelationID, CreatedAt: o.CreatedAt, StartedAt: when(o.StartedAt),
		FinishedAt: when(o.FinishedAt), Version: o.Version}
	if len(o.Result) > 0 {
		out.Result = json.RawMessage(o.Result)
	}
	return out
}

func wireWhy(p *operation.Problem) *whyWire {
	if p == nil {
		return nil
	}
	return &whyWire{Code: p.Code, Detail: p.Detail, Remedy: wireRemedy(p.Remedy)}
}

func wireLine(l operation.Line) lineWire {
	return lineWire{Line: l.Line, Input: l.Input, Outcome: l.Outcome, Error: wireWhy(l.Error)}
}

// wireSteps shows the steps, followed by each change that the operation made in the tenant.
func wireSteps(steps []operation.Step, changes []plan.Record) []stepWire {
	out := make([]stepWire, 0, len(steps)+len(changes))
	for _, s := range steps {
		out = append(out, stepWire{Name: s.Name, State: s.State, Detail: s.Detail, StartedAt: when(s.StartedAt), FinishedAt: when(s.FinishedAt)})
	}
	for _, c := range changes {
		state, detail := changeState(c)
		out = append(out, stepWire{Name: c.Title, State: state, Detail: detail, StartedAt: when(c.SentAt), FinishedAt: when(c.FinishedAt)})
	}
	return out
}

func changeState(c plan.Record) (state, detail string) {
	switch c.State {
	case plan.Intended:
		return "planned", ""
	case plan.Sent, plan.Unknown:
		return "running", ""
	case plan.Applied:
		return "waiting", "Made; Microsoft does not show it yet."
	case plan.Verified:
		return "done", ""
	case plan.Withheld:
		return "failed", "Not tried: a change before it failed."
	}
	if c.Error != nil {
		return "failed", c.Error.Detail
	}
	return "failed", ""
}
