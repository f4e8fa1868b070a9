package tenant

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// tenantState is what all sessions of a tenant share: their budget, the pause that Microsoft asked for, and the last token that was
// fetched because an earlier one was not accepted.
type tenantState struct {
	limiter *rate.Limiter

	mu   sync.Mutex
	held map[Area]time.Time

	refreshing chan struct{} // one place: whoever holds it may fetch; guards refreshed
	refreshed  map[Resource]Token
}

func newTenantState(b Budget) *tenantState {
	return &tenantState{
		limiter:    rate.NewLimiter(rate.Limit(b.PerSecond), b.Burst),
		held:       map[Area]time.Time{},
		refreshing: make(chan struct{}, 1),
		refreshed:  map[Resource]Token{},
	}
}

// hold keeps every session of the tenant from the area for so long.
func (s *tenantState) hold(area Area, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := time.Now().Add(d); until.After(s.held[area]) {
		s.held[area] = until
	}
}

func (s *tenantState) heldFor(area Area) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(time.Until(s.held[area]), 0)
}

// admit waits until the tenant's budget has a place and no pause is on. A pause longer than longest is refused at once: the caller has
// better things to do. A context that would end first is not waited out.
func (s *tenantState) admit(ctx context.Context, c *call, longest time.Duration) error {
	pause := s.heldFor(c.area)
	if pause > longest {
		return &Refusal{
			Class: Throttled, Source: c.source(), Code: "throttled", Message: "Too many requests; not sent, as Microsoft asked to wait",
			Remedy: "Nothing to do; it is tried again, more slowly.", CorrelationID: c.correlation, RetryAfter: pause,
		}
	}
	place := s.limiter.Reserve()
	delay := max(place.Delay(), pause)
	if delay <= 0 {
		return nil
	}
	err := context.DeadlineExceeded
	if end, ok := ctx.Deadline(); !ok || time.Until(end) > delay {
		err = c.door.opts.Wait(ctx, delay)
	}
	if err != nil {
		place.Cancel()
	}
	return err
}

// refresh fetches a token in place of one that was not accepted. Where many calls find theirs refused at once, one fetches and the
// others take what it got: the sign-in service answers a flood with AADSTS50196.
func (s *tenantState) refresh(ctx context.Context, r Resource, rejected Token, fetch func() (Token, error)) (Token, error) {
	select {
	case s.refreshing <- struct{}{}:
		defer func() { <-s.refreshing }()
	case <-ctx.Done():
		return Token{}, ctx.Err()
	}
	if last, ok := s.refreshed[r]; ok && last.Value.Reveal() != rejected.Value.Reveal() && last.ExpiresAt.After(rejected.ExpiresAt) {
		return last, nil
	}
	token, err := fetch()
	if err == nil {
		s.refreshed[r] = token
	}
	return token, err
}
