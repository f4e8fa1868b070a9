// Package overview says how customers are, for the pages that show many of them: the list and the start page. It reads what
// the rooms answer for one customer after another, up to a bound, and says where it stopped.
package overview

import (
	"context"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// MaxWalk is how many customers a walk reads at most.
const MaxWalk = 2000

// NoService and WithoutSync are the two states of a customer that no pairing tells.
const (
	NoService   = "no-service"
	WithoutSync = "without-sync"
)

// Line is one customer with its state.
type Line struct {
	Customer org.Customer
	Services []org.Service
	Pairing  pairing.Pairing
	Status   string
}

// Statuses lists the states of customers, worst first.
func Statuses() []string {
	return []string{"suspended", "degraded", "pending-consent", "activating", NoService, "disconnected", WithoutSync, "active"}
}

// Rank orders states, worst first.
func Rank(status string) int {
	for i, s := range Statuses() {
		if s == status {
			return i
		}
	}
	return len(Statuses())
}

// State is how a customer's state is shown.
func State(status string) ui.State {
	switch status {
	case NoService:
		return ui.State{Code: NoService, Word: "No service", Icon: ui.IconCircle, Tone: ui.ToneNeutral}
	case WithoutSync:
		return ui.State{Code: WithoutSync, Word: "Without sync", Icon: ui.IconUnlink, Tone: ui.ToneNeutral}
	default:
		return ui.ServiceState(status)
	}
}

// Of answers the state of one customer.
func Of(ctx context.Context, f *frame.Frame, who access.Actor, c org.Customer) (Line, error) {
	l := Line{Customer: c}
	var err error
	if l.Services, err = f.Org.Services(ctx, who, c.ID); err != nil {
		return l, err
	}
	if l.Pairing, err = f.Pairings.Of(ctx, who, c.ID); err != nil {
		return l, err
	}
	l.Status = NoService
	for _, s := range l.Services {
		if !s.Sync {
			if l.Status == NoService {
				l.Status = WithoutSync
			}
			continue
		}
		l.Status = servicecard.Status(s, l.Pairing)
	}
	return l, nil
}

// Walk answers every customer of a query that keep keeps, and whether there are more than it read.
func Walk(ctx context.Context, f *frame.Frame, who access.Actor, q org.CustomerQuery, keep func(Line) bool) (lines []Line, cut bool, err error) {
	q.Limit, q.Cursor = 500, ""
	for read := 0; ; {
		page, err := f.Org.Customers(ctx, who, q)
		if err != nil {
			return nil, false, err
		}
		for _, c := range page.Items {
			l, err := Of(ctx, f, who, c)
			if err != nil {
				return nil, false, err
			}
			if keep(l) {
				lines = append(lines, l)
			}
		}
		if read += len(page.Items); page.Next == "" || read >= MaxWalk {
			return lines, page.Next != "", nil
		}
		q.Cursor = page.Next
	}
}
