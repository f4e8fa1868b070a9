package users

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/diff"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/operation"
)

// freeShown is how many free numbers the field offers.
const freeShown = 100

// view is one user as his page draws him.
type view struct {
	person
	held     *number.Number // of the inventory
	running  *operation.Row // what changes his number just now
	free     []number.Number
	policies []string
	services []org.Service
	history  []ui.Event
	form     frame.Form
	mayWrite bool
	frame    *frame.Frame
}

// show is the page of one user.
func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r)
	if err != nil {
		return err
	}
	return p.Render(w, r, http.StatusOK, p.page(r, v.person), showPage(v))
}

// load reads what the page needs.
func (p pages) load(r *http.Request) (view, error) {
	ctx, who := r.Context(), frame.Actor(r)
	v := view{mayWrite: frame.Can(r, access.Assign), frame: p.Frame}
	var err error
	if v.person, err = p.find(ctx, who, r.PathValue("id"), r.PathValue("uid")); err != nil {
		return v, err
	}
	if err := p.loadNumber(ctx, who, &v); err != nil {
		return v, err
	}
	free, err := p.Numbers.Numbers(ctx, who, number.Query{CustomerID: v.customer.ID, State: number.Free, Limit: freeShown})
	if err != nil {
		return v, err
	}
	for _, n := range free.Items {
		if n.ServiceID != "" { // without a service it cannot be given to anybody
			v.free = append(v.free, n)
		}
	}
	if v.policies, err = p.Directory.Policies(ctx, who, v.customer.ID, kind.VoiceRoutingPolicy); err != nil {
		return v, err
	}
	if v.services, err = p.Org.Services(ctx, who, v.customer.ID); err != nil {
		return v, err
	}
	if v.history, err = p.story(ctx, who, v.person, v.held); err != nil {
		return v, err
	}
	v.form = frame.NewForm()
	switch { // who only wants another policy must not swap the number by the way
	case v.held != nil:
		v.form.Values.Set("number", offered(*v.held))
	case len(v.free) > 0:
		v.form.Values.Set("number", offered(v.free[0]))
	}
	return v, nil
}

// loadNumber finds his number in the inventory, and the operation that has it in hand.
func (p pages) loadNumber(ctx context.Context, who access.Actor, v *view) error {
	if v.user.Number != "" {
		n, err := p.Numbers.Number(ctx, who, plain(v.user.Number))
		switch {
		case err == nil:
			v.held = &n
		case fault.KindOf(err) != fault.NotFound:
			return err
		}
	}
	for _, k := range []string{number.AssignKind, number.UnassignKind} {
		rows, err := p.Operations.List(ctx, who.Scope, operation.Query{CustomerID: v.customer.ID, Kind: k, Unfinished: true, Limit: 200})
		if err != nil {
			return err
		}
		for _, o := range rows {
			if strings.HasSuffix(o.Subject, ":"+v.user.ID) {
				v.running = &o
				return nil
			}
		}
	}
	return nil
}

// historyShown is how much of a user's history his page shows.
const historyShown = 25

// story is what was done to this user, newest first: the audit of him, of his number and of his policies, and what happened to
// the number that he has now.
func (p pages) story(ctx context.Context, who access.Actor, at person, held *number.Number) ([]ui.Event, error) {
	var all []ui.Event
	for _, q := range []audit.Query{{TargetKind: "user", TargetID: at.user.ID}, {TargetKind: "user-number", TargetID: at.user.ID},
		{TargetKind: "policy-grant", TargetID: at.user.ID + "|" + kind.VoiceRoutingPolicy}, {TargetKind: "policy-grant", TargetID: at.user.ID + "|" + kind.DialPlan}} {
		q.Scope, q.CustomerID, q.Limit = who.Scope, at.customer.ID, historyShown
		entries, err := audit.List(ctx, p.DB.R, q)
		if err != nil {
			return nil, err
		}
		all = append(all, diff.Events(entries, nil)...)
	}
	if held != nil {
		life, err := p.Numbers.History(ctx, who, held.Number)
		if err != nil {
			return nil, err
		}
		life = slices.DeleteFunc(life, func(l number.HistoryLine) bool { return l.Holder == nil || l.Holder.ID != at.user.ID })
		all = append(all, diff.Life(life)...)
	}
	slices.SortStableFunc(all, func(a, b ui.Event) int { return b.At.Compare(a.At) })
	return all[:min(historyShown, len(all))], nil
}

// number is the number as it stands on the page.
func (v view) number() ui.Pair {
	if v.user.Number == "" {
		return ui.Pair{Key: "Number", Text: "none"}
	}
	text := frame.Spell(plain(v.user.Number))
	if ext := extension(v.user.Number); ext != "" {
		text += ", " + ext
	}
	pair := ui.Pair{Key: "Number", Text: text}
	if v.held != nil {
		pair.Href = numberHref(v.user.Number)
	}
	return pair
}

func (v view) facts() []ui.Pair {
	u := v.user
	licences := strings.Join(u.Licences, ", ")
	if licences == "" {
		licences = "none"
	}
	calls := "yes"
	if !u.CanCallOut {
		calls = "no: " + u.WhyNot
	}
	enabled := "yes"
	if !u.Enabled {
		enabled = "no"
	}
	return []ui.Pair{v.number(), {Key: "Can call out", Text: calls}, {Key: "Voice policy", Text: orGlobal(u.VoicePolicy)}, {Key: "Dial plan", Text: orGlobal(u.DialPlan)},
		{Key: "Licences", Text: licences}, {Key: "Usage location", Text: orNone(u.UsageLocation)}, {Key: "Sign-in allowed", Text: enabled},
		{Key: "Managed by TCAP", Body: v.managed()}, {Key: "Seen", Body: ui.Time(u.UpdatedAt, v.frame.Now())}}
}

// managed is the switch of this page.
func (v view) managed() templ.Component { return managedSwitch(v.person, v.mayWrite, v.base()) }

// standing is what stands on top: what is under way, or why he cannot have a number, and what to do.
func (v view) standing() *ui.ProblemView {
	u := v.user
	switch {
	case v.running != nil:
		return &ui.ProblemView{Tone: ui.ToneInfo, Happened: frame.Spell(v.running.Title) + ".", Means: "It is under way.", Actions: ui.LinkButton("Open the operation", "/operations/"+v.running.ID, ui.Secondary)}
	case !u.Licensed:
		return &ui.ProblemView{Tone: ui.ToneWarn, Happened: name(u) + " cannot have a number: " + strings.TrimSuffix(u.Reason, ".") + ".",
			Do: "Mend it in the Microsoft 365 admin center; the next sync sees it."}
	case u.Number != "" && v.held == nil:
		return &ui.ProblemView{Tone: ui.ToneInfo, Happened: frame.Spell(plain(u.Number)) + " was not assigned here, and is not in this inventory.", Means: "It is left alone.",
			Do: "To give another number, take this one away in Teams admin center first."}
	case v.held != nil && v.held.State == number.Foreign:
		return &ui.ProblemView{Tone: ui.ToneInfo, Happened: frame.Spell(plain(u.Number)) + " was not assigned here.", Means: "It is left alone.",
			Do: "To give another number, take this one away in Teams admin center first."}
	case u.Number != "" && !u.CanCallOut:
		return &ui.ProblemView{Tone: ui.ToneWarn, Happened: name(u) + " cannot call out: " + strings.TrimSuffix(u.WhyNot, ".") + ".",
			Do: "Give " + name(u) + " a voice routing policy that has a PSTN usage; the number stays."}
	default:
		return nil
	}
}

// assignable says whether the form is of use now.
func (v view) assignable() bool {
	foreign := v.user.Number != "" && (v.held == nil || v.held.State == number.Foreign)
	return v.mayWrite && v.user.Licensed && v.running == nil && !foreign
}

// takeable says whether his number can be taken back now.
func (v view) takeable() bool {
	return v.mayWrite && v.running == nil && v.held != nil && v.held.State == number.Assigned
}

// policyOptions are what the voice policy can be. The first is what the service says.
func (v view) policyOptions() []ui.Option {
	standard := "Leave as it is"
	if d := v.serviceDefault(); d != "" {
		standard = "Service default (" + d + ")"
	}
	now := v.form.Get("voicePolicy")
	out := []ui.Option{{Value: "", Text: standard}, {Value: noPolicy, Text: "None of his own: Global applies", Selected: now == noPolicy}}
	for _, name := range v.policies {
		out = append(out, ui.Option{Value: named + name, Text: name, Selected: now == named+name})
	}
	return out
}

func (v view) serviceDefault() string {
	for _, s := range v.services {
		if len(v.free) > 0 && s.ID == v.free[0].ServiceID {
			return s.VoicePolicy
		}
	}
	return ""
}

// freeWords says how many free numbers there are to choose from.
func (v view) freeWords() string {
	switch n := len(v.free); {
	case v.held != nil && n == 0:
		return "The number held now. No other is free."
	case v.held != nil:
		return "The number held now. Free ones are offered when it is cleared."
	case n == 1:
		return "One free number."
	case n >= freeShown:
		return "The next " + strconv.Itoa(n) + " free numbers are offered; any other free one can be typed."
	default:
		return strconv.Itoa(n) + " free numbers are offered, the lowest first."
	}
}
