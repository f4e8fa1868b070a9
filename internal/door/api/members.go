package api

import (
	"context"
	"net/http"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

// linkTTL is how long a sign-in link may be handed on.
const linkTTL = 24 * time.Hour

type memberWire struct {
	ID          string     `json:"id"`
	Email       string     `json:"email"`
	Name        string     `json:"name"`
	Scope       scopeWire  `json:"scope"`
	Role        string     `json:"role" enum:"viewer,agent,admin,billing,sbc"`
	HasPassword bool       `json:"hasPassword"`
	CreatedAt   time.Time  `json:"createdAt"`
	DisabledAt  *time.Time `json:"disabledAt"`
	Version     int64      `json:"version"`
}

func wireMember(m org.Member) memberWire {
	return memberWire{ID: m.ID, Email: m.Email, Name: m.Name, Scope: wireScope(m.Scope), Role: string(m.Role), HasPassword: m.HasPassword,
		CreatedAt: m.CreatedAt, DisabledAt: when(m.DisabledAt), Version: m.Version}
}

type listMembers struct {
	Paging
	Search string `query:"search" doc:"Part of the name or address"`
}

type newMember struct {
	Body struct {
		Email    string     `json:"email"`
		Name     string     `json:"name"`
		Scope    *scopeWire `json:"scope,omitempty" doc:"Default: that of the key that makes it"`
		Role     string     `json:"role" enum:"viewer,agent,admin,billing"`
		Password string     `json:"password" required:"false" doc:"Without one, hand over a sign-in link"`
	}
}

type patchMember struct {
	ID string `path:"id"`
	IfMatch
	Body struct {
		Name    *string    `json:"name,omitempty"`
		Role    *string    `json:"role,omitempty" enum:"viewer,agent,admin,billing"`
		Scope   *scopeWire `json:"scope,omitempty"`
		Enabled *bool      `json:"enabled,omitempty" doc:"true lets a disabled member in again; send it alone"`
	}
}

type linkWire struct {
	Token     string    `json:"token" doc:"Signs the member in once"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (a *api) members() {
	route := func(method, path, name, summary string) Route {
		return Route{Method: method, Path: "/members" + path, Name: name, Tag: "members", Summary: summary, Action: access.Administer}
	}
	register(a, route(http.MethodGet, "", "list-members", "Members by address; disabled ones too"),
		func(ctx context.Context, in *listMembers) (*answer[list[memberWire]], error) {
			p, err := a.Org.Members(ctx, access.From(ctx), org.MemberQuery{Search: in.Search, Cursor: in.Cursor, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			return listed(p, wireMember), nil
		})
	create := route(http.MethodPost, "", "create-member", "Make a member, never wider than who makes it")
	create.Status = http.StatusCreated
	register(a, create, a.createMember)
	register(a, route(http.MethodGet, "/{id}", "get-member", "One member"),
		func(ctx context.Context, in *byID) (*tagged[memberWire], error) {
			m, err := a.Org.Member(ctx, access.From(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return tag(m.Version, wireMember(m)), nil
		})
	register(a, route(http.MethodPatch, "/{id}", "update-member", "Change name, role or scope, or let in again"), a.updateMember)
	register(a, route(http.MethodDelete, "/{id}", "disable-member", "Shut a member out and end all sessions"), a.disableMember)
	link := route(http.MethodPost, "/{id}/sign-in-link", "create-sign-in-link", "A one-time link's token for a member, valid 24 hours")
	link.Status = http.StatusCreated
	register(a, link, a.createLink)
}

func (a *api) createMember(ctx context.Context, in *newMember) (*created[memberWire], error) {
	m, err := a.Org.CreateMember(ctx, access.From(ctx), org.NewMember{Email: in.Body.Email, Name: in.Body.Name, Scope: in.Body.Scope.scope(),
		Role: access.Role(in.Body.Role), Password: in.Body.Password})
	if err != nil {
		return nil, err
	}
	return made("/members/"+m.ID, m.Version, wireMember(m)), nil
}

func (a *api) updateMember(ctx context.Context, in *patchMember) (*tagged[memberWire], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	m, err := a.changeMember(ctx, in, version)
	if err != nil {
		return nil, err
	}
	return tag(m.Version, wireMember(m)), nil
}

// changeMember takes enabled alone, so that one request is one transaction.
func (a *api) changeMember(ctx context.Context, in *patchMember, version int64) (org.Member, error) {
	actor, b := access.From(ctx), in.Body
	patch := org.MemberPatch{Name: b.Name, Role: (*access.Role)(b.Role)}
	if b.Scope != nil {
		s := b.Scope.scope()
		patch.Scope = &s
	}
	switch {
	case b.Enabled == nil:
		return a.Org.UpdateMember(ctx, actor, in.ID, patch, version)
	case patch != (org.MemberPatch{}):
		return org.Member{}, invalid([]fault.Field{{Path: "body.enabled", Code: "not-alone", Detail: "enabled is to be sent alone"}})
	case *b.Enabled:
		return a.Org.EnableMember(ctx, actor, in.ID, version)
	}
	return a.Org.DisableMember(ctx, actor, in.ID, version)
}

func (a *api) disableMember(ctx context.Context, in *deleteByID) (*nothing, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	_, err = a.Org.DisableMember(ctx, access.From(ctx), in.ID, version)
	return nil, err
}

func (a *api) createLink(ctx context.Context, in *byID) (*answer[linkWire], error) {
	until := a.Clock.Now().Add(linkTTL)
	token, err := a.Org.InviteLink(ctx, access.From(ctx), in.ID, linkTTL)
	if err != nil {
		return nil, err
	}
	return &answer[linkWire]{Body: linkWire{Token: token, ExpiresAt: until}}, nil
}
