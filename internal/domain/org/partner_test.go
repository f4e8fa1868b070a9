package org_test

import (
	"fmt"
	"sync"
	"testing"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

func TestTheOperatorIsMadeOnceAndKeepsItsName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		op, err := w.o.EnsureOperator(w.ctx, "Another name")
		w.must(err)
		if op.Name != "Fabrikam Telecom" || op.Version != 1 || !op.CreatedAt.Equal(began) {
			t.Fatalf("got %+v", op)
		}
		w.audited(operatorScope(), "operator.create", 1)
		_, err = w.o.EnsureOperator(w.ctx, " \t")
		w.refused(err, fault.Invalid, "invalid-input")
	})
}

func TestTheOperatorIsChangedByItsAdministratorsAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := org.Brand{DisplayName: "Fabrikam", Accent: "#1f6feb", SupportEmail: "help@fabrikam.example", SupportURL: "https://fabrikam.example/help"}
		op, err := w.o.UpdateOperator(w.ctx, as(operatorScope(), access.Admin), org.OperatorPatch{Name: ptr("Fabrikam"), Brand: &brand}, 1)
		w.must(err)
		again, err := w.o.Operator(w.ctx)
		w.must(err)
		if op != again || op.Version != 2 || op.Brand != brand {
			t.Fatalf("wrote %+v, read %+v", op, again)
		}
		w.audited(operatorScope(), "operator.update", 1)
		_, err = w.o.UpdateOperator(w.ctx, root(), org.OperatorPatch{Name: ptr("Later")}, 1)
		w.stale(err)
		_, err = w.o.UpdateOperator(w.ctx, as(operatorScope(), access.Agent), org.OperatorPatch{}, 0)
		w.forbidden(err)
		_, err = w.o.UpdateOperator(w.ctx, as(of(w.contoso), access.Admin), org.OperatorPatch{}, 0)
		w.refused(err, fault.Forbidden, "operator-only")
		for _, bad := range []org.Brand{{Accent: "blue"}, {LogoURL: "http://fabrikam.example/logo.svg"}, {LogoURL: "javascript:1"}, {SupportEmail: "nobody"}} {
			_, err = w.o.UpdateOperator(w.ctx, root(), org.OperatorPatch{Brand: &bad}, 0)
			w.refused(err, fault.Invalid, "invalid-input")
		}
	})
}

func TestAPartnerReadsItselfAndOnlyTheOperatorWrites(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := as(of(w.contoso), access.Admin)
		p, err := w.o.Partner(w.ctx, partner, w.contoso.ID)
		w.must(err)
		if p != w.contoso {
			t.Fatalf("got %+v", p)
		}
		_, err = w.o.Partner(w.ctx, partner, w.adatum.ID)
		w.missing(err)
		_, err = w.o.Partner(w.ctx, as(at(w.wingtip), access.Admin), w.contoso.ID)
		w.missing(err)
		_, err = w.o.Partner(w.ctx, root(), "no\x00such\xff")
		w.missing(err)
		_, err = w.o.CreatePartner(w.ctx, partner, org.NewPartner{Name: "Mine"})
		w.refused(err, fault.Forbidden, "operator-only")
		_, err = w.o.UpdatePartner(w.ctx, partner, w.contoso.ID, org.PartnerPatch{}, 0)
		w.refused(err, fault.Forbidden, "operator-only")
		w.refused(w.o.DeletePartner(w.ctx, partner, w.contoso.ID, 0), fault.Forbidden, "operator-only")
		page, err := w.o.Partners(w.ctx, partner, org.PartnerQuery{})
		w.must(err)
		if page.Total != 1 || page.Items[0].ID != w.contoso.ID {
			t.Fatalf("got %+v", page)
		}
		page, err = w.o.Partners(w.ctx, as(at(w.wingtip), access.Viewer), org.PartnerQuery{})
		w.must(err)
		if page.Total != 0 || len(page.Items) != 0 {
			t.Fatalf("a customer sees partners: %+v", page)
		}
		_, err = w.o.Partners(w.ctx, as(operatorScope(), access.SBC), org.PartnerQuery{})
		w.forbidden(err)
	})
}

func TestAPartnerIsRenamedOnTheVersionThatWasRead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p, err := w.o.UpdatePartner(w.ctx, root(), w.contoso.ID, org.PartnerPatch{Name: ptr("Contoso Télécom")}, 1)
		w.must(err)
		if p.Version != 2 {
			t.Fatalf("version %d", p.Version)
		}
		_, err = w.o.UpdatePartner(w.ctx, root(), w.contoso.ID, org.PartnerPatch{Name: ptr("Lost")}, 1)
		w.stale(err)
		page, err := w.o.Partners(w.ctx, root(), org.PartnerQuery{Search: "TELECOM"})
		w.must(err)
		if page.Total != 1 || page.Items[0] != p {
			t.Fatalf("got %+v", page)
		}
		p, err = w.o.UpdatePartner(w.ctx, root(), w.contoso.ID, org.PartnerPatch{Name: ptr("Contoso Télécom")}, 0)
		w.must(err)
		if p.Version != 2 {
			t.Fatal("a change that changes nothing was written")
		}
		w.audited(of(w.contoso), "partner.update", 1)
	})
}

func TestAPartnerWithCustomersStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.refused(w.o.DeletePartner(w.ctx, root(), w.adatum.ID, 0), fault.Conflict, "partner-has-customers")
		w.must(w.o.DeleteCustomer(w.ctx, root(), w.litware.ID, 0))
		w.stale(w.o.DeletePartner(w.ctx, root(), w.adatum.ID, 7))
		w.must(w.o.DeletePartner(w.ctx, root(), w.adatum.ID, 1))
		_, err := w.o.Partner(w.ctx, root(), w.adatum.ID)
		w.missing(err)
		w.missing(w.o.DeletePartner(w.ctx, root(), w.adatum.ID, 0))
		_, err = w.o.CreateCustomer(w.ctx, root(), org.NewCustomer{PartnerID: w.adatum.ID, Name: "Late", Cloud: "global"})
		w.missing(err)
		w.audited(operatorScope(), "partner.delete", 1)
	})
}

func TestNoCustomerIsLeftBehindByAPartnerThatIsRemovedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for round := range 5 {
			p := w.partner(fmt.Sprintf("Proseware %d", round))
			var wg sync.WaitGroup
			var made, gone error
			wg.Go(func() {
				_, made = w.o.CreateCustomer(w.ctx, root(), org.NewCustomer{PartnerID: p.ID, Name: "Northwind", Cloud: "gcc"})
			})
			wg.Go(func() { gone = w.o.DeletePartner(w.ctx, root(), p.ID, 0) })
			wg.Wait()
			if (made == nil) == (gone == nil) {
				t.Fatalf("customer: %v, partner removed: %v", made, gone)
			}
		}
	})
}

func TestEveryChainHoldsAfterwards(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n, broken, err := audit.Verify(w.ctx, w.d.R)
		w.must(err)
		if n != 6 || len(broken) != 0 {
			t.Fatalf("%d entries, broken %v", n, broken)
		}
	})
}
