// Package operations is the pages of long work: what runs, what it waits for, what it changed, and what failed.
package operations

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/door/portal/diff"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
)

type pages struct{ *frame.Frame }

// Register adds the pages and forms of operations.
func Register(f *frame.Frame) {
	p := pages{f}
	f.Get("/operations", p.list)
	f.Get("/operations/{id}", p.show)
	f.Get("/operations/{id}/events", p.events)
	f.Get("/operations/{id}/lines.csv", p.lines)
	f.Get("/operations/{id}/cancel", p.askCancel)
	f.Post("/operations/{id}/cancel", p.act("cancel", "The operation is being cancelled."))
	f.Post("/operations/{id}/retry", p.act("retry", "It is tried again now."))
	f.Post("/operations/{id}/check-now", p.act("check-now", "It is looked at now."))
	f.Post("/operations/{id}/sign-in", p.signIn)
	f.Get("/operations/{id}/confirm", p.askConfirm)
	f.Post("/operations/{id}/confirm", p.confirm)
}

// maxShown is how many failed lines a page shows; the file has all.
const maxShown = 100

// view is one operation as its page draws it.
type view struct {
	op       operation.Row
	customer org.Customer
	steps    []operation.Step
	records  []plan.Record
	failed   []operation.Line
	history  []audit.Entry
	people   frame.Names
	now      time.Time
	act      bool // the person may cancel, retry and check
	manage   bool // the person may sign in and confirm
	live     bool
	call     templ.Component
}

// load reads an operation inside the person's scope; 404 outside it.
func (p pages) load(ctx context.Context, who access.Actor, id string) (view, error) {
	v := view{now: p.Now()}
	err := access.Can(who, access.Read)
	if err != nil {
		return v, err
	}
	if v.op, err = p.Operations.Get(ctx, who.Scope, id); err != nil {
		return v, err
	}
	if v.op.CustomerID != "" {
		if v.customer, err = p.Org.Customer(ctx, who, v.op.CustomerID); err != nil {
			return v, err
		}
	}
	if v.steps, err = p.Operations.Steps(ctx, id); err != nil {
		return v, err
	}
	if v.records, err = p.Plans.Records(ctx, id); err != nil {
		return v, err
	}
	if v.failed, err = p.Operations.Lines(ctx, id, 0, maxShown, true); err != nil {
		return v, err
	}
	v.history, err = audit.List(ctx, p.DB.R, audit.Query{Scope: who.Scope, OperationID: id, Limit: 50})
	v.people = p.people(ctx, who, v)
	v.op = spelled(v.op)
	v.act = access.Can(who, access.Assign) == nil
	v.manage = access.Can(who, access.Manage) == nil
	v.live = p.Hub != nil && !v.op.State.Final()
	return v, err
}

// people are the names of those whom the changes and the history are about.
func (p pages) people(ctx context.Context, who access.Actor, v view) frame.Names {
	if v.op.CustomerID == "" {
		return nil
	}
	var targets [][2]string
	for _, r := range v.records {
		targets = append(targets, [2]string{r.Kind, r.Key})
	}
	for _, e := range v.history {
		targets = append(targets, [2]string{e.TargetKind, e.TargetID})
	}
	return p.PeopleAt(ctx, who, v.op.CustomerID, targets)
}

// spelled is an operation whose words spell numbers as pages do.
func spelled(o operation.Row) operation.Row {
	o.Title, o.DueWhy = frame.Spell(o.Title), frame.Spell(o.DueWhy)
	if o.Error != nil {
		said := *o.Error
		said.Detail = frame.Spell(said.Detail)
		o.Error = &said
	}
	return o
}

// changesTitle stands above the changes: they are made, or they were.
func (v view) changesTitle() string {
	if v.op.State.Final() {
		return "What was changed in the tenant"
	}
	return "What is changed in the tenant"
}

// page is the frame of one operation's page.
func (p pages) page(r *http.Request, v view) ui.Page {
	if v.customer.ID == "" {
		return p.Page(r, v.op.Title, ui.SectionActivity)
	}
	return p.CustomerPage(r, v.op.Title, v.customer)
}

func (v view) base() string { return "/operations/" + v.op.ID }

// progress is how far it is, in words and as a bar.
func (v view) progress() ui.ProgressView {
	pv := ui.ProgressView{Label: ui.OperationState(string(v.op.State)).Word, Done: v.op.Done, Total: v.op.Total}
	if v.op.State == operation.Succeeded && pv.Total > 0 {
		pv.Label = "Done"
	}
	if n := v.op.FailedLines; n > 0 {
		pv.Note = fmt.Sprintf("%d of them failed.", n)
	}
	return pv
}

// showsBar says whether a bar tells anything: a total is known, or something runs.
func (v view) showsBar() bool { return v.op.Total > 0 || v.op.State == operation.Running }

// waits says what is waited for, and when it is looked at again.
func (v view) waits() ui.ProblemView {
	pv := ui.ProblemView{Tone: ui.ToneInfo, Happened: waitWords(v.op.WaitingFor), Means: v.op.DueWhy}
	if v.op.WaitingFor == operation.ForSignIn || v.op.WaitingFor == operation.ForConfirmation || v.op.WaitingFor == operation.ForPerson {
		pv.Tone = ui.ToneWarn
	}
	if !v.op.DueAt.IsZero() {
		pv.Do = "Looked at again " + due(v.op.DueAt, v.now) + "."
		if v.op.Attempts > 1 {
			pv.Do = fmt.Sprintf("Tried %d times. %s", v.op.Attempts, pv.Do)
		}
	}
	pv.Actions = v.remedies()
	return pv
}

func due(at, now time.Time) string {
	if !at.After(now) {
		return "now"
	}
	return ui.Ago(at, now)
}

func waitWords(w operation.WaitingFor) string {
	switch w {
	case operation.ForSignIn:
		return "Waits for an administrator of the customer to sign in."
	case operation.ForMicrosoft:
		return "Waits for Microsoft."
	case operation.ForConfirmation:
		return "Waits for somebody to confirm."
	case operation.ForPerson:
		return "Waits for a person."
	case operation.ForRetry:
		return "Will be tried again."
	default:
		return "Waits until it is due."
	}
}

// remedies are the buttons for what it waits for.
func (v view) remedies() templ.Component {
	var parts []templ.Component
	switch {
	case v.op.WaitingFor == operation.ForSignIn && v.manage:
		parts = append(parts, ui.PostButton(v.base()+"/sign-in", ui.Btn{Text: "Administrator signs in", Variant: ui.Primary, Icon: ui.IconKey}))
	case v.op.WaitingFor == operation.ForConfirmation && v.op.Kind == directory.KindSync && v.manage:
		parts = append(parts, ui.LinkButton("Confirm removal", v.base()+"/confirm", ui.Primary))
	case v.op.WaitingFor == operation.ForConfirmation && v.op.Kind == pairing.KindPair && v.manage:
		parts = append(parts, ui.LinkButton("Confirm tenant", "/customers/"+v.op.CustomerID+"/confirm-tenant", ui.Primary))
	}
	switch {
	case !v.act:
	case v.op.WaitingFor == operation.ForRetry:
		parts = append(parts, ui.PostButton(v.base()+"/retry", ui.Btn{Text: "Retry", Icon: ui.IconRefresh}))
	default:
		parts = append(parts, ui.PostButton(v.base()+"/check-now", ui.Btn{Text: "Check now", Icon: ui.IconRefresh}))
	}
	if len(parts) == 0 {
		return nil
	}
	return ui.Join(parts...)
}

// problem is why it failed.
func (v view) problem() ui.ProblemView {
	pv := ui.ProblemView{Happened: "It failed.", CorrelationID: v.op.CorrelationID}
	if e := v.op.Error; e != nil {
		pv.Happened, pv.Code = e.Detail, e.Code
		if e.Remedy != nil {
			pv.Do = e.Remedy.Text
		}
	}
	pv.Means = reached(v.records)
	if name := v.gone(); name != "" {
		pv.Happened = name + " is no longer in the tenant."
		pv.Do = "Resync " + v.customer.Name + ", then choose somebody else."
		if v.act {
			pv.Actions = ui.Join(ui.PostButton("/customers/"+v.customer.ID+"/sync", ui.Btn{Text: "Resync", Icon: ui.IconRefresh}),
				ui.LinkButton("Open the users", "/customers/"+v.customer.ID+"/users", ui.Secondary))
		}
	}
	return pv
}

// gone is the person whom the tenant no longer knows, where that is why giving or taking a number failed. Teams answers 404
// for a user who is not there (facts/teams-admin.md A0).
func (v view) gone() string {
	ours := v.op.Kind == number.AssignKind || v.op.Kind == number.UnassignKind
	if !ours || v.customer.ID == "" || v.op.Error == nil || v.op.Error.Code != "not-found" {
		return ""
	}
	for _, name := range v.people {
		if name != "" && strings.Contains(v.op.Title, name) {
			return name
		}
	}
	return "The person"
}

// reached says exactly what of a failed operation is in the tenant.
func reached(records []plan.Record) string {
	done, open := 0, 0
	for _, r := range records {
		switch r.State {
		case plan.Verified:
			done++
		case plan.Sent, plan.Unknown, plan.Applied:
			open++
		}
	}
	switch {
	case open > 0:
		return fmt.Sprintf("Of %d changes %d are done and the outcome of %d is not known; the next sync tells.", len(records), done, open)
	case done > 0:
		return fmt.Sprintf("Of %d changes %d are done; the rest was not made.", len(records), done)
	case len(records) > 0:
		return "Nothing was changed in the tenant."
	default:
		return ""
	}
}

func (v view) stepList() []ui.Step {
	out := make([]ui.Step, 0, len(v.steps))
	for _, s := range v.steps {
		step := ui.Step{Name: s.Name, State: ui.OperationState(s.State), Detail: s.Detail}
		switch {
		case s.StartedAt.IsZero():
		case s.FinishedAt.IsZero():
			step.Took = v.now.Sub(s.StartedAt)
		default:
			step.Took = max(s.FinishedAt.Sub(s.StartedAt), time.Millisecond)
		}
		out = append(out, step)
	}
	return out
}

func (v view) facts() []ui.Pair {
	pairs := []ui.Pair{{Key: "Kind", Text: KindWords(v.op.Kind), Href: "/operations?kind=" + v.op.Kind}}
	if v.customer.ID != "" {
		pairs = append(pairs, ui.Pair{Key: "Customer", Text: v.customer.Name, Href: "/customers/" + v.customer.ID})
	}
	pairs = append(pairs, ui.Pair{Key: "Asked for by", Text: v.op.Actor}, ui.Pair{Key: "Begun", Body: ui.Time(v.op.CreatedAt, v.now)})
	if !v.op.FinishedAt.IsZero() {
		pairs = append(pairs, ui.Pair{Key: "Ended", Body: ui.Time(v.op.FinishedAt, v.now)},
			ui.Pair{Key: "Took", Text: ui.Took(max(v.op.FinishedAt.Sub(v.op.CreatedAt), time.Millisecond))})
	}
	for _, l := range diff.Lines(nil, v.op.Result) {
		pairs = append(pairs, ui.Pair{Key: l.Key, Text: l.After})
	}
	if v.op.UndoOf != "" {
		pairs = append(pairs, ui.Pair{Key: "Undoes", Text: "An earlier operation", Href: "/operations/" + v.op.UndoOf})
	}
	return pairs
}

func (v view) state() *ui.State {
	s := ui.OperationState(string(v.op.State))
	if v.op.CancelAsked && !v.op.State.Final() {
		s = ui.State{Code: string(v.op.State), Word: "Being cancelled", Icon: ui.IconSpinner, Tone: ui.ToneWarn}
	}
	return &s
}

// KindWords says a kind of operation in words.
func KindWords(kind string) string {
	switch kind {
	case directory.KindSync:
		return "Sync"
	case pairing.KindPair:
		return "Connect a tenant"
	case number.AssignKind:
		return "Assign a number"
	case number.UnassignKind:
		return "Take a number back"
	case number.ImportKind:
		return "Import numbers"
	default:
		return diff.Words(kind)
	}
}

// kinds are what the list can be narrowed to.
func kinds() []string {
	return []string{number.AssignKind, number.UnassignKind, number.ImportKind, directory.KindSync, pairing.KindPair}
}
