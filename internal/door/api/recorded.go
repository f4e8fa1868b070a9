package api

import (
	"bytes"
	"net/http"
)

// recorded keeps an answer instead of sending it.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorded() *recorded { return &recorded{header: http.Header{}} }

// Header is what will be sent.
func (w *recorded) Header() http.Header { return w.header }

// WriteHeader keeps the first status.
func (w *recorded) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write keeps the body.
func (w *recorded) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// sendTo sends what was kept.
func (w *recorded) sendTo(to http.ResponseWriter) {
	for name, values := range w.header {
		to.Header()[name] = values
	}
	w.WriteHeader(http.StatusOK)
	to.WriteHeader(w.status)
	_, _ = to.Write(w.body.Bytes()) // the client has gone; nobody is left to tell
}
