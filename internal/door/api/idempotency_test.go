package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/api"
	"tcap.cloud/internal/door/web/idempotency"
)

func execute(s *stand, query string, args ...any) error {
	return s.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// partnersNamed counts what a request may have made more than once.
func (s *stand) partnersNamed(name string) int {
	s.t.Helper()
	p, err := s.org.Partners(context.Background(), access.System("test"), org.PartnerQuery{Search: name, Limit: 100})
	s.must(err)
	return len(p.Items)
}

func TestTwentyAtOnceWithOneKeyHaveOneEffectAndOneAnswer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := begin(t, d)
		bodies := make([]string, 20)
		var all sync.WaitGroup
		for i := range bodies {
			all.Go(func() {
				for {
					r, err := s.try("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "one")
					if err != nil {
						t.Error(err)
						return
					}
					if r.Status == 409 && strings.Contains(r.Body, "idempotency-in-flight") {
						continue // told to ask again
					}
					bodies[i] = fmt.Sprint(r.Status, r.Header.Get("ETag"), r.Header.Get("Location"), r.Body)
					return
				}
			})
		}
		all.Wait()
		for _, b := range bodies {
			if b != bodies[0] || !strings.HasPrefix(b, "201") {
				t.Errorf("answers differ:\n%s\n%s", b, bodies[0])
			}
		}
		if n := s.partnersNamed("Adatum"); n != 1 {
			t.Errorf("%d partners were made", n)
		}
	})
}

func TestARepeatSaysThatItIsOne(t *testing.T) {
	s := sqlite(t)
	first := s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "k")
	again := s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "k")
	if first.Header.Get("Idempotent-Replayed") != "" || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("replayed: %q, then %q", first.Header.Get("Idempotent-Replayed"), again.Header.Get("Idempotent-Replayed"))
	}
	if first.Body != again.Body || first.Status != again.Status || first.Header.Get("Content-Type") != again.Header.Get("Content-Type") {
		t.Errorf("answers differ:\n%s\n%s", first.Body, again.Body)
	}
}

func TestAKeyHoldsForOneRequestOfOneCaller(t *testing.T) {
	s := sqlite(t)
	s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "k")
	s.ask("operator", "POST", "/partners", `{"name":"Humongous"}`, "Idempotency-Key", "k").refusal(t, 422, "idempotency-mismatch")
	s.ask("operator", "POST", "/customers", `{"name":"Adatum"}`, "Idempotency-Key", "k").refusal(t, 422, "idempotency-mismatch")
	body := fmt.Sprintf(`{"name":"Lucerne","partnerId":%q}`, s.partner)
	if r := s.ask("partner", "POST", "/customers", body, "Idempotency-Key", "k"); r.Status != 201 {
		t.Errorf("another caller's key is in the way: %s", r.Body)
	}
	s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", strings.Repeat("k", 256)).refusal(t, 422, "idempotency-key-too-long")
}

func TestARefusalIsRepeatedToo(t *testing.T) {
	s := sqlite(t)
	first := s.ask("operator", "POST", "/partners", `{"name":""}`, "Idempotency-Key", "k")
	again := s.ask("operator", "POST", "/partners", `{"name":""}`, "Idempotency-Key", "k")
	if first.Status != 422 || again.Body != first.Body || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%d %s\n%d %s", first.Status, first.Body, again.Status, again.Body)
	}
}

func TestAnAnswerIsForgottenAfterADay(t *testing.T) {
	s := sqlite(t)
	s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "k")
	s.clock.Advance(24*time.Hour - time.Second)
	if r := s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "k"); r.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("forgotten too early: %s", r.Body)
	}
	if n, err := idempotency.New(s.db, s.clock, slog.New(slog.DiscardHandler)).Sweep(context.Background()); err != nil || n != 0 {
		t.Errorf("swept %d too early (%v)", n, err)
	}
	s.clock.Advance(time.Second)
	if r := s.ask("operator", "POST", "/partners", `{"name":"Humongous"}`, "Idempotency-Key", "k"); r.Status != 201 {
		t.Errorf("not forgotten: %s", r.Body)
	}
	s.clock.Advance(24 * time.Hour)
	if n, err := idempotency.New(s.db, s.clock, slog.New(slog.DiscardHandler)).Sweep(context.Background()); err != nil || n != 1 {
		t.Errorf("swept %d (%v)", n, err)
	}
}

func TestWhatDiedInFlightIsTakenOverAfterAMinute(t *testing.T) {
	s := sqlite(t)
	s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "k")
	// As a process leaves it that died before it could keep its answer.
	s.must(execute(s, `UPDATE idempotency SET status = NULL, headers = NULL, body = NULL`))
	s.clock.Advance(59 * time.Second)
	s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "k").refusal(t, 409, "idempotency-in-flight")
	s.clock.Advance(time.Second)
	if r := s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "k"); r.Status == 409 && strings.Contains(r.Body, "in-flight") {
		t.Errorf("not taken over: %s", r.Body)
	}
}

func TestAFailureOfOursIsNotKept(t *testing.T) {
	s := sqlite(t, func(o *api.Options) { o.Cards = brokenCards{} })
	path := "/customers/" + s.otherCustomer + "/services"
	s.ask("operator", "POST", path, `{"kind":"operator-connect"}`, "Idempotency-Key", "k").refusal(t, 500, "internal")
	r := s.ask("operator", "POST", path, `{"kind":"operator-connect"}`, "Idempotency-Key", "k")
	if r.Header.Get("Idempotent-Replayed") != "" || r.Status != 409 {
		t.Errorf("the repeat was not tried: %d %s", r.Status, r.Body)
	}
}

func TestAKeptAnswerIsNotReadableInTheStore(t *testing.T) {
	s := sqlite(t)
	made := s.ask("operator", "POST", "/api-keys", `{"name":"x","role":"viewer"}`, "Idempotency-Key", "k")
	text := made.json(t)["key"].(string)
	var body []byte
	s.must(s.db.R.QueryRowContext(context.Background(), `SELECT body FROM idempotency`).Scan(&body))
	if len(body) == 0 || strings.Contains(string(body), text) {
		t.Errorf("the store holds the text of a key")
	}
	if again := s.ask("operator", "POST", "/api-keys", `{"name":"x","role":"viewer"}`, "Idempotency-Key", "k"); again.Body != made.Body {
		t.Errorf("the repeat answers %s", again.Body)
	}
}
