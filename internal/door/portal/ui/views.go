package ui

import (
	"time"

	"github.com/a-h/templ"
)

// ProblemView is an error or a warning in the portal's three sentences: what
// happened, what it means, what to do. Code and CorrelationID are shown under
// Details only, never alone.
type ProblemView struct {
	Tone          Tone // ToneBad when empty
	Happened      string
	Means         string
	Do            string
	Actions       templ.Component // buttons; nil for none
	Code          string
	CorrelationID string
}

// ServiceCardView is the card of one service of a customer (PORTAL.md, Service card).
type ServiceCardView struct {
	ID       string // of the element, for a swap; must be unique on the page
	Name     string // "Direct Routing"
	State    State
	Sentence string // answers: do calls work?
	Facts    []CardFact
	// Actions are the buttons of the remedy; nil for none.
	Actions templ.Component
	// Footer is a last quiet line: "Next check in 6 h · 3 of 3 failures".
	Footer string
	// Folds are opened by the person: "What it can do", "What was made in the tenant".
	Folds         []Fold
	Code          string // of the cause; with CorrelationID, under Details
	CorrelationID string
}

// CardFact is one line of a service card: label, value, optional button.
type CardFact struct {
	Label  string
	Value  string
	Link   string          // where Value leads; may be empty
	Action templ.Component // a small button at the end of the line; may be nil
}

// Fold is a part that is closed until asked for.
type Fold struct {
	Title string
	Body  templ.Component
	Open  bool
}

// Pair is one line of a key and value list. Body, when set, is drawn in place
// of Text.
type Pair struct {
	Key  string
	Text string
	Href string
	Body templ.Component
}

// Step is one part of a piece of work.
type Step struct {
	Name   string
	State  State // of OperationState or CheckState
	Detail string
	Took   time.Duration   // zero: not shown
	Body   templ.Component // shown under the step; may be nil
}

// Tab is one of a page's parts; tabs are links, so that each has an address.
type Tab struct {
	Text    string
	Href    string
	Count   string // "214"; empty for none
	Current bool
}

// Event is one line of a history.
type Event struct {
	At     time.Time
	Icon   Icon
	Tone   Tone
	Title  string // "Number assigned to Ana Lopez"
	Href   string
	Who    string
	Why    string // cause: job, API key, webhook
	Before string
	After  string
	Place  string // where it was, such as a customer's name; empty: not told
	// PlaceHref leads to the place; empty: it is plain text.
	PlaceHref string
}

// Stat is a figure that leads to the things it counts.
type Stat struct {
	Label string
	Value string
	Note  string
	Href  string
	Tone  Tone
	Icon  Icon
}

// Permission is one line of what an administrator allows.
type Permission struct {
	Name  string // as Microsoft names it
	Use   string // what we do with it
	Never string // what we never do
}

// GrantStep is one of the three steps of Grant access.
type GrantStep struct {
	Title   string
	Done    bool
	Current bool
}

// Chip is a filter drawn as a link that switches it on or off.
type Chip struct {
	Text  string
	Href  string // the list with this filter toggled
	On    bool
	Count string
}

// Filters is the line above a list: a search field and chips. The form is a
// GET, so the query stays in the address.
type Filters struct {
	Action string // path of the list
	Name   string // of the search parameter; "search" when empty
	Label  string // "Search numbers"
	Value  string
	Keep   []Pair // parameters to carry along: Key and Text
	Chips  []Chip
	Clear  string          // address without filters; empty hides the link
	Extra  templ.Component // buttons at the end; may be nil
	// Live, a CSS selector such as "#numbers", swaps that element while
	// typing; empty: on Enter only.
	Live string
}

// Paging holds the two cursor links of a list; empty means there is none.
type Paging struct {
	Prev  string
	Next  string
	Shown string // "1–50 of 312"
}

// Column is a column of a [DataTable].
type Column struct {
	Title  string
	Sort   string // address that sorts by it; empty: not sortable
	Sorted string // "", "ascending" or "descending"
	Number bool   // right-aligned, tabular figures
	Hidden bool   // title for screen readers only (a column of buttons)
}

// Cell is one value of a table; Body, when set, wins over Text.
type Cell struct {
	Text  string
	Sub   string // smaller second line
	Warn  string // second line that stands out: it is the news of the row
	Href  string
	State *State
	Body  templ.Component
	Mono  bool
}

// Row is one line of a table. Cells stand in the order of the columns; the
// first is the row's header.
type Row struct {
	ID    string // of the element; may be empty
	Cells []Cell
	// Select is the value of the row's check box; empty draws none.
	Select string
	// SelectLabel names the check box: "Select +61 2 5550 0001".
	SelectLabel string
	Current     bool
}

// Table is a list with a caption. On narrow screens each row becomes a card
// whose lines carry the column's title.
type Table struct {
	ID         string
	Caption    string
	ShowTitle  bool // draw the caption; else it is for screen readers
	Columns    []Column
	Rows       []Row
	Selectable bool   // draw a column of check boxes named SelectName
	SelectName string // "id" when empty
	Form       string // id of the form the check boxes belong to; may be empty
	Empty      Empty
}

// Empty tells that there is nothing, and what to do about it.
type Empty struct {
	Icon     Icon
	Sentence string
	Action   templ.Component
}

// Field is what every form control shares.
type Field struct {
	ID       string // of the control; "f-" + Name when empty
	Name     string
	Label    string
	Hint     string
	Error    string
	Value    string
	Required bool
	Disabled bool
	// Attrs are added to the control: autocomplete, inputmode, pattern, hx-*.
	Attrs templ.Attributes
}

// Option is a choice of a select, of radios or of a list of check boxes.
type Option struct {
	Value    string
	Text     string
	Hint     string
	Selected bool
	Disabled bool
}

// Confirm is a dialog that asks before something is done. When TypeName is
// set, the person must type it; the server checks it again in the field
// confirm_name.
type Confirm struct {
	ID       string // of the dialog; a [DialogButton] opens it
	Title    string
	Text     string
	Action   string // where the form posts
	Button   string // "Disconnect Wingtip Toys"
	Danger   bool
	TypeName string
	Hidden   []Pair // hidden fields: Key and Text
	Body     templ.Component
	Back     string // where "No, go back" leads on a page of its own; empty: no such button
}

// ProgressView is how far a piece of work is.
type ProgressView struct {
	Label string // "Assigning numbers"
	Done  int
	Total int    // zero: not known, an indeterminate bar
	Note  string // what it waits for
}
