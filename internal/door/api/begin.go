package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"tcap.cloud/internal/engine/plan"
)

// effect is the answer to what changes a tenant: 202 with the operation that does it, or with dryRun 200 with the plan.
// The route's Status is 202.
type effect struct {
	Status   int
	Location string `header:"Location" doc:"Of the operation"`
	Body     effectWire
}

// effectWire is an operation or a plan.
type effectWire struct {
	operation *startedWire
	plan      *planWire
}

// MarshalJSON writes whichever it is.
func (e effectWire) MarshalJSON() ([]byte, error) {
	if e.plan != nil {
		return json.Marshal(e.plan)
	}
	return json.Marshal(e.operation)
}

// Schema names both.
func (e effectWire) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "The operation; with dryRun=true, and then with 200, the plan.",
		OneOf: []*huma.Schema{startedWire{}.Schema(r), r.Schema(reflect.TypeFor[planWire](), true, "Plan")}}
}

// startedWire is an operation that was just begun, with what the caller should know although it is being done.
type startedWire struct {
	operation operationWire
	warnings  []string
}

// MarshalJSON writes the operation and warnings as one object.
func (s startedWire) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		operationWire
		Warnings []string `json:"warnings"`
	}{s.operation, orEmpty(s.warnings)})
}

// Schema is that of an operation and one member more.
func (s startedWire) Schema(r huma.Registry) *huma.Schema {
	warnings := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString},
		Description: "Codes of what to know although it is being done, for example not-activated"}
	return &huma.Schema{AllOf: []*huma.Schema{r.Schema(reflect.TypeFor[operationWire](), true, "Operation"),
		{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"warnings": warnings}, Required: []string{"warnings"}}}}
}

// planWire is what would be done.
type planWire struct {
	Hash     string       `json:"planHash" doc:"Send it as If-Plan-Match to have exactly this plan carried out"`
	Changes  []changeWire `json:"changes" doc:"In order; empty where nothing needs doing"`
	Warnings []string     `json:"warnings" doc:"Codes of what to know although it would be done"`
}

type changeWire struct {
	Kind   string `json:"kind"`
	Key    string `json:"key"`
	Action string `json:"action" enum:"create,update,delete"`
	Title  string `json:"title" doc:"The change in words"`
	Before any    `json:"before" doc:"null is absent"`
	After  any    `json:"after" doc:"null is absent"`
}

// planned answers a plan and does nothing.
func planned(p plan.Plan, warnings []string) *effect {
	w := &planWire{Hash: p.Hash, Changes: make([]changeWire, 0, len(p.Changes)), Warnings: orEmpty(warnings)}
	for _, c := range p.Changes {
		w.Changes = append(w.Changes, changeWire{Kind: c.Kind, Key: c.Key, Action: string(c.Action), Title: c.Title, Before: c.Before, After: c.After})
	}
	return &effect{Status: http.StatusOK, Body: effectWire{plan: w}}
}

// begin answers 202 with an operation of the caller's scope.
func (a *api) begin(ctx context.Context, operationID string, warnings ...string) (*effect, error) {
	_, w, err := a.readOperation(ctx, operationID)
	if err != nil {
		return nil, fmt.Errorf("reading the operation that was begun: %w", err)
	}
	return &effect{Status: http.StatusAccepted, Location: operationPath(operationID), Body: effectWire{operation: &startedWire{w, warnings}}}, nil
}

func operationPath(id string) string { return base + "/operations/" + id }

// stillTheSame refuses where a plan has become another than the one the caller has seen.
func (p Planned) stillTheSame(now plan.Plan) error {
	if p.IfPlanMatch != "" && p.IfPlanMatch != now.Hash {
		return plan.Stale()
	}
	return nil
}
