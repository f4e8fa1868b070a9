package org

import (
	"context"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
)

// refusedSignIn is one answer for every reason: no such address, wrong password, disabled, no password set.
func refusedSignIn() error {
	return fault.New(fault.Unauthenticated, "sign-in-refused", "The address or the password is wrong.").
		WithRemedy("Try again, or ask an administrator of your organisation for a sign-in link.")
}

// SignInWithPassword answers who it is. Unknown address and wrong password answer the same 401 sign-in-refused in about
// the same time; after 10 failures within 15 minutes an address is let in no more until they are over: 429
// too-many-attempts.
func (o *Org) SignInWithPassword(ctx context.Context, email, password string) (access.Actor, error) {
	failed, ok, again := o.attempts.begin(emailKey(email), o.clock.Now())
	if !ok {
		minutes := int(again.Sub(o.clock.Now())/time.Minute) + 1
		return access.Actor{}, fault.New(fault.Limited, "too-many-attempts", "Too many failed sign-ins for this address.").
			WithRemedy("Wait %d minutes, or sign in with a passkey or a sign-in link.", minutes)
	}
	m, hash, err := memberByEmail(ctx, o.db.R, email)
	if err != nil {
		return access.Actor{}, err
	}
	right, err := o.hasher.verify(ctx, hash, password)
	if err != nil {
		return access.Actor{}, err
	}
	if !right {
		return access.Actor{}, refusedSignIn()
	}
	m, lives, err := livingMember(ctx, o.db.R, m.ID)
	if err != nil {
		return access.Actor{}, err
	}
	if !lives {
		return access.Actor{}, refusedSignIn()
	}
	o.attempts.succeeded(emailKey(email))
	err = o.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return o.record(ctx, tx, m.event(m.Actor(), "member.sign-in", signedIn{Method: "password", FailedBefore: failed}))
	})
	if err != nil {
		return access.Actor{}, err
	}
	return m.Actor(), nil
}

// signedIn is the audit detail of a sign-in. Failures are told with the next success: writing them as they happen would let
// a stranger fill the audit, and take longer for an address that exists.
type signedIn struct {
	Method       string `json:"method"`
	FailedBefore int    `json:"failedBefore,omitempty"`
}
