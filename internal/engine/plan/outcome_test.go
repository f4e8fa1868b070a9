package plan_test

import (
	"testing"
	"time"

	"tcap.cloud/internal/engine/operation"
)

// A change that was accepted and not shown yet comes to an end of its own, also where a later one is refused: it was made,
// so it has to be remembered.
func TestAnAcceptedChangeIsFollowedToItsEndAlthoughALaterOneWasRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.remote.mu.Lock()
		h.remote.slow, h.remote.refuse = true, "b"
		h.remote.mu.Unlock()
		id := h.apply("", nil, red("a"), red("b"))
		h.until(id, operation.Waiting)
		h.remote.mu.Lock()
		delete(h.remote.shown, "a") // now it shows
		h.remote.mu.Unlock()
		h.clock.Advance(visible / 2)
		h.until(id, operation.Failed)
		if got := h.states(id); got != "verified failed" {
			t.Fatalf("states %q", got)
		}
		if got := h.managed("wingtip"); len(got) != 1 {
			t.Fatalf("managed %v", got)
		}
	})
}

// One change that never shows does not hide that another one did.
func TestAChangeThatNeverShowsDoesNotKeepAnotherFromItsEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.remote.mu.Lock()
		h.remote.slow = true
		h.remote.mu.Unlock()
		id := h.apply("", nil, red("a"), red("b"))
		h.until(id, operation.Waiting)
		h.remote.mu.Lock()
		delete(h.remote.shown, "b")
		h.remote.mu.Unlock()
		h.clock.Advance(visible + time.Second)
		o := h.until(id, operation.Failed)
		if o.Error == nil || o.Error.Code != "not-confirmed" {
			t.Fatalf("%+v", o.Error)
		}
		if got := h.states(id); got != "failed verified" {
			t.Fatalf("states %q", got)
		}
	})
}
