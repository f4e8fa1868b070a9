package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

// Cards is the read model behind a service's JSON; domain/servicecard is one. Both methods ask the actor's role and answer
// 404 for what lies outside its scope.
type Cards interface {
	Card(ctx context.Context, a access.Actor, serviceID string) (servicecard.Card, error)
	Cards(ctx context.Context, a access.Actor, customerID string) ([]servicecard.Card, error)
}

// Options are the rooms and the surroundings that the API needs.
type Options struct {
	DB         *db.DB
	Clock      clock.Clock
	Log        *slog.Logger
	Version    string // of the program, for the OpenAPI document
	Org        *org.Org
	Operations *operation.Engine
	Plans      *plan.Engine
	Pairings   *pairing.Pairings
	Cards      Cards
	Feed       *feed.Hub
	Directory  *directory.Directory
	Numbers    *number.Numbers

	// RefusalPage shows a person why what Microsoft sent him back with was refused; nil answers problem details.
	RefusalPage func(w http.ResponseWriter, r *http.Request, f *fault.Fault)

	// HTTPS is whether browsers shall come back by https only.
	HTTPS bool

	// Rate and Burst limit each key, in requests for each second; zero is 50 and 200.
	Rate  float64
	Burst int

	// Heartbeat of event streams; zero is web.Heartbeat.
	Heartbeat time.Duration
}
