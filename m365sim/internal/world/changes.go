package world

import (
	"iter"
	"slices"
	"sort"
)

// Change is one entry of a tenant's user change log. Removed is "" for a user that is there, "changed" for one that was
// soft-deleted and "deleted" for one that is gone for good: the words of @removed.reason in GET /users/delta
// (contracts/README.md, paging).
type Change struct {
	Seq     int64
	ID      string
	Removed string
}

// changeLog is the history of Users and DeletedUsers, one entry for each user touched by an Update. Superseded entries are
// skipped on reading and swept now and then, so its size follows the number of users, not of changes.
type changeLog struct {
	seq     int64
	entries []Change
	latest  map[string]int64
}

// ChangeSeq is the number of the newest user change; 0 when there never was one.
func (t *Tenant) ChangeSeq() int64 { return t.users.seq }

// UserChanges yields the changes after the given sequence number, oldest first, each user once with its latest state.
func (t *Tenant) UserChanges(after int64) iter.Seq[Change] {
	l := &t.users
	return func(yield func(Change) bool) {
		from := sort.Search(len(l.entries), func(i int) bool { return l.entries[i].Seq > after })
		for _, c := range l.entries[from:] {
			if l.latest[c.ID] == c.Seq && !yield(c) {
				return
			}
		}
	}
}

// note appends one entry for each touched user, saying where it is now.
func (t *Tenant) note(ids []string) {
	for _, id := range ids {
		t.users.append(Change{Seq: t.users.seq + 1, ID: id, Removed: t.whereabouts(id)})
	}
	t.users.sweep()
}

func (t *Tenant) whereabouts(userID string) string {
	if _, ok := t.Users.Get(userID); ok {
		return ""
	}
	if _, ok := t.DeletedUsers.Get(userID); ok {
		return "changed"
	}
	return "deleted"
}

func (l *changeLog) append(c Change) {
	if l.latest == nil {
		l.latest = map[string]int64{}
	}
	l.seq = max(l.seq, c.Seq)
	l.entries = append(l.entries, c)
	l.latest[c.ID] = c.Seq
}

func (l *changeLog) sweep() {
	if len(l.entries) < 2*len(l.latest)+1024 {
		return
	}
	l.entries = slices.DeleteFunc(l.entries, func(c Change) bool { return l.latest[c.ID] != c.Seq })
}
