package frame

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/portal/ui"
)

// maxForm is how much a form may hold, in bytes; files are read by those who ask for them.
const maxForm = 1 << 20

// Form is what a person typed, with what is wrong about it, so that the same form can be drawn again. Controls are named as
// the rooms name their fields (tenantId, brand.accent), so that a refusal finds its control.
type Form struct {
	Values  url.Values
	Errors  map[string]string
	Problem *ui.ProblemView
}

// NewForm is a form that begins with these values: pairs of name and value.
func NewForm(pairs ...string) Form {
	f := Form{Values: url.Values{}, Errors: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// ReadForm reads what was posted: 413 or 400 where it cannot be.
func ReadForm(w http.ResponseWriter, r *http.Request) (Form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return Form{}, fault.New(fault.Malformed, "unreadable-form", "This form could not be read.").
			WithRemedy("Go back, reload the page and send it again.").Because(err)
	}
	return Form{Values: r.PostForm, Errors: map[string]string{}}, nil
}

// Get answers a value without the spaces around it.
func (f Form) Get(name string) string { return strings.TrimSpace(f.Values.Get(name)) }

// On says whether a check box was ticked.
func (f Form) On(name string) bool { return f.Values.Get(name) != "" }

// Optional answers nil for a control that the form did not have, else its value.
func (f Form) Optional(name string) *string {
	if !f.Values.Has(name) {
		return nil
	}
	v := f.Get(name)
	return &v
}

// Field is a control that shows what was typed, and what is wrong with it.
func (f Form) Field(name, label, hint string) ui.Field {
	return ui.Field{Name: name, Label: label, Hint: hint, Value: f.Values.Get(name), Error: f.Errors[name], ID: "f-" + strings.ReplaceAll(name, ".", "-")}
}

// Needed is Field for what must be given.
func (f Form) Needed(name, label, hint string) ui.Field {
	field := f.Field(name, label, hint)
	field.Required = true
	return field
}

// Reject notes what a room refused: at its fields where it names some that the form has, above the form otherwise. It
// answers false for an error that no change of the form can mend.
func (f *Form) Reject(err error, controls ...string) bool {
	if !Again(err) {
		return false
	}
	f.Errors = map[string]string{}
	rest := true
	for path, text := range FieldErrors(err) {
		for _, c := range controls {
			if c == path {
				f.Errors[c], rest = text, false
			}
		}
	}
	if rest {
		p := ProblemOf(err)
		f.Problem = &p
	}
	return true
}

// Mark notes a message at a control of the form.
func (f *Form) Mark(name, text string) { f.Errors[name] = text }

// Above is what stands above a form that was refused; nothing otherwise.
func (f Form) Above() templ.Component {
	if f.Problem == nil {
		return templ.NopComponent
	}
	return ui.Problem(*f.Problem)
}
