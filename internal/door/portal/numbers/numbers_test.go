package numbers_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/portal/numbers"
	"tcap.cloud/internal/door/portal/operations"
	"tcap.cloud/internal/door/portal/portaltest"
)

func world(t *testing.T) (*portaltest.World, string) {
	t.Helper()
	w := portaltest.New(t, numbers.Register, operations.Register)
	return w, "/customers/" + w.Wingtip.ID + "/numbers"
}

func TestNumbersAreListedWithStateAndFilters(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	op := w.Operator()
	op.Get("/numbers").Has(t, http.StatusOK, "+61\u00a02\u00a05550\u00a00001", "/numbers/+61255500001", "Free", "Wingtip Toys", "Direct Routing", "1–3 of 3", "Export CSV")
	op.Get("/numbers?search=0002").Lacks(t, "+61255500001")
	op.Get("/numbers?state=assigned").Has(t, http.StatusOK, "No number matches.")
	op.Get("/numbers?customer="+w.Tailspin.ID).Has(t, http.StatusOK, "Tailspin Airlines has no numbers yet.", "Import numbers")
	op.Get("/numbers?sort=shoe").Has(t, http.StatusUnprocessableEntity)
	w.Agent().Get(list).Has(t, http.StatusOK, "+61255500003", "Import numbers")
	w.Viewer().Get("/numbers").Has(t, http.StatusOK, "+61255500003")
	w.Viewer().Get(list).Lacks(t, "Import numbers")
}

func TestTheListIsPagedForthAndBack(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	var lines []number.Line
	for i := range 60 {
		lines = append(lines, number.Line{Line: i + 1, Number: fmt.Sprintf("+612555010%02d", i)})
	}
	if _, err := w.Numbers.Import(t.Context(), w.Root, number.ImportRequest{CustomerID: w.Wingtip.ID, ServiceID: w.Service.ID, Lines: lines}); err != nil {
		t.Fatal(err)
	}
	op := w.Operator()
	first := op.Get(list)
	first.Has(t, http.StatusOK, "1–50 of 63", "+61255500001", `rel="next"`)
	second := op.Get(link(t, first.Body, "next"))
	second.Has(t, http.StatusOK, "51–63 of 63", `rel="prev"`)
	second.Lacks(t, "+61255500001", `rel="next"`)
	op.Get(link(t, second.Body, "prev")).Has(t, http.StatusOK, "1–50 of 63", "+61255500001")
}

func link(t *testing.T, body, rel string) string {
	t.Helper()
	_, after, ok := strings.Cut(body, `rel="`+rel+`" href="`)
	if !ok {
		t.Fatalf("no %s page", rel)
	}
	href, _, _ := strings.Cut(after, `"`)
	return strings.ReplaceAll(href, "&amp;", "&")
}

func TestPastedLinesEachHaveAnOutcomeAndTheRejectedAreAFile(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	agent := w.Agent()
	agent.Get(list+"/import").Has(t, http.StatusOK, "multipart/form-data", "Or paste the numbers")
	done := agent.Post(list+"/import", "serviceId", w.Service.ID, "lines", "+61255500001\n02 5550 0009\n=cmd()\n")
	done.Has(t, http.StatusOK, "1 added, 1 there already, 1 rejected.", "Added", "There already", "Rejected", "Download the 1 rejected lines")
	if rejected, added := strings.Index(done.Body, ">Rejected<"), strings.Index(done.Body, ">Added<"); rejected > added {
		t.Error("what was rejected does not come first")
	}
	file := agent.Post(list+"/import/failed.csv", "line", "3", "number", "=cmd()", "code", "bad", "detail", "No number.")
	file.Has(t, http.StatusOK, "3,'=cmd(),bad,No number.")
	if got := file.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment") {
		t.Errorf("the file is %q", got)
	}
}

func TestAFileIsImportedAndALargeOneIsAnOperation(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	agent := w.Agent()
	agent.Send(upload(t, list+"/import", w.Service.ID, "number;tags\n+61255500010;lobby|front\n")).Has(t, http.StatusOK, "1 added, 0 there already, 0 rejected.")
	var large strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&large, "+6125551%04d\n", i)
	}
	agent.Send(upload(t, list+"/import", w.Service.ID, large.String())).LeadsTo(t, "/operations/")
	agent.Send(upload(t, list+"/import", w.Service.ID, strings.Repeat("x", number.MaxBytes+1))).Has(t, http.StatusRequestEntityTooLarge, "at most 10 MB", "Nothing was imported.")
	agent.Send(upload(t, list+"/import", w.Service.ID, "number,shoe\n+61255500011,42\n")).Has(t, http.StatusUnprocessableEntity, "columns that are not known")
	agent.Post(list+"/import", "serviceId", w.Service.ID, "lines", "").Has(t, http.StatusUnprocessableEntity, "no numbers")
}

func upload(t *testing.T, path, service, content string) (string, string, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	file, err := m.CreateFormFile("file", "numbers.csv")
	if err == nil {
		_, err = file.Write([]byte(content))
	}
	if err == nil {
		err = m.WriteField("serviceId", service)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path, m.FormDataContentType(), &b
}

func TestANumbersPageTellsItsLifeAndIsEdited(t *testing.T) {
	t.Parallel()
	w, _ := world(t)
	agent := w.Agent()
	page := agent.Get("/numbers/+61255500001")
	page.Has(t, http.StatusOK, "+61\u00a02\u00a05550\u00a00001", `data-copy="+61255500001"`, "Free", "Taken into the inventory", "Wingtip Toys", "Choose who gets it", "-X PATCH")
	agent.Post("/numbers/+61255500001", "tags", "lobby, front", "callerId", "02 5550 0002", "version", page.Field(t, "version")).LeadsTo(t, "/numbers/")
	agent.Get("/numbers/+61255500001").Has(t, http.StatusOK, `value="lobby, front"`, `value="+61255500002"`)
}

func TestARefusedEditKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w, _ := world(t)
	agent := w.Agent()
	agent.Post("/numbers/+61255500001", "tags", "=1+1", "callerId", "").Has(t, http.StatusUnprocessableEntity, `value="=1+1"`, "spreadsheet formula")
	agent.Post("/numbers/+61255500001", "tags", "lobby", "callerId", "12").Has(t, http.StatusUnprocessableEntity, `value="12"`, `aria-invalid="true"`)
	agent.Post("/numbers/+61255500001", "tags", "lobby", "callerId", "", "version", "99").Has(t, http.StatusPreconditionFailed, `value="lobby"`)
}

func TestAFreeNumberIsReleasedAfterAQuestion(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	agent := w.Agent()
	agent.Get("/numbers/+61255500002/release").Has(t, http.StatusOK, "Release +61\u00a02\u00a05550\u00a00002?", "quarantine")
	agent.Post("/numbers/+61255500002/release").LeadsTo(t, list)
	agent.Get("/numbers/+61255500002").Has(t, http.StatusOK, "Quarantined", "rests until")
	agent.Post("/numbers/+61255500002/release").Has(t, http.StatusConflict, "released already")
	w.Viewer().Get("/numbers/+61255500002").Has(t, http.StatusNotFound)
}

func TestTheExportIsSafeInASpreadsheet(t *testing.T) {
	t.Parallel()
	w, _ := world(t)
	file := w.Operator().Get("/numbers/export.csv?state=free")
	file.Has(t, http.StatusOK, "number,state,holder", "+61255500001,free,,Wingtip Toys,direct-routing")
	w.Stranger().Get("/numbers/export.csv").Lacks(t, "+61255500001")
}

func TestOnlyThoseInScopeSeeANumberAndAViewerChangesNothing(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	stranger, viewer := w.Stranger(), w.Viewer()
	for _, path := range []string{list, list + "/import", list + "/export.csv", "/numbers/+61255500001", "/numbers/+61255500001/release", "/numbers?customer=" + w.Wingtip.ID} {
		stranger.Get(path).Has(t, http.StatusNotFound)
	}
	for _, path := range []string{list + "/import", "/numbers/+61255500001", "/numbers/+61255500001/release"} {
		stranger.Post(path, "lines", "+61255500001").Has(t, http.StatusNotFound)
		viewer.Post(path, "lines", "+61255500001").Has(t, http.StatusForbidden)
	}
	viewer.Get(list+"/import").Has(t, http.StatusForbidden)
	viewer.Get("/numbers/+61255500001").Lacks(t, "Release", "Save", "Choose who gets it")
	viewer.Get("/numbers/+61255500001/release").Has(t, http.StatusForbidden)
	stranger.Get("/numbers").Lacks(t, "+61255500001")
}
