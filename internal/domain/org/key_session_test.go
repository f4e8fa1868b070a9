package org_test

import (
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

// Whoever has found a key signs in to the portal with it too: ending the key ends that session, and links made for it.
func TestASessionBegunWithAKeyEndsWithTheKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		k, text, err := w.o.CreateKey(ctx, root(), org.NewKey{Name: "lost", Role: access.Admin, Scope: operatorScope()})
		w.must(err)
		who, err := w.o.Authenticate(ctx, text)
		w.must(err)
		session, err := w.o.NewSession(ctx, who, time.Hour)
		w.must(err)
		link, err := w.o.NewLink(ctx, who, time.Hour)
		w.must(err)
		got, err := w.o.ActorOfSession(ctx, session)
		w.must(err)
		if got != who {
			t.Fatalf("%+v", got)
		}
		w.must(w.o.RevokeKey(ctx, root(), k.ID, 0))
		_, err = w.o.ActorOfSession(ctx, session)
		w.refused(err, fault.Unauthenticated, "no-session")
		_, err = w.o.UseLink(ctx, link)
		w.refused(err, fault.Unauthenticated, "link-refused")
		_, err = w.o.NewSession(ctx, who, time.Hour)
		w.refused(err, fault.Unauthenticated, "no-session")
	})
}

func TestASessionBegunWithAKeyEndsWhenTheKeyExpires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, text, err := w.o.CreateKey(ctx, root(), org.NewKey{Name: "short", Role: access.Viewer, Scope: operatorScope(), ExpiresAt: w.clock.Now().Add(time.Minute)})
		w.must(err)
		who, err := w.o.Authenticate(ctx, text)
		w.must(err)
		session, err := w.o.NewSession(ctx, who, time.Hour)
		w.must(err)
		w.clock.Advance(time.Minute)
		_, err = w.o.ActorOfSession(ctx, session)
		w.refused(err, fault.Unauthenticated, "no-session")
	})
}
