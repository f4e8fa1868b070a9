package api

import (
	"context"
	"net/http"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
)

// scopeWire is how far a key or member sees; empty is as far as its maker.
type scopeWire struct {
	Level      string `json:"level" enum:"operator,partner,customer"`
	PartnerID  string `json:"partnerId,omitempty"`
	CustomerID string `json:"customerId,omitempty"`
}

func wireScope(s access.Scope) scopeWire {
	return scopeWire{Level: string(s.Level), PartnerID: s.PartnerID, CustomerID: s.CustomerID}
}

func (s *scopeWire) scope() access.Scope {
	if s == nil {
		return access.Scope{}
	}
	return access.Scope{Level: access.Level(s.Level), PartnerID: s.PartnerID, CustomerID: s.CustomerID}
}

type keyWire struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint" doc:"The last characters of the key"`
	Scope      scopeWire  `json:"scope"`
	Role       string     `json:"role" enum:"viewer,agent,admin,billing,sbc"`
	CreatedAt  time.Time  `json:"createdAt"`
	CreatedBy  string     `json:"createdBy"`
	ExpiresAt  *time.Time `json:"expiresAt"`
	RevokedAt  *time.Time `json:"revokedAt"`
	LastUsedAt *time.Time `json:"lastUsedAt"`
	Version    int64      `json:"version"`
}

func wireKey(k org.Key) keyWire {
	return keyWire{ID: k.ID, Name: k.Name, Hint: k.Hint, Scope: wireScope(k.Scope), Role: string(k.Role), CreatedAt: k.CreatedAt, CreatedBy: k.CreatedBy,
		ExpiresAt: when(k.ExpiresAt), RevokedAt: when(k.RevokedAt), LastUsedAt: when(k.LastUsedAt), Version: k.Version}
}

// newKeyWire is a key with its text, which is answered this once.
type newKeyWire struct {
	ID        string     `json:"id"`
	Key       string     `json:"key" doc:"The API key; it cannot be had again"`
	Name      string     `json:"name"`
	Hint      string     `json:"hint"`
	Scope     scopeWire  `json:"scope"`
	Role      string     `json:"role"`
	CreatedAt time.Time  `json:"createdAt"`
	CreatedBy string     `json:"createdBy"`
	ExpiresAt *time.Time `json:"expiresAt"`
	Version   int64      `json:"version"`
}

type listKeys struct {
	Paging
	Search string `query:"search" doc:"Part of the name"`
}

type newKey struct {
	Body struct {
		Name      string     `json:"name"`
		Scope     *scopeWire `json:"scope,omitempty" doc:"Default: that of the key that makes it"`
		Role      string     `json:"role" enum:"viewer,agent,admin,billing,sbc"`
		ExpiresAt time.Time  `json:"expiresAt,omitempty" required:"false"`
	}
}

type patchKey struct {
	ID string `path:"id"`
	IfMatch
	Body struct {
		Name      *string          `json:"name,omitempty"`
		ExpiresAt maybe[time.Time] `json:"expiresAt,omitempty" doc:"null is never"`
	}
}

func (a *api) keys() {
	route := func(method, path, name, summary string) Route {
		return Route{Method: method, Path: "/api-keys" + path, Name: name, Tag: "api-keys", Summary: summary, Action: access.Administer}
	}
	register(a, route(http.MethodGet, "", "list-api-keys", "API keys, newest first; revoked ones too"),
		func(ctx context.Context, in *listKeys) (*answer[list[keyWire]], error) {
			p, err := a.Org.Keys(ctx, access.From(ctx), org.KeyQuery{Search: in.Search, Cursor: in.Cursor, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			return listed(p, wireKey), nil
		})
	create := route(http.MethodPost, "", "create-api-key", "Make a key, never wider than the one that makes it")
	create.Status = http.StatusCreated
	register(a, create, a.createKey)
	register(a, route(http.MethodGet, "/{id}", "get-api-key", "One key"),
		func(ctx context.Context, in *byID) (*tagged[keyWire], error) {
			k, err := a.Org.Key(ctx, access.From(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return tag(k.Version, wireKey(k)), nil
		})
	register(a, route(http.MethodPatch, "/{id}", "update-api-key", "Rename a key or move its end"), a.updateKey)
	register(a, route(http.MethodDelete, "/{id}", "revoke-api-key", "End a key for good"),
		func(ctx context.Context, in *deleteByID) (*nothing, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return nil, a.Org.RevokeKey(ctx, access.From(ctx), in.ID, version)
		})
}

func (a *api) createKey(ctx context.Context, in *newKey) (*created[newKeyWire], error) {
	k, text, err := a.Org.CreateKey(ctx, access.From(ctx), org.NewKey{Name: in.Body.Name, Scope: in.Body.Scope.scope(), Role: access.Role(in.Body.Role),
		ExpiresAt: in.Body.ExpiresAt})
	if err != nil {
		return nil, err
	}
	return made("/api-keys/"+k.ID, k.Version, newKeyWire{ID: k.ID, Key: text, Name: k.Name, Hint: k.Hint, Scope: wireScope(k.Scope), Role: string(k.Role),
		CreatedAt: k.CreatedAt, CreatedBy: k.CreatedBy, ExpiresAt: when(k.ExpiresAt), Version: k.Version}), nil
}

func (a *api) updateKey(ctx context.Context, in *patchKey) (*tagged[keyWire], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	k, err := a.Org.UpdateKey(ctx, access.From(ctx), in.ID, org.KeyPatch{Name: in.Body.Name, ExpiresAt: in.Body.ExpiresAt.ptr()}, version)
	if err != nil {
		return nil, err
	}
	return tag(k.Version, wireKey(k)), nil
}
