package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"
)

// Check is one thing without which the program cannot serve. Probe answers nil, or what to log; Name is all that is shown.
type Check struct {
	Name  string
	Probe func(ctx context.Context) error
}

// readyTimeout is how long all checks together may take.
const readyTimeout = 5 * time.Second

// Healthz says that the process lives; it asks nothing else, for a store that is away is not mended by a restart.
func Healthz(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, health{Status: "ok"})
}

type health struct {
	Status string   `json:"status"`
	Failed []string `json:"failed,omitempty"`
}

// Readyz says whether the process can serve: 503 with the names of the checks that failed.
func Readyz(log *slog.Logger, checks ...Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		var failed []string
		for _, c := range checks {
			if err := c.Probe(ctx); err != nil {
				log.WarnContext(ctx, "not ready", "check", c.Name, "error", err)
				failed = append(failed, c.Name)
			}
		}
		if len(failed) > 0 {
			writeHealth(w, http.StatusServiceUnavailable, health{Status: "unavailable", Failed: failed})
			return
		}
		writeHealth(w, http.StatusOK, health{Status: "ok"})
	})
}

func writeHealth(w http.ResponseWriter, status int, h health) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(h) // the client has gone; nobody is left to tell
}
