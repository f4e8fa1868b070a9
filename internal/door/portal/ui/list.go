package ui

import "unicode/utf8"

// boxID answers the id of the element that holds the table, so that a
// fragment can replace it.
func (t Table) boxID() string {
	if t.ID == "" {
		return "list"
	}
	return t.ID
}

// selectName answers the name of the check boxes.
func (t Table) selectName() string {
	if t.SelectName == "" {
		return "id"
	}
	return t.SelectName
}

// title answers the title of column i, empty beyond the last.
func (t Table) title(i int) string {
	if i >= len(t.Columns) || t.Columns[i].Hidden {
		return ""
	}
	return t.Columns[i].Title
}

// number tells whether column i holds figures.
func (t Table) number(i int) bool { return i < len(t.Columns) && t.Columns[i].Number }

// selectLabel answers the accessible name of a row's check box.
func (r Row) selectLabel() string {
	if r.SelectLabel != "" {
		return r.SelectLabel
	}
	if len(r.Cells) > 0 && r.Cells[0].Text != "" {
		return "Select " + r.Cells[0].Text
	}
	return "Select " + r.Select
}

// shortText is how much of a cell stays on one line, in characters: names of people and companies, and times.
const shortText = 24

// keeps tells whether a cell stays on one line, so that a long neighbour wraps instead.
func (c Cell) keeps() bool {
	return c.Body == nil && c.Text != "" && utf8.RuneCountInString(c.Text) <= shortText
}

// sortIcon answers the arrow of a sortable column.
func (c Column) sortIcon() Icon {
	switch c.Sorted {
	case "ascending":
		return IconUp
	case "descending":
		return IconDown
	default:
		return IconSort
	}
}

// name answers the name of the search parameter.
func (f Filters) name() string {
	if f.Name == "" {
		return "search"
	}
	return f.Name
}
