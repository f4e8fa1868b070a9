package operations

import (
	"net/http"
	"strconv"

	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
)

// show is the page of one operation. It can be closed, mailed and opened again.
func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	v.call = p.Call(http.MethodGet, v.base(), "")
	return p.Render(w, r, http.StatusOK, p.page(r, v), showPage(v))
}

// lines is the outcome of each line as a file; with failed=true of those that failed.
func (p pages) lines(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r.Context(), frame.Actor(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	failed, name := r.URL.Query().Get("failed") == "true", "lines.csv"
	if failed {
		name = "failed-lines.csv"
	}
	file, err := listing.Download(w, name, "line", "input", "outcome", "code", "detail")
	if err != nil {
		return nil //nolint:nilerr // the reader left; there is nobody to tell
	}
	defer file.Close()
	for after := 0; ; {
		some, err := p.Operations.Lines(r.Context(), v.op.ID, after, 1000, failed)
		if err != nil {
			// The status is sent already: a file cut short must not look whole.
			p.Log.ErrorContext(r.Context(), "writing the lines of an operation", "operation", v.op.ID, "error", err)
			panic(http.ErrAbortHandler)
		}
		for _, l := range some {
			code, detail := "", ""
			if l.Error != nil {
				code, detail = l.Error.Code, l.Error.Detail
			}
			if file.Line(strconv.Itoa(l.Line), l.Input, l.Outcome, code, detail) != nil {
				return nil
			}
			after = l.Line
		}
		if len(some) < 1000 {
			return nil
		}
	}
}
