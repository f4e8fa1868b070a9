package org

import (
	"context"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// KindMember is the actor's kind of a person.
const KindMember = "member"

// Member is a person who signs in to the portal. A zero DisabledAt is enabled.
type Member struct {
	ID          string       `json:"id"`
	Email       string       `json:"email"`
	Name        string       `json:"name"`
	Scope       access.Scope `json:"scope"`
	Role        access.Role  `json:"role"`
	HasPassword bool         `json:"hasPassword"`
	CreatedAt   time.Time    `json:"createdAt"`
	DisabledAt  time.Time    `json:"disabledAt,omitzero"`
	Version     int64        `json:"version"`

	place place
}

// NewMember is what a member begins with. An empty scope is his maker's; without a password he comes in by an invitation
// (InviteLink).
type NewMember struct {
	Email    string
	Name     string
	Scope    access.Scope
	Role     access.Role
	Password string
}

// MemberPatch changes what is not nil.
type MemberPatch struct {
	Name  *string
	Role  *access.Role
	Scope *access.Scope
}

// MemberQuery narrows a list of members, by address. Disabled ones are listed too.
type MemberQuery struct {
	Search string
	Cursor string
	Limit  int
}

// Actor is who a member is when he asks for something.
func (m Member) Actor() access.Actor {
	return access.Actor{Kind: KindMember, ID: m.ID, Name: m.Name, Scope: m.Scope, Role: m.Role}
}

func (m Member) event(actor access.Actor, action string, detail any) event {
	return event{actor: actor, action: action, noun: "member", id: m.ID, partnerID: m.place.partnerID, customerID: m.place.customerID(), detail: detail}
}

// rulesOperator says whether a member is one of those without whom nobody could mend anything.
func (m Member) rulesOperator() bool {
	return m.Scope.Level == access.Operator && m.Role == access.Admin && m.DisabledAt.IsZero()
}

// refuseMachine: admission is asked by session border controllers, with a key.
func refuseMachine(r access.Role) error {
	if r == access.SBC {
		return refuseField("role", "role-for-keys", "The role sbc is for API keys, not for people.")
	}
	return nil
}

// CreateMember makes a person, never wider than the maker. Refusals: 409 member-exists for an address that is taken
// anywhere, 403 wider-than-maker, 404 for a partner or customer that is not the maker's.
func (o *Org) CreateMember(ctx context.Context, actor access.Actor, n NewMember) (Member, error) {
	if err := access.Can(actor, access.Administer); err != nil {
		return Member{}, err
	}
	m, hash, err := o.newMember(ctx, n)
	if err != nil {
		return Member{}, err
	}
	err = o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if m.place, err = o.grant(ctx, tx, actor, n.Scope, n.Role); err != nil {
			return err
		}
		m.Scope = m.place.scope
		if err := insertMember(ctx, tx, m, hash); err != nil {
			return err
		}
		return o.record(ctx, tx, m.event(actor, "member.create", change{After: m}))
	})
	if err != nil {
		return Member{}, err
	}
	return m, nil
}

// newMember checks and hashes before the transaction begins.
func (o *Org) newMember(ctx context.Context, n NewMember) (m Member, hash string, err error) {
	var c check
	m = Member{Email: c.email("email", n.Email), Name: c.text("name", n.Name, 1, maxName), Role: n.Role,
		HasPassword: n.Password != "", CreatedAt: o.clock.Now(), Version: 1}
	if err := c.err(); err != nil {
		return Member{}, "", err
	}
	if err := refuseMachine(n.Role); err != nil {
		return Member{}, "", err
	}
	if m.HasPassword {
		if err := checkPassword(n.Password); err != nil {
			return Member{}, "", err
		}
		if hash, err = o.hasher.hash(ctx, n.Password); err != nil {
			return Member{}, "", err
		}
	}
	m.ID, err = newID()
	return m, hash, err
}

// mayTouch: a person may always look after himself; others ask for the right to administer. The scope for the query is the
// actor's, or the member's own row.
func mayTouch(actor access.Actor, memberID string) (access.Scope, error) {
	if actor.Kind == KindMember && actor.ID == memberID && memberID != "" {
		return access.Scope{Level: access.Operator}, nil
	}
	return actor.Scope, access.Can(actor, access.Administer)
}

// Member answers one in the actor's scope, or himself.
func (o *Org) Member(ctx context.Context, actor access.Actor, id string) (Member, error) {
	s, err := mayTouch(actor, id)
	if err != nil {
		return Member{}, err
	}
	return memberIn(ctx, o.db.R, s, id)
}

// Members lists those in the actor's scope.
func (o *Org) Members(ctx context.Context, actor access.Actor, q MemberQuery) (Page[Member], error) {
	if err := access.Can(actor, access.Administer); err != nil {
		return Page[Member]{}, err
	}
	return listMembers(ctx, o.db.R, actor.Scope, q)
}

// UpdateMember changes name, role or scope; role and scope count from the member's next request on. Refusals as for
// CreateMember, and 409 last-administrator.
func (o *Org) UpdateMember(ctx context.Context, actor access.Actor, id string, p MemberPatch, ifVersion int64) (Member, error) {
	return o.changeMember(ctx, actor, id, ifVersion, "member.update", func(ctx context.Context, tx db.Tx, m Member) (Member, error) {
		if p.Name != nil {
			var c check
			m.Name = c.text("name", *p.Name, 1, maxName)
			if err := c.err(); err != nil {
				return Member{}, err
			}
		}
		if p.Role == nil && p.Scope == nil {
			return m, nil
		}
		if p.Role != nil {
			m.Role = *p.Role
		}
		if p.Scope != nil {
			m.Scope = *p.Scope
		}
		var err error
		if m.place, err = o.grant(ctx, tx, actor, m.Scope, m.Role); err != nil {
			return Member{}, err
		}
		m.Scope = m.place.scope
		return m, refuseMachine(m.Role)
	})
}

// DisableMember shuts a person out and ends his sessions, in one transaction. 409 last-administrator where nobody would be
// left to run the platform.
func (o *Org) DisableMember(ctx context.Context, actor access.Actor, id string, ifVersion int64) (Member, error) {
	return o.changeMember(ctx, actor, id, ifVersion, "member.disable", func(ctx context.Context, tx db.Tx, m Member) (Member, error) {
		if m.DisabledAt.IsZero() {
			m.DisabledAt = o.clock.Now()
		}
		return m, o.endSignins(ctx, tx, m.ID)
	})
}

// EnableMember lets a disabled person in again; he signs in anew.
func (o *Org) EnableMember(ctx context.Context, actor access.Actor, id string, ifVersion int64) (Member, error) {
	return o.changeMember(ctx, actor, id, ifVersion, "member.enable", func(_ context.Context, _ db.Tx, m Member) (Member, error) {
		m.DisabledAt = time.Time{}
		return m, nil
	})
}

// changeMember is the one way to change a member's row: rights, scope, version, no one wider than the actor touched, the
// last administrator kept.
func (o *Org) changeMember(ctx context.Context, actor access.Actor, id string, ifVersion int64, action string,
	fn func(context.Context, db.Tx, Member) (Member, error)) (Member, error) {
	if err := access.Can(actor, access.Administer); err != nil {
		return Member{}, err
	}
	var after Member
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, err := memberIn(ctx, tx, actor.Scope, id)
		if err != nil {
			return err
		}
		if err := matches(before.Version, ifVersion, "member"); err != nil {
			return err
		}
		if after, err = fn(ctx, tx, before); err != nil || after == before {
			return err
		}
		if before.rulesOperator() && !after.rulesOperator() {
			if err := o.refuseLast(ctx, tx, before); err != nil {
				return err
			}
		}
		if after, err = updateMember(ctx, tx, after); err != nil {
			return err
		}
		return o.record(ctx, tx, after.event(actor, action, change{before, after}))
	})
	if err != nil {
		return Member{}, err
	}
	return after, nil
}

// refuseLast keeps one administrator of the operator; two that leave at once wait for each other.
func (o *Org) refuseLast(ctx context.Context, tx db.Tx, m Member) error {
	if err := o.db.Lock(ctx, tx, "members:operator"); err != nil {
		return err
	}
	other, err := exists(ctx, tx, `SELECT 1 FROM member WHERE level = $1 AND role = $2 AND disabled_at IS NULL AND id <> $3 LIMIT 1`,
		string(access.Operator), string(access.Admin), m.ID)
	if err != nil || other {
		return err
	}
	return fault.New(fault.Conflict, "last-administrator", "%s is the last administrator of the operator.", m.Name).
		WithRemedy("Make another member an administrator first.")
}

// SetPassword sets a person's own password, or that of somebody in the scope of an administrator. It ends all sessions of
// the member: whoever knew the old password is out, and the door begins a new session for him who changed his own.
func (o *Org) SetPassword(ctx context.Context, actor access.Actor, memberID, password string) error {
	s, err := mayTouch(actor, memberID)
	if err != nil {
		return err
	}
	if err := checkPassword(password); err != nil {
		return err
	}
	hash, err := o.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		m, err := memberIn(ctx, tx, s, memberID)
		if err != nil {
			return err
		}
		if err := setPassword(ctx, tx, m, hash); err != nil {
			return err
		}
		if err := o.endSignins(ctx, tx, m.ID); err != nil {
			return err
		}
		return o.record(ctx, tx, m.event(actor, "member.set-password", map[string]bool{"hadPassword": m.HasPassword}))
	})
}
