package api

import (
	"context"
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/capability"
)

// abilityWire is one feature for one service.
type abilityWire struct {
	Feature     string       `json:"feature"`
	Section     string       `json:"section"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Decision    decisionWire `json:"decision"`
}

type decisionWire struct {
	Allowed   bool        `json:"allowed"`
	DataOnly  bool        `json:"dataOnly" doc:"Allowed, and kept here until access is back"`
	Temporary bool        `json:"temporary" doc:"Refused until access is back"`
	Code      *string     `json:"code" doc:"Why not"`
	Reason    *string     `json:"reason"`
	Remedy    *remedyWire `json:"remedy"`
}

type featureWire struct {
	Feature     string       `json:"feature"`
	Section     string       `json:"section"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Sources     []sourceWire `json:"sources" doc:"Rows of Microsoft's sync guide"`
	Cells       []cellWire   `json:"cells"`
}

type sourceWire struct {
	Table   string `json:"table"`
	Section string `json:"section"`
	Feature string `json:"feature"`
}

type cellWire struct {
	Kind     string       `json:"kind"`
	Sync     bool         `json:"sync"`
	Cloud    string       `json:"cloud"`
	Decision decisionWire `json:"decision"`
}

func wireDecision(d capability.Decision) decisionWire {
	out := decisionWire{Allowed: d.Allowed, DataOnly: d.DataOnly, Temporary: d.Temporary, Code: orNull(string(d.Code)), Reason: orNull(d.Reason)}
	if d.Remedy != (capability.Remedy{}) {
		out.Remedy = &remedyWire{Action: orNull(string(d.Remedy.Action)), Label: orNull(d.Remedy.Label), Text: d.Remedy.Label}
	}
	return out
}

func wireAbilities(answers []capability.Answer) []abilityWire {
	out := make([]abilityWire, 0, len(answers))
	for _, x := range answers {
		out = append(out, wireAbility(x))
	}
	return out
}

func wireAbility(x capability.Answer) abilityWire {
	return abilityWire{Feature: string(x.Feature), Section: string(x.Section), Title: x.Title, Description: x.Description, Decision: wireDecision(x.Decision)}
}

func wireFeature(r capability.Row) featureWire {
	out := featureWire{Feature: string(r.Feature), Section: string(r.Section), Title: r.Title, Description: r.Description,
		Sources: make([]sourceWire, 0, len(r.Sources)), Cells: make([]cellWire, 0, len(r.Cells))}
	for _, s := range r.Sources {
		out.Sources = append(out.Sources, sourceWire(s))
	}
	for _, c := range r.Cells {
		out.Cells = append(out.Cells, cellWire{Kind: string(c.Kind), Sync: c.Sync, Cloud: string(c.Cloud), Decision: wireDecision(c.Decision)})
	}
	return out
}

func (a *api) capabilities() {
	register(a, Route{Method: http.MethodGet, Path: "/capabilities", Name: "list-capabilities", Tag: "capabilities",
		Summary: "What can be done with and without sync, for each kind of service and cloud", Action: access.Read},
		func(context.Context, *struct{}) (*answer[list[featureWire]], error) {
			all := capability.All()
			return listOf(all, "", len(all), false, wireFeature), nil
		})
}

func (a *api) serviceCapabilities(ctx context.Context, in *byID) (*answer[list[abilityWire]], error) {
	c, err := a.Cards.Card(ctx, access.From(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return listOf(c.Capabilities, "", len(c.Capabilities), false, wireAbility), nil
}
