package servicecard_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
)

var (
	operator = access.System("test")
	nine     = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
)

// house is Wingtip Toys with one service, and a pairing that a test writes as it likes.
type house struct {
	t        *testing.T
	db       *db.DB
	org      *org.Org
	cards    *servicecard.Cards
	customer org.Customer
	service  org.Service
}

func open(t *testing.T, d *db.DB, sync bool) *house {
	t.Helper()
	c := clock.NewFake(nine)
	h := &house{t: t, db: d, org: org.New(d, c)}
	t.Cleanup(h.org.Close)
	h.cards = servicecard.New(d, c, h.org, pairing.New(pairing.Options{DB: d, Clock: c, Org: h.org}))
	partner, err := h.org.CreatePartner(t.Context(), operator, org.NewPartner{Name: "Contoso Voice"})
	h.must(err)
	h.customer, err = h.org.CreateCustomer(t.Context(), operator, org.NewCustomer{PartnerID: partner.ID, Name: "Wingtip Toys", Cloud: "global", PrimaryDomain: "wingtip.example"})
	h.must(err)
	h.service, err = h.org.AddService(t.Context(), operator, h.customer.ID, org.NewService{Kind: org.DirectRouting, Sync: &sync})
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) sql(query string, args ...any) {
	h.t.Helper()
	h.must(h.db.Write(h.t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}))
}

// pair writes the pairing in a state, bound to a tenant where it was ever connected.
func (h *house) pair(state pairing.State) {
	h.t.Helper()
	var tenantID any
	if state != pairing.PendingConsent && state != pairing.Activating {
		tenantID = "tenant-1"
	}
	h.sql(`INSERT INTO pairing (customer_id, state, cloud, tenant_id, tenant_name, tenant_domains, app_kind, application_id, consented_by, consented_at, operation_id,
		next_check_at, failures, created_at, updated_at, version) VALUES ($1, $2, 'global', $3, 'Wingtip', '["wingtip.example"]', 'hosted', 'app-1', 'Ana', 7, 'op-pair', $4, 2, 1, 1, 1)`,
		h.customer.ID, string(state), tenantID, db.Micros(nine.Add(time.Hour)))
}

// user writes a person of the tenant; number "" is none, removed is one who left.
func (h *house) user(id, number string, removed bool) {
	h.t.Helper()
	var gone any
	if removed {
		gone = 9
	}
	h.sql(`INSERT INTO tenant_user (customer_id, id, upn, upn_key, display_name, name_key, enabled, account_type, plans, products, licensed, managed, number,
		enterprise_voice, on_premises, status, reason, directory_hash, generation, voice_generation, first_seen_at, updated_at, removed_at, version)
		VALUES ($1, $2, $2, $2, $2, $2, $3, 'user', '[]', '[]', $3, $4, $5, $3, $4, 'ready', '', $6, 1, 1, 1, 1, $7, 1)`,
		h.customer.ID, id, true, false, db.Null(number), []byte{1}, gone)
}

func (h *house) operation(id, kind, subject string) {
	h.t.Helper()
	h.sql(`INSERT INTO operation (id, kind, title, customer_id, subject, state, done, total, failed_lines, input, memo, attempts, cancel_asked, actor, actor_id, fence,
		correlation_id, created_at, version) VALUES ($1, $2, 'x', $3, $4, 'running', 0, 0, 0, '{}', '{}', 0, $5, 'x', 'x', 1, 'x', 1, 1)`, id, kind, h.customer.ID, db.Null(subject), false)
}

func (h *house) card() servicecard.Card {
	h.t.Helper()
	c, err := h.cards.Card(h.t.Context(), operator, h.service.ID)
	h.must(err)
	return c
}

func TestEachStatusSaysWhetherCallsWorkAndWhatToDo(t *testing.T) {
	t.Parallel()
	for state, want := range map[pairing.State]struct{ sentence, action, label, affects string }{
		pairing.PendingConsent: {"Not connected yet. A Global Administrator of wingtip.example must allow it.", "grant-access", "Grant access", "users assignments"},
		pairing.Activating:     {"Connecting.", "", "", ""},
		pairing.Active:         {"Connected. 0 of 0 users have a number. No calls through this service yet: the domain is not activated.", "", "", ""},
		pairing.Degraded:       {"Calls work, changes wait. We could not reach the tenant.", "grant-access", "Grant access", "users assignments"},
		pairing.Suspended:      {"Calls are off (emergency calls work).", "grant-access", "Grant access", "calls users assignments"},
		pairing.Disconnected:   {"Disconnected.", "grant-access", "Connect again", "calls users assignments"},
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				h := open(t, d, true)
				h.pair(state)
				c := h.card()
				if c.Status != string(state) || c.Sentence != want.sentence || strings.Join(c.Affects, " ") != want.affects {
					t.Errorf("%s: %q, affects %v", c.Status, c.Sentence, c.Affects)
				}
				if want.action == "" && c.Remedy != nil {
					t.Errorf("a remedy where nothing is wrong: %+v", c.Remedy)
				}
				if want.action != "" && (c.Remedy == nil || c.Remedy.Action != want.action || c.Remedy.Label != want.label || !strings.Contains(c.Remedy.Text, "Wingtip Toys")) {
					t.Errorf("remedy %+v", c.Remedy)
				}
				if len(c.Capabilities) == 0 || c.App == nil || c.App.ApplicationID != "app-1" || len(c.Permissions) == 0 || c.Failures != 2 || !c.NextTry.Equal(nine.Add(time.Hour)) {
					t.Errorf("card %+v", c)
				}
				if bound := c.Tenant != nil; bound != (state != pairing.PendingConsent && state != pairing.Activating) || bound != (c.ConsentedBy == "Ana") || bound != (len(c.Roles) == 2) {
					t.Errorf("tenant %+v, consented by %q, roles %v", c.Tenant, c.ConsentedBy, c.Roles)
				}
			})
		})
	}
}

func TestACustomerThatNobodyHasConnectedIsPending(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t), true)
	c := h.card()
	if c.Status != "pending-consent" || c.Remedy == nil || c.Remedy.Action != "grant-access" || c.Tenant != nil || c.LastSync != nil || !c.NextTry.IsZero() {
		t.Fatalf("%+v", c)
	}
	_, err := h.db.Writer().ExecContext(t.Context(), `UPDATE customer SET primary_domain = NULL`)
	h.must(err)
	if c := h.card(); c.Sentence != "Not connected yet. A Global Administrator of Wingtip Toys must allow it." {
		t.Errorf("without a domain: %q", c.Sentence)
	}
}

func TestWithoutSyncTheCardSaysWhatElseIsNeeded(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t), false)
	h.pair(pairing.Active) // another service of the customer may be connected
	c := h.card()
	if c.Status != "pending-consent" || !strings.HasPrefix(c.Sentence, "Works without sync. Calls work once Wingtip Toys has accepted") ||
		c.Remedy == nil || c.Remedy.Action != "" || !strings.Contains(c.Remedy.Text, "Voice › Operators") || c.Tenant != nil || c.App != nil {
		t.Fatalf("%+v", c)
	}
}

func TestAConnectionBeingMadeNamesItsStep(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, true)
		h.pair(pairing.Activating)
		h.operation("op-pair", "pairing", "")
		for i, s := range [][2]string{{"Checking the consent", "done"}, {"Placing the two roles", "running"}, {"First sync", "planned"}} {
			h.sql(`INSERT INTO operation_step (operation_id, ordinal, name, state, detail) VALUES ('op-pair', $1, $2, $3, '')`, i+1, s[0], s[1])
		}
		c := h.card()
		if c.Sentence != "Connecting: step 2 of 3, placing the two roles." || c.OperationID != "op-pair" || c.Remedy != nil {
			t.Errorf("%q, operation %q, remedy %+v", c.Sentence, c.OperationID, c.Remedy)
		}
		h.sql(`UPDATE pairing SET candidate_tenant_id = 'tenant-9'`)
		c = h.card()
		if c.Sentence != "Waiting for somebody to confirm that Wingtip (wingtip.example) is this customer's tenant." || c.Remedy == nil || c.Remedy.Action != "confirm-tenant" ||
			c.Candidate == nil || c.Candidate.ID != "tenant-9" {
			t.Errorf("%q, remedy %+v, candidate %+v", c.Sentence, c.Remedy, c.Candidate)
		}
		h.sql(`UPDATE pairing SET candidate_tenant_id = NULL`)
		h.sql(`UPDATE operation_step SET state = 'done'`)
		if c := h.card(); c.Sentence != "Connecting." {
			t.Errorf("after the last step: %q", c.Sentence)
		}
	})
}

func TestPeopleAndNumbersAreCountedWithoutThoseWhoLeft(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, true)
		h.pair(pairing.Active)
		h.user("ana", "+61255500001", false)
		h.user("ben", "", false)
		h.user("eve", "+61255500003", true)
		if c := h.card(); c.Users != 2 || c.WithNumber != 1 || !strings.HasPrefix(c.Sentence, "Connected. 1 of 2 users have a number.") {
			t.Fatalf("%d of %d: %q", c.WithNumber, c.Users, c.Sentence)
		}
	})
}

func TestTheLastSyncAndTheRunningOneAreShown(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, true)
		h.pair(pairing.Active)
		h.sql(`UPDATE pairing SET next_check_at = NULL, cause_code = 'app-missing', cause_detail = 'Gone.', cause_since = $1, correlation_id = 'corr'`, db.Micros(nine))
		h.sql(`INSERT INTO sync_state (customer_id, generation, last_done_at, users, changed, next_at, version) VALUES ($1, 1, $2, 240, 3, $3, 1)`,
			h.customer.ID, db.Micros(nine), db.Micros(nine.Add(30*time.Minute)))
		h.operation("op-sync", "sync", "sync:"+h.customer.ID)
		c := h.card()
		if c.LastSync == nil || *c.LastSync != (servicecard.LastSync{At: nine, Users: 240, Changed: 3}) || c.SyncID != "op-sync" || !c.NextTry.Equal(nine.Add(30*time.Minute)) {
			t.Errorf("last %+v, running %q, next %v", c.LastSync, c.SyncID, c.NextTry)
		}
		if c.Cause == nil || c.Cause.Code != "app-missing" || !c.Cause.Since.Equal(nine) || c.Cause.CorrelationID != "corr" {
			t.Errorf("cause %+v", c.Cause)
		}
		h.sql(`UPDATE operation SET finished_at = 1`)
		if c := h.card(); c.SyncID != "" {
			t.Errorf("a sync that ended is said to run: %q", c.SyncID)
		}
	})
}

func TestWhatWasMadeIsToldInWords(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, true)
		h.pair(pairing.Active)
		for key, row := range map[string][2]string{
			"sp|teams": {"role-assignment", `{"role":"69091246-20e8-4a56-aa4d-066075b2a7a8"}`}, "sp|users": {"role-assignment", `{"role":"fe930be7-5e62-47db-91af-98c3a49a38b1"}`},
			"ana": {"user-number", `{"number":"+61255500001"}`}, "ben": {"user-number", `{"number":"+61255500002"}`},
			"ana|voice": {"policy-grant", `{"policy":"AU"}`}, "ben|voice": {"policy-grant", `{"policy":"AU"}`}, "cy|voice": {"policy-grant", `{"policy":"NZ"}`},
		} {
			h.sql(`INSERT INTO managed (customer_id, kind, key, origin, last_applied, operation_id) VALUES ($1, $2, $3, 'made', $4, 'op')`, h.customer.ID, row[0], key, row[1])
		}
		h.sql(`INSERT INTO managed (customer_id, kind, key, origin, last_applied, operation_id) VALUES ('another', 'user-number', 'eve', 'made', '{}', 'op')`)
		got := h.card().Made
		want := []string{"Directory role Teams Administrator on the application", "Directory role User Administrator on the application",
			"Telephone number on 2 people", "Policy AU on 2 people", "Policy NZ on 1 people"}
		if !slices.Equal(got, want) {
			t.Fatalf("%q", got)
		}
	})
}

func TestManyNumbersAreAllCounted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, true)
		h.pair(pairing.Active)
		h.must(d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			for n := range 1100 {
				key := fmt.Sprint(n)
				if _, err := tx.ExecContext(ctx, `INSERT INTO managed (customer_id, kind, key, origin, last_applied, operation_id) VALUES ($1, 'user-number', $2, 'made', $3, 'op')`,
					h.customer.ID, key, `{"number":"`+key+`"}`); err != nil {
					return err
				}
			}
			return nil
		}))
		if got := h.card().Made; len(got) != 1 || got[0] != "Telephone number on 1100 people" {
			t.Fatalf("%q", got)
		}
	})
}

func TestAllCardsOfACustomerFollowOnePairing(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t), true)
	_, err := h.org.AddService(t.Context(), operator, h.customer.ID, org.NewService{Kind: "operator-connect"})
	h.must(err)
	h.pair(pairing.Degraded)
	cards, err := h.cards.Cards(t.Context(), operator, h.customer.ID)
	h.must(err)
	if len(cards) != 2 {
		t.Fatalf("%d cards", len(cards))
	}
	for _, c := range cards {
		if c.Status != "degraded" || (c.Activation != nil) != (c.Service.Kind == org.DirectRouting) {
			t.Errorf("%s: %s, activation %+v", c.Service.Kind, c.Status, c.Activation)
		}
	}
}

func TestACardOutsideTheScopeIsAsIfItWereNotThere(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t), true)
	h.pair(pairing.Active)
	stranger := access.Actor{Kind: "api-key", ID: "k", Role: access.Admin, Scope: access.Scope{Level: access.Customer, CustomerID: "another"}}
	blind := access.Actor{Kind: "api-key", ID: "k", Role: access.Billing, Scope: access.Scope{Level: access.Operator}}
	for name, c := range map[string]struct {
		who  access.Actor
		want fault.Kind
	}{"another customer": {stranger, fault.NotFound}, "a role that may not read": {blind, fault.Forbidden}} {
		if _, err := h.cards.Card(t.Context(), c.who, h.service.ID); fault.KindOf(err) != c.want {
			t.Errorf("%s, one card: %v", name, err)
		}
		if _, err := h.cards.Cards(t.Context(), c.who, h.customer.ID); fault.KindOf(err) != c.want {
			t.Errorf("%s, all cards: %v", name, err)
		}
	}
	if _, err := h.cards.Card(t.Context(), operator, "nowhere"); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}
