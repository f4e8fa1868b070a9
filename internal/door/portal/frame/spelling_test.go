package frame_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/door/portal/frame"
)

func TestNumbersInATextAreSpelledForPeople(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Assign +61255500017 to Ana":         "Assign +61 2 5550 0017 to Ana",
		"Replace +61255500017 by +431234567": "Replace +61 2 5550 0017 by +43 1 234567",
		"+61255500017":                       "+61 2 5550 0017",
		"C++ and +, +12 and 1+1":             "C++ and +, +12 and 1+1",
		"":                                   "",
		"nothing to spell":                   "nothing to spell",
		"+61255500017 has been given to others, +2+": "+61 2 5550 0017 has been given to others, +2+",
	} {
		if got := strings.ReplaceAll(frame.Spell(text), "\u00a0", " "); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

func TestSpellingChangesNothingButSpaces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z ,;+0-9]{0,40}`).Draw(t, "text")
		got := strings.NewReplacer("\u00a0", "", "-", "").Replace(frame.Spell(text))
		if got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestAChangeIsToldWithThePersonItIsFor(t *testing.T) {
	t.Parallel()
	names := frame.Names{"u1": "Ana Lopez", "u2": ""}
	for _, c := range []struct{ kind, key, title, want string }{
		{"user-number", "u1", "Assign +61255500017", "Assign +61255500017 to Ana Lopez"},
		{"user-number", "u1", "Take +61255500017 back", "Take +61255500017 back from Ana Lopez"},
		{"user-number", "u1", "Replace +61255500017 by +61255500018", "Replace +61255500017 by +61255500018 for Ana Lopez"},
		{"policy-grant", "u1|voice", "Grant the dial plan AU", "Grant the dial plan AU to Ana Lopez"},
		{"policy-grant", "u1|voice", "Take the dial plan AU away; the tenant's own applies", "Take the dial plan AU away from Ana Lopez; the tenant's own applies"},
		{"user-number", "u2", "Assign +61255500017", "Assign +61255500017"},
		{"role-assignment", "u1", "Give a role", "Give a role"},
	} {
		if got := names.Tell(c.kind, c.key, c.title); got != c.want {
			t.Errorf("%s %s: %q, not %q", c.kind, c.key, got, c.want)
		}
	}
}
