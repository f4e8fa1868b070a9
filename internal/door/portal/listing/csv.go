package listing

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// CSV writes a file line by line. A cell that a spreadsheet would run as a formula gets an apostrophe before it
// (OWASP, "CSV Injection").
type CSV struct{ w *csv.Writer }

// Download begins a file that the browser keeps: name is its name, header its first line.
func Download(w http.ResponseWriter, name string, header ...string) (*CSV, error) {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+fileName(name)+`"`)
	w.WriteHeader(http.StatusOK)
	// Spreadsheets read UTF-8 only where a byte order mark says so.
	if _, err := w.Write([]byte("\xef\xbb\xbf")); err != nil {
		return nil, fmt.Errorf("writing a file: %w", err)
	}
	c := &CSV{csv.NewWriter(w)}
	c.w.UseCRLF = true
	return c, c.Line(header...)
}

// Line writes one line.
func (c *CSV) Line(cells ...string) error {
	safe := make([]string, len(cells))
	for i, cell := range cells {
		safe[i] = Plain(cell)
	}
	if err := c.w.Write(safe); err != nil {
		return fmt.Errorf("writing a line: %w", err)
	}
	return nil
}

// Close sends what is left.
func (c *CSV) Close() error {
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("writing a file: %w", err)
	}
	return nil
}

// Plain keeps a spreadsheet from running a cell. A telephone number in E.164 begins with a plus and is none the less no
// formula: plus and digits alone stay, so that what is exported can be imported again.
func Plain(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return cell
	}
	if cell[0] == '+' && len(cell) > 1 && strings.Trim(cell[1:], "0123456789") == "" {
		return cell
	}
	return "'" + cell
}

// fileName leaves of a name what every system takes.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || (r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') {
			return r
		}
		return '-'
	}, name)
}

func sorted(v url.Values) []string { return slices.Sorted(maps.Keys(v)) }
