package graph

import (
	"net/http"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// listUsers pages through the users in the order they were made.
func (c *call) listUsers() (answer, error) {
	size, err := c.pageSize(defaultPage, maxPage)
	if err != nil {
		return answer{}, err
	}
	names, err := c.userSelection()
	if err != nil {
		return answer{}, err
	}
	wanted, err := c.userFilter()
	if err != nil {
		return answer{}, err
	}
	var from place
	if skip := c.option("skiptoken"); skip != "" {
		if err := decode(skip, &from); err != nil {
			return answer{}, err
		}
	}
	var body map[string]any
	err = c.view(func(t *world.Tenant) error {
		items, last := wanted.page(t, from, size, names)
		link := ""
		if last.ID != "" {
			link = c.next("users", map[string]string{"$skiptoken": encode(last)})
		}
		body = c.collection("users", items, link)
		if c.eventual() && c.option("count") == "true" {
			body["@odata.count"] = wanted.count(t)
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return ok(body)
}

// userFilter combines $filter and $search.
func (c *call) userFilter() (userQuery, error) {
	f, err := parseFilter(c.option("filter"))
	if err != nil {
		return userQuery{}, err
	}
	terms, err := c.searchTerms()
	return userQuery{all: c.option("filter") == "" && terms == nil, filter: f, search: terms}, err
}

// searchTerms reads $search="displayName:ann" "mail:x": every term must be found (AND, OR between terms is not modelled).
func (c *call) searchTerms() ([][2]string, error) {
	text := c.option("search")
	if text == "" {
		return nil, nil
	}
	if !c.eventual() {
		return nil, refuse(http.StatusBadRequest, "Request_UnsupportedQuery", "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'")
	}
	var terms [][2]string
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 0 {
			if between := strings.ToUpper(strings.TrimSpace(part)); between != "" && between != "AND" {
				return nil, unsupported("the search " + text)
			}
			continue
		}
		name, value, found := strings.Cut(part, ":")
		if !found {
			return nil, refuse(http.StatusBadRequest, "Request_BadRequest", "Syntax error: a clause of $search is property:value in double quotes.")
		}
		terms = append(terms, [2]string{name, strings.ToLower(value)})
	}
	return terms, nil
}

// userQuery says which users are wanted.
type userQuery struct {
	all    bool
	filter filter
	search [][2]string
}

func (q userQuery) matches(t *world.Tenant, u world.User) bool {
	if q.all {
		return true
	}
	get := func(name string) (any, bool) { return userProperty(t, u, name) }
	for _, term := range q.search {
		v, _ := get(term[0])
		s, _ := v.(string)
		if !strings.Contains(strings.ToLower(s), term[1]) {
			return false
		}
	}
	return q.filter(get)
}

// page gives up to size users; last is where to go on, empty at the end.
func (q userQuery) page(t *world.Tenant, from place, size int, names []string) (items []any, last place) {
	ids := t.Users.IDs()
	for at := from.resume(t); at < len(ids); at++ {
		u, there := t.Users.Get(ids[at])
		if !there || !q.matches(t, u) {
			continue
		}
		if len(items) == size {
			return items, last
		}
		items = append(items, showUser(t, u, names))
		last = place{ID: u.ID, At: at, Seq: t.ChangeSeq()}
	}
	return items, place{}
}

func (q userQuery) count(t *world.Tenant) int {
	if q.all {
		return t.Users.Len()
	}
	n := 0
	for _, u := range t.Users.All() {
		if q.matches(t, u) {
			n++
		}
	}
	return n
}

func (c *call) countUsers() (answer, error) {
	if !c.eventual() {
		return answer{}, refuse(http.StatusBadRequest, "Request_BadRequest", "$count is not currently supported without the header ConsistencyLevel: eventual.")
	}
	wanted, err := c.userFilter()
	if err != nil {
		return answer{}, err
	}
	n := 0
	err = c.view(func(t *world.Tenant) error { n = wanted.count(t); return nil })
	return answer{status: http.StatusOK, body: itoa(n)}, err
}

func (c *call) getUser() (answer, error) { return c.showUserNamed(c.args[0]) }

func (c *call) showUserNamed(id string) (answer, error) {
	names, err := c.userSelection()
	if err != nil {
		return answer{}, err
	}
	var m map[string]any
	err = c.view(func(t *world.Tenant) error {
		u, found := t.UserByName(id)
		if !found {
			return notFound(id)
		}
		m = showUser(t, u, names)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	m["@odata.context"] = c.context("users/$entity")
	return ok(m)
}
