package listing_test

import (
	"encoding/csv"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/door/portal/listing"
)

func TestNoCellOfAFileIsAFormula(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.String(), rapid.StringMatching(`[=+\-@\t\r\n][ -~]{0,20}`)).Draw(t, "cell")
		w := httptest.NewRecorder()
		file, err := listing.Download(w, "a.csv", "cell", "end")
		if err != nil || file.Line(cell, "x") != nil || file.Close() != nil {
			t.Fatal("writing failed")
		}
		lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\xef\xbb\xbf"))).ReadAll()
		if err != nil || len(lines) != 2 {
			t.Fatalf("the file is not CSV: %v %q", err, w.Body.String())
		}
		got := lines[1][0]
		if got != "" && strings.ContainsRune("=-@\t\r\n", rune(got[0])) {
			t.Fatalf("%q begins a formula", got)
		}
		if strings.HasPrefix(got, "+") && strings.Trim(got[1:], "0123456789") != "" {
			t.Fatalf("%q is a sum, not a number", got)
		}
	})
}

func TestPagesLeadForthAndBackToTheSameAddress(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 50), 1, 10).Draw(t, "pages")
		at := "/x?search=a+b&state=free"
		visited := []string{}
		for i, size := range sizes {
			visited = append(visited, at)
			next := ""
			if i+1 < len(sizes) {
				next = "cursor" + string(rune('A'+i))
			}
			p := query(t, at).Pager(next, size, -1, false)
			if i > 0 && query(t, p.Prev).Cursor() != query(t, visited[i-1]).Cursor() {
				t.Fatalf("page %d leads back to %s, not to %s", i, p.Prev, visited[i-1])
			}
			if next != "" && query(t, p.Next).Cursor() != next {
				t.Fatalf("page %d leads on to %s", i, p.Next)
			}
			if q := query(t, at); q.Get("search") != "a b" || q.Get("state") != "free" {
				t.Fatalf("%s lost what was chosen", at)
			}
			at = p.Next
		}
	})
}

func query(t *rapid.T, address string) listing.Query {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return listing.New(u.Path, u.Query())
}

func TestChangingAFilterBeginsAtTheFirstPage(t *testing.T) {
	t.Parallel()
	q := listing.New("/x", url.Values{"search": {"a"}, "cursor": {"c"}, "from": {"51"}, "back": {"~1"}})
	if got := q.With("state", "free"); got != "/x?search=a&state=free" {
		t.Error(got)
	}
	if got := q.Chip("Free", "state", "free", 3); got.On || got.Count != "3" || got.Href != "/x?search=a&state=free" {
		t.Errorf("%+v", got)
	}
	if got := q.Column("Name", "name", "name"); got.Sorted != "ascending" || got.Sort != "/x?search=a&sort=-name" {
		t.Errorf("%+v", got)
	}
	if got := q.Clear("state"); got != "" {
		t.Error(got)
	}
}
