package org

import (
	"context"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// KindKey is the actor's kind of an API key.
const KindKey = "api-key"

// keyPrefix lets people and secret scanners recognise a key.
const keyPrefix = "tcap_"

// useEvery is how often the time of a key's last use is written at most.
const useEvery = time.Minute

// Key is an API key without its text. Hint is the last four characters. Zero times are: never expires, not revoked, never
// used.
type Key struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Hint       string       `json:"hint"`
	Scope      access.Scope `json:"scope"`
	Role       access.Role  `json:"role"`
	CreatedAt  time.Time    `json:"createdAt"`
	CreatedBy  string       `json:"createdBy"`
	ExpiresAt  time.Time    `json:"expiresAt,omitzero"`
	RevokedAt  time.Time    `json:"revokedAt,omitzero"`
	LastUsedAt time.Time    `json:"lastUsedAt,omitzero"`
	Version    int64        `json:"version"`

	place place
}

// NewKey is what a key begins with. An empty scope is its maker's; a zero ExpiresAt is never.
type NewKey struct {
	Name      string
	Scope     access.Scope
	Role      access.Role
	ExpiresAt time.Time
}

// KeyPatch changes what is not nil; a zero ExpiresAt is never.
type KeyPatch struct {
	Name      *string
	ExpiresAt *time.Time
}

// KeyQuery narrows a list of keys, newest first. Revoked and expired ones are listed too.
type KeyQuery struct {
	Search string
	Cursor string
	Limit  int
}

func (k Key) actor() access.Actor {
	return access.Actor{Kind: KindKey, ID: k.ID, Name: k.Name, Scope: k.Scope, Role: k.Role}
}

// good says whether a key is neither revoked nor expired.
func (k Key) good(now time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

func (k Key) event(actor access.Actor, action string, detail any) event {
	return event{actor: actor, action: action, noun: "api-key", id: k.ID, partnerID: k.place.partnerID, customerID: k.place.customerID(), detail: detail}
}

// checkKey refuses a bad name and an end that has passed.
func checkKey(name string, expires, now time.Time) (string, error) {
	var c check
	name = c.text("name", name, 1, maxName)
	if !expires.IsZero() && !expires.After(now) {
		c.add("expiresAt", "in-the-past", "expiresAt must lie in the future.")
	}
	return name, c.err()
}

// CreateKey makes a key and answers its text, which cannot be had again. It is never wider than its maker: 403
// wider-than-maker, 404 for a partner or customer that is not his.
func (o *Org) CreateKey(ctx context.Context, actor access.Actor, n NewKey) (Key, string, error) {
	if err := access.Can(actor, access.Administer); err != nil {
		return Key{}, "", err
	}
	now := o.clock.Now()
	name, err := checkKey(n.Name, n.ExpiresAt, now)
	if err != nil {
		return Key{}, "", err
	}
	text, err := newToken()
	if err != nil {
		return Key{}, "", err
	}
	text = keyPrefix + text
	k := Key{Name: name, Hint: text[len(text)-4:], Role: n.Role, CreatedAt: now, CreatedBy: actor.Name, ExpiresAt: micros(n.ExpiresAt), Version: 1}
	if k.ID, err = newID(); err != nil {
		return Key{}, "", err
	}
	err = o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if k.place, err = o.grant(ctx, tx, actor, n.Scope, n.Role); err != nil {
			return err
		}
		k.Scope = k.place.scope
		if err := refuseLonger(ctx, tx, actor, k.ExpiresAt); err != nil {
			return err
		}
		if err := insertKey(ctx, tx, k, hashToken(text)); err != nil {
			return err
		}
		return o.record(ctx, tx, k.event(actor, "api-key.create", change{After: k}))
	})
	if err != nil {
		return Key{}, "", err
	}
	return k, text, nil
}

// refuseLonger: a key that ends hands out nothing that outlives it.
func refuseLonger(ctx context.Context, tx db.Tx, actor access.Actor, expires time.Time) error {
	if actor.Kind != KindKey {
		return nil
	}
	maker, err := keyIn(ctx, tx, access.Scope{Level: access.Operator}, actor.ID)
	if err != nil {
		return err
	}
	if !maker.ExpiresAt.IsZero() && (expires.IsZero() || expires.After(maker.ExpiresAt)) {
		return tooWide("A key may not make one that lives longer than itself.")
	}
	return nil
}

// Key answers one in the actor's scope.
func (o *Org) Key(ctx context.Context, actor access.Actor, id string) (Key, error) {
	if err := access.Can(actor, access.Administer); err != nil {
		return Key{}, err
	}
	return keyIn(ctx, o.db.R, actor.Scope, id)
}

// Keys lists those in the actor's scope, newest first.
func (o *Org) Keys(ctx context.Context, actor access.Actor, q KeyQuery) (Page[Key], error) {
	if err := access.Can(actor, access.Administer); err != nil {
		return Page[Key]{}, err
	}
	return listKeys(ctx, o.db.R, actor.Scope, q)
}

// UpdateKey renames a key or moves its end. Scope and role stay what they were made with. A revoked one stays revoked: 409
// key-revoked.
func (o *Org) UpdateKey(ctx context.Context, actor access.Actor, id string, p KeyPatch, ifVersion int64) (Key, error) {
	if err := access.Can(actor, access.Administer); err != nil {
		return Key{}, err
	}
	var after Key
	err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, err := keyAt(ctx, tx, actor.Scope, id, ifVersion)
		if err != nil {
			return err
		}
		if !before.RevokedAt.IsZero() {
			return fault.New(fault.Conflict, "key-revoked", "The key was revoked.").WithRemedy("Make a new one.")
		}
		if after, err = o.patchKey(ctx, tx, actor, before, p); err != nil || after == before {
			return err
		}
		if after, err = updateKey(ctx, tx, after); err != nil {
			return err
		}
		return o.record(ctx, tx, after.event(actor, "api-key.update", change{before, after}))
	})
	if err != nil {
		return Key{}, err
	}
	return after, nil
}

func (o *Org) patchKey(ctx context.Context, tx db.Tx, actor access.Actor, k Key, p KeyPatch) (Key, error) {
	var err error
	if p.Name != nil {
		if k.Name, err = checkKey(*p.Name, time.Time{}, o.clock.Now()); err != nil {
			return Key{}, err
		}
	}
	if p.ExpiresAt == nil {
		return k, nil
	}
	if _, err = checkKey(k.Name, *p.ExpiresAt, o.clock.Now()); err != nil {
		return Key{}, err
	}
	k.ExpiresAt = micros(*p.ExpiresAt)
	return k, refuseLonger(ctx, tx, actor, k.ExpiresAt)
}

// RevokeKey ends a key for good; revoking it again changes nothing.
func (o *Org) RevokeKey(ctx context.Context, actor access.Actor, id string, ifVersion int64) error {
	if err := access.Can(actor, access.Administer); err != nil {
		return err
	}
	return o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, err := keyAt(ctx, tx, actor.Scope, id, ifVersion)
		if err != nil || !before.RevokedAt.IsZero() {
			return err
		}
		after := before
		after.RevokedAt = o.clock.Now()
		if after, err = updateKey(ctx, tx, after); err != nil {
			return err
		}
		return o.record(ctx, tx, after.event(actor, "api-key.revoke", change{before, after}))
	})
}

// refusedKey says nothing of why: unknown, revoked and expired do not differ to who presents a key.
func refusedKey() error {
	return fault.New(fault.Unauthenticated, "invalid-api-key", "The API key is not valid.").
		WithRemedy("Send a valid key as Authorization: Bearer tcap_….")
}

// Authenticate answers who a presented key is: 401 invalid-api-key for one that is unknown, revoked or expired, or whose
// partner or customer is gone. The time of its use is written at most once a minute, beside the request.
func (o *Org) Authenticate(ctx context.Context, presented string) (access.Actor, error) {
	if !strings.HasPrefix(presented, keyPrefix) || len(presented) > 100 {
		return access.Actor{}, refusedKey()
	}
	k, found, err := keyByHash(ctx, o.db.R, hashToken(presented))
	if err != nil {
		return access.Actor{}, err
	}
	now := o.clock.Now()
	if !found || !k.good(now) {
		return access.Actor{}, refusedKey()
	}
	lives, err := scopeLives(ctx, o.db.R, k.Scope)
	if err != nil {
		return access.Actor{}, err
	}
	if !lives {
		return access.Actor{}, refusedKey()
	}
	o.used(ctx, k, now)
	return k.actor(), nil
}

// used writes the time of use in the background. A write that fails is tried again with the next use.
func (o *Org) used(ctx context.Context, k Key, now time.Time) {
	if !o.due(k, now) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	go func() {
		defer o.uses.Done()
		defer cancel()
		err := o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return touchKey(ctx, tx, k.ID, now) })
		if err != nil {
			o.usesMu.Lock()
			delete(o.usedAt, k.ID)
			o.usesMu.Unlock()
		}
	}()
}

// due says whether a use is to be written, and takes note that it is.
func (o *Org) due(k Key, now time.Time) bool {
	o.usesMu.Lock()
	defer o.usesMu.Unlock()
	last := o.usedAt[k.ID]
	if k.LastUsedAt.After(last) {
		last = k.LastUsedAt
	}
	if o.closing || (!last.IsZero() && now.Sub(last) < useEvery) {
		return false
	}
	o.usedAt[k.ID] = now
	o.uses.Add(1)
	return true
}

// Close waits for what Authenticate writes beside the requests; to be called before the store is closed. Keys are still
// recognised afterwards, but their use is not written any more.
func (o *Org) Close() {
	o.usesMu.Lock()
	o.closing = true
	o.usesMu.Unlock()
	o.uses.Wait()
}
