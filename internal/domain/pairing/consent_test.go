package pairing_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/engine/operation"
)

func each(t *testing.T, test func(t *testing.T, h *house)) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, kind))
		})
	}
}

// unchanged fails where anything but the flow itself came of a reply.
func (h *house) unchanged(customerID, tenantID string, rolesBefore int) {
	h.t.Helper()
	p := h.state(customerID)
	if p.State != pairing.PendingConsent || p.TenantID != "" {
		h.t.Errorf("pairing is %s with tenant %q", p.State, p.TenantID)
	}
	if n := h.roles(tenantID); n != rolesBefore {
		h.t.Errorf("%d role assignments in the tenant, before %d", n, rolesBefore)
	}
	var sealed int
	must(h.t, h.db.R.QueryRowContext(context.Background(), `SELECT count(*) FROM sealed WHERE customer_id = $1`, customerID).Scan(&sealed))
	if sealed != 0 {
		h.t.Errorf("%d sealed values are left", sealed)
	}
}

func TestConsentOfAGlobalAdministratorPairsTheTenantAndPlacesBothRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", tn.TenantID)
		before := h.roles(tn.TenantID)
		form, _ := h.reply(h.grant(s), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept")
		id, err := h.Callback(context.Background(), form)
		must(t, err)
		h.until(id, operation.Succeeded)
		p := h.state(c.ID)
		if p.State != pairing.Active || p.TenantID != tn.TenantID || p.ConsentedBy != tn.GlobalAdmin.UPN || p.Cause != nil {
			t.Fatalf("pairing %+v", p)
		}
		if n := h.roles(tn.TenantID); n != before+2 {
			t.Fatalf("%d roles, before %d", n, before)
		}
		var left int
		must(t, h.db.R.QueryRowContext(context.Background(), `SELECT count(*) FROM sealed`).Scan(&left))
		if left != 0 {
			t.Fatalf("%d sealed values outlive the operation", left)
		}
		entries, err := audit.List(context.Background(), h.db.R, audit.Query{Scope: operator.Scope, OperationID: id, Limit: 100})
		must(t, err)
		intended, verified := 0, 0
		for _, e := range entries {
			switch e.Action {
			case "change.intended":
				intended++
			case "change.verified":
				verified++
			}
		}
		if intended != 2 || verified != 2 {
			t.Fatalf("%d intended, %d verified", intended, verified)
		}
		// Once more on a connected tenant: proven again, nothing to place, active throughout.
		form, _ = h.reply(h.grant(s), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept")
		id, err = h.Callback(context.Background(), form)
		must(t, err)
		h.until(id, operation.Succeeded)
		if p := h.state(c.ID); p.State != pairing.Active || h.roles(tn.TenantID) != before+2 {
			t.Fatalf("after a second grant: %+v", p)
		}
	})
}

func TestAReplyThatProvesNothingChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", tn.TenantID)
		before := h.roles(tn.TenantID)
		state := func() string {
			u, err := url.Parse(h.grant(s))
			must(t, err)
			return u.Query().Get("state")
		}
		for name, tt := range map[string]struct {
			form url.Values
			code string
		}{
			"an unknown state":                       {url.Values{"state": {"made-up"}, "code": {"x"}}, "consent-unknown"},
			"no state":                               {url.Values{"code": {"x"}}, "consent-unknown"},
			"a tenant and admin_consent alone":       {url.Values{"state": {state()}, "admin_consent": {"True"}, "tenant": {tn.TenantID}}, "consent-without-code"},
			"an error beside admin_consent=True":     {url.Values{"state": {state()}, "admin_consent": {"True"}, "tenant": {tn.TenantID}, "error": {"consent_required"}, "error_description": {"AADSTS65004: User declined to consent"}}, "consent-refused"},
			"an error beside a code":                 {url.Values{"state": {state()}, "code": {"x"}, "error": {"access_denied"}}, "consent-refused"},
			"an error that tries to speak as a page": {url.Values{"state": {state()}, "error": {"<script>"}, "error_description": {"<b>hello</b>"}}, "consent-refused"},
		} {
			_, err := h.Callback(context.Background(), tt.form)
			f, ok := fault.Of(err)
			if !ok || f.Code != tt.code || f.Remedy == nil || !strings.Contains(strings.ToLower(f.Detail), "nothing was changed") || strings.Contains(f.Detail, "<") {
				t.Errorf("%s: %v", name, err)
			}
		}
		h.unchanged(c.ID, tn.TenantID, before)
	})
}

func TestACodeThatMicrosoftDoesNotKnowEndsInPlainWords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", tn.TenantID)
		before := h.roles(tn.TenantID)
		u, err := url.Parse(h.grant(s))
		must(t, err)
		id, err := h.Callback(context.Background(), url.Values{"state": {u.Query().Get("state")}, "code": {"forged"}})
		must(t, err)
		o := h.until(id, operation.Failed, operation.Waiting)
		if o.State == operation.Waiting {
			must(t, h.ops.Act(context.Background(), operator, id, "cancel"))
			h.until(id, operation.Cancelled)
		}
		h.unchanged(c.ID, tn.TenantID, before)
	})
}

func TestAPersonWithoutTheRoleIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", tn.TenantID)
		before := h.roles(tn.TenantID)
		form, page := h.reply(h.grant(s), tn.User.UPN, tn.User.Password, "accept")
		if page == "" {
			if id, err := h.Callback(context.Background(), form); err == nil {
				h.until(id, operation.Failed)
			} else if !fault.Is(err, "consent-refused") {
				t.Fatal(err)
			}
		}
		h.unchanged(c.ID, tn.TenantID, before)
	})
}

func TestAnotherAdministratorRoleIsNotEnough(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", tn.TenantID)
		// Somebody else has consented for the organisation already; now a person without the role uses a link.
		other, so := h.customer("Wingtip again", tn.TenantID)
		form, _ := h.reply(h.grant(so), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept")
		_ = other
		if form.Get("code") == "" {
			t.Fatal("no code for the administrator")
		}
		before := h.roles(tn.TenantID)
		plain := strings.Replace(h.grant(s), "prompt=consent", "prompt=select_account", 1)
		form, page := h.reply(plain, tn.User.UPN, tn.User.Password, "accept")
		if page != "" || form.Get("code") == "" {
			t.Fatalf("the person could not sign in: %s %v", page, form)
		}
		id, err := h.Callback(context.Background(), form)
		must(t, err)
		if o := h.until(id, operation.Failed); o.Error.Code != "not-global-administrator" || o.Error.Remedy == nil {
			t.Fatalf("%+v", o.Error)
		}
		h.unchanged(c.ID, tn.TenantID, before)
	})
}

func TestConsentForOnePersonOnlyIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", tn.TenantID)
		before := h.roles(tn.TenantID)
		form, _ := h.reply(h.grant(s), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept-for-me")
		id, err := h.Callback(context.Background(), form)
		must(t, err)
		if o := h.until(id, operation.Failed); o.Error.Code != "consent-for-one-person" || o.Error.Remedy == nil {
			t.Fatalf("%+v", o.Error)
		}
		h.unchanged(c.ID, tn.TenantID, before)
	})
}

func TestACancelledConsentUsesItsLinkUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", tn.TenantID)
		before := h.roles(tn.TenantID)
		form, _ := h.reply(h.grant(s), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "cancel")
		if _, err := h.Callback(context.Background(), form); !fault.Is(err, "consent-refused") {
			t.Fatalf("got %v", err)
		}
		if _, err := h.Callback(context.Background(), form); !fault.Is(err, "consent-replayed") {
			t.Fatalf("replayed: %v", err)
		}
		h.unchanged(c.ID, tn.TenantID, before)
	})
}

func TestOfManyEqualRepliesOneIsTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", tn.TenantID)
		form, _ := h.reply(h.grant(s), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept")
		ids := make([]string, 12)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				id, err := h.Callback(context.Background(), form)
				if err != nil && !fault.Is(err, "consent-replayed") {
					t.Errorf("got %v", err)
				}
				ids[i] = id
			})
		}
		wg.Wait()
		taken := strings.Join(ids, "")
		if len(taken) != 36 {
			t.Fatalf("taken: %v", ids)
		}
		h.until(taken, operation.Succeeded)
		if p := h.state(c.ID); p.State != pairing.Active {
			t.Fatalf("%+v", p)
		}
	})
}

func TestTheStateOfAnotherCustomerBindsNothingToTheWrongOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		wingtip, tailspin := h.tenant("Wingtip Toys"), h.tenant("Tailspin Airlines")
		cw, sw := h.customer("Wingtip Toys", wingtip.TenantID)
		ct, st := h.customer("Tailspin Airlines", tailspin.TenantID)
		bw, bt := h.roles(wingtip.TenantID), h.roles(tailspin.TenantID)
		own, _ := h.reply(h.grant(st), tailspin.GlobalAdmin.UPN, tailspin.GlobalAdmin.Password, "accept")
		other, err := url.Parse(h.grant(sw))
		must(t, err)
		own.Set("state", other.Query().Get("state"))
		id, err := h.Callback(context.Background(), own)
		must(t, err)
		o := h.until(id, operation.Failed, operation.Waiting)
		if o.State == operation.Waiting {
			must(t, h.ops.Act(context.Background(), operator, id, "cancel"))
			h.until(id, operation.Cancelled)
		}
		h.unchanged(cw.ID, wingtip.TenantID, bw)
		h.unchanged(ct.ID, tailspin.TenantID, bt)
	})
}

func TestAnAdministratorOfAnotherOrganisationIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		wingtip, tailspin := h.tenant("Wingtip Toys"), h.tenant("Tailspin Airlines")
		c, s := h.customer("Wingtip Toys", wingtip.TenantID)
		before := h.roles(tailspin.TenantID)
		// The link is edited to sign in anywhere; the worker compares the verified tenant.
		anywhere := strings.Replace(h.grant(s), "/"+wingtip.TenantID+"/", "/organizations/", 1)
		form, page := h.reply(anywhere, tailspin.GlobalAdmin.UPN, tailspin.GlobalAdmin.Password, "accept")
		if page != "" {
			t.Fatalf("kept at Microsoft: %s", page)
		}
		id, err := h.Callback(context.Background(), form)
		must(t, err)
		o := h.until(id, operation.Failed)
		t.Logf("refused: %+v", o.Error)
		h.unchanged(c.ID, tailspin.TenantID, before)
	})
}

func TestATenantOfAnotherCustomerIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		_, s1 := h.customer("Wingtip Toys", tn.TenantID)
		form, _ := h.reply(h.grant(s1), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept")
		id, err := h.Callback(context.Background(), form)
		must(t, err)
		h.until(id, operation.Succeeded)
		before := h.roles(tn.TenantID)
		for _, named := range []string{tn.TenantID, ""} {
			c2, s2 := h.customer("Somebody else "+named, named)
			form, _ = h.reply(h.grant(s2), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept")
			id, err = h.Callback(context.Background(), form)
			must(t, err)
			if o := h.until(id, operation.Failed); o.Error.Code != "tenant-paired-elsewhere" {
				t.Fatalf("%+v", o.Error)
			}
			h.unchanged(c2.ID, tn.TenantID, before)
		}
	})
}

func TestATenantNotNamedBeforehandWaitsForConfirmation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		tn := h.tenant("Wingtip Toys")
		c, s := h.customer("Wingtip Toys", "")
		before := h.roles(tn.TenantID)
		form, _ := h.reply(h.grant(s), tn.GlobalAdmin.UPN, tn.GlobalAdmin.Password, "accept")
		id, err := h.Callback(context.Background(), form)
		must(t, err)
		o := h.until(id, operation.Waiting)
		if o.WaitingFor != operation.ForConfirmation {
			t.Fatalf("waits for %s: %s", o.WaitingFor, o.DueWhy)
		}
		p := h.state(c.ID)
		if p.TenantID != "" || p.Candidate != tn.TenantID || p.TenantName == "" || len(p.TenantDomains) == 0 || h.roles(tn.TenantID) != before {
			t.Fatalf("before the confirmation: %+v", p)
		}
		stranger := access.Actor{Kind: "api-key", ID: "x", Name: "stranger", Scope: access.Scope{Level: access.Customer, CustomerID: "another"}, Role: access.Admin}
		if _, err := h.Confirm(context.Background(), stranger, c.ID, tn.TenantID); !fault.Is(err, "not-found") {
			t.Fatalf("a stranger confirms: %v", err)
		}
		if _, err := h.Confirm(context.Background(), operator, c.ID, "00000000-0000-0000-0000-000000000000"); !fault.Is(err, "nothing-to-confirm") {
			t.Fatalf("another tenant is confirmed: %v", err)
		}
		_, err = h.Confirm(context.Background(), operator, c.ID, tn.TenantID)
		must(t, err)
		h.until(id, operation.Succeeded)
		if p := h.state(c.ID); p.State != pairing.Active || p.TenantID != tn.TenantID {
			t.Fatalf("after: %+v", p)
		}
	})
}
