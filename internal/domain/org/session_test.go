package org_test

import (
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

func (w *world) session(a access.Actor) string {
	w.t.Helper()
	token, err := w.o.NewSession(w.ctx, a, time.Hour)
	w.must(err)
	return token
}

func (w *world) noSession(token string) {
	w.t.Helper()
	_, err := w.o.ActorOfSession(w.ctx, token)
	w.refused(err, fault.Unauthenticated, "no-session")
}

func TestASessionIsTheMemberAsHeIsNow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(at(w.wingtip), access.Agent, "ana@wingtip.example")
		token := w.session(m.Actor())
		who, err := w.o.ActorOfSession(w.ctx, token)
		w.must(err)
		if who != m.Actor() {
			t.Fatalf("got %+v", who)
		}
		m, err = w.o.UpdateMember(w.ctx, root(), m.ID, org.MemberPatch{Role: ptr(access.Viewer), Scope: ptr(of(w.contoso))}, 0)
		w.must(err)
		who, err = w.o.ActorOfSession(w.ctx, token)
		w.must(err)
		if who.Role != access.Viewer || who.Scope != of(w.contoso) {
			t.Fatalf("got %+v", who)
		}
		w.audited(at(w.wingtip), "session.begin", 1)
		w.nowhere(token)
	})
}

func TestADisabledMemberIsOutAtOnceAndStaysOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(of(w.contoso), access.Agent, "ana@contoso.example")
		token := w.session(m.Actor())
		link, err := w.o.InviteLink(w.ctx, root(), m.ID, time.Hour)
		w.must(err)
		_, err = w.o.DisableMember(w.ctx, as(of(w.contoso), access.Admin), m.ID, 0)
		w.must(err)
		w.noSession(token)
		_, err = w.o.NewSession(w.ctx, m.Actor(), time.Hour)
		w.refused(err, fault.Unauthenticated, "no-session")
		_, err = w.o.InviteLink(w.ctx, root(), m.ID, time.Hour)
		w.refused(err, fault.Conflict, "member-disabled")
		_, err = w.o.DisableMember(w.ctx, root(), m.ID, 0)
		w.must(err)
		m, err = w.o.EnableMember(w.ctx, root(), m.ID, 0)
		w.must(err)
		w.noSession(token)
		_, err = w.o.UseLink(w.ctx, link)
		w.refused(err, fault.Unauthenticated, "link-refused")
		_, err = w.o.ActorOfSession(w.ctx, w.session(m.Actor()))
		w.must(err)
		w.audited(of(w.contoso), "member.disable", 1)
		w.audited(of(w.contoso), "member.enable", 1)
	})
}

func TestASessionEndsByTimeByHandAndWithItsCustomer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(operatorScope(), access.Admin, "ana@fabrikam.example")
		token := w.session(m.Actor())
		w.clock.Advance(time.Hour - time.Microsecond)
		_, err := w.o.ActorOfSession(w.ctx, token)
		w.must(err)
		w.clock.Advance(time.Microsecond)
		w.noSession(token)
		w.noSession("")
		w.noSession("unknown")

		token = w.session(m.Actor())
		w.must(w.o.EndSession(w.ctx, token))
		w.must(w.o.EndSession(w.ctx, token))
		w.noSession(token)
		w.audited(operatorScope(), "session.end", 1)

		token = w.session(m.Actor())
		w.must(w.o.EndSessionsOf(w.ctx, root(), m.ID))
		w.noSession(token)

		guest := w.session(access.Actor{Kind: "link", ID: "1", Name: "Administrator of Litware", Scope: at(w.litware), Role: access.Admin})
		staff := w.session(w.member(at(w.litware), access.Viewer, "x@litware.example").Actor())
		for _, token := range []string{guest, staff} {
			_, err = w.o.ActorOfSession(w.ctx, token)
			w.must(err)
		}
		w.must(w.o.DeleteCustomer(w.ctx, root(), w.litware.ID, 0))
		w.noSession(guest)
		w.noSession(staff)
		if _, err = w.o.NewSession(w.ctx, m.Actor(), 0); err == nil {
			t.Fatal("a session without a duration was begun")
		}
	})
}

func TestALinkSignsInOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		guest := access.Actor{Kind: "link", ID: "7", Name: "Administrator of Wingtip", Scope: at(w.wingtip), Role: access.Admin}
		token, err := w.o.NewLink(w.ctx, guest, time.Hour)
		w.must(err)
		w.noSession(token)
		var used atomic.Int32
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				who, err := w.o.UseLink(w.ctx, token)
				switch {
				case err == nil && who == guest:
					used.Add(1)
				case !fault.Is(err, "link-refused"):
					t.Errorf("got %+v, %v", who, err)
				}
			})
		}
		wg.Wait()
		if used.Load() != 1 {
			t.Fatalf("used %d times", used.Load())
		}
		late, err := w.o.NewLink(w.ctx, guest, time.Hour)
		w.must(err)
		w.clock.Advance(time.Hour)
		for _, bad := range []string{late, "", "unknown", w.session(guest)} {
			_, err = w.o.UseLink(w.ctx, bad)
			w.refused(err, fault.Unauthenticated, "link-refused")
		}
		w.audited(at(w.wingtip), "sign-in-link.create", 2)
		w.audited(of(w.contoso), "member.sign-in", 1)
		w.nowhere(token)
	})
}

func TestAnInvitationIsTheMemberNotItsMaker(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(at(w.wingtip), access.Viewer, "ana@wingtip.example")
		token, err := w.o.InviteLink(w.ctx, as(of(w.contoso), access.Admin), m.ID, time.Hour)
		w.must(err)
		who, err := w.o.UseLink(w.ctx, token)
		w.must(err)
		if who != m.Actor() {
			t.Fatalf("got %+v", who)
		}
		if e := w.audited(at(w.wingtip), "sign-in-link.create", 1); e[0].Actor != "Somebody" || e[0].TargetID != m.ID {
			t.Fatalf("got %+v", e[0])
		}
	})
}

func TestACeremonyIsTakenOnceWithinFiveMinutes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		state := json.RawMessage(`{"challenge":"abc"}`)
		token, err := w.o.PutCeremony(w.ctx, state)
		w.must(err)
		_, err = w.o.UseLink(w.ctx, token)
		w.refused(err, fault.Unauthenticated, "link-refused")
		w.noSession(token)
		got, err := w.o.TakeCeremony(w.ctx, token)
		w.must(err)
		if string(got) != string(state) {
			t.Fatalf("got %s", got)
		}
		late, err := w.o.PutCeremony(w.ctx, state)
		w.must(err)
		w.clock.Advance(5 * time.Minute)
		for _, bad := range []string{token, late, "unknown"} {
			_, err = w.o.TakeCeremony(w.ctx, bad)
			w.refused(err, fault.Unauthenticated, "ceremony-over")
		}
		for _, bad := range []string{"", "{", `"` + strings.Repeat("x", 17<<10) + `"`} {
			if _, err = w.o.PutCeremony(w.ctx, json.RawMessage(bad)); err == nil {
				t.Fatalf("%d bytes were kept", len(bad))
			}
		}
	})
}

func TestASweepTakesWhatHasExpiredAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(operatorScope(), access.Admin, "ana@fabrikam.example")
		for range 3 {
			_, err := w.o.PutCeremony(w.ctx, json.RawMessage(`{}`))
			w.must(err)
		}
		token := w.session(m.Actor())
		for _, c := range []struct {
			after time.Duration
			want  int64
		}{{0, 0}, {5 * time.Minute, 3}, {time.Minute, 0}} {
			w.clock.Advance(c.after)
			n, err := w.o.Sweep(w.ctx)
			w.must(err)
			if n != c.want {
				t.Fatalf("swept %d, want %d", n, c.want)
			}
		}
		_, err := w.o.ActorOfSession(w.ctx, token)
		w.must(err)
	})
}

func TestAPasskeyIsAddedUsedAndRemoved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(at(w.wingtip), access.Agent, "ana@wingtip.example")
		id := []byte{0, 1, 0xff}
		_, err := w.o.AddPasskey(w.ctx, m.Actor(), id, "Laptop", `{"n":0}`)
		w.must(err)
		_, err = w.o.AddPasskey(w.ctx, m.Actor(), id, "Again", `{}`)
		w.refused(err, fault.Conflict, "passkey-exists")
		w.clock.Advance(time.Minute)
		found, keys, err := w.o.MemberForPasskey(w.ctx, m.ID)
		w.must(err)
		if found != m || len(keys) != 1 || string(keys[0].ID) != string(id) || keys[0].Credential != `{"n":0}` || !keys[0].UsedAt.IsZero() {
			t.Fatalf("got %+v, %+v", found, keys)
		}
		who, err := w.o.UsePasskey(w.ctx, keys[0], `{"n":1}`)
		w.must(err)
		if who != m.Actor() {
			t.Fatalf("got %+v", who)
		}
		_, err = w.o.UsePasskey(w.ctx, keys[0], `{"n":1}`)
		w.refused(err, fault.Unauthenticated, "sign-in-refused")
		keys, err = w.o.Passkeys(w.ctx, as(of(w.contoso), access.Admin), m.ID)
		w.must(err)
		if keys[0].Credential != `{"n":1}` || !keys[0].UsedAt.Equal(began.Add(time.Minute)) {
			t.Fatalf("got %+v", keys)
		}
		w.missing(w.o.DeletePasskey(w.ctx, m.Actor(), m.ID, []byte("other")))
		w.must(w.o.DeletePasskey(w.ctx, m.Actor(), m.ID, id))
		_, err = w.o.UsePasskey(w.ctx, keys[0], `{"n":2}`)
		w.refused(err, fault.Unauthenticated, "sign-in-refused")
		for _, action := range []string{"member.add-passkey", "member.delete-passkey", "member.sign-in"} {
			w.audited(at(w.wingtip), action, 1)
		}
	})
}

func TestAPasskeyIsRefusedWhereItsMemberIs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(of(w.contoso), access.Agent, "ana@contoso.example")
		_, err := w.o.AddPasskey(w.ctx, root(), []byte("k"), "x", `{}`)
		w.refused(err, fault.Forbidden, "members-only")
		_, err = w.o.AddPasskey(w.ctx, m.Actor(), nil, "x", `{}`)
		w.refused(err, fault.Invalid, "invalid-input")
		_, err = w.o.AddPasskey(w.ctx, m.Actor(), []byte("k"), "", `{}`)
		w.refused(err, fault.Invalid, "invalid-input")
		for i := range 20 {
			_, err = w.o.AddPasskey(w.ctx, m.Actor(), []byte{byte(i)}, "x", `{}`)
			w.must(err)
		}
		_, err = w.o.AddPasskey(w.ctx, m.Actor(), []byte("k"), "x", `{}`)
		w.refused(err, fault.Conflict, "too-many-passkeys")
		keys, err := w.o.Passkeys(w.ctx, m.Actor(), m.ID)
		w.must(err)
		_, err = w.o.DisableMember(w.ctx, root(), m.ID, 0)
		w.must(err)
		_, err = w.o.UsePasskey(w.ctx, keys[0], `{}`)
		w.refused(err, fault.Unauthenticated, "sign-in-refused")
		_, _, err = w.o.MemberForPasskey(w.ctx, m.ID)
		w.refused(err, fault.Unauthenticated, "sign-in-refused")
		_, _, err = w.o.MemberForPasskey(w.ctx, "nobody\x00")
		w.refused(err, fault.Unauthenticated, "sign-in-refused")
		_, err = w.o.AddPasskey(w.ctx, m.Actor(), []byte("z"), "x", `{}`)
		w.missing(err)
	})
}
