package api

import (
	"context"
	"net/http"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
)

type partnerWire struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Brand     brandWire `json:"brand"`
	CreatedAt time.Time `json:"createdAt"`
	Version   int64     `json:"version"`
}

func wirePartner(p org.Partner) partnerWire {
	return partnerWire{ID: p.ID, Name: p.Name, Brand: brandWire(p.Brand), CreatedAt: p.CreatedAt, Version: p.Version}
}

type listPartners struct {
	Paging
	Search string `query:"search" doc:"Part of the name"`
	Sort   string `query:"sort" enum:"name,-name,createdAt,-createdAt" doc:"Default: name"`
}

type newPartner struct {
	Body struct {
		Name  string    `json:"name"`
		Brand brandWire `json:"brand" required:"false"`
	}
}

type patchPartner struct {
	ID string `path:"id"`
	IfMatch
	Body struct {
		Name  *string    `json:"name,omitempty"`
		Brand *brandWire `json:"brand,omitempty" doc:"Replaces the whole brand"`
	}
}

func (a *api) partners() {
	route := func(method, path, name, summary string, action access.Action) Route {
		return Route{Method: method, Path: "/partners" + path, Name: name, Tag: "partners", Summary: summary, Action: action}
	}
	register(a, route(http.MethodGet, "", "list-partners", "Partners", access.Read),
		func(ctx context.Context, in *listPartners) (*answer[list[partnerWire]], error) {
			p, err := a.Org.Partners(ctx, access.From(ctx), org.PartnerQuery{Search: in.Search, Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			return listed(p, wirePartner), nil
		})
	create := route(http.MethodPost, "", "create-partner", "Make a partner", access.Operate)
	create.Status = http.StatusCreated
	register(a, create, func(ctx context.Context, in *newPartner) (*created[partnerWire], error) {
		p, err := a.Org.CreatePartner(ctx, access.From(ctx), org.NewPartner{Name: in.Body.Name, Brand: in.Body.Brand.brand()})
		if err != nil {
			return nil, err
		}
		return made("/partners/"+p.ID, p.Version, wirePartner(p)), nil
	})
	register(a, route(http.MethodGet, "/{id}", "get-partner", "One partner", access.Read),
		func(ctx context.Context, in *byID) (*tagged[partnerWire], error) {
			p, err := a.Org.Partner(ctx, access.From(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return tag(p.Version, wirePartner(p)), nil
		})
	register(a, route(http.MethodPatch, "/{id}", "update-partner", "Change name or brand", access.Operate), a.updatePartner)
	register(a, route(http.MethodDelete, "/{id}", "delete-partner", "Remove a partner that has no customers", access.Operate),
		func(ctx context.Context, in *deleteByID) (*nothing, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return nil, a.Org.DeletePartner(ctx, access.From(ctx), in.ID, version)
		})
}

func (a *api) updatePartner(ctx context.Context, in *patchPartner) (*tagged[partnerWire], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	p, err := a.Org.UpdatePartner(ctx, access.From(ctx), in.ID, org.PartnerPatch{Name: in.Body.Name, Brand: brandOf(in.Body.Brand)}, version)
	if err != nil {
		return nil, err
	}
	return tag(p.Version, wirePartner(p)), nil
}
