package graph

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

// deltaAge is how long a delta token of the directory lives.
const deltaAge = 7 * 24 * time.Hour

const (
	defaultDeltaPage = 200
	maxDeltaPage     = 999
)

// round is what a delta token carries. A first round lists every user (Listing) and remembers the change number at its
// beginning, so that what changes meanwhile comes again in the next round. Later rounds give the changes after Seq.
type round struct {
	Tenant  string `json:"t"`
	Made    int64  `json:"m"` // when the tenant was made: tells this world from a former one
	Issued  int64  `json:"n"` // unix seconds on the world's clock
	Seq     int64  `json:"s"`
	Listing bool   `json:"l,omitempty"`
	From    place  `json:"p"`
	Select  string `json:"f,omitempty"`
	Size    int    `json:"z,omitempty"` // kept for the pages of one round
}

// deltaUsers is GET /users/delta (contracts/README.md, Paging).
func (c *call) deltaUsers() (answer, error) {
	if c.option("filter") != "" {
		return answer{}, unsupported("$filter of users/delta")
	}
	r, err := c.round()
	if err != nil {
		return answer{}, err
	}
	names := usualUserProperties()
	if r.Select != "" {
		if names, err = checkUserNames(append(strings.Split(r.Select, ","), "id")); err != nil {
			return answer{}, err
		}
	}
	var body map[string]any
	err = c.view(func(t *world.Tenant) error {
		if r.stale(t, c.w.Now()) {
			return c.gone(r)
		}
		body = c.deltaPage(t, r, names)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return ok(body)
}

// round reads the token, or begins a first round; Tenant stays empty for the latter until the page is made.
func (c *call) round() (round, error) {
	size, err := c.deltaSize()
	if err != nil {
		return round{}, err
	}
	first := round{Listing: true, Select: strings.Join(c.selection(), ","), Size: size}
	text := c.option("deltatoken")
	if text == "" {
		text = c.option("skiptoken")
	}
	switch {
	case text == "":
		return first, nil
	case strings.EqualFold(text, "latest"):
		first.Listing = false
		return first, nil
	}
	var r round
	if err := decode(text, &r); err != nil {
		return round{}, refuse(http.StatusBadRequest, "Request_BadRequest", "Badly formed token.")
	}
	if c.r.Header.Get("Prefer") != "" || r.Size == 0 {
		r.Size = size
	}
	return r, nil
}

// deltaSize reads Prefer: odata.maxpagesize, or $top.
func (c *call) deltaSize() (int, error) {
	for part := range strings.SplitSeq(c.r.Header.Get("Prefer"), ",") {
		if text, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(part)), "odata.maxpagesize="); found {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return 0, badRequest("The value of odata.maxpagesize is not valid.")
			}
			return min(n, maxDeltaPage), nil
		}
	}
	return c.pageSize(defaultDeltaPage, maxDeltaPage)
}

// stale: too old, or of another world. A first round has no tenant in it yet.
func (r round) stale(t *world.Tenant, now time.Time) bool {
	if r.Tenant == "" {
		return false
	}
	return r.Tenant != t.ID || r.Made != t.CreatedAt.UnixNano() || r.Seq > t.ChangeSeq() || now.Sub(time.Unix(r.Issued, 0)) > deltaAge
}

// gone sends the client back to the beginning: 410 with Location.
func (c *call) gone(r round) error {
	p := refuse(http.StatusGone, "syncStateNotFound", "The sync state generation is not found; a full resync is required.")
	again := c.root + "/users/delta?$deltatoken="
	if r.Select != "" {
		again += "&$select=" + r.Select
	}
	p.header = map[string]string{"Location": again}
	return p
}

func (c *call) deltaPage(t *world.Tenant, r round, names []string) map[string]any {
	fresh := r.Tenant == ""
	r.Tenant, r.Made, r.Issued = t.ID, t.CreatedAt.UnixNano(), c.w.Now().Unix()
	if fresh {
		r.Seq = t.ChangeSeq()
	}
	var items []any
	more := false
	switch {
	case r.Listing:
		items, r.From = userQuery{all: true}.page(t, r.From, r.Size, names)
		more = r.From.ID != ""
	case !fresh:
		items, r.Seq, more = changesAfter(t, r.Seq, r.Size, names)
	}
	body := c.collection("users", items, "")
	if more {
		body["@odata.nextLink"] = c.root + "/users/delta?$skiptoken=" + encode(r)
		return body
	}
	r.Listing, r.From, r.Size = false, place{}, 0
	body["@odata.deltaLink"] = c.root + "/users/delta?$deltatoken=" + encode(r)
	return body
}

// changesAfter gives up to size changes, and the number of the last one given.
func changesAfter(t *world.Tenant, seq int64, size int, names []string) (items []any, last int64, more bool) {
	last = seq
	for change := range t.UserChanges(seq) {
		if len(items) == size {
			return items, last, true
		}
		last = change.Seq
		if u, there := t.Users.Get(change.ID); there {
			items = append(items, showUser(t, u, names))
			continue
		}
		items = append(items, map[string]any{"id": change.ID, "@removed": map[string]any{"reason": change.Removed}})
	}
	return items, last, false
}
