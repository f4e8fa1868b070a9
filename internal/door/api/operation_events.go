package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/door/web"
	"tcap.cloud/internal/engine/operation"
)

// maxStream ends a stream, so that a key that was revoked sees nothing for ever; the client connects again by itself.
const maxStream = 30 * time.Minute

func documentEvents(op *huma.Operation) {
	op.Parameters = append(op.Parameters, &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}},
		&huma.Param{Name: "Last-Event-ID", In: "header", Schema: &huma.Schema{Type: huma.TypeString}, Description: "The version seen last"})
	op.Responses["200"] = &huma.Response{Description: "Events named operation, each with the operation's JSON; the id is its version",
		Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}
}

// streamOperation sends the operation at first and whenever its version is another, until it has ended. A feed line is only
// a reason to look; so is each heartbeat, for a line may be dropped where a client reads slowly.
func (a *api) streamOperation(w http.ResponseWriter, r *http.Request) error {
	lines, stop := a.Feed.Watch(access.From(r.Context()).Scope)
	defer stop()
	o, wire, err := a.readOperation(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	events, err := web.NewEvents(w)
	if err != nil {
		return nil // the client has gone
	}
	s := operationStream{api: a, r: r, events: events}
	if last, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil && !o.State.Final() {
		s.seen = last
	}
	if err := s.send(o, wire); err != nil || o.State.Final() {
		return nil
	}
	s.follow(o.ID, lines)
	return nil
}

// operationStream is one client that watches one operation.
type operationStream struct {
	api    *api
	r      *http.Request
	events *web.Events
	seen   int64
}

func (s *operationStream) send(o operation.Row, wire operationWire) error {
	if o.Version == s.seen {
		return nil
	}
	data, err := json.Marshal(wire)
	if err != nil {
		return fmt.Errorf("encoding an operation: %w", err)
	}
	s.seen = o.Version
	return s.events.Send("operation", strconv.FormatInt(o.Version, 10), data)
}

func (s *operationStream) follow(id string, lines <-chan feed.Line) {
	every := s.api.Heartbeat
	if every <= 0 {
		every = web.Heartbeat
	}
	beat, end := time.NewTicker(every), time.NewTimer(maxStream)
	defer beat.Stop()
	defer end.Stop()
	for {
		select {
		case <-s.r.Context().Done():
			return
		case <-end.C:
			return
		case l := <-lines:
			if l.Topic != "operation" || l.Ref != id {
				continue
			}
		case <-beat.C:
			if s.events.Beat() != nil {
				return
			}
		}
		if s.look(id) {
			return
		}
	}
}

// look sends what is new and says whether the stream is over.
func (s *operationStream) look(id string) bool {
	o, wire, err := s.api.readOperation(s.r.Context(), id)
	if err != nil {
		web.LogFailure(s.api.log, s.r, err)
		return true
	}
	return s.send(o, wire) != nil || o.State.Final()
}
