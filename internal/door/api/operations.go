package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/operation"
)

type listOperations struct {
	Paging
	CustomerID string `query:"customerId"`
	ServiceID  string `query:"serviceId"`
	State      string `query:"state" enum:"queued,running,waiting,succeeded,failed,cancelled"`
	Kind       string `query:"kind"`
	Unfinished bool   `query:"unfinished" doc:"Only what has not ended"`
}

type listLines struct {
	ID string `path:"id"`
	Paging
	Failed bool `query:"failed" doc:"Only lines that went wrong"`
}

type actOnOperation struct {
	ID   string `path:"id"`
	Body struct {
		Action string `json:"action" enum:"cancel,retry,check-now,undo,finish,sign-in,confirm" doc:"confirm: let a sync remove the many users that it holds"`
	}
}

// acted is the operation, or for sign-in the link and what it will ask.
type acted struct {
	ETag string `header:"ETag"`
	Body any
}

func (a *api) operations() {
	route := func(method, path, name, summary string, action access.Action) Route {
		return Route{Method: method, Path: "/operations" + path, Name: name, Tag: "operations", Summary: summary, Action: action}
	}
	register(a, route(http.MethodGet, "", "list-operations", "Operations, newest first", access.Read), a.listOperations)
	register(a, route(http.MethodGet, "/{id}", "get-operation", "One operation", access.Read),
		func(ctx context.Context, in *byID) (*tagged[operationWire], error) {
			o, w, err := a.readOperation(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return tag(o.Version, w), nil
		})
	register(a, route(http.MethodPost, "/{id}", "act-on-operation", "Cancel, retry, check now, undo, finish, or sign in for it", access.Assign), a.actOnOperation)
	register(a, route(http.MethodGet, "/{id}/lines", "list-operation-lines", "The outcome of each line of a batch", access.Read), a.listLines)
	events := route(http.MethodGet, "/{id}/events", "stream-operation", "The operation at first and after each change until it ends (server-sent events)", access.Read)
	events.stream = true
	raw(a, events, documentEvents, a.streamOperation)
}

func (a *api) listOperations(ctx context.Context, in *listOperations) (*answer[list[operationWire]], error) {
	s := access.From(ctx).Scope
	q := operation.Query{CustomerID: in.CustomerID, ServiceID: in.ServiceID, State: operation.State(in.State), Kind: in.Kind, Unfinished: in.Unfinished}
	total, err := a.Operations.Count(ctx, s, q)
	if err != nil {
		return nil, err
	}
	if in.Cursor != "" && uuid.Validate(in.Cursor) != nil {
		return nil, invalidCursor()
	}
	q.Before, q.Limit = in.Cursor, in.Limit+1
	found, err := a.Operations.List(ctx, s, q)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = found[in.Limit-1].ID
	}
	return listOf(found, next, min(total, 10_000), total > 10_000, wireOperation), nil
}

// readOperation answers an operation inside the actor's scope with its steps.
func (a *api) readOperation(ctx context.Context, id string) (operation.Row, operationWire, error) {
	o, err := a.Operations.Get(ctx, access.From(ctx).Scope, id)
	if err != nil {
		return o, operationWire{}, err
	}
	steps, err := a.Operations.Steps(ctx, id)
	if err != nil {
		return o, operationWire{}, err
	}
	changes, err := a.Plans.Records(ctx, id)
	if err != nil {
		return o, operationWire{}, err
	}
	w := wireOperation(o)
	w.Steps = wireSteps(steps, changes)
	return o, w, nil
}

func (a *api) actOnOperation(ctx context.Context, in *actOnOperation) (*acted, error) {
	actor := access.From(ctx)
	o, err := a.Operations.Get(ctx, actor.Scope, in.ID)
	if err != nil {
		return nil, err
	}
	switch in.Body.Action {
	case "sign-in":
		g, err := a.Pairings.SignIn(ctx, actor, o)
		if err != nil {
			return nil, err
		}
		return &acted{Body: wireGrant(g)}, nil
	case "undo", "finish":
		return nil, notUndoable(o, in.Body.Action)
	case "confirm":
		err = a.Directory.ReleaseRemoval(ctx, actor, o.CustomerID, in.ID)
	default:
		err = a.Operations.Act(ctx, actor, in.ID, in.Body.Action)
	}
	if err != nil {
		return nil, err
	}
	o, w, err := a.readOperation(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &acted{ETag: etag(o.Version), Body: w}, nil
}

// notUndoable is the answer for every kind of operation there is so far: none keeps what an undo needs.
func notUndoable(o operation.Row, action string) error {
	f := fault.New(fault.Conflict, "not-undoable", "An operation of the kind %q cannot be undone, so there is nothing to %s.", o.Kind, action)
	if o.State.Final() {
		return f.WithRemedy("Do the opposite from where you started it; its lines and steps say what was changed.")
	}
	return f.WithAction("cancel", "Cancel", "Cancel it; what was changed by then stays and is named in its steps.")
}

func invalidCursor() *fault.Fault {
	return fault.New(fault.Invalid, "invalid-cursor", "That is no cursor of this list.").WithRemedy("Begin again without one.")
}

func (a *api) listLines(ctx context.Context, in *listLines) (*answer[list[lineWire]], error) {
	after := 0
	if in.Cursor != "" {
		n, err := strconv.Atoi(in.Cursor)
		if err != nil || n < 0 {
			return nil, invalidCursor()
		}
		after = n
	}
	o, err := a.Operations.Get(ctx, access.From(ctx).Scope, in.ID)
	if err != nil {
		return nil, err
	}
	found, err := a.Operations.Lines(ctx, in.ID, after, in.Limit+1, in.Failed)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = strconv.Itoa(found[in.Limit-1].Line)
	}
	total := o.Total
	if in.Failed {
		total = o.FailedLines
	}
	return listOf(found, next, max(total, len(found)), false, wireLine), nil
}
