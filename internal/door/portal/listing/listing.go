// Package listing is what the portal's lists share: addresses that carry search, filters, order and page, and files of
// comma-separated values that a spreadsheet can open without running anything.
package listing

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"tcap.cloud/internal/door/portal/ui"
)

// The parameters that a page of a list is told by. back holds the cursors of the pages before, from the number of the first
// line shown.
const (
	cursorParam = "cursor"
	backParam   = "back"
	fromParam   = "from"
	// maxBack keeps addresses short enough for every proxy; beyond it Previous leads to the first page.
	maxBack = 12
)

// Query is the address of a list: its path and what is chosen.
type Query struct {
	path   string
	values url.Values
}

// New reads the address of a list. path is where its links lead.
func New(path string, values url.Values) Query { return Query{path, values} }

// Get answers a parameter without the spaces around it.
func (q Query) Get(name string) string { return strings.TrimSpace(q.values.Get(name)) }

// Cursor is where this page begins; empty on the first.
func (q Query) Cursor() string { return q.values.Get(cursorParam) }

// With answers the address with parameters set, from the first page on: pairs of name and value, an empty value taking the
// parameter away.
func (q Query) With(pairs ...string) string {
	v := q.kept()
	for i := 0; i+1 < len(pairs); i += 2 {
		if v.Del(pairs[i]); pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return address(q.path, v)
}

// At answers the same choice at another path, such as the file of a list.
func (q Query) At(path string) string { return address(path, q.kept()) }

// Keep are the parameters that a form must carry along, except those that it sets itself.
func (q Query) Keep(except ...string) []ui.Pair {
	v := q.kept()
	for _, name := range except {
		v.Del(name)
	}
	var out []ui.Pair
	for _, name := range sorted(v) {
		out = append(out, ui.Pair{Key: name, Text: v.Get(name)})
	}
	return out
}

// Chip is a filter that is switched on and off. count below 0 shows none.
func (q Query) Chip(text, name, value string, count int) ui.Chip {
	c := ui.Chip{Text: text, On: q.Get(name) == value}
	if c.On {
		c.Href = q.With(name, "")
	} else {
		c.Href = q.With(name, value)
	}
	if count >= 0 {
		c.Count = strconv.Itoa(count)
	}
	return c
}

// Clear is the address without the named filters; empty where none is set.
func (q Query) Clear(names ...string) string {
	set, pairs := false, []string{}
	for _, name := range names {
		set = set || q.Get(name) != ""
		pairs = append(pairs, name, "")
	}
	if !set {
		return ""
	}
	return q.With(pairs...)
}

// Column is a column that can be sorted by: once as named, then the other way round.
func (q Query) Column(title, sort, standard string) ui.Column {
	c := ui.Column{Title: title, Sort: q.With("sort", sort)}
	now := q.Get("sort")
	if now == "" {
		now = standard
	}
	switch now {
	case sort:
		c.Sorted, c.Sort = "ascending", q.With("sort", "-"+sort)
	case "-" + sort:
		c.Sorted = "descending"
	}
	return c
}

// Pager is the line under a list. next is the cursor of the next page, total below 0 is not known, more says that total is
// only what was counted.
func (q Query) Pager(next string, shown, total int, more bool) ui.Paging {
	var p ui.Paging
	from, err := strconv.Atoi(q.values.Get(fromParam))
	if err != nil || from < 1 {
		from = 1
	}
	back := split(q.values.Get(backParam))
	if q.Cursor() != "" {
		p.Prev = q.page("", nil, 1)
		if len(back) > 0 {
			last := len(back) - 1
			cursor, n, _ := strings.Cut(back[last], "~")
			first, _ := strconv.Atoi(n)
			p.Prev = q.page(cursor, back[:last], max(first, 1))
		}
	}
	if next != "" {
		back = append(back, q.Cursor()+"~"+strconv.Itoa(from))
		p.Next = q.page(next, back[max(0, len(back)-maxBack):], from+shown)
	}
	p.Shown = shownWords(from, shown, total, more)
	return p
}

func shownWords(from, shown, total int, more bool) string {
	switch {
	case shown == 0:
		return ""
	case total < 0:
		return fmt.Sprintf("%d–%d", from, from+shown-1)
	case more:
		return fmt.Sprintf("%d–%d of more than %d", from, from+shown-1, total)
	default:
		return fmt.Sprintf("%d–%d of %d", from, from+shown-1, total)
	}
}

// page is the address of another page of the same choice.
func (q Query) page(cursor string, back []string, from int) string {
	v := q.kept()
	if cursor != "" {
		v.Set(cursorParam, cursor)
		v.Set(fromParam, strconv.Itoa(from))
	}
	if len(back) > 0 && cursor != "" {
		v.Set(backParam, strings.Join(back, ","))
	}
	return address(q.path, v)
}

// kept copies the parameters that say what is chosen, not which page of it.
func (q Query) kept() url.Values {
	v := url.Values{}
	for name, all := range q.values {
		if name != cursorParam && name != backParam && name != fromParam && len(all) > 0 && all[0] != "" {
			v.Set(name, all[0])
		}
	}
	return v
}

func address(path string, v url.Values) string {
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	return parts[max(0, len(parts)-maxBack):]
}
