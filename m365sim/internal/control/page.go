package control

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

// journalShown is how many of the newest requests the page lists.
const journalShown = 100

// shown is what the page for people shows.
type shown struct {
	Now      time.Time
	Offset   time.Duration
	Tenants  []tenantLine
	Apps     []world.App
	Faults   []faultLine
	Journal  []world.Request
	Actions  []string
	Roles    []string
	Done     string
	Problem  string
	Truncate int
}

// page is the page for people.
func (s *service) page(w http.ResponseWriter, r *http.Request) {
	s.show(w, http.StatusOK, shown{Done: r.FormValue("done")})
}

func (s *service) show(w http.ResponseWriter, status int, v shown) {
	v.Now, v.Offset, v.Truncate = s.world.Now(), s.world.Offset(), journalShown
	v.Tenants, v.Apps, v.Faults = s.tenantLines(), s.world.Apps(), s.faultLines("")
	v.Journal = s.world.Journal.Since(time.Time{}, "")
	v.Journal = v.Journal[max(0, len(v.Journal)-journalShown):]
	slices.Reverse(v.Journal)
	for name := range doers() {
		v.Actions = append(v.Actions, name)
	}
	for name := range roleNames() {
		v.Roles = append(v.Roles, name)
	}
	slices.Sort(v.Actions)
	slices.Sort(v.Roles)
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_ = t.Execute(w, v) // a reader that has gone needs no page
}

func styleSheet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(styleText))
}

// actOnPage is the page's forms: an action in a tenant, the clock, the end or release of a fault.
func (s *service) actOnPage(w http.ResponseWriter, r *http.Request) {
	done, err := s.pressed(r)
	if err != nil {
		s.show(w, http.StatusUnprocessableEntity, shown{Problem: err.Error()})
		return
	}
	http.Redirect(w, r, "/_sim/?done="+template.URLQueryEscaper(done), http.StatusSeeOther)
}

func (s *service) pressed(r *http.Request) (done string, err error) {
	switch r.PostFormValue("do") {
	case "advance":
		d, err := time.ParseDuration(r.PostFormValue("advance"))
		if err != nil || d <= 0 {
			return "", badRequest("A duration like 90m or 24h is asked for.")
		}
		s.world.Advance(d)
		return "The clock went forward by " + d.String() + ".", nil
	case "end-fault":
		_, err := s.world.DeleteFault(r.Context(), r.PostFormValue("fault"))
		return "The fault was ended.", err
	case "release":
		n := s.world.Release(r.PostFormValue("fault"))
		return "Calls let go: " + strconv.Itoa(n) + ".", nil
	}
	return s.pressedAction(r)
}

func (s *service) pressedAction(r *http.Request) (done string, err error) {
	number := r.PostFormValue("number")
	a := action{
		Action: r.PostFormValue("action"), AppID: r.PostFormValue("appId"), UPN: r.PostFormValue("upn"), Role: r.PostFormValue("role"),
		Number: &number, SKU: r.PostFormValue("sku"),
	}
	if text := r.PostFormValue("count"); text != "" {
		if a.Count, err = strconv.Atoi(text); err != nil {
			return "", badRequest("The count is a whole number.")
		}
	}
	n, err := s.perform(r.Context(), r.PostFormValue("tenant"), a)
	return a.Action + ": " + strconv.Itoa(n) + " changed.", err
}
