package number

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"tcap.cloud/internal/base/fault"
)

// Line is one line of an import. Line counts from 1, a file's header included.
type Line struct {
	Line     int      `json:"line"`
	Number   string   `json:"number"`
	Country  string   `json:"country,omitempty"` // completes a national number; ISO 3166 alpha-2
	Type     string   `json:"type,omitempty"`    // e164.Kind; empty is told from the number
	Tags     []string `json:"tags,omitempty"`
	CallerID string   `json:"callerId,omitempty"`
}

// The largest file.
const (
	MaxBytes = 10 << 20
	MaxLines = 100_000
)

// ParseCSV reads a file of numbers: comma, semicolon or tab, quoted or not, with or without a byte order mark. A first line
// with known names is a header; without one the first column is the number. Refusals: 413 too-large, 422 not-utf8 naming the
// line, unknown-column naming each, bad-csv, empty.
func ParseCSV(r io.Reader) ([]Line, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fault.New(fault.Malformed, "unreadable", "The file could not be read to its end.").Because(err)
	}
	if len(raw) > MaxBytes {
		return nil, fault.New(fault.TooLarge, "too-large", "A file has at most 10 MB.").WithRemedy("Split the file.")
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if line := badUTF8(raw); line > 0 {
		return nil, fault.New(fault.Invalid, "not-utf8", "Line %d is not UTF-8.", line).WithRemedy("Save the file as CSV UTF-8.")
	}
	c := csv.NewReader(bytes.NewReader(raw))
	c.Comma, c.FieldsPerRecord, c.ReuseRecord = separator(raw), -1, true
	return readCSV(c)
}

// badUTF8 names the first line that is not UTF-8, or 0.
func badUTF8(raw []byte) int {
	for at := 0; at < len(raw); {
		r, size := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && size <= 1 {
			return bytes.Count(raw[:at], []byte("\n")) + 1
		}
		at += size
	}
	return 0
}

// separator is the one that the first line has most of outside quotes.
func separator(raw []byte) rune {
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	counts, quoted := map[rune]int{}, false
	for _, r := range string(first) {
		if r == '"' {
			quoted = !quoted
		}
		if !quoted {
			counts[r]++
		}
	}
	best := ','
	for _, r := range []rune{';', '\t'} {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}

func readCSV(c *csv.Reader) ([]Line, error) {
	var out []Line
	at := map[string]int{"number": 0}
	for first := true; ; first = false {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, badCSV(err)
		}
		line, _ := c.FieldPos(0)
		if first {
			header, is, err := readHeader(record)
			if err != nil {
				return nil, err
			}
			if is {
				at = header
				continue
			}
		}
		if blank(record) {
			continue
		}
		if len(out) == MaxLines {
			return nil, fault.New(fault.TooLarge, "too-large", "A file has at most 100,000 lines.").WithRemedy("Split the file.")
		}
		out = append(out, lineOf(line, record, at))
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "empty", "The file has no numbers.")
	}
	return out, nil
}

func badCSV(err error) error {
	f := fault.New(fault.Invalid, "bad-csv", "The file is not CSV.").Because(err)
	var p *csv.ParseError
	if errors.As(err, &p) {
		f.Detail = "Line " + itoa(p.Line) + " is not CSV: a quote stands in the wrong place."
	}
	return f
}

func blank(record []string) bool {
	for _, cell := range record {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

// column names a column of ours by the names people give it.
func column(name string) string {
	switch strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(strings.TrimSpace(name))) {
	case "number", "telephonenumber", "phonenumber", "phone", "e164", "did":
		return "number"
	case "country":
		return "country"
	case "type":
		return "type"
	case "tags", "tag":
		return "tags"
	case "callerid":
		return "callerId"
	}
	return ""
}

// readHeader says where the columns are, and whether the record is a header: it names the number's column.
func readHeader(record []string) (map[string]int, bool, error) {
	at := map[string]int{}
	var unknown []fault.Field
	for i, cell := range record {
		name := column(cell)
		_, twice := at[name]
		switch {
		case name == "" && strings.TrimSpace(cell) == "":
		case name == "":
			unknown = append(unknown, fault.Field{Path: "header[" + itoa(i+1) + "]", Code: "unknown-column",
				Detail: "Known columns: number, country, type, tags, callerId."})
		case twice:
			unknown = append(unknown, fault.Field{Path: "header[" + itoa(i+1) + "]", Code: "column-twice", Detail: "The column " + name + " is there twice."})
		default:
			at[name] = i
		}
	}
	if _, ok := at["number"]; !ok {
		return nil, false, nil
	}
	if len(unknown) > 0 {
		return nil, true, fault.New(fault.Invalid, "unknown-column", "The header has columns that are not known.").WithFields(unknown...)
	}
	return at, true, nil
}

func lineOf(line int, record []string, at map[string]int) Line {
	cell := func(name string) string {
		i, ok := at[name]
		if !ok || i >= len(record) {
			return ""
		}
		return strings.Clone(strings.TrimSpace(record[i]))
	}
	l := Line{Line: line, Number: cell("number"), Country: cell("country"), Type: cell("type"), CallerID: cell("callerId")}
	if tags := cell("tags"); tags != "" {
		l.Tags = strings.FieldsFunc(tags, func(r rune) bool { return r == '|' || r == ',' || r == ';' })
	}
	return l
}
