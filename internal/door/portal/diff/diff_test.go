package diff_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/door/portal/diff"
	"tcap.cloud/internal/door/portal/frame"
)

func TestLinesTellWhatIsDifferentInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, before, after string
		want                []diff.Line
	}{
		{"a changed member", `{"name":"A","cloud":"global"}`, `{"name":"B","cloud":"global"}`, []diff.Line{{"Name", "A", "B"}}},
		{"deep and made", `{}`, `{"brand":{"accentColour":"#123456"}}`, []diff.Line{{"Brand, accent colour", "", "#123456"}}},
		{"taken away", `{"policy":"AU"}`, `null`, []diff.Line{{"Policy", "AU", ""}}},
		{"a list", `{"tags":["a"]}`, `{"tags":["a","b"]}`, []diff.Line{{"Tags", "a", "a, b"}}},
		{"yes and no", `{"managed":true}`, `{"managed":false}`, []diff.Line{{"Managed", "yes", "no"}}},
		{"large figures stay", `{"n":1}`, `{"n":12345678901234567890}`, []diff.Line{{"N", "1", "12345678901234567890"}}},
		{"what counts up is left out", `{"version":1,"updatedAt":"x"}`, `{"version":2,"updatedAt":"y"}`, nil},
		{"what cannot be read", `{`, `{"a":"b"}`, []diff.Line{{"A", "", "b"}}},
		{"a moment", `null`, `{"at":"2026-11-25T00:10:21.9Z"}`, []diff.Line{{"At", "", "25 Nov 2026, 00:10 UTC"}}},
		{"no objects", `"a"`, `"b"`, []diff.Line{{"", "a", "b"}}},
	} {
		if got := diff.Lines(json.RawMessage(c.before), json.RawMessage(c.after)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, not %+v", c.name, got, c.want)
		}
	}
}

func TestEqualValuesDifferInNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw, err := json.Marshal(rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		if got := diff.Lines(raw, raw); len(got) != 0 {
			t.Fatalf("%s differs from itself: %+v", raw, got)
		}
	})
}

func TestAChangeInATenantIsToldByItsOwnTitle(t *testing.T) {
	t.Parallel()
	e := audit.Entry{Action: "change.verified", TargetKind: "user-number", TargetID: "u", Detail: json.RawMessage(`{"title":"Assign +61255500001","before":null,"after":{"number":"+61255500001","type":"DirectRouting"}}`)}
	if got := diff.Title(e, frame.Names{"u": "Ana Lopez"}); got != "Done: Assign +61\u00a02\u00a05550\u00a00001 to Ana Lopez" {
		t.Error(got)
	}
	if got := diff.Event(e, nil); got.After != "Number +61\u00a02\u00a05550\u00a00001; Type Direct Routing" || got.Before != "" {
		t.Errorf("%+v", got)
	}
	if got := diff.Title(audit.Entry{Action: "service.hand-over"}, nil); got != "Service hand over" {
		t.Error(got)
	}
}
