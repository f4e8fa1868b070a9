package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// dump is all that a world keeps of its tenants, as text.
func dump(t require, w *World) string {
	var out strings.Builder
	for _, id := range w.created() {
		tn := w.rooms[id].tenant
		raw, err := head(tn)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s\n", raw)
		all := tables(tn)
		for _, name := range []string{"Users", "DeletedUsers", "Numbers", "Policies", "ServicePrincipals", "RoleAssignments", "SKUs"} {
			for _, row := range all[name].IDs() {
				raw, _, _ := all[name].encode(row)
				fmt.Fprintf(&out, "%s %s %s\n", name, row, raw)
			}
		}
		for c := range tn.UserChanges(0) {
			fmt.Fprintln(&out, c)
		}
		fmt.Fprintln(&out, tn.ChangeSeq())
	}
	return out.String()
}

type require interface{ Fatal(args ...any) }

// lived makes a world in dir with some of everything in it.
func lived(t *testing.T, dir string) *World {
	w := newWorld(t, dir)
	ctx := t.Context()
	c := create(t, w, NewTenant{Name: "Contoso", Users: 20, Seed: 5, LicensedShare: 0.5})
	gone := create(t, w, NewTenant{Name: "Fabrikam", Domain: "fabrikam.example"})
	mustUpdate(t, w, gone.TenantID, func(tn *Tenant) { tn.Deleted = true })
	create(t, w, NewTenant{Name: "Wingtip", Domain: "fabrikam.example"})
	mustUpdate(t, w, c.TenantID, func(tn *Tenant) {
		u, _ := tn.UserByName(c.User.UPN)
		tn.Users.Delete(u.ID)
		tn.DeletedUsers.Put(u.ID, u)
		tn.BlockedByConditionalAccess = map[string]bool{"*": true, "x": true}
	})
	mustUpdate(t, w, c.TenantID, func(tn *Tenant) { tn.BlockedByConditionalAccess = map[string]bool{"x": true} })
	if _, err := w.AddUsers(ctx, c.TenantID, 3); err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Hour)
	w.SigningKeys()
	for _, err := range []error{
		w.RollKey(ctx), w.PutApp(ctx, App{AppID: "A1", Secrets: []Secret{{Value: "s", End: w.Now()}}}),
		w.PutTicket(ctx, "code", "kept", 1, time.Hour), w.PutTicket(ctx, "code", "taken", 1, time.Hour),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if ok, err := w.TakeTicket(ctx, "code", "taken", nil); !ok || err != nil {
		t.Fatal(ok, err)
	}
	for range 2 {
		f, err := w.PutFault(ctx, Fault{Tenant: c.TenantID, Kind: "cut", Times: 3, Probability: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.FireFault(ctx, f.ID); err != nil {
			t.Fatal(err)
		}
	}
	if ok, err := w.DeleteFault(ctx, w.Faults("")[0].ID); !ok || err != nil {
		t.Fatal(ok, err)
	}
	return w
}

func TestAReopenedWorldIsTheSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := lived(t, dir)
	for range 3 { // the first reopening replays the log, the next ones what it was compacted to
		again := newWorld(t, dir)
		if got, want := dump(t, again), dump(t, w); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
		if !slices.Equal(again.TenantIDs(), w.TenantIDs()) || again.Offset() != w.Offset() {
			t.Error("tenants or clock differ")
		}
		if !slices.EqualFunc(again.SigningKeys(), w.SigningKeys(), func(a, b SigningKey) bool { return a.ID == b.ID && a.Private.Equal(b.Private) }) {
			t.Error("keys differ")
		}
		appA, _ := again.App("a1")
		appB, _ := w.App("a1")
		if fmt.Sprint(appA) != fmt.Sprint(appB) || fmt.Sprint(again.Faults("")) != fmt.Sprint(w.Faults("")) {
			t.Error("applications or faults differ")
		}
		kept, _ := again.PeekTicket("code", "kept", nil)
		taken, _ := again.PeekTicket("code", "taken", nil)
		if !kept || taken {
			t.Error("tickets differ")
		}
		if a, _ := again.FindTenant("fabrikam.example"); a != w.TenantIDs()[1] {
			t.Error("the domain finds another tenant")
		}
	}
}

func TestAKillAtAnyByteLeavesWholeChangesOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, dir)
	c := create(t, w, NewTenant{Name: "Contoso", Seed: 1})
	raw, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, w, c.TenantID, func(tn *Tenant) { // one change, two tables
		tn.Numbers.Put("+61255501000", Number{TelephoneNumber: "+61255501000"})
		tn.Policies.Put("A/1", Policy{Type: "A", Name: "1"})
	})
	full, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	for at := len(raw); at <= len(full); at++ {
		torn := t.TempDir()
		if err := os.WriteFile(filepath.Join(torn, logName), full[:at], 0o600); err != nil {
			t.Fatal(err)
		}
		again := newWorld(t, torn)
		whole := 0
		if at == len(full) {
			whole = 1
		}
		if err := again.View(c.TenantID, func(tn *Tenant) error {
			_, policy := tn.Policies.Get("A/1")
			if tn.Numbers.Len() != whole || policy != (whole == 1) {
				t.Errorf("cut at %d: %d numbers, policy %v", at, tn.Numbers.Len(), policy)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		mustUpdate(t, again, c.TenantID, func(tn *Tenant) { tn.RequireMFA = true })
		after := newWorld(t, torn) // what comes after a torn line is read again
		if err := after.View(c.TenantID, func(tn *Tenant) error {
			if !tn.RequireMFA {
				t.Errorf("cut at %d: the change after it is lost", at)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADamagedLineInTheMiddleIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{}\n{nonsense}\n{}\n":                   "line 2",
		`{"tenant":"t1","ops":[]}` + "\n":        "no such tenant",
		`{"key":{"ID":"k","DER":"AAAA"}}` + "\n": "signing key k",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, logName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestEachChangeIsOnDiskBeforeUpdateReturns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, dir)
	c := create(t, w, NewTenant{Name: "Contoso"})
	for i := range 5 {
		number := fmt.Sprintf("+6125550100%d", i)
		mustUpdate(t, w, c.TenantID, func(tn *Tenant) { tn.Numbers.Put(number, Number{}) })
		raw, err := os.ReadFile(filepath.Join(dir, logName))
		if err != nil || !bytes.Contains(raw, []byte(number)) || raw[len(raw)-1] != '\n' {
			t.Errorf("%s is not there: %v", number, err)
		}
	}
}

func TestGeneratedUsersAreNotWrittenOneByOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, dir)
	create(t, w, NewTenant{Name: "Contoso", Users: 10_000})
	info, err := os.Stat(filepath.Join(dir, logName))
	if err != nil || info.Size() > 2000 {
		t.Error(info.Size(), err)
	}
}

func TestAWorldThatCannotBeWrittenAcceptsNothingMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir())
	c := create(t, w, NewTenant{Name: "Contoso"})
	w.log.f.Close()
	change := func(tn *Tenant) error { tn.RequireMFA = !tn.RequireMFA; return nil }
	if err := w.Update(t.Context(), c.TenantID, change); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	called := false
	err := w.Update(t.Context(), c.TenantID, func(*Tenant) error { called = true; return nil })
	if err == nil || called {
		t.Error(err, called)
	}
}

// Whatever is done to users, reading the change log from where a reader stopped tells it all that has changed, across reopenings.
func TestTheChangeLogReproducesTheUsers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "w")
		if err != nil {
			rt.Fatal(err)
		}
		w, err := New(Options{Dir: dir})
		if err != nil {
			rt.Fatal(err)
		}
		c, err := w.CreateTenant(t.Context(), NewTenant{Name: "Contoso", Users: 4, Seed: 9})
		if err != nil {
			rt.Fatal(err)
		}
		reader := reader{seen: map[string]string{}}
		steps := rapid.IntRange(1, 30).Draw(rt, "steps")
		for range steps {
			err := w.Update(t.Context(), c.TenantID, func(tn *Tenant) error { stir(rt, tn); return nil })
			if err != nil {
				rt.Fatal(err)
			}
			if rapid.IntRange(0, 3).Draw(rt, "reopen") == 0 {
				before := dump(rt, w)
				w.Close()
				if w, err = New(Options{Dir: dir}); err != nil {
					rt.Fatal(err)
				}
				if after := dump(rt, w); after != before {
					rt.Fatalf("after reopening\n%s\nbefore\n%s", after, before)
				}
			}
			if rapid.Bool().Draw(rt, "read") {
				reader.compare(rt, w, c.TenantID)
			}
		}
		reader.compare(rt, w, c.TenantID)
		w.Close()
	})
}

// reader follows the change log as a client of /users/delta does.
type reader struct {
	at   int64
	seen map[string]string // user id → the user as JSON
}

func (r *reader) compare(rt *rapid.T, w *World, id string) {
	_ = w.View(id, func(tn *Tenant) error {
		for c := range tn.UserChanges(r.at) {
			delete(r.seen, c.ID)
			if u, ok := tn.Users.Get(c.ID); c.Removed == "" && ok {
				raw, _ := json.Marshal(u)
				r.seen[c.ID] = string(raw)
			}
		}
		r.at = tn.ChangeSeq()
		if len(r.seen) != tn.Users.Len() {
			rt.Fatalf("the reader sees %d users of %d", len(r.seen), tn.Users.Len())
		}
		for id, u := range tn.Users.All() {
			if raw, _ := json.Marshal(u); r.seen[id] != string(raw) {
				rt.Fatalf("the reader sees %s, there is %s", r.seen[id], raw)
			}
		}
		return nil
	})
}

// stir does one random thing to the users.
func stir(rt *rapid.T, tn *Tenant) {
	pick := func(t *Table[User]) (User, bool) {
		if t.Len() == 0 {
			return User{}, false
		}
		u, _ := t.Get(rapid.SampledFrom(slices.Clone(t.IDs())).Draw(rt, "user"))
		return u, true
	}
	switch rapid.IntRange(0, 5).Draw(rt, "what") {
	case 0:
		id := fmt.Sprint("new", tn.ChangeSeq())
		tn.Users.Put(id, User{ID: id})
	case 1:
		if u, ok := pick(&tn.Users); ok {
			u.Department = fmt.Sprint(tn.ChangeSeq())
			tn.Users.Put(u.ID, u)
		}
	case 2:
		if u, ok := pick(&tn.Users); ok {
			tn.Users.Delete(u.ID)
			tn.DeletedUsers.Put(u.ID, u)
		}
	case 3:
		if u, ok := pick(&tn.DeletedUsers); ok {
			tn.DeletedUsers.Delete(u.ID)
			tn.Users.Put(u.ID, u)
		}
	case 4:
		if u, ok := pick(&tn.DeletedUsers); ok {
			tn.DeletedUsers.Delete(u.ID)
		}
	case 5:
		if u, ok := pick(&tn.Users); ok {
			tn.Users.Delete(u.ID)
			tn.Users.Put(u.ID, u)
		}
	}
}

func BenchmarkCreating100000Users(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, b.TempDir())
		create(b, w, NewTenant{Name: "Contoso", Users: 100_000, Seed: 3, LicensedShare: 0.8})
	}
}

func BenchmarkUpdate(b *testing.B) {
	w := newWorld(b, b.TempDir())
	c := create(b, w, NewTenant{Name: "Contoso", Users: 1000})
	var u User
	mustUpdate(b, w, c.TenantID, func(tn *Tenant) { u, _ = tn.UserByName(c.User.UPN) })
	for b.Loop() {
		mustUpdate(b, w, c.TenantID, func(tn *Tenant) { tn.Users.Put(u.ID, u) })
	}
}
