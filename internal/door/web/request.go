package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tcap.cloud/internal/base/fault"
)

type correlationKey struct{}

// Correlation is the ID under which everything about this request is found in the log.
func Correlation(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}

// Observe is the outermost layer of a door: it gives each request a correlation ID (answered as X-Correlation-Id), writes
// one line to the log when it is over, and turns a panic into an answer. Neither query strings nor bodies are written:
// either may carry what is secret.
func Observe(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := uuid.NewString()
		r = r.WithContext(context.WithValue(r.Context(), correlationKey{}, id))
		w.Header().Set("X-Correlation-Id", id)
		seen := &watched{ResponseWriter: w}
		began := time.Now()
		defer func() {
			recovered(log, seen, r, recover())
			log.InfoContext(r.Context(), "request", "correlation", id, "method", r.Method, "path", r.URL.Path, "status", seen.code(),
				"bytes", seen.bytes, "took", time.Since(began).Round(time.Microsecond))
		}()
		if strings.ContainsRune(r.URL.Path, 0) || strings.Contains(r.URL.RawQuery, "%00") {
			WriteProblem(seen, Of(NUL("address"), id))
			return
		}
		if query, err := url.QueryUnescape(r.URL.RawQuery); !utf8.ValidString(r.URL.Path) || (err == nil && !utf8.ValidString(query)) {
			WriteProblem(seen, Of(fault.New(fault.Malformed, "not-utf8", "The address is not UTF-8.").WithRemedy("Encode it as UTF-8."), id))
			return
		}
		next.ServeHTTP(seen, r)
	})
}

// NUL is the refusal of the one character that PostgreSQL keeps in no text: it has no business in an address or a body.
func NUL(where string) *fault.Fault {
	return fault.New(fault.Malformed, "nul-character", "The %s holds a NUL character.", where).WithRemedy("Leave it out.")
}

// recovered answers 500 where nothing was answered yet. http.ErrAbortHandler is how a handler asks for the connection to be
// dropped, and net/http has to see it.
func recovered(log *slog.Logger, w *watched, r *http.Request, what any) {
	if what == nil {
		return
	}
	if what == http.ErrAbortHandler {
		panic(http.ErrAbortHandler)
	}
	log.ErrorContext(r.Context(), "request panicked", "correlation", Correlation(r.Context()), "method", r.Method, "path", r.URL.Path,
		"panic", what, "stack", string(debug.Stack()))
	if w.status == 0 {
		WriteProblem(w, Of(fault.New(fault.Internal, "internal", "panic"), Correlation(r.Context())))
	}
}

// watched remembers what was answered.
type watched struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader keeps the first status that is not merely informational.
func (w *watched) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (w *watched) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush through.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watched) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
