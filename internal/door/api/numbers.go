package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/number"
)

type numberWire struct {
	Number          string      `json:"number"`
	PartnerID       string      `json:"partnerId"`
	CustomerID      *string     `json:"customerId" doc:"null: in the partner's stock"`
	ServiceID       *string     `json:"serviceId"`
	NumberType      string      `json:"numberType" enum:"direct-routing,operator-connect"`
	State           string      `json:"state" enum:"free,reserved,assigned,releasing,quarantined,foreign"`
	Country         *string     `json:"country"`
	Type            string      `json:"type" doc:"fixed, mobile, toll-free, …"`
	Holder          *holderWire `json:"holder"`
	OperationID     *string     `json:"operationId" doc:"The unfinished one that has the number in hand"`
	VoicePolicy     *string     `json:"voicePolicy"`
	CallerID        *string     `json:"callerId"`
	Usage           *string     `json:"usage"`
	TrunkID         *string     `json:"trunkId"`
	LocationID      *string     `json:"locationId"`
	Tags            []string    `json:"tags"`
	QuarantineUntil *time.Time  `json:"quarantineUntil"`
	CreatedAt       time.Time   `json:"createdAt"`
	UpdatedAt       time.Time   `json:"updatedAt"`
	Version         int64       `json:"version"`
}

type holderWire struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

func wireHolder(h *number.Holder) *holderWire {
	if h == nil {
		return nil
	}
	return &holderWire{Kind: h.Kind, ID: h.ID, Name: h.Name}
}

func wireNumber(n number.Number) numberWire {
	return numberWire{Number: n.Number, PartnerID: n.PartnerID, CustomerID: orNull(n.CustomerID), ServiceID: orNull(n.ServiceID), NumberType: n.NumberType,
		State: string(n.State), Country: orNull(n.Country), Type: n.Type, Holder: wireHolder(n.Holder), OperationID: orNull(n.OperationID),
		VoicePolicy: orNull(n.VoicePolicy), CallerID: orNull(n.CallerID), Usage: orNull(n.Usage), TrunkID: orNull(n.TrunkID), LocationID: orNull(n.LocationID),
		Tags: orEmpty(n.Tags), QuarantineUntil: when(n.QuarantineUntil), CreatedAt: n.CreatedAt.UTC(), UpdatedAt: n.UpdatedAt.UTC(), Version: n.Version}
}

type eventWire struct {
	At          time.Time   `json:"at"`
	Event       string      `json:"event"`
	From        *string     `json:"from" doc:"The state before"`
	To          string      `json:"to" doc:"The state after"`
	CustomerID  *string     `json:"customerId"`
	Holder      *holderWire `json:"holder"`
	OperationID *string     `json:"operationId" doc:"The one that did it"`
	Actor       string      `json:"actor"`
	Detail      *string     `json:"detail"`
}

func wireEvent(l number.HistoryLine) eventWire {
	return eventWire{At: l.At.UTC(), Event: string(l.Event), From: orNull(string(l.From)), To: string(l.To), CustomerID: orNull(l.CustomerID),
		Holder: wireHolder(l.Holder), OperationID: orNull(l.OperationID), Actor: l.Actor, Detail: orNull(l.Detail)}
}

type listNumbers struct {
	Paging
	PartnerID  string `query:"partnerId"`
	CustomerID string `query:"customerId"`
	ServiceID  string `query:"serviceId"`
	State      string `query:"state" enum:"free,reserved,assigned,releasing,quarantined,foreign"`
	NumberType string `query:"numberType" enum:"direct-routing,operator-connect"`
	Search     string `query:"search" doc:"Any part of the number, of the holder's name or of a tag"`
	Sort       string `query:"sort" enum:"number,-number,state,-state,holder,-holder" doc:"Default: number"`
}

// e164 is the path of one number. Both %2B61… and +61… are the same there.
type e164 string

// known refuses what is no number in E.164 as what does not exist.
func (n e164) known() (string, error) {
	digits, ok := strings.CutPrefix(string(n), "+")
	if !ok || digits == "" || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return "", fault.Missing("number")
	}
	return string(n), nil
}

type oneNumber struct {
	Number e164 `path:"e164" doc:"For example +61255501234"`
}

type newNumber struct {
	Body struct {
		CustomerID string   `json:"customerId"`
		ServiceID  string   `json:"serviceId" required:"false"`
		NumberType string   `json:"numberType" required:"false" enum:"direct-routing,operator-connect" doc:"Needed only without a service"`
		Number     string   `json:"number" doc:"E.164, or national with a country"`
		Country    string   `json:"country" required:"false" doc:"ISO 3166-1 alpha-2"`
		Type       string   `json:"type" required:"false"`
		Tags       []string `json:"tags" required:"false"`
		CallerID   string   `json:"callerId" required:"false"`
	}
}

type deleteNumber struct {
	Number e164 `path:"e164"`
	IfMatch
}

type patchNumber struct {
	Number e164 `path:"e164"`
	IfMatch
	Body struct {
		CallerID   maybe[string]   `json:"callerId,omitempty"`
		Usage      maybe[string]   `json:"usage,omitempty"`
		TrunkID    maybe[string]   `json:"trunkId,omitempty"`
		LocationID maybe[string]   `json:"locationId,omitempty"`
		Tags       maybe[[]string] `json:"tags,omitempty"`
	}
}

func (a *api) numbers() {
	route := func(method, path, name, summary string, action access.Action) Route {
		return Route{Method: method, Path: "/numbers" + path, Name: name, Tag: "numbers", Summary: summary, Action: action}
	}
	register(a, route(http.MethodGet, "", "list-numbers", "The inventory", access.Read), a.listNumbers)
	create := route(http.MethodPost, "", "create-number", "Put one number into a customer's inventory", access.Assign)
	create.Status = http.StatusCreated
	register(a, create, a.createNumber)
	register(a, route(http.MethodGet, "/{e164}", "get-number", "One number", access.Read), a.getNumber)
	register(a, route(http.MethodPatch, "/{e164}", "update-number", "Change what a number is used for; null takes a value away", access.Assign), a.updateNumber)
	register(a, route(http.MethodDelete, "/{e164}", "release-number", "Take a free number from its customer (it rests first), or one of the stock from the inventory",
		access.Assign), a.releaseNumber)
	register(a, route(http.MethodGet, "/{e164}/history", "list-number-history", "Everything that ever happened to it, oldest first", access.Read), a.history)
}

func (a *api) listNumbers(ctx context.Context, in *listNumbers) (*answer[list[numberWire]], error) {
	p, err := a.Numbers.Numbers(ctx, access.From(ctx), number.Query{CustomerID: in.CustomerID, PartnerID: in.PartnerID, ServiceID: in.ServiceID,
		State: number.State(in.State), Type: in.NumberType, Search: plus(in.Search), Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listed(p, wireNumber), nil
}

// createNumber is an import of one line whose outcome is the answer.
func (a *api) createNumber(ctx context.Context, in *newNumber) (*created[numberWire], error) {
	b := in.Body
	done, err := a.Numbers.Import(ctx, access.From(ctx), number.ImportRequest{CustomerID: b.CustomerID, ServiceID: b.ServiceID, NumberType: b.NumberType,
		Lines: []number.Line{{Line: 1, Number: b.Number, Country: b.Country, Type: b.Type, Tags: b.Tags, CallerID: b.CallerID}}})
	if err != nil {
		return nil, err
	}
	o := done.Items[0]
	switch {
	case o.Outcome == number.Exists:
		return nil, fault.New(fault.Conflict, "number-exists", "%s is in the inventory already.", o.Number).WithRemedy("Read it, and change it there.")
	case o.Error != nil:
		f := fault.New(fault.Invalid, o.Error.Code, "%s", o.Error.Detail).WithFields(fault.Field{Path: "body.number", Code: o.Error.Code, Detail: o.Error.Detail})
		f.Remedy = o.Error.Remedy
		return nil, f
	}
	n, err := a.Numbers.Number(ctx, access.From(ctx), o.Number)
	if err != nil {
		return nil, err
	}
	return made("/numbers/"+n.Number, n.Version, wireNumber(n)), nil
}

func (a *api) getNumber(ctx context.Context, in *oneNumber) (*tagged[numberWire], error) {
	text, err := in.Number.known()
	if err != nil {
		return nil, err
	}
	n, err := a.Numbers.Number(ctx, access.From(ctx), text)
	if err != nil {
		return nil, err
	}
	return tag(n.Version, wireNumber(n)), nil
}

func (a *api) updateNumber(ctx context.Context, in *patchNumber) (*tagged[numberWire], error) {
	text, err := in.Number.known()
	if err != nil {
		return nil, err
	}
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	b := in.Body
	n, err := a.Numbers.Update(ctx, access.From(ctx), text, number.Patch{CallerID: b.CallerID.ptr(), Usage: b.Usage.ptr(), TrunkID: b.TrunkID.ptr(),
		LocationID: b.LocationID.ptr(), Tags: b.Tags.ptr()}, version)
	if err != nil {
		return nil, err
	}
	return tag(n.Version, wireNumber(n)), nil
}

func (a *api) releaseNumber(ctx context.Context, in *deleteNumber) (*nothing, error) {
	text, err := in.Number.known()
	if err != nil {
		return nil, err
	}
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Numbers.Release(ctx, access.From(ctx), text, version)
}

func (a *api) history(ctx context.Context, in *oneNumber) (*answer[list[eventWire]], error) {
	text, err := in.Number.known()
	if err != nil {
		return nil, err
	}
	lines, err := a.Numbers.History(ctx, access.From(ctx), text)
	if err != nil {
		return nil, err
	}
	return listOf(lines, "", len(lines), false, wireEvent), nil
}
