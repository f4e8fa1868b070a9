package browser

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tcap.cloud/internal/door/portal"
)

// sight is one page to look at: a name for pictures and messages, its address, what it answers (0: anything), and who looks
// where it is not the operator.
type sight struct {
	name, path string
	status     int64
	role       string
}

// nobody looks at pages that need no sign-in.
const nobody = "nobody"

// files are the addresses that answer no page, with what they answer.
var files = map[string]string{
	"/activity/export.csv":                "text/csv",
	"/customers/{id}/activity/export.csv": "text/csv",
	"/numbers/export.csv":                 "text/csv",
	"/customers/{id}/numbers/export.csv":  "text/csv",
	"/operations/{id}/lines.csv":          "text/csv",
	"/operations/{id}/events":             "text/event-stream",
	"/brand/{id}/{file}":                  "text/css",
}

// fill puts an id into each placeholder of a pattern, by the words before it.
func (w world) fill(pattern string) (string, error) {
	known := map[string]string{
		"customers/{id}": w.wingtip, "users/{uid}": w.user.ID, "services/{id}": w.service, "operations/{id}": w.done, "numbers/{e164}": url.PathEscape(w.held),
		"keys/{id}": w.key, "members/{id}": w.member, "partners/{id}": w.partner, "brand/{id}": w.partner, "{id}/{file}": "1f6feb.css",
	}
	parts := strings.Split(pattern, "/")
	out := make([]string, len(parts))
	for i, part := range parts {
		out[i] = part
		if !strings.HasPrefix(part, "{") {
			continue
		}
		value := known[parts[max(i-1, 0)]+"/"+part]
		if value == "" {
			return "", fmt.Errorf("nothing is known to put into %s of %s: teach it to world.fill", part, pattern)
		}
		out[i] = value
	}
	return strings.Join(out, "/"), nil
}

// special are pages whose address says more than the pattern does, and those with a subject of their own.
func (s *stage) special(w world) map[string][]sight {
	wingtip, user := "/customers/"+w.wingtip, "/customers/"+w.wingtip+"/users/"
	return map[string][]sight{
		"/sign-in/link":                             {{"sign-in-link", strings.TrimPrefix(s.signIn["partner"], s.portal), 200, nobody}},
		"/sign-in":                                  {{"sign-in", "/sign-in", 200, nobody}},
		"/":                                         {{"home", "/", 200, ""}, {"home-of-a-partner", "/", 200, "partner"}, {"home-of-a-customer", "/", 200, "customer"}},
		"/search":                                   {{"search", "/search?q=wing", 200, ""}, {"search-nothing", "/search?q=zzzz", 200, ""}},
		"/customers":                                {{"customers", "/customers", 200, ""}, {"customers-none", "/customers?search=zzzz", 200, ""}},
		"/customers/{id}":                           {{"customer", wingtip, 200, ""}, {"customer-to-be-confirmed", "/customers/" + w.stray, 200, ""}},
		"/customers/{id}/users/{uid}/preview":       {{"user-preview", user + w.user.ID + "/preview?number=" + url.QueryEscape(w.free), 200, ""}},
		"/customers/{id}/users/{uid}/unassign":      {{"user-unassign", user + w.holder.ID + "/unassign", 200, ""}},
		"/customers/{id}/users/{uid}":               {{"user", user + w.user.ID, 200, ""}, {"user-with-number", user + w.holder.ID, 200, ""}},
		"/customers/{id}/users":                     {{"users", wingtip + "/users", 200, ""}, {"users-none", wingtip + "/users?search=zzzz", 200, ""}},
		"/customers/{id}/confirm-tenant":            {{"confirm-tenant", "/customers/" + w.stray + "/confirm-tenant", 200, ""}, {"confirm-tenant-none", wingtip + "/confirm-tenant", 200, ""}},
		"/numbers/{e164}":                           {{"number", "/numbers/" + url.PathEscape(w.held), 200, ""}, {"number-free", "/numbers/" + url.PathEscape(w.free), 200, ""}},
		"/numbers/{e164}/release":                   {{"number-release", "/numbers/" + url.PathEscape(w.free) + "/release", 200, ""}},
		"/operations/{id}":                          {{"operation", "/operations/" + w.done, 200, ""}, {"operation-waiting", "/operations/" + w.brake, 200, ""}, {"operation-failed", "/operations/" + w.failed, 200, ""}},
		"/operations/{id}/cancel":                   {{"operation-cancel", "/operations/" + w.brake + "/cancel", 200, ""}},
		"/operations/{id}/confirm":                  {{"operation-confirm", "/operations/" + w.brake + "/confirm", 200, ""}},
		"/services/{id}/grant-access":               {{"grant-access", "/services/" + w.pending + "/grant-access", 200, ""}, {"grant-access-again", "/services/" + w.service + "/grant-access", 200, ""}},
		"(an address that no page has)":             {{"not-found", "/no/such/page", 404, ""}},
		"(a refusal of Microsoft, on its way back)": {{"access-refused", "/api/v1/mstenantconsent?error=access_denied&error_description=x&admin_consent=True&state=unknown", 0, ""}},
	}
}

// sights are all pages: one for each GET route of the router, more where it has several faces.
func (s *stage) sights(t *testing.T, w world) []sight {
	t.Helper()
	special := s.special(w)
	var out []sight
	for _, r := range portal.New(portal.Options{}).Routes() {
		if r.Method != http.MethodGet || files[r.Pattern] != "" {
			continue
		}
		if own := special[r.Pattern]; own != nil {
			out = append(out, own...)
			delete(special, r.Pattern)
			continue
		}
		path, err := w.fill(r.Pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		out = append(out, sight{named(r.Pattern), path, 200, ""})
	}
	for pattern, own := range special {
		if !strings.HasPrefix(pattern, "(") {
			t.Errorf("there is no page %s any more", pattern)
		}
		out = append(out, own...)
	}
	return out
}

// named makes a file's name of a pattern: /customers/{id}/services/new is customer-services-new.
func named(pattern string) string {
	if pattern == "/" {
		return "home"
	}
	var out []string
	for _, part := range strings.Split(strings.Trim(pattern, "/"), "/") {
		if strings.HasPrefix(part, "{") {
			out[len(out)-1] = strings.TrimSuffix(out[len(out)-1], "s")
			continue
		}
		out = append(out, part)
	}
	return strings.Join(out, "-")
}

func TestEveryPageIsSoundInBothThemesAtEveryWidth(t *testing.T) {
	s := open(t)
	w := s.world(t)
	pages := s.sights(t, w)
	for _, theme := range []string{"light", "dark"} {
		visitors := map[string]visitor{nobody: s.visitor(t)}
		for _, role := range []string{"operator", "partner", "customer"} {
			visitors[role] = s.as(t, role)
		}
		for _, v := range visitors {
			v.wears(t, theme)
		}
		// One subtest of its own, so that the visitors outlive the parallel ones.
		t.Run(theme, func(t *testing.T) {
			for _, p := range pages {
				t.Run(p.name, func(t *testing.T) {
					t.Parallel()
					visitors[cmp.Or(p.role, "operator")].looksAt(t, p, theme)
				})
			}
		})
	}
}

// looksAt opens a page and judges it at each width, in the window of one tab.
func (v visitor) looksAt(t *testing.T, p sight, theme string) {
	b := v.tab(t)
	status := b.visit(p.path)
	if p.status != 0 && status != p.status {
		t.Fatalf("%s answers %d, not %d: %s", p.path, status, p.status, b.words())
	}
	if got := eval[string](b, `document.documentElement.dataset.theme ?? ""`); got != theme {
		t.Errorf("%s is drawn %q, not %s", p.path, got, theme)
	}
	for _, width := range []int64{1280, 390, 360} {
		b.wide(width)
		b.rest()
		if width > 360 {
			b.picture(p.name, theme, width)
		}
		if status >= 400 {
			b.forgive(fmt.Sprintf("the server responded with a status of %d", status))
		}
		b.sound(fmt.Sprintf("%s, %s, %s", p.name, theme, px(width)), width > 360)
	}
}

func TestEveryFileOfThePortalIsWhatItSays(t *testing.T) {
	s := open(t)
	t.Parallel()
	w := s.world(t)
	v := s.as(t, "operator")
	cookies := v.cookies(t)
	for _, r := range portal.New(portal.Options{}).Routes() {
		if r.Method != http.MethodGet || files[r.Pattern] == "" {
			continue
		}
		path, err := w.fill(r.Pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.portal+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", cookies)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(io.LimitReader(res.Body, 200))
		_ = res.Body.Close()
		if got := res.Header.Get("Content-Type"); err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(got, files[r.Pattern]) || len(text) == 0 {
			t.Errorf("%s answers %d, %q, %.80q (%v); want %s", r.Pattern, res.StatusCode, got, text, err, files[r.Pattern])
		}
	}
}

// picture keeps what is seen, where pictures are wanted: NAME.png, NAME-dark.png and NAME-390.png.
func (b *tab) picture(name, theme string, width int64) {
	b.t.Helper()
	dir := os.Getenv(screenshots)
	if dir == "" || (theme == "dark" && width != 1280) {
		return
	}
	if theme == "dark" {
		name += "-dark"
	}
	if width != 1280 {
		name += fmt.Sprintf("-%d", width)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b.drawn(width), 0o644); err != nil {
		b.t.Fatal(err)
	}
}
