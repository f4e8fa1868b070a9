package control

import (
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// page is what the played browser sees of a page: its first form and its words.
type page struct {
	form     *form
	dataCode string // data-code of <main>, the number of the AADSTS code shown
	words    []string
	dead     []string // the words of the element with id error-text
}

// form is a form with its address made absolute.
type form struct {
	method  string
	action  string
	inputs  map[string]string   // by name, hidden or not, with their values
	shown   map[string]bool     // inputs that are not hidden
	buttons map[string][]string // values of the submit buttons by name
}

// hidden are the inputs the page filled in itself.
func (f *form) hidden() map[string]string {
	values := map[string]string{}
	for name, value := range f.inputs {
		if !f.shown[name] {
			values[name] = value
		}
	}
	return values
}

func (f *form) has(input string) bool { _, ok := f.inputs[input]; return ok }

func (f *form) offers(name, value string) bool { return slices.Contains(f.buttons[name], value) }

var aadsts = regexp.MustCompile(`AADSTS([0-9]+)`)

// code is the AADSTS code the page shows, by attribute or in its words.
func (p page) code() string {
	if p.dataCode != "" {
		return "AADSTS" + p.dataCode
	}
	return aadsts.FindString(p.text())
}

func (p page) text() string {
	if len(p.dead) > 0 {
		return strings.Join(p.dead, " ")
	}
	return strings.Join(p.words, " ")
}

// parsePage reads a page found at an address.
func parsePage(in io.Reader, at *url.URL) (page, error) {
	root, err := html.Parse(in)
	if err != nil {
		return page{}, fmt.Errorf("reading the page: %w", err)
	}
	var p page
	for n := range root.Descendants() {
		switch {
		case n.Type == html.TextNode && visible(n):
			p.addWords(n)
		case n.Type != html.ElementNode:
		case n.Data == "main":
			p.dataCode = attribute(n, "data-code")
		case n.Data == "form" && p.form == nil:
			if p.form, err = parseForm(n, at); err != nil {
				return page{}, err
			}
		}
	}
	return p, nil
}

func (p *page) addWords(n *html.Node) {
	text := strings.Join(strings.Fields(n.Data), " ")
	if text == "" {
		return
	}
	p.words = append(p.words, text)
	for up := range n.Ancestors() {
		if attribute(up, "id") == "error-text" {
			p.dead = append(p.dead, text)
		}
	}
}

func visible(n *html.Node) bool {
	switch n.Parent.Data {
	case "script", "style", "title", "noscript":
		return false
	}
	return true
}

func parseForm(n *html.Node, at *url.URL) (*form, error) {
	action, err := at.Parse(attribute(n, "action"))
	if err != nil {
		return nil, fmt.Errorf("the form's address: %w", err)
	}
	if attribute(n, "action") == "?" {
		action.RawQuery, action.ForceQuery = "", false
	}
	f := &form{method: "GET", action: action.String(), inputs: map[string]string{}, shown: map[string]bool{}, buttons: map[string][]string{}}
	if strings.EqualFold(attribute(n, "method"), "post") {
		f.method = "POST"
	}
	for d := range n.Descendants() {
		f.add(d)
	}
	return f, nil
}

// add takes in an input or a button.
func (f *form) add(n *html.Node) {
	name, value, kind := attribute(n, "name"), attribute(n, "value"), strings.ToLower(attribute(n, "type"))
	switch {
	case n.Type != html.ElementNode || name == "":
	case n.Data == "button" || n.Data == "input" && kind == "submit":
		f.buttons[name] = append(f.buttons[name], value)
	case n.Data == "input":
		f.inputs[name] = value
		f.shown[name] = kind != "hidden"
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
