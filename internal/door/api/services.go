package api

import (
	"context"
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
)

type newService struct {
	ID   string `path:"id"`
	Body struct {
		Kind        string `json:"kind" doc:"direct-routing or operator-connect"`
		Sync        *bool  `json:"sync,omitempty" doc:"Default true"`
		VoicePolicy string `json:"voicePolicy" required:"false" doc:"What a number is assigned with where the caller names none"`
		DialPlan    string `json:"dialPlan" required:"false"`
	}
}

type patchService struct {
	ID string `path:"id"`
	IfMatch
	Body struct {
		Sync        *bool         `json:"sync,omitempty"`
		VoicePolicy maybe[string] `json:"voicePolicy,omitempty"`
		DialPlan    maybe[string] `json:"dialPlan,omitempty"`
	}
}

func (a *api) services() {
	route := func(method, path, name, summary string, action access.Action) Route {
		return Route{Method: method, Path: path, Name: name, Tag: "services", Summary: summary, Action: action}
	}
	register(a, route(http.MethodGet, "/customers/{id}/services", "list-services", "A customer's services, each with its card", access.Read), a.listServices)
	create := route(http.MethodPost, "/customers/{id}/services", "create-service", "Give a customer a service", access.Manage)
	create.Status = http.StatusCreated
	register(a, create, a.createService)
	register(a, route(http.MethodGet, "/services/{id}", "get-service", "The service card", access.Read),
		func(ctx context.Context, in *byID) (*tagged[serviceWire], error) { return a.card(ctx, in.ID) })
	register(a, route(http.MethodPatch, "/services/{id}", "update-service", "Turn sync on or off, or change the defaults", access.Manage), a.updateService)
	register(a, route(http.MethodDelete, "/services/{id}", "delete-service", "Remove a service on which nothing depends", access.Manage),
		func(ctx context.Context, in *deleteByID) (*nothing, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return nil, a.Org.DeleteService(ctx, access.From(ctx), in.ID, version)
		})
	register(a, route(http.MethodGet, "/services/{id}/capabilities", "list-service-capabilities", "What this service may be used for, and why not", access.Read), a.serviceCapabilities)
}

// card answers a service as GET does, so that every write answers the same.
func (a *api) card(ctx context.Context, id string) (*tagged[serviceWire], error) {
	c, err := a.Cards.Card(ctx, access.From(ctx), id)
	if err != nil {
		return nil, err
	}
	return tag(c.Service.Version, wireService(c)), nil
}

// listServices answers all at once: a customer has at most one service of each kind.
func (a *api) listServices(ctx context.Context, in *byID) (*answer[list[serviceWire]], error) {
	cards, err := a.Cards.Cards(ctx, access.From(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return listOf(cards, "", len(cards), false, wireService), nil
}

func (a *api) createService(ctx context.Context, in *newService) (*created[serviceWire], error) {
	s, err := a.Org.AddService(ctx, access.From(ctx), in.ID, org.NewService{Kind: in.Body.Kind, Sync: in.Body.Sync, VoicePolicy: in.Body.VoicePolicy,
		DialPlan: in.Body.DialPlan})
	if err != nil {
		return nil, err
	}
	c, err := a.Cards.Card(ctx, access.From(ctx), s.ID)
	if err != nil {
		return nil, err
	}
	return made("/services/"+s.ID, c.Service.Version, wireService(c)), nil
}

func (a *api) updateService(ctx context.Context, in *patchService) (*tagged[serviceWire], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	patch := org.ServicePatch{Sync: in.Body.Sync, VoicePolicy: in.Body.VoicePolicy.ptr(), DialPlan: in.Body.DialPlan.ptr()}
	if _, err := a.Org.UpdateService(ctx, access.From(ctx), in.ID, patch, version); err != nil {
		return nil, err
	}
	return a.card(ctx, in.ID)
}
