package pairing_test

import (
	"context"
	"testing"
	"time"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/engine/operation"
)

// The first sign-in was proven; one that follows when it has expired is a new person, and proves as much or nothing.
func TestALaterSignInAtAnotherTenantDoesNotTakeTheFirstOnesPlace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn, other := h.tenant("Wingtip Toys"), h.tenant("Tailspin Airlines")
		c, s := h.customer("Wingtip Toys", "")
		before := h.roles(other.TenantID)
		form, _ := h.reply(h.grant(s), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept")
		id, err := h.Callback(context.Background(), form)
		must(t, err)
		if o := h.until(id, operation.Waiting); o.WaitingFor != operation.ForConfirmation {
			t.Fatalf("waits for %s: %s", o.WaitingFor, o.DueWhy)
		}
		h.later(2 * time.Hour) // the token has expired
		form, page := h.reply(h.grant(s), other.GlobalAdmin.UPN, other.GlobalAdmin.Password, "accept")
		if page != "" {
			t.Fatalf("kept at Microsoft: %s", page)
		}
		_, err = h.Callback(context.Background(), form)
		must(t, err)
		if o := h.until(id, operation.Failed); o.Error.Code != "wrong-tenant" {
			t.Errorf("%+v", o.Error)
		}
		if p := h.state(c.ID); p.Candidate == other.TenantID || p.TenantID != "" || h.roles(other.TenantID) != before {
			t.Errorf("the other tenant took its place: %+v", p)
		}
		if _, err := h.Confirm(context.Background(), operator, c.ID, other.TenantID); !fault.Is(err, "nothing-to-confirm") {
			t.Errorf("the other tenant could be confirmed: %v", err)
		}
	})
}

// People take their time to confirm; Microsoft's minutes after the roles are placed count from then.
func TestMicrosoftHasItsMinutesAlsoAfterALongWaitForAPerson(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", "")
		form, _ := h.reply(h.grant(s), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept")
		id, err := h.Callback(context.Background(), form)
		must(t, err)
		h.until(id, operation.Waiting)
		h.later(20 * time.Minute) // the token lives on
		h.simCall("/_sim/tenants/"+tn.TenantID+"/faults", map[string]any{"match": map[string]any{"path": "*ServiceDiscovery*"}, "kind": "status", "status": 403, "times": 1}, nil)
		_, err = h.Confirm(context.Background(), operator, c.ID, tn.TenantID)
		must(t, err)
		h.until(id, operation.Succeeded)
		if p := h.state(c.ID); p.State != pairing.Active {
			t.Fatalf("%+v", p)
		}
	})
}
