package numbers

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/e164"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// view is one number as its page draws it.
type view struct {
	number   number.Number
	customer org.Customer // zero for a number of the stock
	life     []number.HistoryLine
	form     frame.Form
	mayWrite bool
	frame    *frame.Frame
}

func (v view) base() string  { return href(v.number.Number) }
func (v view) title() string { return frame.Spell(v.number.Number) }

// load reads a number inside the person's scope; 404 outside it.
func (p pages) load(r *http.Request) (view, error) {
	ctx, who := r.Context(), frame.Actor(r)
	v := view{frame: p.Frame, mayWrite: frame.Can(r, access.Assign)}
	var err error
	if v.number, err = p.Numbers.Number(ctx, who, r.PathValue("e164")); err != nil {
		return v, err
	}
	if v.number.CustomerID != "" {
		if v.customer, err = p.Org.Customer(ctx, who, v.number.CustomerID); err != nil {
			return v, err
		}
	}
	v.life, err = p.Numbers.History(ctx, who, v.number.Number)
	v.form = frame.NewForm("tags", joined(v.number.Tags), "callerId", v.number.CallerID, "version", strconv.FormatInt(v.number.Version, 10))
	return v, err
}

func (p pages) page(r *http.Request, v view) ui.Page {
	if v.customer.ID == "" {
		return p.Page(r, v.title(), ui.SectionNumbers)
	}
	page := p.CustomerPage(r, v.title(), v.customer)
	page.Section = ui.SectionNumbers
	return page
}

// show is the page of one number: how it is, what can be changed, and its life.
func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r)
	if err != nil {
		return err
	}
	return p.Render(w, r, http.StatusOK, p.page(r, v), showPage(v))
}

// edit changes tags and caller ID.
func (p pages) edit(w http.ResponseWriter, r *http.Request) error {
	v, err := p.load(r)
	if err != nil {
		return err
	}
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	all, caller := tags(form.Get("tags")), form.Get("callerId")
	if n, err := e164.ParseLoose(caller, v.number.Country); err == nil {
		caller = string(n)
	}
	version, _ := strconv.ParseInt(form.Get("version"), 10, 64)
	_, err = p.Numbers.Update(r.Context(), frame.Actor(r), v.number.Number, number.Patch{CallerID: &caller, Tags: &all}, version)
	if err != nil {
		if form.Reject(err, "tags", "callerId") {
			form.Values.Set("version", strconv.FormatInt(v.number.Version, 10))
			v.form = form
			return p.Render(w, r, frame.StatusOf(err), p.page(r, v), showPage(v))
		}
		return err
	}
	return p.Done(w, r, v.base(), "The number was changed.")
}

// standing says in words how the number is, and what to do where something is to be done.
func (v view) standing() *ui.ProblemView {
	n := v.number
	switch n.State {
	case number.Foreign:
		return &ui.ProblemView{Tone: ui.ToneWarn, Happened: "The tenant has this number on " + v.holder() + ", who was not given it here.", Means: "It is left alone.",
			Do: "Take it from " + v.holder() + " in Teams admin center; the next sync then shows it as free."}
	case number.Reserved, number.Releasing:
		pv := ui.ProblemView{Tone: ui.ToneInfo, Happened: "It is just being given to " + v.holder() + "."}
		if n.State == number.Releasing {
			pv.Happened = "It is just being taken back from " + v.holder() + "."
		}
		if n.OperationID != "" {
			pv.Actions = ui.LinkButton("Open the operation", "/operations/"+n.OperationID, ui.Secondary)
		} else {
			pv.Tone, pv.Means = ui.ToneWarn, "Microsoft's answer was lost, so what the tenant has is not known."
			pv.Do = "The next sync tells; resync the customer to know at once."
		}
		return &pv
	case number.Quarantined:
		return &ui.ProblemView{Tone: ui.ToneInfo, Happened: "It was released and rests until " + n.QuarantineUntil.UTC().Format("2 Jan 2006") + ".", Means: "After that it is free in the partner's stock."}
	default:
		return nil
	}
}

func (v view) holder() string {
	if v.number.Holder == nil {
		return "somebody"
	}
	return v.number.Holder.Name
}

func (v view) facts() []ui.Pair {
	n := v.number
	pairs := []ui.Pair{{Key: "E.164", Body: ui.CopyValue("the number in E.164", n.Number)}, {Key: "Dialled in the country", Text: strings.ReplaceAll(e164.Number(n.Number).Format(e164.National), " ", "\u00a0")}}
	if n.Holder != nil {
		pairs = append([]ui.Pair{{Key: "Holder", Text: n.Holder.Name, Href: userHref(n)}}, pairs...)
	}
	if v.customer.ID != "" {
		pairs = append(pairs, ui.Pair{Key: "Customer", Text: v.customer.Name, Href: "/customers/" + v.customer.ID})
	} else {
		pairs = append(pairs, ui.Pair{Key: "Customer", Text: "None: it is in the partner's stock"})
	}
	service := ui.Pair{Key: "Service", Text: frame.KindWords(n.NumberType)}
	if n.ServiceID != "" {
		service.Href = "/services/" + n.ServiceID
	}
	pairs = append(pairs, service, ui.Pair{Key: "Type", Text: typeWords(n)})
	for _, p := range []ui.Pair{{Key: "Voice policy", Text: n.VoicePolicy}, {Key: "Usage", Text: n.Usage}, {Key: "Emergency location", Text: n.LocationID}} {
		if p.Text != "" {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// body is what the API call of the page sends.
func (v view) body() string {
	raw, err := json.Marshal(map[string]any{"tags": v.number.Tags, "callerId": v.number.CallerID})
	if err != nil {
		return "{}"
	}
	return string(raw)
}
