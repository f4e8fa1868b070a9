package org_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

// world is an operator with two partners: Contoso Voice with Wingtip and Tailspin, Adatum with Litware.
type world struct {
	t                          *testing.T
	ctx                        context.Context
	d                          *db.DB
	clock                      *clock.Fake
	o                          *org.Org
	contoso, adatum            org.Partner
	wingtip, tailspin, litware org.Customer
}

var began = time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)

// each runs a test in a fresh world on every database.
func each(t *testing.T, test func(t *testing.T, w *world), opts ...org.Option) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newWorld(t, d, opts...)) })
}

func newWorld(t *testing.T, d *db.DB, opts ...org.Option) *world {
	w := &world{t: t, ctx: context.Background(), d: d, clock: clock.NewFake(began)}
	w.o = org.New(d, w.clock, opts...)
	t.Cleanup(w.o.Close)
	_, err := w.o.EnsureOperator(w.ctx, "Fabrikam Telecom")
	w.must(err)
	w.contoso, w.adatum = w.partner("Contoso Voice"), w.partner("Adatum Connect")
	w.wingtip, w.tailspin = w.customer(w.contoso, "Wingtip Toys"), w.customer(w.contoso, "Tailspin Airlines")
	w.litware = w.customer(w.adatum, "Litware")
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused wants a fault with this code and status kind.
func (w *world) refused(err error, kind fault.Kind, code string) {
	w.t.Helper()
	if !fault.Is(err, code) || fault.KindOf(err) != kind {
		w.t.Fatalf("got %v, want a refusal %q of kind %d", err, code, kind)
	}
}

func (w *world) missing(err error) { w.t.Helper(); w.refused(err, fault.NotFound, "not-found") }
func (w *world) forbidden(err error) {
	w.t.Helper()
	w.refused(err, fault.Forbidden, "role-forbids")
}
func (w *world) stale(err error) { w.t.Helper(); w.refused(err, fault.Stale, "stale-version") }

func (w *world) partner(name string) org.Partner {
	w.t.Helper()
	p, err := w.o.CreatePartner(w.ctx, root(), org.NewPartner{Name: name})
	w.must(err)
	return p
}

func (w *world) customer(p org.Partner, name string) org.Customer {
	w.t.Helper()
	c, err := w.o.CreateCustomer(w.ctx, root(), org.NewCustomer{PartnerID: p.ID, Name: name, Cloud: "global"})
	w.must(err)
	return c
}

func (w *world) member(s access.Scope, r access.Role, email string) org.Member {
	w.t.Helper()
	m, err := w.o.CreateMember(w.ctx, root(), org.NewMember{Email: email, Name: "Member of " + email, Scope: s, Role: r})
	w.must(err)
	return m
}

func root() access.Actor { return access.System("test") }

func operatorScope() access.Scope { return access.Scope{Level: access.Operator} }
func of(p org.Partner) access.Scope {
	return access.Scope{Level: access.Partner, PartnerID: p.ID}
}
func at(c org.Customer) access.Scope {
	return access.Scope{Level: access.Customer, CustomerID: c.ID}
}

func as(s access.Scope, r access.Role) access.Actor {
	return access.Actor{Kind: "test", ID: "1", Name: "Somebody", Scope: s, Role: r}
}

func ptr[T any](v T) *T { return &v }

// entries are what the audit holds of an action, newest first, inside a scope.
func (w *world) entries(s access.Scope, action string) []audit.Entry {
	w.t.Helper()
	list, err := audit.List(w.ctx, w.d.R, audit.Query{Scope: s, Action: action, Limit: 1000})
	w.must(err)
	return list
}

// audited wants exactly so many entries of an action that the scope can see.
func (w *world) audited(s access.Scope, action string, n int) []audit.Entry {
	w.t.Helper()
	list := w.entries(s, action)
	if len(list) != n {
		w.t.Fatalf("%d audit entries of %s, want %d", len(list), action, n)
	}
	return list
}

// nowhere wants a secret to stand in no audit entry and no row of the tables that could hold it.
func (w *world) nowhere(secret string) {
	w.t.Helper()
	list, err := audit.List(w.ctx, w.d.R, audit.Query{Scope: operatorScope(), Limit: 1000})
	w.must(err)
	raw, err := json.Marshal(list)
	w.must(err)
	if strings.Contains(string(raw), secret) {
		w.t.Fatal("a secret stands in the audit")
	}
	for _, q := range []string{`SELECT name || hint || created_by FROM api_key`, `SELECT actor FROM signin`, `SELECT coalesce(password_hash, '') FROM member`} {
		rows, err := w.d.R.QueryContext(w.ctx, q)
		w.must(err)
		for rows.Next() {
			var s string
			w.must(rows.Scan(&s))
			if strings.Contains(s, secret) {
				w.t.Fatalf("a secret is found by %s", q)
			}
		}
		w.must(rows.Err())
		rows.Close()
	}
}
