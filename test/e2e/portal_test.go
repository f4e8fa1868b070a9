package e2e

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// form is one of a page: where it goes, and the controls that have a value already.
type form struct {
	action string
	values url.Values
	names  []string
}

var (
	aForm    = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	aControl = regexp.MustCompile(`(?s)<(?:input|select|textarea)\b([^>]*)>`)
	anAPIKey = regexp.MustCompile(`tcap_[A-Za-z0-9_-]{20,}`)
)

func attribute(tag, name string) string {
	m := regexp.MustCompile(`\b` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// forms reads the forms of a page, as far as this package needs them.
func forms(page []byte) []form {
	var out []form
	for _, m := range aForm.FindAllSubmatch(page, -1) {
		f := form{action: attribute(string(m[1]), "action"), values: url.Values{}}
		for _, c := range aControl.FindAllSubmatch(m[2], -1) {
			tag := string(c[1])
			name := attribute(tag, "name")
			if name == "" {
				continue
			}
			f.names = append(f.names, name)
			if attribute(tag, "type") == "hidden" {
				f.values.Set(name, attribute(tag, "value"))
			}
		}
		out = append(out, f)
	}
	return out
}

func formTo(t *testing.T, a *answer, part string) form {
	t.Helper()
	var seen []string
	for _, f := range forms(a.body) {
		if strings.Contains(f.action, part) {
			return f
		}
		seen = append(seen, f.action)
	}
	t.Fatalf("%s answered %d and has no form to %q, only to %q", a.asked, a.status, part, seen)
	return form{}
}

// keyByLink uses a one-time link up, as a person does who opens it and presses the button, and makes an API key.
func keyByLink(t *testing.T, portal, link string) string {
	t.Helper()
	web := newClient(t, portal, "", "")
	page := []string{"Accept", "text/html"}
	f := formTo(t, web.must(t, "GET", link, nil, page...).want(t, http.StatusOK), "/sign-in/link")
	in := web.must(t, "POST", f.action, f.values, page...).want(t, http.StatusSeeOther)
	cookie, _, _ := strings.Cut(in.header.Get("Set-Cookie"), ";")
	page = append(page, "Cookie", cookie)
	f = formTo(t, web.must(t, "GET", keysPage, nil, page...).want(t, http.StatusOK), keysPage)
	f.values.Set("name", "end to end")
	f.values.Set("role", "admin")
	made := web.must(t, "POST", f.action, f.values, page...)
	if made.status == http.StatusSeeOther {
		made = web.must(t, "GET", made.header.Get("Location"), nil, page...)
	}
	key := anAPIKey.FindString(string(made.body))
	if key == "" {
		t.Fatalf("the page after making a key (%d) shows none; the form has %q: %s", made.status, f.names, made.short())
	}
	return key
}

// keysPage is where the portal lists API keys.
const keysPage = "/settings/keys"
