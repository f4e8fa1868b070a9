package org_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

const password = "correct horse battery"

func TestAMemberIsMadeSeenAndChangedWithinTheScope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		admin := as(of(w.contoso), access.Admin)
		m, err := w.o.CreateMember(w.ctx, admin, org.NewMember{Email: "Ana@wingtip.example", Name: "Ana", Scope: at(w.wingtip), Role: access.Agent, Password: password})
		w.must(err)
		read, err := w.o.Member(w.ctx, admin, m.ID)
		w.must(err)
		if read != m || !m.HasPassword || m.Email != "Ana@wingtip.example" || m.Version != 1 {
			t.Fatalf("made %+v, read %+v", m, read)
		}
		m, err = w.o.UpdateMember(w.ctx, admin, m.ID, org.MemberPatch{Role: ptr(access.Admin), Name: ptr("Ana B."), Scope: ptr(of(w.contoso))}, 1)
		w.must(err)
		if m.Role != access.Admin || m.Name != "Ana B." || m.Scope != of(w.contoso) || m.Version != 2 {
			t.Fatalf("got %+v", m)
		}
		_, err = w.o.UpdateMember(w.ctx, admin, m.ID, org.MemberPatch{Name: ptr("Lost")}, 1)
		w.stale(err)
		_, err = w.o.DisableMember(w.ctx, admin, m.ID, 1)
		w.stale(err)
		if e := w.audited(of(w.contoso), "member.update", 1); !strings.Contains(string(e[0].Detail), `"before"`) {
			t.Fatalf("got %s", e[0].Detail)
		}
		w.audited(of(w.contoso), "member.create", 1)
		w.nowhere(password)
	})
}

func TestAMemberOutsideTheScopeIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(at(w.wingtip), access.Agent, "ana@wingtip.example")
		boss := w.member(operatorScope(), access.Admin, "boss@fabrikam.example")
		for _, c := range []struct {
			actor access.Actor
			id    string
		}{{as(of(w.adatum), access.Admin), m.ID}, {as(at(w.tailspin), access.Admin), m.ID}, {as(of(w.contoso), access.Admin), boss.ID}, {as(at(w.wingtip), access.Admin), boss.ID}} {
			_, err := w.o.Member(w.ctx, c.actor, c.id)
			w.missing(err)
			_, err = w.o.UpdateMember(w.ctx, c.actor, c.id, org.MemberPatch{}, 0)
			w.missing(err)
			_, err = w.o.DisableMember(w.ctx, c.actor, c.id, 0)
			w.missing(err)
			_, err = w.o.EnableMember(w.ctx, c.actor, c.id, 0)
			w.missing(err)
			w.missing(w.o.SetPassword(w.ctx, c.actor, c.id, password))
			w.missing(w.o.EndSessionsOf(w.ctx, c.actor, c.id))
			_, err = w.o.InviteLink(w.ctx, c.actor, c.id, time.Hour)
			w.missing(err)
			_, err = w.o.Passkeys(w.ctx, c.actor, c.id)
			w.missing(err)
			w.missing(w.o.DeletePasskey(w.ctx, c.actor, c.id, []byte("k")))
		}
		for s, want := range map[access.Scope]int{operatorScope(): 2, of(w.contoso): 1, at(w.wingtip): 1, of(w.adatum): 0, at(w.tailspin): 0} {
			page, err := w.o.Members(w.ctx, as(s, access.Admin), org.MemberQuery{})
			w.must(err)
			if page.Total != want {
				t.Errorf("%+v sees %d members, want %d", s, page.Total, want)
			}
		}
		page, err := w.o.Members(w.ctx, root(), org.MemberQuery{Search: "BOSS@"})
		w.must(err)
		if page.Total != 1 || page.Items[0] != boss {
			t.Fatalf("got %+v", page)
		}
	})
}

func TestWhoDoesNotAdministerLooksAfterHimselfAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ana := w.member(at(w.wingtip), access.Agent, "ana@wingtip.example")
		ben := w.member(at(w.wingtip), access.Viewer, "ben@wingtip.example")
		_, err := w.o.Member(w.ctx, ana.Actor(), ana.ID)
		w.must(err)
		w.must(w.o.SetPassword(w.ctx, ana.Actor(), ana.ID, password))
		w.must(w.o.EndSessionsOf(w.ctx, ana.Actor(), ana.ID))
		_, err = w.o.Member(w.ctx, ana.Actor(), ben.ID)
		w.forbidden(err)
		w.forbidden(w.o.SetPassword(w.ctx, ana.Actor(), ben.ID, password))
		w.forbidden(w.o.EndSessionsOf(w.ctx, ana.Actor(), ben.ID))
		_, err = w.o.Members(w.ctx, ana.Actor(), org.MemberQuery{})
		w.forbidden(err)
		_, err = w.o.UpdateMember(w.ctx, ana.Actor(), ana.ID, org.MemberPatch{Role: ptr(access.Admin)}, 0)
		w.forbidden(err)
		_, err = w.o.CreateMember(w.ctx, ana.Actor(), org.NewMember{Email: "c@wingtip.example", Name: "C", Role: access.Viewer})
		w.forbidden(err)
		_, err = w.o.DisableMember(w.ctx, ana.Actor(), ben.ID, 0)
		w.forbidden(err)
		_, err = w.o.InviteLink(w.ctx, ana.Actor(), ben.ID, time.Hour)
		w.forbidden(err)
	})
}

func TestNoMemberIsWiderThanHisMaker(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		admin := as(of(w.contoso), access.Admin)
		n := org.NewMember{Email: "x@contoso.example", Name: "X", Role: access.Viewer, Scope: operatorScope()}
		_, err := w.o.CreateMember(w.ctx, admin, n)
		w.refused(err, fault.Forbidden, "wider-than-maker")
		n.Scope = at(w.litware)
		_, err = w.o.CreateMember(w.ctx, admin, n)
		w.missing(err)
		m := w.member(at(w.wingtip), access.Viewer, "ana@wingtip.example")
		_, err = w.o.UpdateMember(w.ctx, admin, m.ID, org.MemberPatch{Scope: ptr(operatorScope())}, 0)
		w.refused(err, fault.Forbidden, "wider-than-maker")
		_, err = w.o.UpdateMember(w.ctx, as(at(w.wingtip), access.Admin), m.ID, org.MemberPatch{Scope: ptr(of(w.contoso))}, 0)
		w.missing(err)
		_, err = w.o.UpdateMember(w.ctx, admin, m.ID, org.MemberPatch{Scope: ptr(of(w.adatum))}, 0)
		w.missing(err)
	})
}

func TestABadMemberIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, n := range []org.NewMember{{Email: "ana", Name: "A", Role: access.Viewer}, {Email: "Ana <ana@x.example>", Name: "A", Role: access.Viewer},
			{Email: "a@x.example", Role: access.Viewer}, {Email: "a@x.example", Name: "A"}, {Email: "a@x.example", Name: "A", Role: access.SBC},
			{Email: "a@x.example", Name: "A", Role: access.Viewer, Password: "elevenchars"}, {Email: "a@x.example", Name: "A", Role: access.Viewer, Password: strings.Repeat("x", 1025)},
			{Email: "a@x.example", Name: "A", Role: access.Viewer, Scope: access.Scope{Level: "world"}}} {
			_, err := w.o.CreateMember(w.ctx, root(), n)
			w.refused(err, fault.Invalid, "invalid-input")
		}
		m := w.member(operatorScope(), access.Viewer, "ana@fabrikam.example")
		_, err := w.o.UpdateMember(w.ctx, root(), m.ID, org.MemberPatch{Role: ptr(access.SBC)}, 0)
		w.refused(err, fault.Invalid, "invalid-input")
		_, err = w.o.UpdateMember(w.ctx, root(), m.ID, org.MemberPatch{Name: ptr("")}, 0)
		w.refused(err, fault.Invalid, "invalid-input")
		w.refused(w.o.SetPassword(w.ctx, root(), m.ID, "elevenchars"), fault.Invalid, "invalid-input")
		_, err = w.o.CreateMember(w.ctx, root(), org.NewMember{Email: "ANA@fabrikam.example", Name: "Ana again", Role: access.Viewer})
		w.refused(err, fault.Conflict, "member-exists")
	})
}

func TestTheLastAdministratorOfTheOperatorStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one := w.member(operatorScope(), access.Admin, "one@fabrikam.example")
		two := w.member(operatorScope(), access.Admin, "two@fabrikam.example")
		w.member(of(w.contoso), access.Admin, "other@contoso.example")
		var gone atomic.Int32
		var wg sync.WaitGroup
		for _, m := range []org.Member{one, two} {
			wg.Go(func() {
				_, err := w.o.DisableMember(w.ctx, root(), m.ID, 0)
				if err == nil {
					gone.Add(1)
				} else if !fault.Is(err, "last-administrator") {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if gone.Load() != 1 {
			t.Fatalf("%d of two administrators could be disabled", gone.Load())
		}
		for _, m := range []org.Member{one, two} {
			if m, err := w.o.Member(w.ctx, root(), m.ID); err != nil || m.DisabledAt.IsZero() {
				_, err = w.o.UpdateMember(w.ctx, root(), m.ID, org.MemberPatch{Role: ptr(access.Agent)}, 0)
				w.refused(err, fault.Conflict, "last-administrator")
			} else {
				_, err = w.o.EnableMember(w.ctx, root(), m.ID, 0)
				w.must(err)
				_, err = w.o.DisableMember(w.ctx, root(), m.ID, 0)
				w.must(err)
			}
		}
	})
}

func TestAPasswordSignsInAndNothingElseDoes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m, err := w.o.CreateMember(w.ctx, root(), org.NewMember{Email: "Zoë@Fabrikam.example", Name: "Zoë", Role: access.Admin, Password: "pâssword with marks"})
		w.must(err)
		w.member(operatorScope(), access.Admin, "nopassword@fabrikam.example")
		// The same letter composed otherwise, the address in other capitals.
		who, err := w.o.SignInWithPassword(w.ctx, " zOË@fabrikam.EXAMPLE ", "pa\u0302ssword with marks")
		w.must(err)
		if who != m.Actor() {
			t.Fatalf("got %+v", who)
		}
		answers := map[string]bool{}
		for _, c := range [][2]string{{m.Email, "pâssword with mark"}, {m.Email, ""}, {m.Email, strings.Repeat("x", 5000)}, {"nobody@fabrikam.example", "pâssword with marks"},
			{"zoe@fabrikam.example", "pâssword with marks"}, {"nopassword@fabrikam.example", ""}, {"\x00\xff", "x"}, {"", ""}} {
			_, err := w.o.SignInWithPassword(w.ctx, c[0], c[1])
			w.refused(err, fault.Unauthenticated, "sign-in-refused")
			answers[err.Error()] = true
		}
		_, err = w.o.DisableMember(w.ctx, root(), m.ID, 0)
		w.must(err)
		_, err = w.o.SignInWithPassword(w.ctx, m.Email, "pâssword with marks")
		w.refused(err, fault.Unauthenticated, "sign-in-refused")
		answers[err.Error()] = true
		if len(answers) != 1 {
			t.Fatalf("different answers: %v", answers)
		}
		w.audited(operatorScope(), "member.sign-in", 1)
	})
}

func TestANewPasswordReplacesTheOldOneAndEndsEverySession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(of(w.contoso), access.Agent, "ana@contoso.example")
		w.must(w.o.SetPassword(w.ctx, root(), m.ID, password))
		session, err := w.o.NewSession(w.ctx, m.Actor(), time.Hour)
		w.must(err)
		w.must(w.o.SetPassword(w.ctx, m.Actor(), m.ID, "another good password"))
		_, err = w.o.ActorOfSession(w.ctx, session)
		w.refused(err, fault.Unauthenticated, "no-session")
		_, err = w.o.SignInWithPassword(w.ctx, m.Email, password)
		w.refused(err, fault.Unauthenticated, "sign-in-refused")
		_, err = w.o.SignInWithPassword(w.ctx, m.Email, "another good password")
		w.must(err)
		w.audited(of(w.contoso), "member.set-password", 2)
		w.nowhere("another good password")
		w.nowhere(session)
	})
}

func TestTenFailuresInAQuarterOfAnHourCloseAnAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.member(of(w.contoso), access.Agent, "ana@contoso.example")
		w.must(w.o.SetPassword(w.ctx, root(), m.ID, password))
		var refused, limited atomic.Int32
		var wg sync.WaitGroup
		for range 14 { // all at once: none slips through while another is still being compared
			wg.Go(func() {
				_, err := w.o.SignInWithPassword(w.ctx, "Ana@contoso.example", "wrong wrong wrong")
				switch {
				case fault.Is(err, "sign-in-refused"):
					refused.Add(1)
				case fault.Is(err, "too-many-attempts") && fault.KindOf(err) == fault.Limited:
					limited.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if refused.Load() != 10 || limited.Load() != 4 {
			t.Fatalf("%d compared, %d turned away", refused.Load(), limited.Load())
		}
		_, err := w.o.SignInWithPassword(w.ctx, m.Email, password)
		w.refused(err, fault.Limited, "too-many-attempts")
		_, err = w.o.SignInWithPassword(w.ctx, "other@contoso.example", password)
		w.refused(err, fault.Unauthenticated, "sign-in-refused")
		w.clock.Advance(15*time.Minute - time.Microsecond)
		_, err = w.o.SignInWithPassword(w.ctx, m.Email, password)
		w.refused(err, fault.Limited, "too-many-attempts")
		w.clock.Advance(time.Microsecond)
		_, err = w.o.SignInWithPassword(w.ctx, m.Email, "wrong wrong wrong")
		w.refused(err, fault.Unauthenticated, "sign-in-refused")
		_, err = w.o.SignInWithPassword(w.ctx, m.Email, password)
		w.must(err)
		if e := w.audited(of(w.contoso), "member.sign-in", 1); !strings.Contains(string(e[0].Detail), `"failedBefore":1`) {
			t.Fatalf("got %s", e[0].Detail)
		}
	})
}
