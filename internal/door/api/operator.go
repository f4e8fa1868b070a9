package api

import (
	"context"
	"net/http"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
)

type operatorWire struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Brand     brandWire `json:"brand"`
	CreatedAt time.Time `json:"createdAt"`
	Version   int64     `json:"version"`
}

type brandWire struct {
	DisplayName  string `json:"displayName" required:"false"`
	Accent       string `json:"accent" required:"false" doc:"#rrggbb"`
	LogoURL      string `json:"logoUrl" required:"false"`
	SupportEmail string `json:"supportEmail" required:"false"`
	SupportURL   string `json:"supportUrl" required:"false"`
}

func (b brandWire) brand() org.Brand { return org.Brand(b) }

func wireOperator(o org.Operator) operatorWire {
	return operatorWire{ID: o.ID, Name: o.Name, Brand: brandWire(o.Brand), CreatedAt: o.CreatedAt, Version: o.Version}
}

type patchOperator struct {
	IfMatch
	Body struct {
		Name  *string    `json:"name,omitempty"`
		Brand *brandWire `json:"brand,omitempty" doc:"Replaces the whole brand"`
	}
}

func (a *api) operator() {
	register(a, Route{Method: http.MethodGet, Path: "/operator", Name: "get-operator", Tag: "operator", Summary: "The operator and its brand", Action: access.Read},
		func(ctx context.Context, _ *struct{}) (*tagged[operatorWire], error) {
			o, err := a.Org.Operator(ctx)
			if err != nil {
				return nil, err
			}
			return tag(o.Version, wireOperator(o)), nil
		})
	register(a, Route{Method: http.MethodPatch, Path: "/operator", Name: "update-operator", Tag: "operator", Summary: "Change name or brand", Action: access.Operate},
		func(ctx context.Context, in *patchOperator) (*tagged[operatorWire], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			o, err := a.Org.UpdateOperator(ctx, access.From(ctx), org.OperatorPatch{Name: in.Body.Name, Brand: brandOf(in.Body.Brand)}, version)
			if err != nil {
				return nil, err
			}
			return tag(o.Version, wireOperator(o)), nil
		})
}

func brandOf(b *brandWire) *org.Brand {
	if b == nil {
		return nil
	}
	out := b.brand()
	return &out
}
