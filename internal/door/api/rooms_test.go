package api_test

import (
	"context"
	"fmt"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/api"
)

// tenantRows are the expectations of the nouns that have to do with a tenant. The stand's tenant is not connected and its
// operator has no application, so 409 is what an allowed action there answers.
var tenantRows = []row{
	//                                                  none oper opvw part othp cust othc view agnt sbc  bill
	{"grant-access", `{}`, "                            401  409  403  409  404  409  404  403  409  403  403"},
	{"confirm-tenant", `{"tenantId":"x"}`, "            401  409  403  409  404  409  404  403  409  403  403"},
	{"resync-service", `{}`, "                          401  409  403  409  404  409  404  403  409  403  403"},
	{"list-users", ``, "                                401  200  200  200  404  200  404  200  200  403  403"},
	{"get-user", ``, "                                  401  200  200  200  404  200  404  200  200  403  403"},
	{"update-user", `{"managed":false}`, "              401  412  403  412  404  412  404  403  412  403  403"},
	{"assign-number", `{"number":"+61255500001"}`, "    401  412  403  412  404  412  404  403  412  403  403"},
	{"unassign-number", ``, "                           401  409  403  409  404  409  404  403  409  403  403"},
	{"list-numbers", ``, "                              401  200  200  200  200  200  200  200  200  403  403"},
	{"get-number", ``, "                                401  200  200  200  404  200  404  200  200  403  403"},
	{"update-number", `{"usage":"x"}`, "                401  412  403  412  404  412  404  403  412  403  403"},
	{"release-number", ``, "                            401  412  403  412  404  412  404  403  412  403  403"},
	{"list-number-history", ``, "                       401  200  200  200  404  200  404  200  200  403  403"},
	{"create-number", `{"customerId":"{customer}","serviceId":"{service}","number":"+61255500009"}`, "401 201 403 409 404 409 404 403 409 403 403"},
	{"import-numbers", `{"customerId":"{customer}","serviceId":"{service}","numbers":[{"number":"+61255500001"}]}`, "401 200 403 200 404 200 404 403 200 403 403"},
}

// The person and the number of the stand's first customer.
const (
	somebody  = "5d0a3b52-6a0e-4d38-9a4e-0c8f6f3f6a01"
	oneNumber = "+61255500001"
)

// rooms gives the API a directory and an inventory. allowed is asked whether a service may write to its tenant.
func (s *stand) rooms(o *api.Options) {
	s.t.Helper()
	var err error
	o.Directory, err = directory.New(directory.Options{DB: s.db, Clock: o.Clock, Org: s.org, Operations: s.ops, Sessions: o.Pairings, Pairings: o.Pairings, Log: o.Log})
	s.must(err)
	people := peopleOf{o.Directory, s.db}
	o.Numbers = number.New(number.Options{DB: s.db, Clock: o.Clock, Org: s.org, Operations: s.ops, Plans: o.Plans, Users: people, Policies: people, Sessions: o.Pairings,
		Warn: func(context.Context, string) []string { return []string{"not-activated"} }})
	s.numbers = o.Numbers
}

// inhabit puts a licensed person and a free number into the first customer.
func (s *stand) inhabit(ctx context.Context) {
	s.t.Helper()
	s.person(ctx, s.customer, somebody, "Ana Lima")
	got, err := s.numbers.Import(ctx, s.system, number.ImportRequest{CustomerID: s.customer, ServiceID: s.service, Lines: []number.Line{{Line: 1, Number: oneNumber}}})
	s.must(err)
	if got.Created != 1 {
		s.t.Fatalf("the number was not imported: %+v", got)
	}
}

// person writes a row as a sync would.
func (s *stand) person(ctx context.Context, customerID, id, name string) {
	s.t.Helper()
	s.must(s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO tenant_user (customer_id, id, upn, upn_key, display_name, name_key, enabled, usage_location, account_type, plans,
			products, licensed, managed, enterprise_voice, on_premises, status, reason, directory_hash, generation, voice_generation, first_seen_at, updated_at, version)
			VALUES ($1,$2,$3,$3,$4,$5,$6,'AU','User','','',$6,$6,$7,$7,'not-allocated','',$8,1,1,$9,$9,1)`, customerID, id, id+"@wingtip.example", name,
			fmt.Sprintf("%.200s", name), true, false, []byte{0}, db.Micros(s.clock.Now()))
		return err
	}))
}

// peopleOf shows the directory to the inventory.
type peopleOf struct {
	d  *directory.Directory
	db *db.DB
}

func (p peopleOf) User(ctx context.Context, customerID, userID string) (number.UserInfo, error) {
	u, err := p.d.Find(ctx, p.db.R, customerID, userID)
	return number.UserInfo{ID: u.ID, Name: u.DisplayName, UPN: u.UserPrincipalName, Licensed: u.Licensed, Reason: u.Reason, Number: u.Number,
		VoicePolicy: u.VoicePolicy, DialPlan: u.DialPlan}, err
}

func (p peopleOf) SetVoice(ctx context.Context, tx db.Tx, customerID, userID string, e164, policy *string) error {
	err := p.d.SetVoice(ctx, tx, customerID, userID, e164, policy)
	if fault.KindOf(err) == fault.NotFound { // he has left
		return nil
	}
	return err
}

func (p peopleOf) Has(ctx context.Context, customerID, policyType, name string) (bool, error) {
	return p.d.HasPolicy(ctx, p.db.R, customerID, policyType, name)
}
