package numbers

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
	"tcap.cloud/internal/door/portal/ui"
)

// maxUpload leaves room for the form around a file of the largest size.
const maxUpload = number.MaxBytes + 1<<20

// importView is the import page: the form, and after it was sent one outcome for each line.
type importView struct {
	customer org.Customer
	services []org.Service
	form     frame.Form
	result   *number.ImportResult
	frame    *frame.Frame
}

func (v importView) base() string { return "/customers/" + v.customer.ID + "/numbers" }

// loadImport reads what the form needs; 403 for who may not import.
func (p pages) loadImport(r *http.Request) (importView, error) {
	who := frame.Actor(r)
	v := importView{frame: p.Frame, form: frame.NewForm()}
	var err error
	if v.customer, err = p.Org.Customer(r.Context(), who, r.PathValue("id")); err != nil {
		return v, err
	}
	if err := access.Can(who, access.Assign); err != nil {
		return v, err
	}
	v.services, err = p.Org.Services(r.Context(), who, v.customer.ID)
	return v, err
}

// importForm asks for numbers.
func (p pages) importForm(w http.ResponseWriter, r *http.Request) error {
	v, err := p.loadImport(r)
	if err != nil {
		return err
	}
	return p.drawImport(w, r, http.StatusOK, v)
}

func (p pages) drawImport(w http.ResponseWriter, r *http.Request, status int, v importView) error {
	return p.Render(w, r, status, p.CustomerPage(r, "Import numbers", v.customer), importPage(v))
}

// importNow takes them in. A large import leads to its operation.
func (p pages) importNow(w http.ResponseWriter, r *http.Request) error {
	v, err := p.loadImport(r)
	if err != nil {
		return err
	}
	text, err := readUpload(w, r, &v.form)
	if err == nil {
		v.result, err = p.take(r, v, text)
	}
	switch {
	case frame.Again(err), fault.KindOf(err) == fault.TooLarge && err != nil:
		problem := frame.ProblemOf(err)
		problem.Means = "Nothing was imported."
		for field, why := range frame.FieldErrors(err) {
			problem.Do = strings.TrimSpace(problem.Do + " " + field + ": " + why)
		}
		v.form.Problem = &problem
		return p.drawImport(w, r, frame.StatusOf(err), v)
	case err != nil:
		return err
	case v.result.OperationID != "":
		return p.Done(w, r, "/operations/"+v.result.OperationID, "The import has begun.")
	}
	return p.drawImport(w, r, http.StatusOK, v)
}

func (p pages) take(r *http.Request, v importView, text io.Reader) (*number.ImportResult, error) {
	lines, err := number.ParseCSV(text)
	if err != nil {
		return nil, err
	}
	got, err := p.Numbers.Import(r.Context(), frame.Actor(r), number.ImportRequest{CustomerID: v.customer.ID, ServiceID: v.form.Get("serviceId"), Lines: lines})
	return &got, err
}

// readUpload answers the file where one was chosen, else what was pasted.
func readUpload(w http.ResponseWriter, r *http.Request, form *frame.Form) (io.Reader, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	err := r.ParseMultipartForm(1 << 20)
	if errors.Is(err, http.ErrNotMultipart) {
		err = r.ParseForm()
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, fault.New(fault.TooLarge, "too-large", "A file has at most 10 MB.").WithRemedy("Split the file.")
	}
	if err != nil {
		return nil, fault.New(fault.Malformed, "unreadable-form", "This form could not be read.").WithRemedy("Go back, reload the page and send it again.").Because(err)
	}
	form.Values = r.PostForm
	if r.MultipartForm == nil || len(r.MultipartForm.File["file"]) == 0 || r.MultipartForm.File["file"][0].Size == 0 {
		return strings.NewReader(form.Get("lines")), nil
	}
	file, err := r.MultipartForm.File["file"][0].Open()
	if err != nil {
		return nil, fault.New(fault.Malformed, "unreadable-file", "The file could not be read.").WithRemedy("Choose it again and send it once more.").Because(err)
	}
	return file, nil
}

// failedLines answers the rejected lines as a file. The page hands them over itself: an import of this size is kept nowhere.
func (p pages) failedLines(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	file, err := listing.Download(w, "failed-lines.csv", "line", "number", "code", "detail")
	if err != nil {
		return nil //nolint:nilerr // the reader left
	}
	defer file.Close()
	all := form.Values
	for i := range all["line"] {
		if i >= len(all["number"]) || i >= len(all["code"]) || i >= len(all["detail"]) {
			return nil
		}
		if file.Line(all["line"][i], all["number"][i], all["code"][i], all["detail"][i]) != nil {
			return nil
		}
	}
	return nil
}

// rejected are the lines that were not taken.
func (v importView) rejected() []number.Outcome {
	var out []number.Outcome
	for _, o := range v.result.Items {
		if o.Outcome == number.Rejected {
			out = append(out, o)
		}
	}
	return out
}

// summary is the outcome in one sentence.
func (v importView) summary() ui.ProblemView {
	r := v.result
	pv := ui.ProblemView{Tone: ui.ToneGood, Happened: fmt.Sprintf("%d added, %d there already, %d rejected.", r.Created, r.Exists, r.Rejected)}
	if r.Rejected > 0 {
		pv.Tone, pv.Means = ui.ToneWarn, "The rejected lines changed nothing; the others are in the inventory."
		pv.Do = "Mend the rejected lines and import the file again: what is there already is left as it is."
	}
	return pv
}

// table is one outcome for each line, what was rejected first.
func (v importView) table() ui.Table {
	t := ui.Table{ID: "outcomes", Caption: "One outcome for each line", ShowTitle: true, Columns: []ui.Column{{Title: "Line"}, {Title: "Number"}, {Title: "Outcome"}, {Title: "Why"}}}
	for _, o := range v.rejected() {
		t.Rows = append(t.Rows, outcomeRow(o))
	}
	for _, o := range v.result.Items {
		if o.Outcome != number.Rejected {
			t.Rows = append(t.Rows, outcomeRow(o))
		}
	}
	return t
}

func outcomeRow(o number.Outcome) ui.Row {
	s := ui.State{Code: o.Outcome, Word: "Rejected", Icon: ui.IconCross, Tone: ui.ToneBad}
	text, why := ui.Cell{Text: o.Number}, ui.Cell{Text: ""}
	switch o.Outcome {
	case number.Created:
		s.Word, s.Icon, s.Tone = "Added", ui.IconCheck, ui.ToneGood
		text.Href = href(o.Number)
	case number.Exists:
		s.Word, s.Icon, s.Tone = "There already", ui.IconMinus, ui.ToneNeutral
		text.Href = href(o.Number)
	}
	if o.Error != nil {
		why.Text = o.Error.Detail
	}
	return ui.Row{Cells: []ui.Cell{{Text: strconv.Itoa(o.Line)}, text, {State: &s}, why}}
}

// serviceOptions are the customer's services; the first is chosen.
func (v importView) serviceOptions() []ui.Option {
	var out []ui.Option
	for _, s := range v.services {
		out = append(out, ui.Option{Value: s.ID, Text: frame.KindWords(s.Kind), Selected: v.form.Get("serviceId") == s.ID})
	}
	return out
}
