package activity_test

import (
	"context"
	"net/http"
	"testing"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/portal/activity"
	"tcap.cloud/internal/door/portal/portaltest"
)

func world(t *testing.T) *portaltest.World {
	t.Helper()
	w := portaltest.New(t, activity.Register)
	tags := []string{"lobby"}
	if _, err := w.Numbers.Update(t.Context(), w.Root, w.Free[0], number.Patch{Tags: &tags}, 0); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestActivityTellsWhatChangedKeyByKey(t *testing.T) {
	t.Parallel()
	w := world(t)
	op := w.Operator()
	op.Get("/activity").Has(t, http.StatusOK, "Customer added", "Wingtip Toys", "Numbers imported", "Tags", "lobby", "Verify", "Export CSV")
	op.Get("/customers/"+w.Wingtip.ID+"/activity").Has(t, http.StatusOK, "Numbers imported", "/audit?customerId="+w.Wingtip.ID)
	op.Get("/activity?customer="+w.Tailspin.ID).Lacks(t, ">Numbers imported</span>", ">Numbers imported</a>")
}

func TestActivityIsFiltered(t *testing.T) {
	t.Parallel()
	w := world(t)
	op := w.Operator()
	op.Get("/activity?action=number.update").Lacks(t, ">Customer added</span>")
	op.Get("/activity?who=nobody").Has(t, http.StatusOK, "Nothing was done")
	op.Get("/activity?since=2001-01-01").Has(t, http.StatusOK, "Numbers imported")
	op.Get("/activity?since=2999-01-01").Has(t, http.StatusOK, "Nothing was done")
	op.Get("/activity?since=yesterday").Has(t, http.StatusUnprocessableEntity, "A day, as")
	op.Get("/activity?cursor=nonsense").Has(t, http.StatusUnprocessableEntity)
}

func TestActivityStaysInsideTheScope(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Stranger().Get("/activity").Lacks(t, "lobby", "Wingtip Toys")
	w.Stranger().Get("/customers/"+w.Wingtip.ID+"/activity").Has(t, http.StatusNotFound)
	w.Stranger().Get("/activity/export.csv").Lacks(t, w.Wingtip.ID)
	w.Viewer().Get("/activity").Has(t, http.StatusOK, "lobby")
	w.Viewer().Get("/activity").Lacks(t, "Tailspin")
	w.Operator().Get("/activity/export.csv?action=number.update").Has(t, http.StatusOK, "at,who,whoId", "number.update", w.Free[0])
}

func TestTheOperatorProvesTheRecordAndSeesWhereItIsBroken(t *testing.T) {
	t.Parallel()
	w := world(t)
	op := w.Operator()
	op.Post("/activity/verify").Has(t, http.StatusOK, "Verified to entry ")
	w.Agent().Get("/activity").Lacks(t, "Verify")
	w.Agent().Post("/activity/verify").Has(t, http.StatusForbidden)
	err := w.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE audit_entry SET actor = 'somebody else' WHERE chain = $1 AND seq = 2`, w.Wingtip.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	op.Post("/activity/verify").Has(t, http.StatusOK, "The record is broken", "it was altered", w.Wingtip.ID)
}
