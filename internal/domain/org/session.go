package org

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// The kinds of what is kept under a token.
const (
	kindSession  = "session"
	kindLink     = "link"
	kindCeremony = "ceremony"
)

// ceremonyTTL is how long a person may take over a passkey prompt; maxCeremony is what its state may hold, in bytes.
const (
	ceremonyTTL = 5 * time.Minute
	maxCeremony = 16 << 10
)

// refusedSession does not say whether a session ended, expired or never was.
func refusedSession() error {
	return fault.New(fault.Unauthenticated, "no-session", "You are not signed in, or your session has ended.").
		WithAction("sign-in", "Sign in", "Sign in again.")
}

func refusedLink() error {
	return fault.New(fault.Unauthenticated, "link-refused", "This link was used already, has expired, or is not known.").
		WithRemedy("Ask for a new one.")
}

// begin keeps a new token of an actor and records it.
func (o *Org) begin(ctx context.Context, by, as access.Actor, kind, action string, ttl time.Duration) (string, error) {
	if ttl <= 0 {
		return "", fmt.Errorf("beginning a %s: it would end at once (%s)", kind, ttl)
	}
	token, err := newToken()
	if err != nil {
		return "", err
	}
	who, err := json.Marshal(as)
	if err != nil {
		return "", fmt.Errorf("encoding an actor: %w", err)
	}
	now := o.clock.Now()
	s := signin{kind: kind, actor: string(who), createdAt: now, expiresAt: now.Add(ttl)}
	if as.Kind == KindMember {
		s.memberID = as.ID
	}
	err = o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := o.refuseGone(ctx, tx, s); err != nil {
			return err
		}
		if err := insertSignin(ctx, tx, hashToken(token), s); err != nil {
			return err
		}
		return o.recordSignin(ctx, tx, by, as, action, map[string]any{"expiresAt": s.expiresAt})
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// refuseGone begins nothing for a member who was shut out meanwhile: it would come to life when he is let in again.
func (o *Org) refuseGone(ctx context.Context, tx db.Tx, s signin) error {
	if s.memberID != "" {
		if err := o.lockMember(ctx, tx, s.memberID); err != nil {
			return err
		}
	}
	_, lives, err := o.actorNow(ctx, tx, s)
	if err == nil && !lives {
		err = refusedSession()
	}
	return err
}

// recordSignin writes what an actor does with his sign-in into the chain he lives in.
func (o *Org) recordSignin(ctx context.Context, tx db.Tx, by, as access.Actor, action string, detail any) error {
	p, err := locate(ctx, tx, as.Scope)
	if err != nil {
		return fmt.Errorf("finding where an actor lives: %w", err)
	}
	return o.record(ctx, tx, event{actor: by, action: action, noun: as.Kind, id: as.ID, partnerID: p.partnerID, customerID: p.customerID(), detail: detail})
}

// NewSession begins a session for an actor whom the door has just seen sign in, and answers its token.
func (o *Org) NewSession(ctx context.Context, actor access.Actor, ttl time.Duration) (string, error) {
	return o.begin(ctx, actor, actor, kindSession, "session.begin", ttl)
}

// ActorOfSession answers who a session belongs to, as he is now: a member who was disabled, or whose role or scope was
// changed, is so at once. 401 no-session otherwise.
func (o *Org) ActorOfSession(ctx context.Context, token string) (access.Actor, error) {
	s, found, err := readSignin(ctx, o.db.R, hashToken(token), kindSession)
	if err != nil {
		return access.Actor{}, err
	}
	if !found || !o.clock.Now().Before(s.expiresAt) {
		return access.Actor{}, refusedSession()
	}
	who, lives, err := o.actorNow(ctx, o.db.R, s)
	if err != nil {
		return access.Actor{}, err
	}
	if !lives {
		return access.Actor{}, refusedSession()
	}
	return who, nil
}

// actorNow re-reads a member; who came with a key has what the key has, as long as it is good; anybody else is who he was,
// while his partner or customer is there.
func (o *Org) actorNow(ctx context.Context, q db.Querier, s signin) (access.Actor, bool, error) {
	if s.memberID != "" {
		m, lives, err := livingMember(ctx, q, s.memberID)
		return m.Actor(), lives, err
	}
	var who access.Actor
	if err := json.Unmarshal([]byte(s.actor), &who); err != nil {
		return access.Actor{}, false, fmt.Errorf("reading a stored actor: %w", err)
	}
	if who.Kind == KindKey {
		k, err := keyIn(ctx, q, access.Scope{Level: access.Operator}, who.ID)
		if fault.KindOf(err) == fault.NotFound || (err == nil && !k.good(o.clock.Now())) {
			return access.Actor{}, false, nil
		}
		if err != nil {
			return access.Actor{}, false, err
		}
		who = k.actor()
	}
	lives, err := scopeLives(ctx, q, who.Scope)
	return who, lives, err
}

// EndSession signs out. A token that is not known (any more) is signed out already.
func (o *Org) EndSession(ctx context.Context, token string) error {
	return o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		hash := hashToken(token)
		s, found, err := readSignin(ctx, tx, hash, kindSession)
		if err != nil || !found {
			return err
		}
		n, err := deleteSignin(ctx, tx, hash)
		if err != nil || n == 0 {
			return err
		}
		var who access.Actor
		if err := json.Unmarshal([]byte(s.actor), &who); err != nil {
			return fmt.Errorf("reading a stored actor: %w", err)
		}
		return o.recordSignin(ctx, tx, who, who, "session.end", nil)
	})
}

// EndSessionsOf ends every session and link of a member, by himself or an administrator of his scope.
func (o *Org) EndSessionsOf(ctx context.Context, actor access.Actor, memberID string) error {
	s, err := mayTouch(actor, memberID)
	if err != nil {
		return err
	}
	return o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		m, err := memberIn(ctx, tx, s, memberID)
		if err != nil {
			return err
		}
		if err := o.endSignins(ctx, tx, m.ID); err != nil {
			return err
		}
		return o.record(ctx, tx, m.event(actor, "member.end-sessions", nil))
	})
}

// NewLink makes a one-time token that signs somebody in as this actor. Nothing is compared here: whoever calls has the
// right to be, or to appoint, the actor (the start-up, the room that makes onboarding links). People use InviteLink.
func (o *Org) NewLink(ctx context.Context, actor access.Actor, ttl time.Duration) (string, error) {
	return o.begin(ctx, actor, actor, kindLink, "sign-in-link.create", ttl)
}

// InviteLink makes a one-time token that signs a member in, for an administrator of his scope to hand to him. A member who
// has more than its maker gets none from him: 403 wider-than-maker.
func (o *Org) InviteLink(ctx context.Context, actor access.Actor, memberID string, ttl time.Duration) (string, error) {
	if err := access.Can(actor, access.Administer); err != nil {
		return "", err
	}
	m, err := memberIn(ctx, o.db.R, actor.Scope, memberID)
	if err != nil {
		return "", err
	}
	if !covers(actor, m.Scope, m.Role, m.place.partnerID) {
		return "", tooWide("Nobody may invite somebody who has a wider scope or role than his own.")
	}
	if !m.DisabledAt.IsZero() {
		return "", fault.New(fault.Conflict, "member-disabled", "%s is disabled.", m.Name).WithRemedy("Enable the member first.")
	}
	return o.begin(ctx, actor, m.Actor(), kindLink, "sign-in-link.create", ttl)
}

// UseLink uses a link up and answers whom it signs in; of two who use it at once one is refused: 401 link-refused.
func (o *Org) UseLink(ctx context.Context, token string) (access.Actor, error) {
	var who access.Actor
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := o.take(ctx, tx, token, kindLink)
		if err != nil {
			return err
		}
		var lives bool
		if who, lives, err = o.actorNow(ctx, tx, s); err != nil {
			return err
		}
		if !lives {
			return refusedLink()
		}
		return o.recordSignin(ctx, tx, who, who, "member.sign-in", signedIn{Method: "link"})
	})
	if err != nil {
		return access.Actor{}, err
	}
	return who, nil
}

// take uses a token up by one conditional update.
func (o *Org) take(ctx context.Context, tx db.Tx, token, kind string) (signin, error) {
	hash, now := hashToken(token), db.Micros(o.clock.Now())
	res, err := tx.ExecContext(ctx, `UPDATE signin SET used_at = $1 WHERE token_hash = $2 AND kind = $3 AND used_at IS NULL AND expires_at > $4`, now, hash, kind, now)
	if err := db.Changed(res, err, refusedLink()); err != nil {
		return signin{}, err
	}
	s, _, err := readSignin(ctx, tx, hash, kind)
	return s, err
}

// PutCeremony keeps the state of a passkey prompt for five minutes and answers the token to ask for it. It is no sign-in
// and is not audited.
func (o *Org) PutCeremony(ctx context.Context, state json.RawMessage) (string, error) {
	if !json.Valid(state) || len(state) > maxCeremony {
		return "", fmt.Errorf("keeping a ceremony: %d bytes are no JSON or too many", len(state))
	}
	token, err := newToken()
	if err != nil {
		return "", err
	}
	now := o.clock.Now()
	err = o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return insertSignin(ctx, tx, hashToken(token), signin{kind: kindCeremony, actor: string(state), createdAt: now, expiresAt: now.Add(ceremonyTTL)})
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// TakeCeremony answers the state once: 401 ceremony-over when it was taken, has expired, or is not known.
func (o *Org) TakeCeremony(ctx context.Context, token string) (json.RawMessage, error) {
	var s signin
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var err error
		s, err = o.take(ctx, tx, token, kindCeremony)
		return err
	})
	if fault.Is(err, "link-refused") {
		return nil, fault.New(fault.Unauthenticated, "ceremony-over", "The passkey prompt took too long, or was answered already.").WithRemedy("Try again.")
	}
	if err != nil {
		return nil, err
	}
	return json.RawMessage(s.actor), nil
}

// Sweep deletes expired sessions, links and ceremonies and forgets old failures; it answers how many rows went. Nothing
// depends on it: what has expired is refused all the same.
func (o *Org) Sweep(ctx context.Context) (int64, error) {
	now := o.clock.Now()
	o.attempts.sweep(now)
	var total int64
	for {
		var n int64
		err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			n, err = sweepSignins(ctx, tx, now)
			return err
		})
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}
