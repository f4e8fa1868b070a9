package api_test

import (
	"testing"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
)

// PostgreSQL keeps no text that is not UTF-8: what asks for one is refused, not answered with a failure of ours.
func TestWhatIsNotUTF8IsRefusedOnEveryStore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := begin(t, d)
		s.ask("operator", "GET", "/operations/%FF", "").refusal(t, 400, "not-utf8")
		s.ask("operator", "GET", "/numbers?search=%FF", "").refusal(t, 400, "not-utf8")
		s.ask("operator", "POST", "/partners", `{"name":"Adatum"}`, "Idempotency-Key", "\xff").refusal(t, 422, "idempotency-key-not-utf8")
	})
}
