package customer

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/capability"
	"tcap.cloud/internal/domain/servicecard"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// card puts a service card into its order (PORTAL.md, "Service card"): do calls work, why not, who must do what, the one
// button; then the facts, then what is folded away.
func (p pages) card(r *http.Request, c servicecard.Card, primary ui.Variant) ui.ServiceCardView {
	v := ui.ServiceCardView{ID: cardID(c.Service.ID), Name: frame.KindWords(c.Service.Kind), State: ui.ServiceState(c.Status), Sentence: c.Sentence}
	if !c.Service.Sync {
		v.State = ui.State{Code: "without-sync", Word: "Without sync", Icon: ui.IconUnlink, Tone: ui.ToneNeutral}
	}
	if c.Cause != nil {
		v.Code, v.CorrelationID = c.Cause.Code, c.Cause.CorrelationID
	}
	v.Facts = append(p.trouble(c), p.facts(r, c)...)
	v.Actions = remedy(r, c, primary)
	v.Footer = p.next(c)
	v.Folds = folds(c)
	return v
}

// trouble says why it is not well, since when, what is affected and who must do what.
func (p pages) trouble(c servicecard.Card) []ui.CardFact {
	var out []ui.CardFact
	if c.Cause != nil {
		out = append(out, ui.CardFact{Label: "Why", Value: c.Cause.Detail})
		if !c.Cause.Since.IsZero() {
			out = append(out, ui.CardFact{Label: "Since", Value: p.Moment(c.Cause.Since)})
		}
	}
	if c.Remedy != nil && c.Remedy.Text != "" {
		label := "Who"
		if c.Remedy.Action == "confirm-tenant" { // its text says what to do; it is for whoever looks
			label = "Do"
		}
		out = append(out, ui.CardFact{Label: label, Value: c.Remedy.Text})
	}
	return out
}

// facts are what is so, each figure leading to what it counts.
func (p pages) facts(r *http.Request, c servicecard.Card) []ui.CardFact {
	var out []ui.CardFact
	add := func(label, value, link string, action templ.Component) {
		out = append(out, ui.CardFact{Label: label, Value: value, Link: link, Action: action})
	}
	base := "/customers/" + c.Customer.ID
	if c.LastSync != nil {
		add("Users", fmt.Sprintf("%d of %d have a number", c.WithNumber, c.Users), base+"/users", nil)
		add("Synced", fmt.Sprintf("%s · %d changed", ui.Ago(c.LastSync.At, p.Now()), c.LastSync.Changed), "", resync(r, c))
	}
	if c.SyncID != "" {
		add("Sync", "Running now", "/operations/"+c.SyncID, nil)
	}
	if c.Tenant != nil {
		add("Tenant", strings.Join(append([]string{c.Tenant.Name}, c.Tenant.Domains...), " · "), "", nil)
	}
	if c.App != nil && c.App.ApplicationID != "" {
		add("App", map[string]string{"hosted": "Hosted by the operator", "custom": "The customer's own"}[c.App.Kind]+" · "+c.App.ApplicationID, "", nil)
	}
	if len(c.Roles) > 0 {
		add("Holds", fmt.Sprintf("%d roles, %d permissions", len(c.Roles), len(c.Permissions)), "/services/"+c.Service.ID+"/granted", nil)
	}
	if c.Activation != nil && c.Tenant != nil {
		add("Domain", ui.ActivationState(c.Activation.State).Word, "", nil)
	}
	return out
}

// resync is offered where a sync could go through and is not running.
func resync(r *http.Request, c servicecard.Card) templ.Component {
	connected := c.Status == "active" || c.Status == "degraded"
	if !frame.Can(r, access.Assign) || !connected || c.SyncID != "" {
		return nil
	}
	return ui.PostButton("/customers/"+c.Customer.ID+"/sync", ui.Btn{Text: "Resync", Small: true, Icon: ui.IconRefresh, Label: "Resync " + c.Customer.Name})
}

// remedy is the one button that mends the state, and what goes with it.
func remedy(r *http.Request, c servicecard.Card, primary ui.Variant) templ.Component {
	var parts []templ.Component
	if frame.Can(r, access.Manage) {
		parts = append(parts, remedyButtons(c, primary)...)
	}
	if c.OperationID != "" {
		parts = append(parts, ui.LinkButton("Watch the connection", "/operations/"+c.OperationID, ui.Secondary))
	}
	if frame.Can(r, access.Manage) {
		parts = append(parts, ui.Button(ui.Btn{Text: "Service settings", Href: "/services/" + c.Service.ID + "/settings",
			Label: "Service settings of " + frame.KindWords(c.Service.Kind)}))
	}
	if len(parts) == 0 {
		return nil
	}
	return ui.Join(parts...)
}

func remedyButtons(c servicecard.Card, primary ui.Variant) []templ.Component {
	if c.Remedy == nil {
		return nil
	}
	base := "/services/" + c.Service.ID
	switch c.Remedy.Action {
	case "grant-access":
		return []templ.Component{
			ui.LinkButton(label(c, "Grant access"), base+"/grant-access", primary),
			ui.LinkButton("Send link", base+"/link", ui.Secondary),
		}
	case "confirm-tenant":
		return []templ.Component{ui.LinkButton(label(c, "Confirm tenant"), "/customers/"+c.Customer.ID+"/confirm-tenant", primary)}
	case string(capability.ActionTurnOnSync):
		return []templ.Component{ui.LinkButton(label(c, "Turn sync on"), base+"/settings", primary)}
	default:
		return nil
	}
}

func label(c servicecard.Card, otherwise string) string {
	if c.Remedy.Label != "" {
		return c.Remedy.Label
	}
	return otherwise
}

// next says when it is looked at again, and how often that failed.
func (p pages) next(c servicecard.Card) string {
	var parts []string
	if !c.NextTry.IsZero() && c.Service.Sync {
		if c.NextTry.After(p.Now()) {
			parts = append(parts, "Next check "+ui.Ago(c.NextTry, p.Now()))
		} else {
			parts = append(parts, "Next check is due")
		}
	}
	if c.Failures > 0 {
		parts = append(parts, fmt.Sprintf("%d failures in a row", c.Failures))
	}
	return strings.Join(parts, " · ")
}

func folds(c servicecard.Card) []ui.Fold {
	out := []ui.Fold{{Title: "What it can do", Body: capabilities(c.Capabilities)}}
	if len(c.Made) > 0 {
		out = append(out, ui.Fold{Title: "What was made in the tenant", Body: made(c.Made)})
	}
	return out
}

// section is one block of the capability table.
type section struct {
	name    string
	answers []capability.Answer
}

func sections(answers []capability.Answer) []section {
	var out []section
	for _, a := range answers {
		if n := len(out); n == 0 || out[n-1].name != string(a.Section) {
			out = append(out, section{name: string(a.Section)})
		}
		out[len(out)-1].answers = append(out[len(out)-1].answers, a)
	}
	return out
}

// answerState says what a service may do in a word.
func answerState(d capability.Decision) ui.State {
	switch {
	case d.Allowed && d.DataOnly:
		return ui.State{Code: "data-only", Word: "Kept here only", Icon: ui.IconClock, Tone: ui.ToneInfo}
	case d.Allowed:
		return ui.State{Code: "allowed", Word: "Yes", Icon: ui.IconCheck, Tone: ui.ToneGood}
	case d.Temporary:
		return ui.State{Code: "waits", Word: "Waits", Icon: ui.IconClock, Tone: ui.ToneWarn}
	default:
		return ui.State{Code: "refused", Word: "No", Icon: ui.IconMinus, Tone: ui.ToneNeutral}
	}
}
