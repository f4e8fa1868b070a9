// Package home is the start page: who needs somebody to act, the figures, and what happened last.
package home

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/overview"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/engine/operation"
)

type pages struct{ *frame.Frame }

// maxNeeds is how many customers are told one by one; the rest is a link to the list.
const maxNeeds = 12

// Register adds the start page.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/", p.show)
}

// need is one line of what needs somebody: who, what, since when, why, and the button.
type need struct {
	customer org.Customer
	state    ui.State
	sentence string
	since    time.Time
	why      string
	action   templ.Component
}

// view is what the start page draws.
type view struct {
	needs   []need
	more    int // needs that are not told one by one
	calm    string
	figures []ui.Stat // of customers
	numbers []ui.Stat // of numbers and of work
	failed  []operation.Row
	history []ui.Event
	cut     bool
	frame   *frame.Frame
}

func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	who := frame.Actor(r)
	if access.Can(who, access.Read) != nil {
		return frame.Redirect(w, r, "/settings")
	}
	if who.Scope.Level == access.Customer {
		return frame.Redirect(w, r, "/customers/"+who.Scope.CustomerID)
	}
	lines, cut, err := overview.Walk(r.Context(), p.Frame, who, org.CustomerQuery{Sort: "name"}, func(overview.Line) bool { return true })
	if err != nil {
		return err
	}
	v := view{frame: p.Frame, cut: cut, calm: p.calm(lines)}
	if err := p.needs(r, who, lines, &v); err != nil {
		return err
	}
	v.figures = figures(lines)
	if v.numbers, err = p.numbers(r.Context(), who); err != nil {
		return err
	}
	if v.failed, err = p.Operations.List(r.Context(), who.Scope, operation.Query{State: operation.Failed, Limit: 5}); err != nil {
		return err
	}
	for i := range v.failed {
		v.failed[i].Title = frame.Spell(v.failed[i].Title)
	}
	v.failed = slices.DeleteFunc(v.failed, func(o operation.Row) bool { return p.Now().Sub(o.FinishedAt) > 24*time.Hour })
	if v.history, err = overview.History(r.Context(), p.Frame, who, audit.Query{}); err != nil {
		return err
	}
	return p.Render(w, r, http.StatusOK, p.Page(r, "Home", ui.SectionHome), homePage(v))
}

// well says whether a customer needs nobody.
func well(status string) bool {
	return status == "active" || status == overview.WithoutSync || status == "disconnected"
}

// needs tells the worst first: by state, then by how long it lasts.
func (p pages) needs(r *http.Request, who access.Actor, lines []overview.Line, v *view) error {
	bad := slices.DeleteFunc(slices.Clone(lines), func(l overview.Line) bool { return well(l.Status) })
	slices.SortStableFunc(bad, func(a, b overview.Line) int {
		if d := overview.Rank(a.Status) - overview.Rank(b.Status); d != 0 {
			return d
		}
		return since(a).Compare(since(b))
	})
	v.more = max(0, len(bad)-maxNeeds)
	for _, l := range bad[:min(len(bad), maxNeeds)] {
		n, err := p.need(r, who, l)
		if err != nil {
			return err
		}
		v.needs = append(v.needs, n)
	}
	return nil
}

func since(l overview.Line) time.Time {
	if l.Pairing.Cause != nil {
		return l.Pairing.Cause.Since
	}
	return l.Customer.CreatedAt
}

// need tells one customer by the card of the service that is worst off.
func (p pages) need(r *http.Request, who access.Actor, l overview.Line) (need, error) {
	n := need{customer: l.Customer, state: overview.State(l.Status), since: since(l), sentence: "It has no service yet."}
	may := frame.Can(r, access.Manage)
	if l.Status == overview.NoService {
		if may {
			n.action = small("Add service", "/customers/"+l.Customer.ID+"/services/new", l.Customer.Name)
		}
		return n, nil
	}
	for _, s := range l.Services {
		if !s.Sync {
			continue
		}
		card, err := p.Cards.Card(r.Context(), who, s.ID)
		if err != nil {
			return n, err
		}
		n.sentence = card.Sentence
		if card.Cause != nil {
			n.why = card.Cause.Detail
		}
		n.action = action(may, card.OperationID, l, s)
		break
	}
	return n, nil
}

// action is the one button of a line.
func action(may bool, operationID string, l overview.Line, s org.Service) templ.Component {
	switch {
	case may && l.Pairing.Candidate != "":
		return small("Confirm tenant", "/customers/"+l.Customer.ID+"/confirm-tenant", l.Customer.Name)
	case operationID != "":
		return small("Watch", "/operations/"+operationID, l.Customer.Name)
	case may:
		return small("Send link", "/services/"+s.ID+"/link", l.Customer.Name)
	default:
		return small("Open", "/customers/"+l.Customer.ID, l.Customer.Name)
	}
}

func small(text, href, name string) templ.Component {
	return ui.Button(ui.Btn{Text: text, Href: href, Small: true, Label: text + ": " + name})
}

// calm is what stands where nobody is needed (PORTAL.md, "Home").
func (p pages) calm(lines []overview.Line) string {
	last := time.Time{}
	for _, l := range lines {
		if l.Pairing.LastCheckAt.After(last) {
			last = l.Pairing.LastCheckAt
		}
	}
	text := fmt.Sprintf("All %d customers are well.", len(lines))
	switch {
	case len(lines) == 0:
		return "There are no customers yet."
	case len(lines) == 1:
		text = "The one customer is well."
	}
	if !last.IsZero() {
		text += " Last checked " + ui.Ago(last, p.Now()) + "."
	}
	return text
}

// figures count the customers by state; each opens what it counts.
func figures(lines []overview.Line) []ui.Stat {
	byStatus := map[string]int{}
	for _, l := range lines {
		byStatus[l.Status]++
	}
	out := []ui.Stat{{Label: "All", Value: strconv.Itoa(len(lines)), Href: "/customers", Icon: ui.IconBuilding}}
	for _, s := range overview.Statuses() {
		if byStatus[s] > 0 {
			state := overview.State(s)
			out = append(out, ui.Stat{Label: state.Word, Value: strconv.Itoa(byStatus[s]), Href: "/customers?status=" + s, Icon: state.Icon, Tone: state.Tone})
		}
	}
	return out
}

// numbers are the figures of numbers, and of the work that runs.
func (p pages) numbers(ctx context.Context, who access.Actor) ([]ui.Stat, error) {
	var out []ui.Stat
	numbers, err := p.Numbers.Counts(ctx, who, number.Query{})
	if err != nil {
		return nil, err
	}
	for _, s := range []number.State{number.Free, number.Assigned, number.Quarantined} {
		state := ui.NumberState(string(s))
		out = append(out, ui.Stat{Label: state.Word, Value: strconv.Itoa(numbers[s]), Href: "/numbers?state=" + string(s), Icon: ui.IconHash})
	}
	running, err := p.Operations.Count(ctx, who.Scope, operation.Query{Unfinished: true})
	if err != nil {
		return nil, err
	}
	return append(out, ui.Stat{Label: "Work running", Value: strconv.Itoa(running), Href: "/operations?unfinished=true", Icon: ui.IconActivity}), nil
}
