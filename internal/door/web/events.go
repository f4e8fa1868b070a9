package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Heartbeat is how often a silent stream sends a comment, so that neither end nor a proxy between takes it for dead.
const Heartbeat = 15 * time.Second

// Events writes server-sent events (HTML Standard, "Server-sent events"). It is used by one goroutine.
type Events struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// NewEvents begins a stream. The server's write deadline does not hold for it.
func NewEvents(w http.ResponseWriter) (*Events, error) {
	c := http.NewResponseController(w)
	// Not every writer has deadlines (a recorder in a test has none); a stream then lives under the server's own.
	_ = c.SetWriteDeadline(time.Time{})
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep the lines back
	w.WriteHeader(http.StatusOK)
	return &Events{w: w, c: c}, c.Flush()
}

// Send writes one event. id, where given, comes back as Last-Event-ID when the client connects again; neither id nor name
// may hold a line break. Each line of data becomes one of its own.
func (e *Events) Send(name, id string, data []byte) error {
	if strings.ContainsAny(name+id, "\r\n\x00") {
		return fmt.Errorf("sending an event: its name or id holds a line break")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\n", name)
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	// A carriage return alone ends a line for a browser too: what follows it must not be read as a field.
	data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	for line := range bytes.Lines(data) {
		b.WriteString("data: ")
		b.Write(bytes.TrimRight(line, "\n"))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return e.flush(b.Bytes())
}

// Beat writes a comment that says only that the stream lives.
func (e *Events) Beat() error { return e.flush([]byte(": still here\n\n")) }

func (e *Events) flush(b []byte) error {
	if _, err := e.w.Write(b); err != nil {
		return fmt.Errorf("writing to a stream: %w", err)
	}
	if err := e.c.Flush(); err != nil {
		return fmt.Errorf("flushing a stream: %w", err)
	}
	return nil
}
