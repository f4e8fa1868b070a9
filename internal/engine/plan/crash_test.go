package plan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/tenant"
)

// fuse counts the points that a run passes (each look at the clock, each read, both sides of each write, each settling) and
// ends the run's context at one of them, as a process that is stopped there would.
type fuse struct {
	clock.Clock
	mu     sync.Mutex
	left   int
	cut    context.CancelFunc
	points int
}

func (f *fuse) pass() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.points++
	if f.left--; f.left == 0 {
		f.cut()
	}
}

// Now passes a point.
func (f *fuse) Now() time.Time {
	f.pass()
	return f.Clock.Now()
}

func (f *fuse) burnt() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left <= 0
}

// fused is the kind of things with points around whatever it does.
func fused(f *fuse) *plan.KindOf[thing] {
	write := func(ctx context.Context, w *tenant.Writer, method, key string, v *thing) (plan.Written, error) {
		f.pass()
		_, err := w.Do(ctx, tenant.AreaGraph, &tenant.Request{Op: "things.write", Method: method, Path: "/things/" + key, JSON: v})
		f.pass()
		return plan.Written{}, err
	}
	return plan.Define(plan.Spec[thing]{
		Name: "thing", Version: 1, Area: tenant.AreaGraph, Visible: visible,
		Title: func(a plan.Action, key string, _, _ *thing) string {
			f.pass()
			return string(a) + " " + key
		},
		Get: func(ctx context.Context, s *tenant.Session, key string) (v thing, found bool, err error) {
			f.pass()
			defer f.pass()
			res, err := s.Do(ctx, tenant.AreaGraph, &tenant.Request{Op: "things.read", Path: "/things/" + key})
			if tenant.ClassOf(err) == tenant.NotFound {
				return v, false, nil
			}
			if err != nil {
				return v, false, err
			}
			return v, true, json.Unmarshal(res.Body, &v)
		},
		Guard: func(before, _ *thing, _ bool) *fault.Fault { return nil },
		Create: func(ctx context.Context, w *tenant.Writer, key string, after thing) (plan.Written, error) {
			return write(ctx, w, "PUT", key, &after)
		},
		Update: func(ctx context.Context, w *tenant.Writer, key string, _, after thing) (plan.Written, error) {
			return write(ctx, w, "PATCH", key, &after)
		},
		Delete: func(ctx context.Context, w *tenant.Writer, key string, _ thing) (plan.Written, error) {
			return write(ctx, w, "DELETE", key, nil)
		},
	})
}

// crash is one plan of three changes whose first run ends at a point; another engine, made anew, goes on.
type crash struct {
	h        *house
	customer string
	fuse     *fuse
	runs     int
}

func (c *crash) do(ctx context.Context, r *operation.Run) error {
	c.runs++
	f := &fuse{Clock: c.h.clock, left: -1}
	if c.runs == 1 {
		f = c.fuse
		ctx, f.cut = context.WithCancel(ctx)
		defer f.cut()
	}
	k := fused(f)
	var settled []string
	err := plan.New(c.h.db, f, k).Apply(ctx, r, plan.Job{Session: c.h.remote.session(c.customer), TenantID: c.customer,
		Items: []plan.Item{k.Want(c.customer+"-a", thing{"red"}), k.Want(c.customer+"-b", thing{"red"}), k.Absent(c.customer + "-c")},
		Settle: func(ctx context.Context, tx db.Tx, rec plan.Record) error {
			f.pass()
			_, err := tx.ExecContext(ctx, `INSERT INTO feed (at, topic, ref, customer_id) VALUES (1, 'settled', $1, $2)`, rec.Key, c.customer)
			settled = append(settled, rec.Key)
			return err
		}})
	if c.runs == 1 && !f.burnt() && err == nil {
		return nil
	}
	if c.runs == 1 && err == nil {
		return errBroken // the process died after its last word
	}
	return err
}

func (c *crash) begin() string {
	c.h.remote.mu.Lock()
	c.h.remote.things[c.customer+"-b"], c.h.remote.things[c.customer+"-c"] = "blue", "blue"
	c.h.remote.mu.Unlock()
	return c.h.start(c.customer, c.do)
}

func (c *crash) check(t *testing.T, id string) {
	t.Helper()
	var writes []string
	for _, w := range c.h.remote.sent() {
		if strings.Contains(w, c.customer+"-") {
			writes = append(writes, strings.ReplaceAll(w, c.customer+"-", ""))
		}
	}
	wantList(t, "writes", writes, "PUT a red", "PATCH b red", "DELETE c")
	for _, name := range []string{"a", "b", "c"} {
		if _, effects := c.h.remote.has(c.customer + "-" + name); effects != 1 {
			t.Errorf("%s was changed %d times", name, effects)
		}
	}
	if got := c.h.states(id); got != "verified verified verified" {
		t.Errorf("changes: %s", got)
	}
	var settled int
	err := c.h.db.R.QueryRowContext(t.Context(), `SELECT count(*) FROM feed WHERE topic = 'settled' AND customer_id = $1`, c.customer).Scan(&settled)
	if err != nil || settled != 3 {
		t.Errorf("settled %d times, %v", settled, err)
	}
	if n := len(c.h.managed(c.customer)); n != 2 {
		t.Errorf("%d things remembered", n)
	}
}

// The remote shows at once what was written, so each change is sent exactly once wherever the first run ends.
func TestACrashAtAnyPointIsCarriedOnWithEachEffectOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		whole := &crash{h: h, customer: "whole", fuse: &fuse{Clock: h.clock, left: 1 << 30}}
		id := whole.begin()
		h.until(id, operation.Succeeded)
		whole.check(t, id)
		points := whole.fuse.points
		if points < 30 {
			t.Fatalf("a run passes only %d points", points)
		}
		const side = 8 // at a time: each waits for another try, and all are swept together
		for batch := range slices.Chunk(numbers(points), side) {
			crashes, ids := make([]*crash, len(batch)), make([]string, len(batch))
			for i, n := range batch {
				crashes[i] = &crash{h: h, customer: fmt.Sprintf("at%d", n), fuse: &fuse{Clock: h.clock, left: n}}
				ids[i] = crashes[i].begin()
			}
			for i, c := range crashes {
				h.until(ids[i], operation.Succeeded)
				if c.check(t, ids[i]); t.Failed() {
					t.Fatalf("it went wrong where the first run ended at point %d of %d (%d runs)", batch[i], points, c.runs)
				}
				if c.runs < 2 {
					t.Errorf("the run that was to end at point %d went through", batch[i])
				}
			}
		}
	})
}

// numbers are 1 to n.
func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// The same with the answer lost on top: the first run dies while it waits to hear what became of a write.
func TestACrashAfterALostAnswerIsCarriedOnWithOneEffect(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		h.remote.troubles = slices.Repeat([]trouble{{0, true}}, 1)
		c := &crash{h: h, customer: "lost", fuse: &fuse{Clock: h.clock, left: 1 << 30}}
		id := c.begin()
		h.until(id, operation.Succeeded)
		c.check(t, id)
		if c.runs < 2 {
			t.Errorf("%d runs", c.runs)
		}
	})
}
