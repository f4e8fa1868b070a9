package plan_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/plan"
)

// situation is wishes, each about a thing of its own, and how the things are: an empty colour is absent.
type situation struct {
	names      []string
	want, have map[string]string
	managed    map[string]bool
}

var situations = rapid.Custom(func(t *rapid.T) situation {
	s := situation{want: map[string]string{}, have: map[string]string{}, managed: map[string]bool{}}
	s.names = rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,2}`), 0, 6, rapid.ID[string]).Draw(t, "names")
	for _, n := range s.names {
		s.want[n] = rapid.SampledFrom([]string{"", "red", "blue"}).Draw(t, "want")
		s.have[n] = rapid.SampledFrom([]string{"", "red", "blue"}).Draw(t, "have")
		s.managed["thing/"+n] = rapid.Bool().Draw(t, "managed")
	}
	return s
})

func (s situation) items() []plan.Item {
	k := things()
	out := make([]plan.Item, 0, len(s.names))
	for _, n := range s.names {
		if s.want[n] == "" {
			out = append(out, k.Absent(n))
			continue
		}
		out = append(out, k.Want(n, thing{s.want[n]}))
	}
	return out
}

func (s situation) seen() []plan.Observed {
	k := things()
	var out []plan.Observed
	for _, n := range s.names {
		if s.have[n] == "" {
			out = append(out, k.Seen(n, nil))
			continue
		}
		out = append(out, k.Seen(n, &thing{s.have[n]}))
	}
	return out
}

type failer interface {
	Fatal(args ...any)
	Helper()
}

func decide(t failer, s situation) plan.Plan {
	t.Helper()
	p, err := plan.Decide(s.items(), s.seen(), s.managed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// after is the situation once the first n changes are made.
func (s situation) after(t failer, p plan.Plan, n int) situation {
	t.Helper()
	out := situation{s.names, s.want, maps.Clone(s.have), s.managed}
	for _, c := range p.Changes[:n] {
		var v *thing
		if err := json.Unmarshal(c.After, &v); err != nil {
			t.Fatal(err)
		}
		if out.have[c.Key] = ""; v != nil {
			out.have[c.Key] = v.Colour
		}
	}
	return out
}

func withoutOrdinals(changes []plan.Change) string {
	raw, _ := json.Marshal(changes) // the ordinal is no part of a change's JSON
	return string(raw)
}

func TestAPlanNamesExactlyTheDifferencesInTheOrderOfTheWishes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := situations.Draw(t, "situation")
		p, i := decide(t, s), 0
		for _, n := range s.names {
			if s.want[n] == s.have[n] {
				continue
			}
			action := plan.Update
			switch {
			case s.have[n] == "":
				action = plan.Create
			case s.want[n] == "":
				action = plan.Delete
			}
			c := p.Changes[i]
			if i++; c.Key != n || c.Action != action || c.Ordinal != i || c.Kind != "thing" || c.Title == "" {
				t.Fatalf("change %d of %q: %+v, want %s", i, n, c, action)
			}
		}
		if i != len(p.Changes) || p.Nothing() != (i == 0) {
			t.Fatalf("%d changes, want %d", len(p.Changes), i)
		}
	})
}

func TestDecidingAfterAnyPrefixIsTheRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := situations.Draw(t, "situation")
		p := decide(t, s)
		n := rapid.IntRange(0, len(p.Changes)).Draw(t, "made")
		rest := decide(t, s.after(t, p, n))
		if got, want := withoutOrdinals(rest.Changes), withoutOrdinals(p.Changes[n:]); got != want {
			t.Fatalf("after %d of %d changes: %s, want %s", n, len(p.Changes), got, want)
		}
	})
}

func TestASecondPlanFindsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := situations.Draw(t, "situation")
		p := decide(t, s)
		if again := decide(t, s.after(t, p, len(p.Changes))); !again.Nothing() {
			t.Fatalf("still %+v", again.Changes)
		}
	})
}

func TestTheHashIsEqualForEqualPlansAlone(t *testing.T) {
	t.Parallel()
	byHash := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		s := situations.Draw(t, "situation")
		p := decide(t, s)
		if again := decide(t, s); again.Hash != p.Hash {
			t.Fatal("two hashes of one plan")
		}
		body := withoutOrdinals(p.Changes)
		if other, ok := byHash[p.Hash]; ok && other != body {
			t.Fatalf("one hash for\n%s\nand\n%s", other, body)
		}
		byHash[p.Hash] = body
	})
	bodies := map[string]string{}
	for hash, body := range byHash {
		if other, ok := bodies[body]; ok {
			t.Fatalf("hashes %s and %s for one plan", hash, other)
		}
		bodies[body] = hash
	}
	if len(byHash) < 20 {
		t.Fatalf("only %d plans were seen", len(byHash))
	}
}

// What needs nothing is no part of a plan, so it cannot make it stale; every other difference does.
func TestTheHashTellsOrderValueAndBefore(t *testing.T) {
	t.Parallel()
	k := things()
	red, blue := thing{"red"}, thing{"blue"}
	hash := func(items []plan.Item, seen ...plan.Observed) string {
		p, err := plan.Decide(items, seen, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p.Hash
	}
	base := hash([]plan.Item{k.Want("a", red), k.Want("b", red)})
	if hash([]plan.Item{k.Want("a", red), k.Want("c", blue), k.Want("b", red)}, k.Seen("c", &blue)) != base {
		t.Error("a thing that is as it should be changed the hash")
	}
	if hash([]plan.Item{k.Want("a", thing{"RED"}), k.Want("b", red)}) != base {
		t.Error("a wish that means the same changed the hash")
	}
	for name, other := range map[string]string{
		"another order": hash([]plan.Item{k.Want("b", red), k.Want("a", red)}), "another value": hash([]plan.Item{k.Want("a", blue), k.Want("b", red)}),
		"one fewer": hash([]plan.Item{k.Want("a", red)}), "another before": hash([]plan.Item{k.Want("a", red), k.Want("b", red)}, k.Seen("a", &blue)),
		"none": hash(nil),
	} {
		if other == base {
			t.Errorf("%s has the same hash", name)
		}
	}
}

func TestAGuardRefusesTheWholePlan(t *testing.T) {
	t.Parallel()
	k := things()
	theirs := thing{"theirs"}
	items, seen := []plan.Item{k.Want("a", thing{"red"}), k.Absent("b")}, []plan.Observed{k.Seen("b", &theirs)}
	p, err := plan.Decide(items, seen, nil)
	if !fault.Is(err, "foreign-thing") || len(p.Changes) != 0 || p.Hash != "" {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, err = plan.Decide(items, seen, map[string]bool{"thing/b": true}); err != nil || len(p.Changes) != 2 {
		t.Fatalf("what we made: %+v, %v", p, err)
	}
	if p, err = plan.Decide([]plan.Item{k.Want("b", theirs)}, seen, nil); err != nil || !p.Nothing() {
		t.Fatalf("a guard is asked about changes alone: %+v, %v", p, err)
	}
}

func TestAnUnreadableValueIsRefusedAndNotGuessed(t *testing.T) {
	t.Parallel()
	seen := []plan.Observed{{Kind: "thing", Key: "a", Value: json.RawMessage(`{"colour":7}`)}}
	if _, err := plan.Decide([]plan.Item{things().Want("a", thing{"red"})}, seen, nil); !fault.Is(err, "unreadable-record") {
		t.Fatal(err)
	}
	if v, err := things().Decode(json.RawMessage(`{"colour":7}`)); err == nil || v != nil {
		t.Fatalf("%v, %v", v, err)
	}
}

func TestAKindTellsWhatItIs(t *testing.T) {
	t.Parallel()
	k := things()
	if k.Name() != "thing" || k.Version() != 1 || k.Area() != "graph" || k.Visible() != visible {
		t.Errorf("%s %d %s %v", k.Name(), k.Version(), k.Area(), k.Visible())
	}
	for title, c := range map[string]struct{ before, after string }{
		"update a from red to blue": {`{"colour":"red"}`, `{"colour":"blue"}`}, "thing": {`{"colour":`, ``},
	} {
		if got := k.Title(plan.Update, "a", json.RawMessage(c.before), json.RawMessage(c.after)); got != title {
			t.Errorf("%q, want %q", got, title)
		}
	}
	if fmt.Sprint(plan.Stale().Kind) != fmt.Sprint(fault.Stale) || plan.Stale().Remedy == nil {
		t.Error("a stale plan has no remedy")
	}
}
