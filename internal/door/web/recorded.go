package web

import (
	"bytes"
	"net/http"
)

// Recorded is a ResponseWriter that keeps an answer instead of sending it. Status is 0 until something was answered.
type Recorded struct {
	Kept   http.Header
	Status int
	Body   bytes.Buffer
}

// NewRecorded makes an empty one.
func NewRecorded() *Recorded { return &Recorded{Kept: http.Header{}} }

// Header is what will be sent.
func (w *Recorded) Header() http.Header { return w.Kept }

// WriteHeader keeps the first status.
func (w *Recorded) WriteHeader(status int) {
	if w.Status == 0 {
		w.Status = status
	}
}

// Write keeps the body.
func (w *Recorded) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.Body.Write(b)
}

// SendTo sends what was kept; the body can be sent once.
func (w *Recorded) SendTo(to http.ResponseWriter) {
	for name, values := range w.Kept {
		to.Header()[name] = values
	}
	w.WriteHeader(http.StatusOK)
	to.WriteHeader(w.Status)
	_, _ = to.Write(w.Body.Bytes()) // the client has gone; nobody is left to tell
}
