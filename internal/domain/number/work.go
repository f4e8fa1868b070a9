package number

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

// worker gives and takes numbers.
type worker struct{ s *Numbers }

// Run makes the wish true in the tenant. It may run again after any crash: the engine looks at what is there.
func (w worker) Run(ctx context.Context, r *operation.Run) error {
	var in wish
	if err := r.Input(&in); err != nil {
		return err
	}
	if w.s.o.Allowed != nil && r.Op.ServiceID != "" {
		if err := w.allowed(ctx, r); err != nil {
			return err
		}
	}
	session, ref, err := w.s.o.Sessions.Session(ctx, r.Op.CustomerID)
	if err != nil {
		return fmt.Errorf("opening the tenant: %w", err)
	}
	name := "Give the number"
	if in.Take {
		name = "Take the number back"
	}
	return r.Step(ctx, name, func(ctx context.Context) (string, error) {
		err := w.s.o.Plans.Apply(ctx, r, plan.Job{Session: session, TenantID: ref.TenantID, Items: in.items(), PlanHash: in.PlanHash,
			Settle: func(ctx context.Context, tx db.Tx, rec plan.Record) error { return w.settle(ctx, tx, r.Op, in, rec) }})
		return "", err
	})
}

// allowed asks again before anything was written down: the service may have been suspended since. What has begun is
// finished, as half of it would be worse.
func (w worker) allowed(ctx context.Context, r *operation.Run) error {
	recs, err := w.s.o.Plans.Records(ctx, r.Op.ID)
	if err != nil || len(recs) > 0 {
		return err
	}
	return w.s.o.Allowed(ctx, r.Op.ServiceID)
}

// settle moves the inventory with a change that was read back, in its transaction.
func (w worker) settle(ctx context.Context, tx db.Tx, op operation.Row, in wish, rec plan.Record) error {
	switch {
	case rec.Kind == kind.UserNumbers().Name():
		return w.settleNumber(ctx, tx, op, in, true)
	case strings.HasSuffix(rec.Key, "|"+kind.VoiceRoutingPolicy) && in.VoicePolicy != nil:
		if err := w.showPolicy(ctx, tx, in); err != nil {
			return err
		}
		return w.s.o.Users.SetVoice(ctx, tx, op.CustomerID, in.UserID, nil, in.VoicePolicy)
	}
	return nil
}

// showPolicy writes the holder's policy at his number, once it is known that he has it: a grant that comes after the number
// may still be refused.
func (w worker) showPolicy(ctx context.Context, tx db.Tx, in wish) error {
	if in.VoicePolicy == nil || in.Take {
		return nil
	}
	n, ok, err := find(ctx, tx, in.Number)
	if err != nil || !ok || n.State != Assigned || !n.heldBy(in.UserID) || n.VoicePolicy == *in.VoicePolicy {
		return err
	}
	n.VoicePolicy = *in.VoicePolicy
	_, err = w.s.save(ctx, tx, n)
	return err
}

// settleNumber: what was reserved is assigned, what was to go is free. It finds nothing to do where it was done. show also
// tells the directory.
func (w worker) settleNumber(ctx context.Context, tx db.Tx, op operation.Row, in wish, show bool) error {
	mine, err := some(ctx, tx, `customer_id = $1 AND operation_id = $2 ORDER BY e164`, op.CustomerID, op.ID)
	if err != nil {
		return err
	}
	by := access.Actor{Kind: "operation", ID: op.ID, Name: op.Actor}
	for _, n := range mine {
		st := step{event: Confirmed, keep: true, by: by, because: op.ID}
		if n.State == Releasing {
			st = step{event: Freed, by: by, because: op.ID}
			n.VoicePolicy = ""
		}
		if _, err := w.s.move(ctx, tx, n, st); err != nil {
			return err
		}
	}
	if !show && len(mine) == 0 {
		return nil
	}
	number := in.Number
	if in.Take {
		number = ""
	}
	return w.s.o.Users.SetVoice(ctx, tx, op.CustomerID, in.UserID, &number, nil)
}

// Finish ends the operation's hold on its numbers. After a success the tenant has what was wished for, also where there
// was nothing to change. After a failure the numbers go back where they were, but only if no call for them can have had an
// effect; otherwise they stay with the holder until a sync has looked.
func (w worker) Finish(ctx context.Context, tx db.Tx, op operation.Row, failure *fault.Fault) error {
	var in wish
	if err := json.Unmarshal(op.Input, &in); err != nil {
		return fmt.Errorf("reading the input of %s: %w", op.ID, err)
	}
	if failure == nil {
		if err := w.settleNumber(ctx, tx, op, in, false); err != nil {
			return err
		}
		return w.showPolicy(ctx, tx, in)
	}
	if err := w.s.o.Plans.Withhold(ctx, tx, op.ID); err != nil {
		return err
	}
	recs, err := w.s.o.Plans.Records(ctx, op.ID)
	if err != nil {
		return err
	}
	return w.giveBack(ctx, tx, op, failure, in.Unsure || mayHaveEffect(recs))
}

// mayHaveEffect says whether the tenant may have the change although it failed here. A change that failed after it was
// accepted was never seen; one that lost the old number may have left the person without either.
func mayHaveEffect(recs []plan.Record) bool {
	for _, r := range recs {
		if r.Kind != kind.UserNumbers().Name() {
			continue
		}
		switch r.State {
		case plan.Sent, plan.Unknown, plan.Applied, plan.Verified:
			return true
		case plan.Failed:
			if !r.AppliedAt.IsZero() || (r.Error != nil && r.Error.Code == "old-number-not-restored") {
				return true
			}
		case plan.Intended, plan.Withheld:
		}
	}
	return false
}

func (w worker) giveBack(ctx context.Context, tx db.Tx, op operation.Row, failure *fault.Fault, unknown bool) error {
	mine, err := some(ctx, tx, `customer_id = $1 AND operation_id = $2 ORDER BY e164`, op.CustomerID, op.ID)
	if err != nil {
		return err
	}
	by := access.Actor{Kind: "operation", ID: op.ID, Name: op.Actor}
	for _, n := range mine {
		st := step{event: OutcomeIsUnknown, keep: true, by: by, because: op.ID, detail: failure.Detail}
		switch {
		case unknown:
		case n.State == Reserved:
			st.event, st.keep = Refused, false
		default: // releasing, or his before
			st.event = Kept
		}
		if _, err := w.s.move(ctx, tx, n, st); err != nil {
			return err
		}
	}
	return nil
}
