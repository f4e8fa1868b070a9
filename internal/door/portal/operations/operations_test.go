package operations_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/door/portal/operations"
	"tcap.cloud/internal/door/portal/portaltest"
	"tcap.cloud/internal/engine/operation"
)

func TestAnOperationTellsStepsFailedLinesAndHistory(t *testing.T) {
	t.Parallel()
	w := portaltest.New(t, operations.Register)
	id := w.Start("test-batch", "Assign 3 numbers at Wingtip Toys")
	w.Until(id, operation.Succeeded)
	page := w.Operator().Get("/operations/" + id)
	page.Has(t, http.StatusOK, "Assign 3 numbers at Wingtip Toys", "Done", "3 of 3", "Failed lines: 1", "No such number.", "Write the lines", "Correlation id",
		"The API call that does the same", "/api/v1/operations/"+id)
	page.Lacks(t, ">Cancel<", "hx-sse:connect")
	if failed, steps := strings.Index(page.Body, "Failed lines"), strings.Index(page.Body, "Write the lines"); failed > steps {
		t.Error("the failed lines do not come first")
	}
}

func TestFailedLinesAreAFileThatNoSpreadsheetRuns(t *testing.T) {
	t.Parallel()
	w := portaltest.New(t, operations.Register)
	id := w.Start("test-batch", "Batch")
	w.Until(id, operation.Succeeded)
	op := w.Operator()
	failed := op.Get("/operations/" + id + "/lines.csv?failed=true")
	failed.Has(t, http.StatusOK, "2,'=1+1,rejected,bad,No such number.")
	failed.Lacks(t, "line 1")
	op.Get("/operations/"+id+"/lines.csv").Has(t, http.StatusOK, "1,line 1,created", "3,line 3,created")
}

func TestWhatWaitsSaysForWhatAndCanBeCheckedAndCancelled(t *testing.T) {
	t.Parallel()
	w := portaltest.New(t, operations.Register)
	id := w.Start("test-wait", "Activate wingtip.sbc.example")
	w.Until(id, operation.Waiting)
	agent := w.Agent()
	agent.Get("/operations/"+id).Has(t, http.StatusOK, "Waits for Microsoft.", "Microsoft is spreading the domain.", "Check now", "Cancel", `hx-sse:connect="/operations/`+id+`/events"`, "Reload")
	agent.Post("/operations/"+id+"/check-now").LeadsTo(t, "/operations/"+id)
	agent.Get("/operations/"+id+"/cancel").Has(t, http.StatusOK, "Cancel this operation?")
	agent.Post("/operations/"+id+"/cancel").LeadsTo(t, "/operations/"+id)
	w.Until(id, operation.Cancelled)
	agent.Get("/operations/"+id).Has(t, http.StatusOK, "Cancelled", "Cancelling asked for")
	agent.Post("/operations/"+id+"/cancel").Has(t, http.StatusConflict, "already ended")
	agent.Post("/operations/"+id+"/sign-in").Has(t, http.StatusConflict, "not waiting for an administrator")
	agent.Get("/operations/"+id+"/confirm").Has(t, http.StatusConflict, "not waiting for a confirmation")
}

func TestOnlyThoseInScopeSeeAnOperation(t *testing.T) {
	t.Parallel()
	w := portaltest.New(t, operations.Register)
	id := w.Start("test-wait", "Something of Wingtip")
	w.Until(id, operation.Waiting)
	stranger := w.Stranger()
	for _, path := range []string{"", "/events", "/lines.csv", "/cancel", "/confirm"} {
		stranger.Get("/operations/"+id+path).Has(t, http.StatusNotFound)
	}
	for _, path := range []string{"/cancel", "/retry", "/check-now", "/sign-in", "/confirm"} {
		stranger.Post("/operations/"+id+path).Has(t, http.StatusNotFound)
	}
	stranger.Get("/operations").Lacks(t, "Something of Wingtip")
	w.Agent().Get("/operations").Has(t, http.StatusOK, "Something of Wingtip", "Not ended yet")
}

func TestAViewerSeesNoButtonsAndIsRefused(t *testing.T) {
	t.Parallel()
	w := portaltest.New(t, operations.Register)
	id := w.Start("test-wait", "Something")
	w.Until(id, operation.Waiting)
	viewer := w.Viewer()
	viewer.Get("/operations/"+id).Lacks(t, "Check now", "/cancel")
	viewer.Get("/operations/"+id+"/cancel").Has(t, http.StatusForbidden)
	for _, path := range []string{"/cancel", "/check-now", "/sign-in"} {
		viewer.Post("/operations/"+id+path).Has(t, http.StatusForbidden)
	}
	billing := w.As(access.Scope{Level: access.Operator}, access.Billing)
	billing.Get("/operations/"+id).Has(t, http.StatusForbidden)
	billing.Get("/operations").Has(t, http.StatusForbidden)
}

func TestTheListPutsWhatRunsFirstAndFilters(t *testing.T) {
	t.Parallel()
	w := portaltest.New(t, operations.Register)
	ended := w.Start("test-batch", "A batch that ended")
	w.Until(ended, operation.Succeeded)
	waits := w.Start("test-wait", "Work that waits")
	w.Until(waits, operation.Waiting)
	op := w.Operator()
	all := op.Get("/operations")
	all.Has(t, http.StatusOK, "A batch that ended", "Work that waits")
	if strings.Index(all.Body, "Work that waits") > strings.Index(all.Body, "A batch that ended") {
		t.Error("what has ended stands before what runs")
	}
	op.Get("/operations?unfinished=true").Lacks(t, "A batch that ended")
	op.Get("/operations?state=succeeded").Lacks(t, "Work that waits")
	op.Get("/operations?kind=test-wait").Lacks(t, "A batch that ended")
	op.Get("/operations?customer="+w.Tailspin.ID).Lacks(t, "A batch that ended", "Work that waits")
	op.Get("/operations?state=nonsense").Has(t, http.StatusUnprocessableEntity, "no such state")
}

func TestThePageIsStreamedUntilTheOperationEnds(t *testing.T) {
	t.Parallel()
	w := portaltest.New(t, operations.Register)
	id := w.Start("test-wait", "Work that waits")
	w.Until(id, operation.Waiting)
	agent := w.Agent()
	server := httptest.NewServer(w.Frame)
	defer server.Close()
	res := agent.Stream(t, server.URL+"/operations/"+id+"/events")
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("the stream is %q", got)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	seen, cancelled := "", false
	for lines.Scan() {
		seen += lines.Text() + "\n"
		if !cancelled && strings.Contains(seen, "Waits for Microsoft.") {
			cancelled = true
			agent.Post("/operations/" + id + "/cancel")
		}
	}
	if !cancelled || !strings.Contains(seen, `data-state="cancelled"`) || !strings.Contains(seen, "event: done") {
		t.Errorf("the stream did not tell the end:\n%s", seen)
	}
	if strings.Contains(seen, "hx-") {
		t.Error("what is streamed has hx attributes, which no nonce covers")
	}
}
