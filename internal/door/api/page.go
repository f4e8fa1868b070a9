package api

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"tcap.cloud/internal/door/web"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle []byte

// group is the routes of one noun.
type group struct {
	Tag    string
	Routes []Route
}

// page shows the routes to people; machines read the document.
func (a *api) page(w http.ResponseWriter, r *http.Request) {
	t, err := template.New("docs").Parse(pageText)
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	var b bytes.Buffer
	if err := t.Execute(&b, struct {
		Base   string
		Groups []group
	}{base, groups(a.list)}); err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // the client has gone; nobody is left to tell
}

// groups keeps the order of registration.
func groups(routes []Route) []group {
	var out []group
	at := map[string]int{}
	for _, r := range routes {
		i, known := at[r.Tag]
		if !known {
			i = len(out)
			at[r.Tag] = i
			out = append(out, group{Tag: r.Tag})
		}
		out[i].Routes = append(out[i].Routes, r)
	}
	return out
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(pageStyle)
}
