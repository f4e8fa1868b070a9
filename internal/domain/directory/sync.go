package directory

import (
	"context"
	"fmt"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/remote/msgraph"
	"tcap.cloud/internal/remote/teamsadmin"
)

// The steps of a sync, as people see them.
const (
	stepProducts = "Read products"
	stepUsers    = "Read users"
	stepVoice    = "Read voice settings"
	stepCompare  = "Compare"
)

// StartSync begins a sync in the caller's transaction, or answers the one that runs already. The caller has asked what the
// actor may do.
func (d *Directory) StartSync(ctx context.Context, tx db.Tx, customer org.Customer, actor access.Actor) (operationID string, existing bool, err error) {
	id, existing, err := d.o.Operations.Start(ctx, tx, operation.New{
		Kind: KindSync, Title: "Sync " + customer.Name, PartnerID: customer.PartnerID, CustomerID: customer.ID,
		Subject: "sync:" + customer.ID, Input: struct{}{}, Steps: []string{stepProducts, stepUsers, stepVoice, stepCompare}, Actor: actor,
	})
	if err != nil {
		return "", false, fmt.Errorf("starting a sync of %s: %w", customer.ID, err)
	}
	return id, existing, claimSync(ctx, tx, customer.ID, id, d.clock.Now().Add(d.o.Every))
}

// Resync is StartSync for a person who presses the button; a sync that waits for its next try is made due at once. full
// reads everybody anew where no pass is under way.
func (d *Directory) Resync(ctx context.Context, actor access.Actor, customerID string, full bool) (operationID string, existing bool, err error) {
	customer, err := d.customer(ctx, actor, access.Assign, customerID)
	if err != nil {
		return "", false, err
	}
	err = d.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if operationID, existing, err = d.StartSync(ctx, tx, customer, actor); err != nil {
			return err
		}
		if full && !existing {
			if err := forgetDelta(ctx, tx, customerID); err != nil {
				return err
			}
		}
		return audit.Append(ctx, d.db, tx, audit.What{At: d.clock.Now(), Actor: actor, Action: "customer.sync", PartnerID: customer.PartnerID,
			CustomerID: customerID, TargetKind: "customer", TargetID: customerID, OperationID: operationID,
			Detail: map[string]bool{"full": full, "alreadyRunning": existing}})
	})
	return operationID, existing, err
}

func forgetDelta(ctx context.Context, tx db.Tx, customerID string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE sync_state SET delta_token = NULL, version = version + 1 WHERE customer_id = $1 AND resume_token IS NULL`, customerID); err != nil {
		return fmt.Errorf("asking for a full sync: %w", err)
	}
	return nil
}

// handler does sync operations.
type handler struct{ d *Directory }

// work is what a pass needs of an operation's run.
type work interface {
	Write(ctx context.Context, fn func(ctx context.Context, tx db.Tx) error) error
	Step(ctx context.Context, name string, fn func(ctx context.Context) (detail string, err error)) error
	Progress(ctx context.Context, tx db.Tx, done, total int) error
	Result(ctx context.Context, tx db.Tx, v any) error
	Cancelled(ctx context.Context) (bool, error)
	Actor() access.Actor
}

// pass is one run of a sync.
type pass struct {
	d                       *Directory
	w                       work
	id, customerID, partner string
	zone                    *time.Location
	graph                   *msgraph.Reader
	teams                   *teamsadmin.Reader
	book                    book
	productsHash            []byte
	total                   int
}

// Run reads what is left to read. What an earlier run or operation has read is not read again.
func (h handler) Run(ctx context.Context, r *operation.Run) error {
	p, err := h.d.newPass(ctx, r, r.Op.ID, r.Op.CustomerID)
	if err != nil {
		return err
	}
	return p.run(ctx)
}

func (d *Directory) newPass(ctx context.Context, w work, operationID, customerID string) (*pass, error) {
	customer, err := d.org.CustomerIn(ctx, d.db.R, access.Scope{Level: access.Operator}, customerID)
	if err != nil {
		return nil, err
	}
	session, _, err := d.o.Sessions.Session(ctx, customerID)
	if err != nil {
		return nil, fmt.Errorf("opening the tenant of %s: %w", customerID, err)
	}
	return &pass{d: d, w: w, id: operationID, customerID: customer.ID, partner: customer.PartnerID, zone: zoneOf(customer.TimeZone),
		graph: msgraph.NewReader(session), teams: teamsadmin.NewReader(session)}, nil
}

func (p *pass) run(ctx context.Context) error {
	if err := p.w.Step(ctx, stepProducts, p.products); err != nil {
		return err
	}
	var err error
	if p.book, err = p.d.bookOf(ctx, p.d.db.R, p.customerID); err != nil {
		return err
	}
	p.productsHash = p.book.digest()
	for _, s := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{{stepUsers, p.users}, {stepVoice, p.voice}, {stepCompare, p.compare}} {
		if err := p.w.Step(ctx, s.name, s.do); err != nil {
			return err
		}
	}
	return nil
}

// stopAsked ends the run between two pages where a person has cancelled it.
func (p *pass) stopAsked(ctx context.Context) error {
	asked, err := p.w.Cancelled(ctx)
	if err == nil && asked {
		err = operation.Cancel()
	}
	return err
}

// announce writes feed lines for users that changed: one each while they are few, else one for all, whose ref is empty.
func (p *pass) announce(ctx context.Context, tx db.Tx, ids []string) error {
	const few = 20
	if len(ids) > few {
		ids = []string{""}
	}
	for _, id := range ids {
		err := feed.Append(ctx, tx, feed.Line{At: p.d.clock.Now(), Topic: "user", Ref: id, PartnerID: p.partner, CustomerID: p.customerID})
		if err != nil {
			return err
		}
	}
	return nil
}

// Finish lets the customer go, and tells the pairing. A sync that was stopped while its removal waited for a person is
// followed by a full one: what the delta said of it is not said twice.
func (h handler) Finish(ctx context.Context, tx db.Tx, op operation.Row, failure *fault.Fault) error {
	st, found, err := readState(ctx, tx, op.CustomerID)
	if err != nil {
		return err
	}
	now := h.d.clock.Now()
	anew := found && failure != nil && st.place != nil && st.place.Held
	if err := letSyncGo(ctx, tx, op.CustomerID, op.ID, now.Add(h.d.o.Every), anew); err != nil {
		return err
	}
	if h.d.o.Pairings != nil {
		if err := h.d.o.Pairings.SyncEnded(ctx, tx, op.CustomerID, op.ID, failure); err != nil {
			return fmt.Errorf("telling the pairing how the sync ended: %w", err)
		}
	}
	return feed.Append(ctx, tx, feed.Line{At: now, Topic: "customer", Ref: op.CustomerID, PartnerID: op.PartnerID, CustomerID: op.CustomerID})
}
