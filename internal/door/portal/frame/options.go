// Package frame is what every page of the portal stands in: who is signed in, the navigation and the scope, how a page is
// drawn, how a form is answered, and how a fault is told. The folders beside it hold the pages, one folder for each noun;
// each registers its routes on a Frame.
package frame

import (
	"context"
	"log/slog"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

// SessionLife is how long a sign-in lasts.
const SessionLife = 12 * time.Hour

// Options are what the portal is given by the wiring. DB is for reading the audit; everything else is asked of the rooms.
type Options struct {
	DB         *db.DB
	Clock      clock.Clock
	Log        *slog.Logger
	Org        *org.Org
	Pairings   *pairing.Pairings
	Operations *operation.Engine
	Plans      *plan.Engine
	Cards      *servicecard.Cards
	Directory  *directory.Directory
	Numbers    *number.Numbers
	Hub        *feed.Hub // nil: progress pages are not live

	// PublicURL is the portal's own address, such as https://portal.example; it decides whether cookies are Secure, which
	// origin passkeys belong to, and what stands in links that are mailed.
	PublicURL string
	// APIURL is the base of the calls shown on pages; PublicURL + /api/v1 when empty.
	APIURL string
	// SignInOrigins are the origins of Microsoft's sign-in pages that a form may lead to (CSP form-action holds for
	// redirects too). Empty: the public clouds' own.
	SignInOrigins []string
	// ConsentRedirect changes the address that an administrator is sent to; nil leaves it as it is. The demo leads to the
	// simulator's plain page listener with it.
	ConsentRedirect func(consentURL string) string
	// Demo, where set, offers sign-in as one of three roles by a button.
	Demo *Demo
	// OneProcess is whether sealing keys and the portal live in one process: settings say that this is order, not
	// protection.
	OneProcess bool
	// Version of the program, for the about page.
	Version string
}

// Demo answers the actor behind a role button: operator, partner or customer. Administrator, where set, tells with which
// account the simulated sign-in page of a customer's tenant is passed; empty texts are not known.
type Demo struct {
	Actor         func(ctx context.Context, role string) (access.Actor, error)
	Administrator func(ctx context.Context, customerID string) (userName, password string)
}

// Consent answers where an administrator is really sent.
func (o Options) Consent(consentURL string) string {
	if o.ConsentRedirect == nil {
		return consentURL
	}
	return o.ConsentRedirect(consentURL)
}

// API answers the base address of the calls that pages show.
func (o Options) API() string {
	if o.APIURL != "" {
		return o.APIURL
	}
	return o.PublicURL + "/api/v1"
}
