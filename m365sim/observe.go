package m365sim

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"tcap.cloud/m365sim/internal/control"
	"tcap.cloud/m365sim/internal/world"
)

// maxBody bounds what of a request is read ahead for a fault, in bytes.
const maxBody = 16 << 20

// exchange is one call on its way through journal and faults.
type exchange struct {
	sim    *Simulator
	place  place
	seen   *http.Request // as the caller sent it
	start  time.Time
	faults []world.Fault
	answer *answer // nil until there is one
	line   int64   // journal entry, -1 before there is one
}

// observe serves a call with the tenant's faults, and enters it in the journal before anything is answered: who has the
// answer finds the entry.
func (s *Simulator) observe(w http.ResponseWriter, r *http.Request, p place) {
	x := &exchange{sim: s, place: p, seen: r, start: s.world.Now(), line: -1}
	x.faults = x.matching()
	if len(x.faults) > 0 {
		x.readAhead()
	}
	if !x.run() {
		x.enter(0)
		panic(http.ErrAbortHandler) // how net/http cuts a connection, HTTP/1 and HTTP/2 alike
	}
	x.enter(x.answer.status)
	x.answer.send(w)
}

// run says whether there is an answer to be sent; without one the connection is cut.
func (x *exchange) run() bool {
	if answered, cut := x.apply(control.Before); answered || cut {
		return !cut
	}
	x.answer = newAnswer()
	x.sim.dispatch(x.answer, x.place)
	x.enter(x.answer.status)
	x.sim.stale.remember(x)
	_, cut := x.apply(control.After)
	return !cut
}

// apply lets the faults of a phase happen, in the order they were made, until one of them ends the call.
func (x *exchange) apply(phase string) (answered, cut bool) {
	for _, f := range x.faults {
		if f.Phase != phase {
			continue
		}
		f, fires, err := x.sim.world.FireFault(x.place.request.Context(), f.ID)
		if err != nil {
			x.sim.log.Error("counting a fault", "fault", f.ID, "error", err)
		}
		if !fires {
			continue
		}
		if answered, cut = x.happen(f); answered || cut {
			return answered, cut
		}
	}
	return false, false
}

// happen does what the fault says.
func (x *exchange) happen(f world.Fault) (answered, cut bool) {
	ctx := x.place.request.Context()
	switch f.Kind {
	case control.KindHold:
		return false, x.sim.world.Hold(ctx, f.ID) != nil
	case control.KindDelay:
		return false, wait(ctx, time.Duration(f.DelayMs)*time.Millisecond) != nil
	case control.KindCut, control.KindLostResponse:
		return false, true
	case control.KindTruncate:
		x.answer.truncated = true
		return true, false
	case control.KindStaleRead:
		x.answer = x.sim.stale.recall(x)
		return x.answer != nil, false
	default:
		x.answer = faultAnswer(f, x.place.call.Service)
		return true, false
	}
}

// enter writes the journal, or corrects the entry there is. A call that was done and not answered keeps the status it had.
func (x *exchange) enter(status int) {
	call := x.place.call
	if x.line >= 0 {
		if status != 0 {
			x.sim.world.Journal.SetStatus(x.line, status)
		}
		return
	}
	x.line = x.sim.world.Journal.Add(world.Request{
		Time: x.start, Tenant: call.Tenant, Method: x.seen.Method, Path: x.seen.URL.Path, Status: status,
		AppID: call.AppID, ResourceUnits: call.ResourceUnits, Wrote: call.Wrote,
	})
}

// matching are the faults this call is subject to. A path is matched with the service's prefix and without.
func (x *exchange) matching() []world.Fault {
	if x.place.call.Tenant == "" {
		return nil
	}
	var found []world.Fault
	for _, f := range x.sim.world.Faults(x.place.call.Tenant) {
		if control.Matches(f.Match, x.seen.Method, x.seen.URL.Path, x.place.request.URL.Path) {
			found = append(found, f)
		}
	}
	return found
}

// readAhead takes in the whole body: net/http notices that a client has gone only once its body was read.
func (x *exchange) readAhead() {
	body, err := io.ReadAll(io.LimitReader(x.place.request.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler) // the caller has gone before it had asked
	}
	x.place.request.Body = io.NopCloser(bytes.NewReader(body))
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
