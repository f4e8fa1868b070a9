package telemetry_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"tcap.cloud/internal/base/seal"
	"tcap.cloud/internal/base/telemetry"
)

func TestALineIsJSONUnlessItIsForPeople(t *testing.T) {
	t.Parallel()
	var machine, people bytes.Buffer
	for text, out := range map[bool]*bytes.Buffer{false: &machine, true: &people} {
		log, err := telemetry.Logger(out, "info", text)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("started", "port", 8080)
	}
	var line map[string]any
	if err := json.Unmarshal(machine.Bytes(), &line); err != nil || line["msg"] != "started" || line["port"] != 8080.0 || line["level"] != "INFO" {
		t.Errorf("%s: %v", machine.String(), err)
	}
	if !strings.Contains(people.String(), "msg=started port=8080") {
		t.Errorf("%s", people.String())
	}
}

func TestWhatIsBelowTheLevelIsNotWritten(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		var out bytes.Buffer
		log, err := telemetry.Logger(&out, level, false)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("d")
		log.Info("i")
		log.Warn("w")
		log.Error("e")
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("%s: %d lines, want %d", level, got, want)
		}
	}
}

func TestAnUnknownLevelIsRefusedByName(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"", "loud"} {
		if _, err := telemetry.Logger(&bytes.Buffer{}, level, false); err == nil || !strings.Contains(err.Error(), "debug, info, warn, error") {
			t.Errorf("%q: %v", level, err)
		}
	}
}

func TestAKeyDoesNotReachTheLog(t *testing.T) {
	t.Parallel()
	id, err := seal.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	secret, err := id.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []bool{false, true} {
		var out bytes.Buffer
		log, err := telemetry.Logger(&out, "debug", text)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("a", "identity", id, "inside", struct{ ID *seal.Identity }{id}, "list", []*seal.Identity{id})
		for line := range strings.Lines(string(secret.Reveal())) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && strings.Contains(out.String(), line) {
				t.Errorf("text %v: %s", text, out.String())
			}
		}
	}
}
