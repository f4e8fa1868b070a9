package ui_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"tcap.cloud/internal/door/portal/ui"
)

// element is one start tag and the text inside.
type element struct {
	name string
	attr map[string]string
	text strings.Builder
}

// elements reads a page and refuses what is not well formed: a tag that is
// left open or closed out of turn, an attribute given twice.
func elements(t *testing.T, page string) []*element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(asXML(page)))
	d.Entity = xml.HTMLEntity
	var all, open []*element
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &element{name: tok.Name.Local, attr: map[string]string{}}
			for _, a := range tok.Attr {
				name := a.Name.Local
				if _, twice := e.attr[name]; twice {
					t.Errorf("<%s> has %s twice", e.name, name)
				}
				e.attr[name] = a.Value
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.text.Write(tok)
			}
		}
	}
}

// asXML writes the two things that HTML allows and XML does not: attributes
// without a value, and elements that have no end tag.
func asXML(page string) string {
	return tags.ReplaceAllStringFunc(strings.Replace(page, "<!doctype html>", "", 1), func(tag string) string {
		for range 2 { // neighbours share the space between them
			tag = boolean.ReplaceAllString(tag, ` $1=""$2`)
		}
		if void.MatchString(tag) {
			tag = strings.TrimSuffix(strings.TrimSuffix(tag, ">"), "/") + "/>"
		}
		return tag
	})
}

var (
	void    = regexp.MustCompile(`^<(meta|link|input|img|br|hr)\b`)
	tags    = regexp.MustCompile(`<[a-z][^<>"]*(?:"[^"]*"[^<>"]*)*>`)
	boolean = regexp.MustCompile(` (required|disabled|checked|selected|open|defer|data-[a-z-]+)( |>|/)`)
)

// loaded answers the addresses that a page loads by itself.
func loaded(t *testing.T, address string) []string {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range elements(t, string(body)) {
		if src := e.attr["src"]; src != "" {
			out = append(out, src)
		}
		if e.name == "link" {
			out = append(out, e.attr["href"])
		}
	}
	if len(out) < 4 {
		t.Fatalf("%s loads only %v", address, out)
	}
	return out
}

// pages are what every structural rule is checked on.
func pages() map[string]templ.Component {
	return map[string]templ.Component{
		"gallery": ui.Gallery(ui.ThemeLight), "bare": ui.GalleryBare(ui.ThemeDark),
	}
}

func onEveryPage(t *testing.T, check func(t *testing.T, all []*element)) {
	t.Helper()
	for name, page := range pages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, elements(t, render(t, page)))
		})
	}
}

func TestNoPageHoldsInlineScriptOrStyle(t *testing.T) {
	t.Parallel()
	onEveryPage(t, func(t *testing.T, all []*element) {
		for _, e := range all {
			if e.name == "style" || (e.name == "script" && (e.attr["src"] == "" || e.text.Len() > 0)) {
				t.Errorf("inline <%s>", e.name)
			}
			for a := range e.attr {
				if a == "style" || strings.HasPrefix(a, "on") || strings.HasPrefix(a, "hx-on") {
					t.Errorf("<%s> has %s", e.name, a)
				}
			}
		}
	})
}

func TestEveryControlHasALabel(t *testing.T) {
	t.Parallel()
	onEveryPage(t, func(t *testing.T, all []*element) {
		labels := map[string]bool{}
		for _, e := range all {
			if e.name == "label" && strings.TrimSpace(e.text.String()) != "" {
				labels[e.attr["for"]] = true
			}
		}
		for _, e := range all {
			switch e.name {
			case "input", "select", "textarea":
				if e.attr["type"] != "hidden" && e.attr["aria-label"] == "" && !labels[e.attr["id"]] {
					t.Errorf("<%s name=%q> has no label", e.name, e.attr["name"])
				}
			case "button", "a", "summary":
				if e.attr["aria-label"] == "" && strings.TrimSpace(e.text.String()) == "" {
					t.Errorf("<%s class=%q> has no name", e.name, e.attr["class"])
				}
			case "progress":
				if e.attr["aria-label"] == "" {
					t.Error("<progress> has no name")
				}
			}
		}
	})
}

func TestEveryIdIsUniqueAndEveryReferenceLeadsSomewhere(t *testing.T) {
	t.Parallel()
	onEveryPage(t, func(t *testing.T, all []*element) {
		ids := map[string]bool{}
		for _, e := range all {
			if id, ok := e.attr["id"]; ok && (id == "" || ids[id]) {
				t.Errorf("<%s> repeats or empties the id %q", e.name, id)
			}
			ids[e.attr["id"]] = true
		}
		for _, e := range all {
			for _, a := range []string{"for", "aria-labelledby", "aria-describedby", "aria-controls", "data-opens"} {
				for _, id := range strings.Fields(e.attr[a]) {
					if !ids[id] {
						t.Errorf("<%s> has %s=%q, which is nowhere", e.name, a, id)
					}
				}
			}
		}
	})
}

func TestThePageHasTheLandmarksAPersonJumpsBy(t *testing.T) {
	t.Parallel()
	onEveryPage(t, func(t *testing.T, all []*element) {
		count := map[string]int{}
		for _, e := range all {
			count[e.name]++
			if e.attr["aria-live"] == "polite" {
				count["live region"]++
			}
			if e.attr["class"] == "tc-skip" && e.attr["href"] == "#main" {
				count["skip link"]++
			}
		}
		for _, name := range []string{"main", "h1", "title", "live region", "skip link"} {
			if count[name] != 1 {
				t.Errorf("the page has %d of %s, want 1", count[name], name)
			}
		}
	})
}

func TestEveryStatusIsAWordAndAnIcon(t *testing.T) {
	t.Parallel()
	for family, states := range ui.Known() {
		seen := map[string]bool{}
		for _, s := range states {
			if s.Word == "" || s.Tone == "" || !slices.Contains(ui.Icons(), s.Icon) || seen[s.Code] {
				t.Errorf("%s: %+v lacks a word, a tone or an icon of the set, or repeats its code", family, s)
			}
			seen[s.Code] = true
			all := elements(t, render(t, ui.Status(s)))
			if all[0].attr["data-state"] != s.Code || strings.TrimSpace(all[0].text.String()) != s.Word {
				t.Errorf("%s: %s is drawn as %q", family, s.Code, all[0].text.String())
			}
			if !slices.ContainsFunc(all, func(e *element) bool { return e.name == "path" || e.name == "circle" || e.name == "rect" }) {
				t.Errorf("%s: %s is drawn without an icon", family, s.Code)
			}
		}
	}
}

func TestEveryIconIsDrawn(t *testing.T) {
	t.Parallel()
	for _, i := range ui.Icons() {
		if all := elements(t, render(t, ui.Svg(i))); len(all) < 2 || all[0].attr["aria-hidden"] != "true" {
			t.Errorf("icon %s is empty or is read aloud", i)
		}
	}
}

func TestAControlThatIsWrongSaysSo(t *testing.T) {
	t.Parallel()
	for _, e := range elements(t, render(t, ui.TextField(ui.Field{Name: "d", Label: "Domain", Hint: "h", Error: "wrong"}, "text"))) {
		if e.name == "input" && (e.attr["aria-invalid"] != "true" || e.attr["aria-describedby"] != "f-d-hint f-d-error") {
			t.Errorf("the control is drawn as %v", e.attr)
		}
	}
}
