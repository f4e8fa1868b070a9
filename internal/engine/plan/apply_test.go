package plan_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

func red(name string) plan.Item { return things().Want(name, thing{"red"}) }

// told lists an operation's audit entries about changes, oldest first: "intended a".
func (h *house) told(id string) []string {
	h.t.Helper()
	entries, err := audit.List(context.Background(), h.db.R, audit.Query{Scope: everything, OperationID: id, TargetKind: "thing", Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	slices.SortFunc(entries, func(a, b audit.Entry) int { return int(a.Seq - b.Seq) })
	var out []string
	for _, e := range entries {
		if e.CustomerID != "wingtip" || e.PartnerID != "fabrikam" {
			h.t.Errorf("an entry of %q, %q", e.CustomerID, e.PartnerID)
		}
		out = append(out, strings.TrimPrefix(e.Action, "change.")+" "+e.TargetID)
	}
	return out
}

// managed lists what we made or adopted at a customer: "a made {"colour":"red"}".
func (h *house) managed(customer string) []string {
	h.t.Helper()
	rows, err := h.db.R.QueryContext(context.Background(), `SELECT key, origin, last_applied FROM managed WHERE customer_id = $1 ORDER BY key`, customer)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var key, origin, applied string
		if err := rows.Scan(&key, &origin, &applied); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, key+" "+origin+" "+applied)
	}
	return out
}

func wantList(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestAPlanIsMadeTrueAndWrittenDownOnTheWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		h.remote.things["b"], h.remote.things["c"] = "blue", "blue"
		var settled []string
		settle := func(ctx context.Context, tx db.Tx, rec plan.Record) error {
			settled = append(settled, fmt.Sprint(rec.Ordinal, rec.Key, rec.State))
			return feed.Append(ctx, tx, feed.Line{At: nine, Topic: "thing", Ref: rec.Key})
		}
		id := h.apply("", settle, red("a"), red("b"), things().Absent("c"), things().Absent("d"))
		o := h.until(id, operation.Succeeded)
		wantList(t, "writes", h.remote.sent(), "PUT a red", "PATCH b red", "DELETE c")
		wantList(t, "audit", h.told(id), "intended a", "intended b", "intended c", "verified a", "verified b", "verified c")
		wantList(t, "managed", h.managed("wingtip"), `a made {"colour":"red"}`, `b adopted {"colour":"red"}`)
		if len(settled) != 3 || o.Done != 3 || o.Total != 3 {
			t.Errorf("settled %v, %d of %d done", settled, o.Done, o.Total)
		}
		for i, r := range h.records(id) {
			if r.Ordinal != i+1 || r.State != plan.Verified || r.IntendedAt.IsZero() || r.SentAt.IsZero() || r.AppliedAt.IsZero() || r.FinishedAt.IsZero() ||
				r.CustomerID != "wingtip" || r.RequestID != "rid-"+r.Key || r.Title == r.Kind {
				t.Errorf("record %+v", r)
			}
		}
		again := h.apply("", nil, red("a"), red("b"), things().Absent("c"))
		h.until(again, operation.Succeeded)
		if n := len(h.records(again)); n != 0 || len(h.remote.sent()) != 3 {
			t.Errorf("a second plan had %d changes; %v", n, h.remote.sent())
		}
		gone := h.apply("", nil, things().Absent("a"))
		h.until(gone, operation.Succeeded)
		wantList(t, "managed", h.managed("wingtip"), `b adopted {"colour":"red"}`)
	})
}

func TestTheShownPlanIsAppliedAndAStaleOneIsRefusedWithNothingWritten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		items := []plan.Item{red("a")}
		shown, err := plan.Decide(items, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.remote.things["a"] = "blue" // somebody was quicker
		id := h.apply(shown.Hash, nil, items...)
		if o := h.until(id, operation.Failed); o.Error.Code != "plan-changed" || o.Error.Remedy == nil {
			t.Errorf("%+v", o.Error)
		}
		if n := len(h.records(id)); n != 0 || len(h.remote.sent()) != 0 || len(h.told(id)) != 0 || len(h.managed("wingtip")) != 0 {
			t.Errorf("%d records, writes %v, audit %v, managed %v", n, h.remote.sent(), h.told(id), h.managed("wingtip"))
		}
		h.remote.mu.Lock()
		delete(h.remote.things, "a")
		h.remote.mu.Unlock()
		h.until(h.apply(shown.Hash, nil, items...), operation.Succeeded)
	})
}

func TestAForeignThingIsNotTouched(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		h.remote.things["b"] = "theirs"
		id := h.apply("", nil, red("a"), red("b"))
		if o := h.until(id, operation.Failed); o.Error.Code != "foreign-thing" {
			t.Errorf("%+v", o.Error)
		}
		if len(h.records(id)) != 0 || len(h.remote.sent()) != 0 {
			t.Errorf("records %v, writes %v", h.records(id), h.remote.sent())
		}
	})
}

func TestAnAnswerLostAfterTheEffectIsNotWrittenTwice(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]trouble{"the connection was cut": {0, true}, "a gateway gave up": {504, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, h *house) {
				h.remote.troubles = []trouble{lost}
				id := h.apply("", nil, red("a"), red("b"))
				h.until(id, operation.Succeeded)
				wantList(t, "writes", h.remote.sent(), "PUT a red", "PUT b red")
				wantList(t, "audit", h.told(id), "intended a", "intended b", "verified a", "verified b")
			})
		})
	}
}

func TestAWriteThatWasNotCarriedOutIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]trouble{"throttled in one call": {{429, false}, {429, false}}, "throttled beyond a call's patience": slices.Repeat([]trouble{{429, false}}, 6),
		"unavailable": {{503, false}, {503, false}}, "cut off": {{0, false}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, h *house) {
				h.remote.troubles = list
				id := h.apply("", nil, red("a"))
				h.until(id, operation.Succeeded)
				if colour, effects := h.remote.has("a"); colour != "red" || effects != 1 || len(h.remote.sent()) != len(list)+1 {
					t.Errorf("%s after %d effects, writes %v", colour, effects, h.remote.sent())
				}
				if got := h.states(id); got != "verified" {
					t.Errorf("changes: %s", got)
				}
			})
		})
	}
}

func TestARefusedChangeFailsAndWhatFollowsIsWithheld(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		h.remote.refuse = "b"
		id := h.apply("", nil, red("a"), red("b"), red("c"))
		o := h.until(id, operation.Failed)
		recs := h.records(id)
		if got := h.states(id); got != "verified failed withheld" {
			t.Fatalf("changes: %s", got)
		}
		if recs[1].Error == nil || recs[1].Error.Code != o.Error.Code || recs[1].FinishedAt.IsZero() || recs[2].FinishedAt.IsZero() {
			t.Errorf("records %+v, operation's error %+v", recs, o.Error)
		}
		wantList(t, "writes", h.remote.sent(), "PUT a red", "PUT b red")
		wantList(t, "audit", h.told(id), "intended a", "intended b", "intended c", "verified a", "failed b")
		wantList(t, "managed", h.managed("wingtip"), `a made {"colour":"red"}`)
	})
}

func TestAChangeThatMicrosoftShowsLaterIsWaitedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		h.remote.slow = true
		id := h.apply("", nil, red("a"), red("b"))
		o := h.until(id, operation.Waiting)
		if o.WaitingFor != operation.ForMicrosoft || !o.DueAt.After(nine) || !strings.Contains(o.DueWhy, "does not show it yet") {
			t.Errorf("waits for %q until %v: %s", o.WaitingFor, o.DueAt, o.DueWhy)
		}
		if got := h.states(id); got != "applied applied" {
			t.Errorf("changes: %s", got)
		}
		h.clock.Advance(5 * time.Second) // looked again, and still nothing
		h.waitsAgain(id, o.DueAt)
		h.remote.show()
		h.clock.Advance(5 * time.Second)
		h.until(id, operation.Succeeded)
		wantList(t, "writes", h.remote.sent(), "PUT a red", "PUT b red")
		wantList(t, "managed", h.managed("wingtip"), `a made {"colour":"red"}`, `b made {"colour":"red"}`)
	})
}

// waitsAgain waits until an operation waits for a later time than before.
func (h *house) waitsAgain(id string, before time.Time) {
	h.t.Helper()
	for {
		if o := h.until(id, operation.Waiting); o.DueAt.After(before) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAChangeThatMicrosoftNeverShowsFails(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		h.remote.slow = true
		id := h.apply("", nil, red("a"))
		h.until(id, operation.Waiting)
		h.clock.Advance(visible + time.Second)
		o := h.until(id, operation.Failed)
		recs := h.records(id)
		if o.Error.Code != "not-confirmed" || o.Error.Remedy == nil || recs[0].State != plan.Failed || recs[0].Error.Code != "not-confirmed" {
			t.Errorf("%+v, record %+v", o.Error, recs[0])
		}
		wantList(t, "audit", h.told(id), "intended a", "failed a")
		if len(h.managed("wingtip")) != 0 || len(h.remote.sent()) != 1 {
			t.Errorf("managed %v, writes %v", h.managed("wingtip"), h.remote.sent())
		}
	})
}

func TestAReadingThatFailsDecidesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		broken := true
		id := h.start("wingtip", func(ctx context.Context, r *operation.Run) error {
			if broken {
				broken = false
				dead, cancel := context.WithCancel(ctx)
				cancel()
				ctx = dead
			}
			return h.plans.Apply(ctx, r, plan.Job{Session: h.remote.session("wingtip"), TenantID: "contoso", Items: []plan.Item{red("a")}})
		})
		h.until(id, operation.Succeeded)
		wantList(t, "writes", h.remote.sent(), "PUT a red")
	})
}

func TestAnOperationCancelledWhileItWaitsSendsNothingMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		first := true
		id := h.start("wingtip", func(ctx context.Context, r *operation.Run) error {
			settle := func(ctx context.Context, tx db.Tx, _ plan.Record) error {
				if !first {
					return nil
				}
				first = false
				_, err := tx.ExecContext(ctx, `UPDATE operation SET cancel_asked = $1 WHERE id = $2`, true, r.Op.ID)
				return err
			}
			return h.plans.Apply(ctx, r, plan.Job{Session: h.remote.session("wingtip"), TenantID: "contoso", Items: []plan.Item{red("a"), red("b")}, Settle: settle})
		})
		h.until(id, operation.Cancelled)
		wantList(t, "writes", h.remote.sent(), "PUT a red")
		wantList(t, "managed", h.managed("wingtip"), `a made {"colour":"red"}`)
	})
}
