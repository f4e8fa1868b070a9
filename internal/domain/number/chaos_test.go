package number_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/engine/kind/kindtest"
)

var chaosSeed = flag.Uint64("number.seed", 0, "seed of the random life of an inventory; 0 is a new one")

// chaos spoils some requests and kills the process at some.
type chaos struct {
	mu    sync.Mutex
	rng   *rand.Rand
	calm  bool
	kill  func()
	armed int // kill at this many requests from now; 0: not
}

func (c *chaos) hook(r *http.Request) *kindtest.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calm {
		return nil
	}
	if c.armed > 0 {
		if c.armed--; c.armed == 0 {
			go c.kill()
			return &kindtest.Fault{After: c.rng.IntN(2) == 0}
		}
	}
	write := r.Method != http.MethodGet
	switch n := c.rng.IntN(100); {
	case n < 6:
		return &kindtest.Fault{Status: 503, After: c.rng.IntN(2) == 0}
	case n < 10:
		return &kindtest.Fault{After: c.rng.IntN(2) == 0}
	case n < 16 && write:
		return &kindtest.Fault{Status: 400, Text: "User 'x' lacks appropriate licenses to assign a 'DirectRouting' number"}
	}
	return nil
}

// TestWhateverHappensNoNumberIsLostOrDoubled lives a random life: assignments, takings, the tenant's own administrator,
// syncs, lost answers, refusals and killed processes. Afterwards one calm sync makes inventory and tenant the same.
func TestWhateverHappensNoNumberIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		seed := *chaosSeed
		if seed == 0 {
			seed = uint64(time.Now().UnixNano())
		}
		t.Logf("number.seed %d", seed)
		s := newStand(t, url, 4, 6)
		c := &chaos{rng: rand.New(rand.NewPCG(seed, 1))}
		choice := rand.New(rand.NewPCG(seed, 2))
		s.teams.Hook = c.hook
		for range 40 {
			s.live(t, c, choice)
			s.check(t)
		}
		c.mu.Lock()
		c.calm = true
		c.mu.Unlock()
		s.clock.Advance(10 * time.Minute)
		s.sync()
		s.check(t)
		s.same(t)
	})
}

// live lets one thing happen, and waits for its end.
func (s *stand) live(t *testing.T, c *chaos, choice *rand.Rand) {
	t.Helper()
	user, n := s.users[choice.IntN(len(s.users))], s.numbers[choice.IntN(len(s.numbers))]
	var id string
	var err error
	switch k := choice.IntN(10); {
	case k < 5:
		id, err = s.assign(user, n)
	case k < 8:
		id, err = s.unassign(user)
	case k < 9:
		s.teams.Give(user, map[bool]string{true: n}[choice.IntN(2) == 0])
	default:
		s.clock.Advance(10 * time.Minute)
		s.sync()
	}
	if _, known := fault.Of(err); err != nil && !known {
		t.Fatal(err)
	}
	if id == "" {
		return
	}
	if choice.IntN(3) == 0 {
		killed := make(chan struct{})
		stop := s.stop
		c.mu.Lock()
		c.armed, c.kill = 1+choice.IntN(6), func() { stop(); close(killed) }
		c.mu.Unlock()
		select {
		case <-killed:
			s.start()
		case <-s.over(id):
			c.mu.Lock()
			fired := c.armed == 0
			c.armed = 0
			c.mu.Unlock()
			if fired {
				<-killed
				s.start()
			}
		}
	}
	s.end(id)
}

// over is closed when the operation has ended; the clock moves meanwhile.
func (s *stand) over(id string) <-chan struct{} {
	done := make(chan struct{})
	ops := s.ops
	go func() {
		defer close(done)
		for range 10_000 {
			o, err := ops.Get(context.Background(), root.Scope, id)
			if err != nil || o.State.Final() {
				return
			}
			if o.State == "waiting" {
				s.clock.Advance(20 * time.Second)
			}
			time.Sleep(3 * time.Millisecond) // the job library works in real time
		}
	}()
	return done
}

// check is what holds at any time.
func (s *stand) check(t *testing.T) {
	t.Helper()
	page, err := s.Numbers.Numbers(context.Background(), root, number.Query{CustomerID: s.customer.ID, Limit: 1000})
	if err != nil || len(page.Items) != len(s.numbers) {
		t.Fatalf("%d numbers, %v", len(page.Items), err)
	}
	assigned := map[string]string{}
	for _, n := range page.Items {
		if (n.Holder != nil) != number.HasHolder(n.State) {
			t.Fatalf("%s is %s with holder %+v", n.Number, n.State, n.Holder)
		}
		if n.OperationID != "" {
			t.Fatalf("%s is in the hands of an operation that has ended", n.Number)
		}
		if n.State != number.Assigned {
			continue
		}
		if other := assigned[n.Holder.ID]; other != "" {
			t.Fatalf("%s has %s and %s", n.Holder.ID, other, n.Number)
		}
		assigned[n.Holder.ID] = n.Number
		lines, err := s.History(context.Background(), root, n.Number)
		if err != nil || lines[len(lines)-1].To != n.State {
			t.Fatalf("the history of %s ends in %+v, %v", n.Number, lines[len(lines)-1], err)
		}
	}
}

// same is what holds after a calm sync: the inventory says what the tenant has, and the audit is whole.
func (s *stand) same(t *testing.T) {
	t.Helper()
	holder := map[string]string{}
	for user, n := range s.teams.Held() {
		if n != "" {
			holder[n] = user
		}
	}
	for _, e164 := range s.numbers {
		n := s.get(e164)
		has := ""
		if n.Holder != nil {
			has = n.Holder.ID
		}
		if has != holder[e164] || n.State == number.Reserved || n.State == number.Releasing {
			t.Errorf("%s is %s held by %q; the tenant has it on %q", e164, n.State, has, holder[e164])
		}
	}
	if _, broken, err := audit.Verify(context.Background(), s.db.R); err != nil || len(broken) > 0 {
		t.Errorf("the audit: %v, %v", broken, err)
	}
}
