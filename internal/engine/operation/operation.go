// Package operation is long work that survives the process doing it. A row is the memory; a runner takes its lease, and
// whatever it records carries the lease's fence, so that a runner that was thought dead cannot write after another took
// over. A job is only a wake and may be doubled or lost: the sweeper wakes what is unfinished and unleased, or due.
package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// State of an operation, as the API names it.
type State string

// The states. The last three are final.
const (
	Queued    State = "queued"
	Running   State = "running"
	Waiting   State = "waiting"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Final says whether nothing more will happen.
func (s State) Final() bool { return s == Succeeded || s == Failed || s == Cancelled }

// WaitingFor says whose turn it is while an operation waits.
type WaitingFor string

// Whose turn it is (contracts/rest-api.md).
const (
	ForSignIn       WaitingFor = "administrator-sign-in"
	ForMicrosoft    WaitingFor = "microsoft"
	ForConfirmation WaitingFor = "confirmation"
	ForPerson       WaitingFor = "person"
	ForRetry        WaitingFor = "retry"
)

// Row is an operation as it is kept.
type Row struct {
	ID            string
	Kind          string
	Title         string
	PartnerID     string
	CustomerID    string
	ServiceID     string
	Subject       string
	State         State
	Done          int
	Total         int
	FailedLines   int
	Input         json.RawMessage
	Memo          json.RawMessage
	Result        json.RawMessage
	Error         *Problem
	WaitingFor    WaitingFor
	DueAt         time.Time
	DueWhy        string
	Attempts      int
	CancelAsked   bool
	UndoOf        string
	Actor         string
	ActorID       string
	Fence         int64
	CorrelationID string
	CreatedAt     time.Time
	StartedAt     time.Time
	FinishedAt    time.Time
	Version       int64
}

// Problem is why an operation failed, safe to show.
type Problem struct {
	Code   string        `json:"code"`
	Detail string        `json:"detail"`
	Remedy *fault.Remedy `json:"remedy,omitempty"`
}

// Step is one visible part of an operation.
type Step struct {
	Ordinal    int
	Name       string
	State      string // planned, running, waiting, done, failed
	Detail     string
	StartedAt  time.Time
	FinishedAt time.Time
}

// Line is the outcome of one line of a batch.
type Line struct {
	Line    int
	Input   string
	Outcome string
	Error   *Problem
}

// New is an operation to be started.
type New struct {
	Kind       string
	Title      string // in words: "Assign +61… to Ana at Wingtip Toys"
	PartnerID  string
	CustomerID string
	ServiceID  string
	Subject    string // "" or what at most one unfinished operation may be about, for example sync:<customer>
	Input      any
	Total      int
	Steps      []string // names of steps known beforehand, shown as planned
	Actor      access.Actor
	DueAt      time.Time // zero: at once
	DueWhy     string
	UndoOf     string
}

// Handler does one kind of operation. Run may be called again after any crash, wait or retry, in another process too: it
// reads how things are and does what is left. Finish runs in the transaction that ends the operation, with the failure or
// nil: there the owner moves its rows, so that no crash parts the two.
type Handler interface {
	Run(ctx context.Context, r *Run) error
	Finish(ctx context.Context, tx db.Tx, op Row, failure *fault.Fault) error
}

// HandlerFunc is a handler whose rows need no move at the end.
type HandlerFunc func(ctx context.Context, r *Run) error

// Run does the work.
func (f HandlerFunc) Run(ctx context.Context, r *Run) error { return f(ctx, r) }

// Finish moves nothing.
func (HandlerFunc) Finish(context.Context, db.Tx, Row, *fault.Fault) error { return nil }

// Wait is returned by a handler that cannot go on now. Until zero means until somebody acts.
type Wait struct {
	Until time.Time
	Why   string // for people: what is waited for
	For   WaitingFor
}

// Error makes Wait an error that a handler can return from any depth.
func (w Wait) Error() string {
	return fmt.Sprintf("waiting for %s until %s: %s", w.For, w.Until, w.Why)
}

// errLost is the lease taken by another runner: stop without writing anything more.
type errLost struct{ id string }

func (e errLost) Error() string { return "the lease of operation " + e.id + " was taken over" }
