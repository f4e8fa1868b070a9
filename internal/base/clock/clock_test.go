package clock_test

import (
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/clock"
)

func TestEveryClockTellsUTCInMicroseconds(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 10*3600)
	for name, c := range map[string]clock.Clock{"system": clock.System{}, "shifted": &clock.Shifted{},
		"fake": clock.NewFake(time.Date(2026, 5, 1, 9, 0, 0, 123456789, zone))} {
		now := c.Now()
		if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 || !time.UnixMicro(now.UnixMicro()).UTC().Equal(now) {
			t.Errorf("%s: %v", name, now)
		}
	}
}

func TestAShiftedClockIsOffByItsShift(t *testing.T) {
	t.Parallel()
	c := &clock.Shifted{}
	for _, by := range []time.Duration{0, 72 * time.Hour, -time.Hour} {
		c.Shift(by)
		before := time.Now().Add(by).Truncate(time.Microsecond)
		got := c.Now()
		if got.Before(before) || got.After(time.Now().Add(by)) {
			t.Errorf("shifted by %v it tells %v", by, got)
		}
	}
}

func TestAFakeClockMovesOnlyWhenItIsMoved(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	c := clock.NewFake(at)
	first, second := c.Now(), c.Now()
	if !first.Equal(at) || !second.Equal(at) {
		t.Fatal("it moved by itself")
	}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { c.Advance(time.Second) })
	}
	wg.Wait()
	if got := c.Now(); !got.Equal(at.Add(100 * time.Second)) {
		t.Fatalf("stands at %v", got)
	}
}
