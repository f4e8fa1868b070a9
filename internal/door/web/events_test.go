package web_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/door/web"
)

// The HTML Standard ends a line at CRLF, LF or CR: whatever the data holds, it stays data.
func TestNoDataCanForgeAFieldOrAnEvent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.StringMatching(`([a-z]|\r|\n|event: x|id: 1|: ){0,12}`).Draw(t, "data")
		w := httptest.NewRecorder()
		e, err := web.NewEvents(w)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Send("operation", "7", []byte(data)); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(w.Body.String()), "\n")
		if len(lines) < 4 || lines[0] != "event: operation" || lines[1] != "id: 7" || lines[len(lines)-1] != "" || lines[len(lines)-2] != "" {
			t.Fatalf("%q", lines)
		}
		for _, line := range lines[2 : len(lines)-2] {
			if !strings.HasPrefix(line, "data: ") {
				t.Fatalf("%q of %q is no data", line, data)
			}
		}
	})
}
