package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

const (
	defaultPage = 100 // users, service principals …: Graph's default
	maxPage     = 999
)

// pageSize reads $top; Graph refuses what is out of range.
func (c *call) pageSize(standard, most int) (int, error) {
	text := c.option("top")
	if text == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, badRequest("Invalid page size specified: '%s'. Must be between 1 and %d inclusive.", text, most)
	}
	return n, nil
}

// selection is the list of properties asked for, nil when none is named.
func (c *call) selection() []string {
	var names []string
	for name := range strings.SplitSeq(c.option("select"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// place is where a listing of users goes on: after the user with this id, which was at this position when the tenant's
// change number was Seq.
type place struct {
	ID  string `json:"i"`
	At  int    `json:"a"`
	Seq int64  `json:"s"`
}

// encode makes an opaque token; clients must not look into it.
func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "" // only structs of plain fields come here
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decode(text string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return refuse(400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
	}
	return nil
}

// resume is the position to go on at. Users deleted meanwhile move the others towards the front, and one that was deleted
// and restored moves to the end. Where the user itself was touched its position proves nothing, so that the listing goes
// back by as many users as were touched: it may repeat some, but loses none.
func (p place) resume(t *world.Tenant) int {
	if p.ID == "" {
		return 0
	}
	touched, itself := 0, false
	for change := range t.UserChanges(p.Seq) {
		touched++
		itself = itself || change.ID == p.ID
	}
	ids := t.Users.IDs()
	if !itself {
		for at := min(p.At, len(ids)-1); at >= 0; at-- {
			if ids[at] == p.ID {
				return at + 1
			}
		}
	}
	return max(0, p.At+1-touched)
}

// next is an absolute link to this request with other paging.
func (c *call) next(path string, change map[string]string) string {
	q := url.Values{}
	for k, v := range c.query {
		q[k] = v
	}
	for k, v := range change {
		q.Set(k, v)
	}
	return c.root + "/" + path + "?" + q.Encode()
}

// collection is the body of a list.
func (c *call) collection(fragment string, items []any, nextLink string) map[string]any {
	if items == nil {
		items = []any{}
	}
	body := map[string]any{"@odata.context": c.context(fragment), "value": items}
	if nextLink != "" {
		body["@odata.nextLink"] = nextLink
	}
	return body
}

// whole answers a short list on one page, filtered and cut down to the selection.
func (c *call) whole(fragment string, all []map[string]any) (answer, error) {
	f, err := parseFilter(c.option("filter"))
	if err != nil {
		return answer{}, err
	}
	names := c.selection()
	var items []any
	for _, m := range all {
		if f(func(name string) (any, bool) { v, ok := m[name]; return v, ok }) {
			items = append(items, pick(m, names))
		}
	}
	return ok(c.collection(fragment, items, ""))
}

// single answers one object, cut down to the selection.
func (c *call) single(fragment string, m map[string]any) (answer, error) {
	m = pick(m, c.selection())
	m["@odata.context"] = c.context(fragment + "/$entity")
	return ok(m)
}

// pick keeps the selected properties; an unknown one is left out, since these objects are trimmed.
func pick(m map[string]any, names []string) map[string]any {
	picked := make(map[string]any, len(m)+1)
	if len(names) == 0 {
		for k, v := range m {
			picked[k] = v
		}
		return picked
	}
	for _, name := range names {
		if v, has := m[name]; has {
			picked[name] = v
		}
	}
	if t, has := m["@odata.type"]; has {
		picked["@odata.type"] = t
	}
	return picked
}
