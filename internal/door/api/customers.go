package api

import (
	"context"
	"net/http"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
)

type customerWire struct {
	ID               string    `json:"id"`
	PartnerID        string    `json:"partnerId"`
	PartnerName      string    `json:"partnerName"`
	Name             string    `json:"name"`
	Cloud            string    `json:"cloud" enum:"global,gcc,gcc-high,dod,china"`
	TenantID         *string   `json:"tenantId"`
	PrimaryDomain    *string   `json:"primaryDomain"`
	Country          *string   `json:"country"`
	TimeZone         *string   `json:"timeZone"`
	BillingReference *string   `json:"billingReference"`
	SeatLimit        *int      `json:"seatLimit"`
	CreatedAt        time.Time `json:"createdAt"`
	UpdatedAt        time.Time `json:"updatedAt"`
	Version          int64     `json:"version"`
}

func wireCustomer(c org.Customer) customerWire {
	return customerWire{ID: c.ID, PartnerID: c.PartnerID, PartnerName: c.PartnerName, Name: c.Name, Cloud: c.Cloud, TenantID: orNull(c.TenantID),
		PrimaryDomain: orNull(c.PrimaryDomain), Country: orNull(c.Country), TimeZone: orNull(c.TimeZone), BillingReference: orNull(c.BillingReference),
		SeatLimit: c.SeatLimit, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Version: c.Version}
}

type listCustomers struct {
	Paging
	Search    string `query:"search" doc:"Part of the name or domain, or a whole tenant ID"`
	Sort      string `query:"sort" enum:"name,-name,createdAt,-createdAt" doc:"Default: name"`
	PartnerID string `query:"partnerId"`
	Cloud     string `query:"cloud" enum:"global,gcc,gcc-high,dod,china"`
}

type newCustomer struct {
	Body struct {
		Name             string `json:"name"`
		PartnerID        string `json:"partnerId" required:"false" doc:"A partner's own key may leave it out"`
		Cloud            string `json:"cloud" required:"false" doc:"global, gcc, gcc-high, dod or china; default global" default:"global"`
		TenantID         string `json:"tenantId" required:"false"`
		PrimaryDomain    string `json:"primaryDomain" required:"false"`
		Country          string `json:"country" required:"false" doc:"ISO 3166-1 alpha-2"`
		TimeZone         string `json:"timeZone" required:"false" doc:"IANA"`
		BillingReference string `json:"billingReference" required:"false"`
		SeatLimit        *int   `json:"seatLimit,omitempty"`
	}
}

type patchCustomer struct {
	ID string `path:"id"`
	IfMatch
	Body struct {
		Name             *string       `json:"name,omitempty"`
		Cloud            *string       `json:"cloud,omitempty"`
		TenantID         maybe[string] `json:"tenantId,omitempty"`
		PrimaryDomain    maybe[string] `json:"primaryDomain,omitempty"`
		Country          maybe[string] `json:"country,omitempty"`
		TimeZone         maybe[string] `json:"timeZone,omitempty"`
		BillingReference maybe[string] `json:"billingReference,omitempty"`
		SeatLimit        maybe[int]    `json:"seatLimit,omitempty"`
	}
}

func (in *patchCustomer) patch() org.CustomerPatch {
	b := in.Body
	p := org.CustomerPatch{Name: b.Name, Cloud: b.Cloud, TenantID: b.TenantID.ptr(), PrimaryDomain: b.PrimaryDomain.ptr(), Country: b.Country.ptr(),
		TimeZone: b.TimeZone.ptr(), BillingReference: b.BillingReference.ptr(), NoSeatLimit: b.SeatLimit.Null}
	if !b.SeatLimit.Null {
		p.SeatLimit = b.SeatLimit.ptr()
	}
	return p
}

func (a *api) customers() {
	route := func(method, path, name, summary string, action access.Action) Route {
		return Route{Method: method, Path: "/customers" + path, Name: name, Tag: "customers", Summary: summary, Action: action}
	}
	register(a, route(http.MethodGet, "", "list-customers", "Customers", access.Read), a.listCustomers)
	create := route(http.MethodPost, "", "create-customer", "Make a customer", access.Manage)
	create.Status = http.StatusCreated
	register(a, create, a.createCustomer)
	register(a, route(http.MethodGet, "/{id}", "get-customer", "One customer", access.Read),
		func(ctx context.Context, in *byID) (*tagged[customerWire], error) {
			c, err := a.Org.Customer(ctx, access.From(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return tag(c.Version, wireCustomer(c)), nil
		})
	register(a, route(http.MethodPatch, "/{id}", "update-customer", "Change a customer; null takes a value away", access.Manage), a.updateCustomer)
	register(a, route(http.MethodDelete, "/{id}", "delete-customer", "Remove a customer that has no services", access.Manage),
		func(ctx context.Context, in *deleteByID) (*nothing, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return nil, a.Org.DeleteCustomer(ctx, access.From(ctx), in.ID, version)
		})
}

func (a *api) listCustomers(ctx context.Context, in *listCustomers) (*answer[list[customerWire]], error) {
	p, err := a.Org.Customers(ctx, access.From(ctx), org.CustomerQuery{PartnerID: in.PartnerID, Cloud: in.Cloud, Search: in.Search, Sort: in.Sort,
		Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listed(p, wireCustomer), nil
}

func (a *api) createCustomer(ctx context.Context, in *newCustomer) (*created[customerWire], error) {
	c, err := a.Org.CreateCustomer(ctx, access.From(ctx), org.NewCustomer{PartnerID: in.Body.PartnerID, Name: in.Body.Name, Cloud: in.Body.Cloud,
		TenantID: in.Body.TenantID, PrimaryDomain: in.Body.PrimaryDomain, Country: in.Body.Country, TimeZone: in.Body.TimeZone,
		BillingReference: in.Body.BillingReference, SeatLimit: in.Body.SeatLimit})
	if err != nil {
		return nil, err
	}
	return made("/customers/"+c.ID, c.Version, wireCustomer(c)), nil
}

func (a *api) updateCustomer(ctx context.Context, in *patchCustomer) (*tagged[customerWire], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	c, err := a.Org.UpdateCustomer(ctx, access.From(ctx), in.ID, in.patch(), version)
	if err != nil {
		return nil, err
	}
	return tag(c.Version, wireCustomer(c)), nil
}
