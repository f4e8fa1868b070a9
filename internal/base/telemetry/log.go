// Package telemetry is what the program says of itself: structured logs. Secrets are types that print [sealed]; numbers and
// names of people stay out of messages and stand in attributes only where support needs them.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
)

// Logger writes lines of JSON (or of text, for people) at a level: debug, info, warn or error.
func Logger(w io.Writer, level string, text bool) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q is none of debug, info, warn, error", level)
	}
	o := &slog.HandlerOptions{Level: l}
	if text {
		return slog.New(slog.NewTextHandler(w, o)), nil
	}
	return slog.New(slog.NewJSONHandler(w, o)), nil
}
