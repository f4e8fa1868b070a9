package api

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tcap.cloud/internal/door/web"
)

// What a key may do where the options say nothing, and how many keys are remembered at once.
const (
	defaultRate  = 50
	defaultBurst = 200
	maxLimited   = 10_000
)

// limits gives each key a bucket, in this process alone. It follows the host's clock: it protects the host.
type limits struct {
	rate  rate.Limit
	burst int

	mu   sync.Mutex
	keys map[string]*rate.Limiter
}

func newLimits(perSecond float64, burst int) *limits {
	if perSecond <= 0 {
		perSecond = defaultRate
	}
	if burst <= 0 {
		burst = defaultBurst
	}
	return &limits{rate: rate.Limit(perSecond), burst: burst, keys: map[string]*rate.Limiter{}}
}

func (l *limits) of(key string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.keys[key]; b != nil {
		return b
	}
	if len(l.keys) >= maxLimited {
		for k, b := range l.keys {
			if b.TokensAt(now) >= float64(l.burst) { // a full bucket is as good as a new one
				delete(l.keys, k)
			}
		}
	}
	b := rate.NewLimiter(l.rate, l.burst)
	l.keys[key] = b
	return b
}

// take uses up one request of a key and says in the headers what is left (draft-ietf-httpapi-ratelimit-headers); it answers
// a 429 problem where nothing was.
func (l *limits) take(h http.Header, key string) *web.Problem {
	now := time.Now()
	b := l.of(key, now)
	ok := b.AllowN(now, 1)
	left := max(0, b.TokensAt(now))
	window := int(float64(l.burst)/float64(l.rate)) + 1
	refill := int((float64(l.burst)-left)/float64(l.rate)) + 1
	h.Set("RateLimit-Policy", fmt.Sprintf(`"key";q=%d;w=%d`, l.burst, window))
	h.Set("RateLimit", fmt.Sprintf(`"key";r=%d;t=%d`, int(left), refill))
	if ok {
		return nil
	}
	wait := time.Duration((1 - left) / float64(l.rate) * float64(time.Second))
	return &web.Problem{Type: "about:blank", Title: http.StatusText(http.StatusTooManyRequests), Status: http.StatusTooManyRequests,
		Code: "rate-limited", Detail: "This key asks too often.", RetryAfter: max(wait, time.Millisecond),
		Remedy: &web.Remedy{Text: "Wait as long as Retry-After says, then go on more slowly."}}
}
