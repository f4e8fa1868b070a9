package operations

import (
	"bytes"
	"net/http"
	"time"

	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/web"
)

// streamLife ends a stream now and then: the browser comes again, and with it the question whether the session still holds.
const streamLife = 10 * time.Minute

// ended is the event that tells the page to listen no longer.
const ended = "done"

// events streams the changing part of the page, each time drawn anew with what the person may see, until the operation has
// ended.
func (p pages) events(w http.ResponseWriter, r *http.Request) error {
	who, id := frame.Actor(r), r.PathValue("id")
	v, err := p.load(r.Context(), who, id)
	if err != nil {
		return err
	}
	var lines <-chan feed.Line
	if p.Hub != nil {
		all, stop := p.Hub.Watch(who.Scope)
		defer stop()
		lines = all
		// What happened between reading and watching is not missed: it is read once more.
		if v, err = p.load(r.Context(), who, id); err != nil {
			return err
		}
	}
	out, err := web.NewEvents(w)
	if err != nil {
		return nil //nolint:nilerr // the reader left
	}
	life := time.NewTimer(streamLife)
	defer life.Stop()
	beat := time.NewTicker(web.Heartbeat)
	defer beat.Stop()
	for {
		if p.send(out, r, v) != nil || v.op.State.Final() {
			return nil
		}
		if !p.next(r, id, lines, beat.C, life.C) {
			return nil
		}
		if v, err = p.load(r.Context(), who, id); err != nil {
			return nil //nolint:nilerr // the stream ends; the page, loaded again, says why
		}
	}
}

// next waits for something to tell: a line about this operation, or a beat, at which the times shown have grown older.
func (p pages) next(r *http.Request, id string, lines <-chan feed.Line, beat, life <-chan time.Time) bool {
	for {
		select {
		case <-r.Context().Done():
			return false
		case <-life:
			return false
		case <-beat:
			return true
		case l := <-lines:
			if l.Topic == "operation" && l.Ref == id {
				return true
			}
		}
	}
}

// send draws the fragment; after the last one the page is told to stop listening.
func (p pages) send(out *web.Events, r *http.Request, v view) error {
	var b bytes.Buffer
	if err := liveBody(v).Render(r.Context(), &b); err != nil {
		return err
	}
	if err := out.Send("", "", b.Bytes()); err != nil {
		return err
	}
	if v.op.State.Final() {
		return out.Send(ended, "", nil)
	}
	return nil
}
