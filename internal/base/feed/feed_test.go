package feed_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/test/pg"
)

var (
	everything = access.Scope{Level: access.Operator}
	at         = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
)

func put(t *testing.T, d *db.DB, lines ...feed.Line) {
	t.Helper()
	err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for _, l := range lines {
			l.At = at
			if err := feed.Append(ctx, tx, l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// running starts a hub and answers once it has seen where the feed ends: it tells of a line of ours.
func running(t *testing.T, d *db.DB) *feed.Hub {
	t.Helper()
	h := feed.NewHub(d, 5*time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	lines, stop := h.Watch(everything)
	defer stop()
	deadline := time.After(10 * time.Second)
	for {
		put(t, d, feed.Line{Topic: "probe", Ref: "probe"})
		select {
		case <-lines:
			return h
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			t.Fatal("the hub says nothing")
		}
	}
}

// next is the next line that is not the probe's.
func next(t *testing.T, lines <-chan feed.Line) feed.Line {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case l := <-lines:
			if l.Topic != "probe" {
				return l
			}
		case <-deadline:
			t.Fatal("no line came")
		}
	}
}

func TestAWatcherIsToldOfWhatLiesInItsScopeAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := running(t, d)
		watch := func(s access.Scope) <-chan feed.Line {
			lines, stop := h.Watch(s)
			t.Cleanup(stop)
			return lines
		}
		operator := watch(everything)
		partner := watch(access.Scope{Level: access.Partner, PartnerID: "p1"})
		customer := watch(access.Scope{Level: access.Customer, CustomerID: "c2"})
		nobody := watch(access.Scope{})
		put(t, d, feed.Line{Topic: "operator", Ref: "1"}, feed.Line{Topic: "number", Ref: "2", PartnerID: "p1", CustomerID: "c1"},
			feed.Line{Topic: "user", Ref: "3", PartnerID: "p1", CustomerID: "c2"}, feed.Line{Topic: "user", Ref: "4", PartnerID: "p2", CustomerID: "c3"},
			feed.Line{Topic: "end", Ref: "5", PartnerID: "p1", CustomerID: "c2"})
		for name, c := range map[string]struct {
			lines <-chan feed.Line
			want  string
		}{"operator": {operator, "12345"}, "partner": {partner, "235"}, "customer": {customer, "35"}} {
			got := ""
			for range c.want {
				got += next(t, c.lines).Ref
			}
			if got != c.want {
				t.Errorf("the %s was told %s, want %s", name, got, c.want)
			}
		}
		if len(nobody) != 0 {
			t.Errorf("somebody without a scope was told of %+v", <-nobody)
		}
	})
}

func TestALineIsToldOnceAndAsItWasWritten(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := running(t, d)
		lines, stop := h.Watch(everything)
		defer stop()
		for n := range 20 {
			put(t, d, feed.Line{Topic: "operation", Ref: fmt.Sprint(n), PartnerID: "p1", CustomerID: "c1"})
		}
		for n := range 20 {
			l := next(t, lines)
			if l.Ref != fmt.Sprint(n) || l.Topic != "operation" || l.PartnerID != "p1" || l.CustomerID != "c1" || !l.At.Equal(at) {
				t.Fatalf("line %d: %+v", n, l)
			}
		}
	})
}

func TestALineOfAFailedWriteIsNotTold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := running(t, d)
		lines, stop := h.Watch(everything)
		defer stop()
		_ = d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			if err := feed.Append(ctx, tx, feed.Line{At: at, Topic: "number", Ref: "never"}); err != nil {
				t.Error(err)
			}
			return errors.New("boom")
		})
		put(t, d, feed.Line{Topic: "number", Ref: "after"})
		if l := next(t, lines); l.Ref != "after" {
			t.Fatalf("told of %+v", l)
		}
	})
}

// On PostgreSQL a line gets its number when it is written and is seen when its transaction commits: a lower number may
// come after a higher one.
func TestALineThatIsCommittedLateIsNotLost(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, pg.Start(t))
	h := running(t, d)
	lines, stop := h.Watch(everything)
	defer stop()
	early, err := d.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := feed.Append(t.Context(), db.Tx{Tx: early}, feed.Line{At: at, Topic: "number", Ref: "late", CustomerID: "c1"}); err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		put(t, d, feed.Line{Topic: "number", Ref: fmt.Sprint(n)})
	}
	for n := range 100 {
		if l := next(t, lines); l.Ref != fmt.Sprint(n) {
			t.Fatalf("line %d: %+v", n, l)
		}
	}
	if err := early.Commit(); err != nil {
		t.Fatal(err)
	}
	if l := next(t, lines); l.Ref != "late" {
		t.Fatalf("told of %+v", l)
	}
}

func TestAWatcherThatDoesNotReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := running(t, d)
		_, stopSlow := h.Watch(everything)
		defer stopSlow()
		quick, stop := h.Watch(everything)
		defer stop()
		batch := make([]feed.Line, 100)
		for n := range 10 { // far more than a watcher's channel holds
			for i := range batch {
				batch[i] = feed.Line{Topic: "number", Ref: fmt.Sprint(n*100 + i)}
			}
			put(t, d, batch...)
			for i := range batch {
				if l := next(t, quick); l.Ref != fmt.Sprint(n*100+i) {
					t.Fatalf("the quick one was told %s, want %d", l.Ref, n*100+i)
				}
			}
		}
	})
}

func TestAfterStopNothingIsTold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := running(t, d)
		gone, stop := h.Watch(everything)
		stop()
		stop() // twice is no harm
		other, stopOther := h.Watch(everything)
		defer stopOther()
		put(t, d, feed.Line{Topic: "number", Ref: "1"})
		next(t, other)
		for len(gone) > 0 {
			if l := <-gone; l.Topic != "probe" {
				t.Fatalf("told of %+v", l)
			}
		}
	})
}
