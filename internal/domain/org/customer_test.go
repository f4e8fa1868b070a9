package org_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

const tenant = "4f1c2a5e-8d3b-4c6f-9a7e-0b1d2c3e4f50"

func TestACustomerIsKeptAsItWasGiven(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made, err := w.o.CreateCustomer(w.ctx, as(of(w.contoso), access.Agent), org.NewCustomer{Name: "  Woodgrove  ", Cloud: "gcc-high",
			TenantID: strings.ToUpper(tenant), PrimaryDomain: "Woodgrove.Example.", Country: "us", TimeZone: "America/New_York",
			BillingReference: "W-17", SeatLimit: ptr(250)})
		w.must(err)
		read, err := w.o.Customer(w.ctx, as(at(made), access.Viewer), made.ID)
		w.must(err)
		want := org.Customer{ID: made.ID, PartnerID: w.contoso.ID, PartnerName: "Contoso Voice", Name: "Woodgrove", Cloud: "gcc-high", TenantID: tenant,
			PrimaryDomain: "woodgrove.example", Country: "US", TimeZone: "America/New_York", BillingReference: "W-17", CreatedAt: began, UpdatedAt: began, Version: 1}
		for _, got := range []org.Customer{made, read} {
			if got.SeatLimit == nil || *got.SeatLimit != 250 {
				t.Fatalf("seat limit %v", got.SeatLimit)
			}
			got.SeatLimit = nil
			if got != want {
				t.Fatalf("got %+v\nwant %+v", got, want)
			}
		}
		w.audited(of(w.contoso), "customer.create", 3)
		w.audited(at(made), "customer.create", 1)
	})
}

func TestACustomerOfAnotherPartnerOrAnotherCustomerIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, stranger := range []access.Actor{as(of(w.adatum), access.Admin), as(at(w.tailspin), access.Admin), as(access.Scope{}, access.Admin), as(access.Scope{Level: access.Partner}, access.Admin)} {
			_, err := w.o.Customer(w.ctx, stranger, w.wingtip.ID)
			w.missing(err)
			_, err = w.o.UpdateCustomer(w.ctx, stranger, w.wingtip.ID, org.CustomerPatch{Name: ptr("Mine")}, 0)
			w.missing(err)
			if stranger.Scope.Level != access.Customer {
				w.missing(w.o.DeleteCustomer(w.ctx, stranger, w.wingtip.ID, 0))
			}
			page, err := w.o.Customers(w.ctx, stranger, org.CustomerQuery{Search: "Wingtip"})
			w.must(err)
			if page.Total != 0 || len(page.Items) != 0 {
				t.Fatalf("a stranger sees %+v", page.Items)
			}
		}
		_, err := w.o.Customer(w.ctx, as(operatorScope(), access.Billing), w.wingtip.ID)
		w.forbidden(err)
		_, err = w.o.Customers(w.ctx, as(operatorScope(), access.SBC), org.CustomerQuery{})
		w.forbidden(err)
	})
}

func TestWhoMayNotMakeACustomerIsToldSo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := org.NewCustomer{Name: "Northwind", Cloud: "global"}
		_, err := w.o.CreateCustomer(w.ctx, as(at(w.wingtip), access.Admin), n)
		w.refused(err, fault.Forbidden, "partner-only")
		_, err = w.o.CreateCustomer(w.ctx, as(of(w.contoso), access.Viewer), n)
		w.forbidden(err)
		_, err = w.o.CreateCustomer(w.ctx, root(), n)
		w.refused(err, fault.Invalid, "invalid-input")
		n.PartnerID = w.adatum.ID
		_, err = w.o.CreateCustomer(w.ctx, as(of(w.contoso), access.Admin), n)
		w.missing(err)
		w.refused(w.o.DeleteCustomer(w.ctx, as(at(w.wingtip), access.Admin), w.wingtip.ID, 0), fault.Forbidden, "partner-only")
		w.forbidden(w.o.DeleteCustomer(w.ctx, as(of(w.contoso), access.Viewer), w.wingtip.ID, 0))
		w.audited(operatorScope(), "customer.create", 3)
	})
}

func TestWhatIsWrongWithACustomerIsNamedFieldByField(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			path, code string
			n          org.NewCustomer
		}{
			{"name", "required", org.NewCustomer{Name: "  "}},
			{"name", "too-long", org.NewCustomer{Name: strings.Repeat("ü", 201)}},
			{"name", "control-character", org.NewCustomer{Name: "Wing\x00tip"}},
			{"name", "control-character", org.NewCustomer{Name: "Wing\xfftip"}},
			{"tenantId", "not-a-guid", org.NewCustomer{Name: "x", TenantID: "contoso.onmicrosoft.com"}},
			{"tenantId", "not-a-guid", org.NewCustomer{Name: "x", TenantID: "{" + tenant + "}"}},
			{"tenantId", "not-a-guid", org.NewCustomer{Name: "x", TenantID: "00000000-0000-0000-0000-000000000000"}},
			{"primaryDomain", "not-a-domain", org.NewCustomer{Name: "x", PrimaryDomain: "localhost"}},
			{"primaryDomain", "not-a-domain", org.NewCustomer{Name: "x", PrimaryDomain: "a_b.example"}},
			{"primaryDomain", "not-a-domain", org.NewCustomer{Name: "x", PrimaryDomain: "10.0.0.1"}},
			{"primaryDomain", "not-a-domain", org.NewCustomer{Name: "x", PrimaryDomain: "https://x.example"}},
			{"country", "unknown-country", org.NewCustomer{Name: "x", Country: "AUS"}},
			{"country", "unknown-country", org.NewCustomer{Name: "x", Country: "UK"}},
			{"country", "unknown-country", org.NewCustomer{Name: "x", Country: "EU"}},
			{"country", "unknown-country", org.NewCustomer{Name: "x", Country: "Q9"}},
			{"timeZone", "unknown-time-zone", org.NewCustomer{Name: "x", TimeZone: "Sydney"}},
			{"timeZone", "unknown-time-zone", org.NewCustomer{Name: "x", TimeZone: "Local"}},
			{"timeZone", "unknown-time-zone", org.NewCustomer{Name: "x", TimeZone: "../UTC"}},
			{"billingReference", "too-long", org.NewCustomer{Name: "x", BillingReference: strings.Repeat("x", 201)}},
			{"seatLimit", "out-of-range", org.NewCustomer{Name: "x", SeatLimit: ptr(-1)}},
		} {
			c.n.PartnerID, c.n.Cloud = w.contoso.ID, "global"
			_, err := w.o.CreateCustomer(w.ctx, root(), c.n)
			w.refused(err, fault.Invalid, "invalid-input")
			f, _ := fault.Of(err)
			if len(f.Fields) != 1 || f.Fields[0].Path != c.path || f.Fields[0].Code != c.code {
				t.Errorf("%+v: got %+v, want %s %s", c.n, f.Fields, c.path, c.code)
			}
		}
		_, err := w.o.CreateCustomer(w.ctx, root(), org.NewCustomer{PartnerID: w.contoso.ID, Name: "", Cloud: "global", Country: "?"})
		if f, _ := fault.Of(err); len(f.Fields) != 2 {
			t.Fatalf("both faults are wanted at once, got %v", err)
		}
	})
}

func TestAnUnknownCloudIsRefusedNamingTheKnownOnes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.o.CreateCustomer(w.ctx, root(), org.NewCustomer{PartnerID: w.contoso.ID, Name: "x", Cloud: "moon"})
		w.refused(err, fault.Invalid, "unknown-cloud")
		f, _ := fault.Of(err)
		for _, known := range []string{"global", "gcc", "gcc-high", "dod", "china"} {
			if !strings.Contains(f.Detail, known) {
				t.Errorf("%q does not name %s", f.Detail, known)
			}
			_, err := w.o.CreateCustomer(w.ctx, root(), org.NewCustomer{PartnerID: w.contoso.ID, Name: "In " + known, Cloud: known})
			w.must(err)
		}
		_, err = w.o.Customers(w.ctx, root(), org.CustomerQuery{Cloud: "moon"})
		w.refused(err, fault.Invalid, "unknown-cloud")
		page, err := w.o.Customers(w.ctx, root(), org.CustomerQuery{Cloud: "dod"})
		w.must(err)
		if page.Total != 1 || page.Items[0].Name != "In dod" {
			t.Fatalf("got %+v", page)
		}
	})
}

func TestAListIsPagedInOrderWithoutGapsOrDoubles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 12 { // two of each name, so that the id has to break ties
			w.clock.Advance(time.Second)
			w.customer(w.adatum, fmt.Sprintf("Ärzte %02d", i/2))
		}
		for _, sort := range []string{"", "name", "-name", "createdAt", "-createdAt"} {
			all, err := w.o.Customers(w.ctx, as(of(w.adatum), access.Viewer), org.CustomerQuery{Sort: sort})
			w.must(err)
			if all.Total != 13 || len(all.Items) != 13 || all.Next != "" || all.TotalIsLowerBound {
				t.Fatalf("sort %q: %d of %d, next %q", sort, len(all.Items), all.Total, all.Next)
			}
			var got []string
			for next, first := "", true; first || next != ""; first = false {
				page, err := w.o.Customers(w.ctx, as(of(w.adatum), access.Viewer), org.CustomerQuery{Sort: sort, Cursor: next, Limit: 3})
				w.must(err)
				if page.Total != 13 || len(page.Items) > 3 {
					t.Fatalf("a page of %d, total %d", len(page.Items), page.Total)
				}
				for _, c := range page.Items {
					got = append(got, c.ID)
				}
				next = page.Next
			}
			for i, c := range all.Items {
				if len(got) != 13 || got[i] != c.ID {
					t.Fatalf("sort %q: pages give %v", sort, got)
				}
			}
		}
	})
}

func TestACursorOfAnotherListIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		page, err := w.o.Customers(w.ctx, root(), org.CustomerQuery{Limit: 1})
		w.must(err)
		for _, bad := range []org.CustomerQuery{{Cursor: "%%%"}, {Cursor: "e30"}, {Cursor: page.Next, Sort: "createdAt"}, {Cursor: "eyJzIjoiY3JlYXRlZEF0IiwiayI6IngiLCJpIjoiMSJ9", Sort: "createdAt"}} {
			_, err := w.o.Customers(w.ctx, root(), bad)
			w.refused(err, fault.Invalid, "invalid-cursor")
		}
		_, err = w.o.Customers(w.ctx, root(), org.CustomerQuery{Sort: "price"})
		w.refused(err, fault.Invalid, "unknown-sort")
	})
}

func TestSearchFindsNamesDomainsAndTenants(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.o.CreateCustomer(w.ctx, root(), org.NewCustomer{PartnerID: w.adatum.ID, Name: "Zürich 100% Müller_AG", Cloud: "global", TenantID: tenant, PrimaryDomain: "mueller.example"})
		w.must(err)
		for search, want := range map[string]int{"zurich": 1, "ZÜRICH": 1, "100%": 1, "1%0": 0, "r_a": 1, "h_1": 0, "MUELLER.ex": 1, strings.ToUpper(tenant): 1,
			"": 4, "i": 4, "\x00": 4, "zu\x00rich\xff": 1, `\`: 0, "'": 0} {
			page, err := w.o.Customers(w.ctx, root(), org.CustomerQuery{Search: search})
			w.must(err)
			if page.Total != want || len(page.Items) != want {
				t.Errorf("search %q: %d, want %d", search, page.Total, want)
			}
		}
		page, err := w.o.Customers(w.ctx, root(), org.CustomerQuery{PartnerID: w.contoso.ID})
		w.must(err)
		if page.Total != 2 {
			t.Fatalf("Contoso has %d", page.Total)
		}
	})
}

func TestACustomerIsChangedOnTheVersionThatWasRead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock.Advance(time.Hour)
		c, err := w.o.UpdateCustomer(w.ctx, root(), w.wingtip.ID, org.CustomerPatch{Name: ptr("Wingtip"), TenantID: ptr(tenant), Cloud: ptr("gcc"), SeatLimit: ptr(5)}, 1)
		w.must(err)
		if c.Version != 2 || !c.UpdatedAt.Equal(began.Add(time.Hour)) || !c.CreatedAt.Equal(began) || c.TenantID != tenant {
			t.Fatalf("got %+v", c)
		}
		_, err = w.o.UpdateCustomer(w.ctx, root(), w.wingtip.ID, org.CustomerPatch{Name: ptr("Lost")}, 1)
		w.stale(err)
		c, err = w.o.UpdateCustomer(w.ctx, root(), w.wingtip.ID, org.CustomerPatch{TenantID: ptr(""), NoSeatLimit: true}, 0)
		w.must(err)
		if c.TenantID != "" || c.SeatLimit != nil || c.Name != "Wingtip" {
			t.Fatalf("got %+v", c)
		}
		_, err = w.o.UpdateCustomer(w.ctx, root(), w.wingtip.ID, org.CustomerPatch{Cloud: ptr("moon")}, 0)
		w.refused(err, fault.Invalid, "unknown-cloud")
		_, err = w.o.UpdateCustomer(w.ctx, as(at(w.wingtip), access.Viewer), w.wingtip.ID, org.CustomerPatch{}, 0)
		w.forbidden(err)
		own := as(at(w.wingtip), access.Agent)
		_, err = w.o.UpdateCustomer(w.ctx, own, w.wingtip.ID, org.CustomerPatch{TimeZone: ptr("Australia/Sydney")}, 0)
		w.must(err)
		for _, p := range []org.CustomerPatch{{SeatLimit: ptr(9)}, {NoSeatLimit: true}, {BillingReference: ptr("x")}} {
			_, err = w.o.UpdateCustomer(w.ctx, own, w.wingtip.ID, p, 0)
			w.refused(err, fault.Forbidden, "partner-only")
		}
		e := w.audited(at(w.wingtip), "customer.update", 3)
		if d := string(e[2].Detail); !strings.Contains(d, `"before"`) || !strings.Contains(d, "Wingtip Toys") || !strings.Contains(d, `"after"`) {
			t.Fatalf("the audit says %s", d)
		}
	})
}

func TestAPairedCustomerKeepsItsCloudAndTenant(t *testing.T) {
	asked := func(_ context.Context, q db.Querier, id string) (bool, error) {
		var name string
		err := q.QueryRowContext(context.Background(), `SELECT name FROM customer WHERE id = $1`, id).Scan(&name)
		return name == "Wingtip Toys", err
	}
	each(t, func(t *testing.T, w *world) {
		for _, p := range []org.CustomerPatch{{Cloud: ptr("dod")}, {TenantID: ptr(tenant)}} {
			_, err := w.o.UpdateCustomer(w.ctx, root(), w.wingtip.ID, p, 0)
			w.refused(err, fault.Conflict, "tenant-frozen")
			_, err = w.o.UpdateCustomer(w.ctx, root(), w.tailspin.ID, p, 0)
			w.must(err)
		}
		_, err := w.o.UpdateCustomer(w.ctx, root(), w.wingtip.ID, org.CustomerPatch{Country: ptr("AU"), Cloud: ptr("global")}, 0)
		w.must(err)
	}, org.WithFrozen(asked))
}

func TestATenantIsBoundOnceAndAgainOnlyAsTheSame(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bind := func(actor access.Actor, id, tenantID, domain string) (c org.Customer, err error) {
			err = w.d.Write(w.ctx, func(ctx context.Context, tx db.Tx) error {
				if err := w.o.LockCustomer(ctx, tx, id); err != nil {
					return err
				}
				c, err = w.o.BindTenant(ctx, tx, actor, id, tenantID, domain)
				return err
			})
			return c, err
		}
		c, err := bind(root(), w.wingtip.ID, strings.ToUpper(tenant), "Wingtip.example")
		w.must(err)
		if c.TenantID != tenant || c.PrimaryDomain != "wingtip.example" || c.Version != 2 {
			t.Fatalf("got %+v", c)
		}
		c, err = bind(root(), w.wingtip.ID, tenant, "other.example")
		w.must(err)
		if c.Version != 2 || c.PrimaryDomain != "wingtip.example" {
			t.Fatalf("got %+v", c)
		}
		_, err = bind(root(), w.wingtip.ID, "11111111-8d3b-4c6f-9a7e-0b1d2c3e4f50", "")
		w.refused(err, fault.Conflict, "tenant-differs")
		_, err = bind(root(), w.tailspin.ID, "", "")
		w.refused(err, fault.Conflict, "tenant-differs")
		_, err = bind(as(of(w.adatum), access.Admin), w.tailspin.ID, tenant, "")
		w.missing(err)
		w.audited(at(w.wingtip), "customer.bind-tenant", 1)
	})
}

func TestACustomerWithServicesStays(t *testing.T) {
	held := org.WithMayDeleteCustomer(func(_ context.Context, _ db.Querier, c org.Customer) error {
		if c.Name == "Litware" {
			return fault.New(fault.Conflict, "customer-has-numbers", "It has numbers.")
		}
		return nil
	})
	each(t, func(t *testing.T, w *world) {
		s, err := w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.OperatorConnect})
		w.must(err)
		w.refused(w.o.DeleteCustomer(w.ctx, root(), w.wingtip.ID, 0), fault.Conflict, "customer-has-services")
		w.must(w.o.DeleteService(w.ctx, root(), s.ID, 0))
		w.stale(w.o.DeleteCustomer(w.ctx, root(), w.wingtip.ID, 3))
		w.must(w.o.DeleteCustomer(w.ctx, as(of(w.contoso), access.Agent), w.wingtip.ID, 1))
		_, err = w.o.Customer(w.ctx, root(), w.wingtip.ID)
		w.missing(err)
		_, err = w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.OperatorConnect})
		w.missing(err)
		w.refused(w.o.DeleteCustomer(w.ctx, root(), w.litware.ID, 0), fault.Conflict, "customer-has-numbers")
		w.audited(of(w.contoso), "customer.delete", 1)
	}, held)
}
