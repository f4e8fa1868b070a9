package number_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/number"
)

func TestAFileIsReadHoweverItWasSaved(t *testing.T) {
	t.Parallel()
	want := []number.Line{{Line: 2, Number: "+61255500001", Tags: []string{"sales"}}, {Line: 4, Number: "+61255500002"}}
	for name, file := range map[string]string{
		"comma":     "number,tags\n+61255500001,sales\n\n+61255500002,\n",
		"semicolon": "Number;Tags\r\n+61255500001;sales\r\n\r\n+61255500002;\r\n",
		"tab":       "telephone number\ttags\n+61255500001\tsales\n\t\n+61255500002\t",
		"mark":      "\ufeffnumber,tags\n\"+61255500001\",\"sales\"\n\n\"+61255500002\"\n",
		"turned":    "tags,number\nsales,+61255500001\n,\n,+61255500002\n",
	} {
		got, err := number.ParseCSV(strings.NewReader(file))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	got, err := number.ParseCSV(strings.NewReader("+61255500001\n+61255500002"))
	if err != nil || len(got) != 2 || got[1].Line != 2 {
		t.Errorf("without a header: %+v, %v", got, err)
	}
}

func TestAFileThatCannotBeReadSaysWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, file, says string }{
		{"not-utf8", "number\n+61255500001\n\xff\xfe\n", "Line 3"},
		{"unknown-column", "number,colour\n+61255500001,red\n", ""},
		{"unknown-column", "number,phone\n+61255500001,+61255500002\n", ""},
		{"bad-csv", "number\n\"+6125550\"0001\n", "Line 2"},
		{"empty", "number\n", ""},
		{"empty", "", ""},
		{"too-large", strings.Repeat("x", number.MaxBytes+1), ""},
		{"too-large", strings.Repeat("+61255500001\n", number.MaxLines+1), "100,000"},
	} {
		_, err := number.ParseCSV(strings.NewReader(c.file))
		if !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want %s %q, got %v", c.code, c.says, err)
		}
	}
}

func TestWhatWasWrittenAsCSVIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		comma := rapid.SampledFrom([]rune{',', ';', '\t'}).Draw(t, "comma")
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		w.Comma, w.UseCRLF = comma, rapid.Bool().Draw(t, "crlf")
		if err := w.Write([]string{"number", "country"}); err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range rapid.IntRange(1, 30).Draw(t, "lines") {
			n := fmt.Sprintf("+6125550%04d", i)
			want = append(want, n)
			if err := w.Write([]string{n, rapid.SampledFrom([]string{"AU", "", "N,Z;"}).Draw(t, "country")}); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		got, err := number.ParseCSV(&file)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d lines, %v", len(got), err)
		}
		for i, l := range got {
			if l.Number != want[i] || l.Line != i+2 {
				t.Fatalf("line %+v, want %s", l, want[i])
			}
		}
	})
}

func FuzzParseCSV(f *testing.F) {
	f.Add("number,tags\n+61255500001,a|b\n")
	f.Add("\ufeffa;b\r\n\"x")
	f.Fuzz(func(t *testing.T, file string) {
		lines, err := number.ParseCSV(strings.NewReader(file))
		if _, ok := fault.Of(err); err != nil && !ok {
			t.Fatalf("not a fault: %v", err)
		}
		if err == nil && len(lines) == 0 {
			t.Fatal("neither lines nor an error")
		}
	})
}
