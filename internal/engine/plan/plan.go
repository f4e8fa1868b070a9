package plan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/remote/tenant"
)

// Observed is how a thing is; a nil value is absent.
type Observed struct {
	Kind  string
	Key   string
	Value json.RawMessage
}

// Change is one difference between wish and tenant.
type Change struct {
	Ordinal int             `json:"-"`
	Kind    string          `json:"kind"`
	Key     string          `json:"key"`
	Action  Action          `json:"action"`
	Title   string          `json:"title"`
	Before  json.RawMessage `json:"before"`
	After   json.RawMessage `json:"after"`
}

// Plan is what would be done, in order.
type Plan struct {
	Hash    string   `json:"planHash"`
	Changes []Change `json:"changes"`
}

// Nothing says whether there is nothing to do.
func (p Plan) Nothing() bool { return len(p.Changes) == 0 }

// Decide compares wishes with what was observed: pure, and the same for a preview and for the real thing. What needs
// nothing is left out. managed names ("kind/key") what we made or adopted.
func Decide(items []Item, seen []Observed, managed map[string]bool) (Plan, error) {
	have := make(map[string]json.RawMessage, len(seen))
	for _, o := range seen {
		have[o.Kind+"/"+o.Key] = o.Value
	}
	p := Plan{Changes: []Change{}}
	for _, it := range items {
		ref := it.Kind.Name() + "/" + it.Key
		before, after := have[ref], it.Want
		action := Update
		switch {
		case same(before, after):
			continue
		case before == nil:
			action = Create
		case after == nil:
			action = Delete
		}
		if f := it.Kind.guard(before, after, managed[ref]); f != nil {
			return Plan{}, f
		}
		p.Changes = append(p.Changes, Change{Ordinal: len(p.Changes) + 1, Kind: it.Kind.Name(), Key: it.Key, Action: action,
			Title: it.Kind.Title(action, it.Key, before, after), Before: orNull(before), After: orNull(after)})
	}
	raw, err := json.Marshal(p.Changes)
	if err != nil {
		return Plan{}, fmt.Errorf("hashing a plan: %w", err)
	}
	sum := sha256.Sum256(raw)
	p.Hash = hex.EncodeToString(sum[:])
	return p, nil
}

func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

func orNil(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// Observe reads from the tenant how the wished-for things are.
func Observe(ctx context.Context, s *tenant.Session, items []Item) ([]Observed, error) {
	out := make([]Observed, 0, len(items))
	for _, it := range items {
		v, err := it.Kind.observe(ctx, s, it.Key)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", it.Kind.Name(), err)
		}
		out = append(out, Observed{it.Kind.Name(), it.Key, v})
	}
	return out, nil
}

// Stale is the answer where a plan became another than the one that was shown.
func Stale() *fault.Fault {
	return fault.New(fault.Stale, "plan-changed", "The tenant is no longer as it was when this plan was shown; nothing was changed.").
		WithRemedy("Look at the plan again and confirm the new one.")
}
