package org_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

func TestSyncIsOnUnlessTurnedOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		agent := as(of(w.contoso), access.Agent)
		dr, err := w.o.AddService(w.ctx, agent, w.wingtip.ID, org.NewService{Kind: org.DirectRouting, VoicePolicy: "AU-All", DialPlan: "AU"})
		w.must(err)
		w.clock.Advance(time.Second)
		oc, err := w.o.AddService(w.ctx, agent, w.wingtip.ID, org.NewService{Kind: org.OperatorConnect, Sync: ptr(false)})
		w.must(err)
		if !dr.Sync || oc.Sync {
			t.Fatalf("sync: %v and %v", dr.Sync, oc.Sync)
		}
		s, c, err := w.o.Service(w.ctx, as(at(w.wingtip), access.Viewer), dr.ID)
		w.must(err)
		if s != dr || s.VoicePolicy != "AU-All" || s.DialPlan != "AU" || c.Name != "Wingtip Toys" || c.PartnerName != "Contoso Voice" || c.TenantID != "" {
			t.Fatalf("got %+v of %+v", s, c)
		}
		list, err := w.o.Services(w.ctx, agent, w.wingtip.ID)
		w.must(err)
		if len(list) != 2 || list[0] != dr || list[1] != oc {
			t.Fatalf("got %+v", list)
		}
		w.audited(of(w.contoso), "service.create", 2)
		w.audited(at(w.tailspin), "service.create", 0)
	})
}

func TestASecondServiceOfItsKindIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var made atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, err := w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.DirectRouting})
				if err == nil {
					made.Add(1)
				} else if !fault.Is(err, "service-exists") {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if made.Load() != 1 {
			t.Fatalf("%d services of one kind", made.Load())
		}
		list, err := w.o.Services(w.ctx, root(), w.wingtip.ID)
		w.must(err)
		w.must(w.o.DeleteService(w.ctx, root(), list[0].ID, 0))
		_, err = w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.DirectRouting})
		w.must(err)
		_, err = w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.DirectRouting})
		w.refused(err, fault.Conflict, "service-exists")
	})
}

func TestAServiceOutsideTheScopeIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s, err := w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.DirectRouting})
		w.must(err)
		for _, stranger := range []access.Actor{as(of(w.adatum), access.Admin), as(at(w.tailspin), access.Admin)} {
			_, _, err = w.o.Service(w.ctx, stranger, s.ID)
			w.missing(err)
			_, err = w.o.Services(w.ctx, stranger, w.wingtip.ID)
			w.missing(err)
			_, err = w.o.AddService(w.ctx, stranger, w.wingtip.ID, org.NewService{Kind: org.OperatorConnect})
			w.missing(err)
			_, err = w.o.UpdateService(w.ctx, stranger, s.ID, org.ServicePatch{}, 0)
			w.missing(err)
			w.missing(w.o.DeleteService(w.ctx, stranger, s.ID, 0))
		}
		viewer := as(of(w.contoso), access.Viewer)
		_, err = w.o.AddService(w.ctx, viewer, w.wingtip.ID, org.NewService{Kind: org.OperatorConnect})
		w.forbidden(err)
		_, err = w.o.UpdateService(w.ctx, viewer, s.ID, org.ServicePatch{}, 0)
		w.forbidden(err)
		w.forbidden(w.o.DeleteService(w.ctx, viewer, s.ID, 0))
		_, _, err = w.o.Service(w.ctx, as(of(w.contoso), access.Billing), s.ID)
		w.forbidden(err)
		_, err = w.o.Services(w.ctx, as(of(w.contoso), access.SBC), w.wingtip.ID)
		w.forbidden(err)
	})
}

func TestAServiceThatIsNotKnownOrNotNamedWellIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: "calling-plan"})
		w.refused(err, fault.Invalid, "unknown-service-kind")
		_, err = w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.DirectRouting, VoicePolicy: "A\nB"})
		w.refused(err, fault.Invalid, "invalid-input")
		_, err = w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.DirectRouting, DialPlan: strings.Repeat("x", 201)})
		w.refused(err, fault.Invalid, "invalid-input")
	})
}

func TestTheTableIsAskedBeforeAServiceIsAddedOrItsSyncChanged(t *testing.T) {
	table := org.WithAllowService(func(c org.Customer, kind string, sync bool) *fault.Fault {
		if kind == org.DirectRouting && !sync {
			return fault.New(fault.Conflict, "needs-sync", "Direct Routing of %s cannot be set up without sync.", c.Name)
		}
		return nil
	})
	each(t, func(t *testing.T, w *world) {
		_, err := w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.DirectRouting, Sync: ptr(false)})
		w.refused(err, fault.Conflict, "needs-sync")
		w.audited(operatorScope(), "service.create", 0)
		s, err := w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.DirectRouting})
		w.must(err)
		_, err = w.o.UpdateService(w.ctx, root(), s.ID, org.ServicePatch{Sync: ptr(false)}, 0)
		w.refused(err, fault.Conflict, "needs-sync")
		s, err = w.o.UpdateService(w.ctx, root(), s.ID, org.ServicePatch{VoicePolicy: ptr("AU-All")}, 1)
		w.must(err)
		if s.Version != 2 || !s.Sync || s.VoicePolicy != "AU-All" {
			t.Fatalf("got %+v", s)
		}
		_, err = w.o.UpdateService(w.ctx, root(), s.ID, org.ServicePatch{VoicePolicy: ptr("Lost")}, 1)
		w.stale(err)
		oc, err := w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.OperatorConnect, Sync: ptr(false)})
		w.must(err)
		oc, err = w.o.UpdateService(w.ctx, root(), oc.ID, org.ServicePatch{Sync: ptr(true)}, 0)
		w.must(err)
		if read, _, err := w.o.Service(w.ctx, root(), oc.ID); err != nil || read != oc || !read.Sync {
			t.Fatalf("got %+v, %v", read, err)
		}
		w.audited(at(w.wingtip), "service.update", 2)
	}, table)
}

func TestAServiceThatSomethingDependsOnStays(t *testing.T) {
	hook := org.WithMayDelete(func(_ context.Context, _ db.Querier, s org.Service) error {
		if s.Kind == org.OperatorConnect {
			return fault.New(fault.Conflict, "service-has-numbers", "It still has numbers.")
		}
		return nil
	})
	each(t, func(t *testing.T, w *world) {
		oc, err := w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.OperatorConnect})
		w.must(err)
		dr, err := w.o.AddService(w.ctx, root(), w.wingtip.ID, org.NewService{Kind: org.DirectRouting})
		w.must(err)
		w.refused(w.o.DeleteService(w.ctx, root(), oc.ID, 0), fault.Conflict, "service-has-numbers")
		w.stale(w.o.DeleteService(w.ctx, root(), dr.ID, 9))
		w.must(w.o.DeleteService(w.ctx, root(), dr.ID, 1))
		_, _, err = w.o.Service(w.ctx, root(), dr.ID)
		w.missing(err)
		w.audited(at(w.wingtip), "service.delete", 1)
	}, hook)
}

func TestNoServiceIsLeftBehindByACustomerThatIsRemovedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 5 {
			c := w.customer(w.adatum, "Northwind")
			var wg sync.WaitGroup
			var made, gone error
			wg.Go(func() { _, made = w.o.AddService(w.ctx, root(), c.ID, org.NewService{Kind: org.DirectRouting}) })
			wg.Go(func() { gone = w.o.DeleteCustomer(w.ctx, root(), c.ID, 0) })
			wg.Wait()
			if (made == nil) == (gone == nil) {
				t.Fatalf("service: %v, customer removed: %v", made, gone)
			}
		}
	})
}

func TestAFailingHookChangesNothing(t *testing.T) {
	boom := errors.New("boom")
	each(t, func(t *testing.T, w *world) {
		_, err := w.o.UpdateCustomer(w.ctx, root(), w.wingtip.ID, org.CustomerPatch{Cloud: ptr("dod")}, 0)
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		c, err := w.o.Customer(w.ctx, root(), w.wingtip.ID)
		w.must(err)
		if c.Cloud != "global" || c.Version != 1 {
			t.Fatalf("got %+v", c)
		}
	}, org.WithFrozen(func(context.Context, db.Querier, string) (bool, error) { return false, boom }))
}
