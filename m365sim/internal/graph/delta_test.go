package graph_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcap.cloud/m365sim/internal/world"
)

func TestDeltaPagesBySizeAndEndsWithADeltaLink(t *testing.T) {
	t.Parallel()
	l := newLab(t, 450)
	bearer := l.app("User.Read.All")
	first := l.get("/users/delta?$select=displayName", bearer)
	if len(first.items()) != 200 || first.text1("@odata.deltaLink") != "" || !strings.HasPrefix(first.text1("@odata.nextLink"), l.url+"/v1.0/users/delta?") {
		t.Fatalf("have %d users, links %q %q", len(first.items()), first.text1("@odata.nextLink"), first.text1("@odata.deltaLink"))
	}
	if n := len(l.get("/users/delta()", bearer, "Prefer", "odata.maxpagesize=300").items()); n != 300 {
		t.Fatalf("have %d", n)
	}
	if n := len(l.get("/users/delta", bearer, "Prefer", "return=minimal, odata.maxpagesize=5000").items()); n != 450 {
		t.Fatalf("have %d", n)
	}
	all, last := l.follow("/users/delta?$select=displayName", bearer)
	if len(all) != 450 || last.text1("@odata.deltaLink") == "" {
		t.Fatalf("have %d users, delta link %q", len(all), last.text1("@odata.deltaLink"))
	}
	if len(all[0]) != 2 || all[0]["id"] == "" {
		t.Fatalf("the selection and the id, no more: %v", all[0])
	}
	again := l.get(last.text1("@odata.deltaLink"), bearer)
	if len(again.items()) != 0 || again.text1("@odata.deltaLink") == "" {
		t.Fatalf("nothing has changed: %s", again.text)
	}
}

func TestLatestGivesALinkWithoutUsers(t *testing.T) {
	t.Parallel()
	l := newLab(t, 5)
	bearer := l.app("User.Read.All")
	r := l.get("/users/delta?$deltatoken=latest&$select=id,department", bearer)
	if len(r.items()) != 0 || r.text1("@odata.deltaLink") == "" {
		t.Fatalf("have %s", r.text)
	}
	l.change(func(t *world.Tenant) { u := l.user; u.Department = "Ops"; t.Users.Put(u.ID, u) })
	items := l.get(r.text1("@odata.deltaLink"), bearer).items()
	if len(items) != 1 || items[0]["department"] != "Ops" {
		t.Fatalf("have %v", items)
	}
}

func TestRemovedUsersAreNamedWithTheReason(t *testing.T) {
	t.Parallel()
	l := newLab(t, 6)
	bearer := l.app("User.Read.All")
	link := l.get("/users/delta?$deltatoken=latest", bearer).text1("@odata.deltaLink")
	l.change(func(t *world.Tenant) {
		t.Users.Delete(l.user.ID)
		t.DeletedUsers.Put(l.user.ID, l.user)
	})
	r := l.get(link, bearer)
	if got := fmt.Sprint(r.items()); got != "[map[@removed:map[reason:changed] id:"+l.user.ID+"]]" {
		t.Fatalf("have %s", got)
	}
	l.change(func(t *world.Tenant) { t.DeletedUsers.Delete(l.user.ID) })
	r = l.get(r.text1("@odata.deltaLink"), bearer)
	if got := fmt.Sprint(r.items()); got != "[map[@removed:map[reason:deleted] id:"+l.user.ID+"]]" {
		t.Fatalf("have %s", got)
	}
}

func TestAnOldTokenIsGoneAndSaysWhereToBegin(t *testing.T) {
	t.Parallel()
	l := newLab(t, 5)
	link := l.get("/users/delta?$deltatoken=latest&$select=id,mail", l.app("User.Read.All")).text1("@odata.deltaLink")
	l.w.Advance(week - time.Minute)
	l.want(l.get(link, l.app("User.Read.All")), 200, "")
	l.w.Advance(2 * time.Minute)
	r := l.get(link, l.app("User.Read.All"))
	l.want(r, 410, "syncStateNotFound")
	again := l.get(r.header.Get("Location"), l.app("User.Read.All"))
	l.want(again, 200, "")
	if len(again.items()) != 5 {
		t.Fatalf("the location begins anew: %s", again.text)
	}
}

func TestATokenOfAFormerWorldIsGone(t *testing.T) {
	t.Parallel()
	former, l := newLab(t, 5), newLab(t, 5)
	link := former.get("/users/delta?$deltatoken=latest", former.app("User.Read.All")).text1("@odata.deltaLink")
	l.want(l.get(strings.Replace(link, former.url, l.url, 1), l.app("User.Read.All")), 410, "syncStateNotFound")
	l.want(l.get("/users/delta?$deltatoken=rubbish", l.app("User.Read.All")), 400, "Request_BadRequest")
	l.want(l.get("/users/delta?$select=colour", l.app("User.Read.All")), 400, "BadRequest")
	l.want(l.get("/users/delta?$filter=x", l.app("User.Read.All")), 501, "NotModelled")
}

// copyOf is what a client that follows delta knows.
type copyOf map[string]string

func (c copyOf) take(items []map[string]any) {
	for _, m := range items {
		id := m["id"].(string)
		if _, removed := m["@removed"]; removed {
			delete(c, id)
			continue
		}
		c[id] = fmt.Sprint(m["displayName"])
	}
}

// Whatever changes happen, before, between and after the pages: a client that follows the links from any point ends with
// the users as they are.
func TestFollowingDeltaFromAnyPointReproducesTheUsers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := newLab(t, rapid.IntRange(2, 25).Draw(rt, "users"))
		bearer := l.app("User.Read.All")
		known := copyOf{}
		link := "/users/delta?$select=displayName"
		for step := range rapid.IntRange(1, 30).Draw(rt, "steps") {
			if rapid.Bool().Draw(rt, "read") {
				r := l.get(link, bearer, "Prefer", fmt.Sprintf("odata.maxpagesize=%d", rapid.IntRange(1, 7).Draw(rt, "size")))
				l.want(r, 200, "")
				known.take(r.items())
				link = r.text1("@odata.nextLink") + r.text1("@odata.deltaLink")
				continue
			}
			l.change(func(tn *world.Tenant) { disturb(rt, tn, l.hosted, step) })
		}
		for rounds := 0; rounds < 2; { // the round in hand, and one that began after the last change
			r := l.get(link, bearer)
			l.want(r, 200, "")
			known.take(r.items())
			link = r.text1("@odata.nextLink") + r.text1("@odata.deltaLink")
			if r.text1("@odata.deltaLink") != "" {
				rounds++
			}
		}
		want := copyOf{}
		l.view(func(tn *world.Tenant) {
			for id, u := range tn.Users.All() {
				want[id] = u.DisplayName
			}
		})
		if !maps.Equal(known, want) {
			rt.Fatalf("the client knows %v, there is %v", known, want)
		}
	})
}

// disturb changes, adds, deletes or restores one user.
func disturb(rt *rapid.T, t *world.Tenant, seed string, step int) {
	pick := func(list []string) string { return list[rapid.IntRange(0, len(list)-1).Draw(rt, "which")] }
	switch act := rapid.IntRange(0, 4).Draw(rt, "act"); {
	case act == 0:
		id := fmt.Sprintf("%s-%d", seed, step)
		t.Users.Put(id, world.User{ID: id, UserPrincipalName: id + "@contoso.example", DisplayName: "new"})
	case act == 1 && t.Users.Len() > 1:
		u, _ := t.Users.Get(pick(t.Users.IDs()))
		t.Users.Delete(u.ID)
		t.DeletedUsers.Put(u.ID, u)
	case act == 2 && t.DeletedUsers.Len() > 0:
		u, _ := t.DeletedUsers.Get(pick(t.DeletedUsers.IDs()))
		t.DeletedUsers.Delete(u.ID)
		t.Users.Put(u.ID, u)
	case act == 3 && t.DeletedUsers.Len() > 0:
		t.DeletedUsers.Delete(pick(t.DeletedUsers.IDs()))
	case t.Users.Len() > 0:
		u, _ := t.Users.Get(pick(t.Users.IDs()))
		u.DisplayName = fmt.Sprintf("step %d", step)
		t.Users.Put(u.ID, u)
	}
}
