package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What `go test -json` prints, cut to what is read: a pass, a parent with a failing and a skipped subtest, noise that is not
// JSON, a package that does not build, and one that panics in the middle of a test.
const transcript = `
{"Action":"run","Package":"tcap.cloud/a","Test":"TestGood"}
{"Action":"output","Package":"tcap.cloud/a","Test":"TestGood","Output":"a quiet word\n"}
{"Action":"pass","Package":"tcap.cloud/a","Test":"TestGood","Elapsed":0.1}
{"Action":"run","Package":"tcap.cloud/a","Test":"TestParent"}
{"Action":"run","Package":"tcap.cloud/a","Test":"TestParent/bad"}
{"Action":"output","Package":"tcap.cloud/a","Test":"TestParent/bad","Output":"=== RUN   TestParent/bad\n"}
{"Action":"output","Package":"tcap.cloud/a","Test":"TestParent/bad","Output":"    a_test.go:9: want 1, got 2\n"}
{"Action":"fail","Package":"tcap.cloud/a","Test":"TestParent/bad","Elapsed":0}
{"Action":"run","Package":"tcap.cloud/a","Test":"TestParent/browser"}
{"Action":"output","Package":"tcap.cloud/a","Test":"TestParent/browser","Output":"    a_test.go:12: needs a browser\n"}
{"Action":"skip","Package":"tcap.cloud/a","Test":"TestParent/browser","Elapsed":0}
{"Action":"fail","Package":"tcap.cloud/a","Test":"TestParent","Elapsed":0}
not json at all
{"Action":"fail","Package":"tcap.cloud/a","Elapsed":7.2}
{"ImportPath":"tcap.cloud/b [tcap.cloud/b.test]","Action":"build-output","Output":"b.go:3:1: syntax error\n"}
{"Action":"fail","Package":"tcap.cloud/b","Elapsed":0,"FailedBuild":"tcap.cloud/b [tcap.cloud/b.test]"}
{"Action":"run","Package":"tcap.cloud/c","Test":"TestPanics"}
{"Action":"output","Package":"tcap.cloud/c","Test":"TestPanics","Output":"panic: oh\n"}
{"Action":"fail","Package":"tcap.cloud/c","Elapsed":0}
{"Action":"output","Package":"tcap.cloud/d","Output":"TestMain said no\n"}
{"Action":"fail","Package":"tcap.cloud/d","Elapsed":0}
{"Action":"skip","Package":"tcap.cloud/nothing","Elapsed":0}
`

func read(t *testing.T, text string) *tally {
	t.Helper()
	into := newTally("unit")
	if err := readEvents(strings.NewReader(text), into); err != nil {
		t.Fatal(err)
	}
	return into
}

func TestEventsAreCountedByLeaf(t *testing.T) {
	t.Parallel()
	got := read(t, transcript)
	want := map[key]outcome{
		{"tcap.cloud/a", "TestGood"}:           passed,
		{"tcap.cloud/a", "TestParent/bad"}:     failed,
		{"tcap.cloud/a", "TestParent/browser"}: skipped,
		{"tcap.cloud/b", "(does not build)"}:   failed,
		{"tcap.cloud/c", "TestPanics"}:         failed,
		{"tcap.cloud/d", "(package)"}:          failed,
	}
	if len(got.tests) != len(want) {
		t.Errorf("got %v", got.tests)
	}
	for k, o := range want {
		if got.tests[k] != o {
			t.Errorf("%s is %d, want %d", k, got.tests[k], o)
		}
	}
}

func TestOnlyFailingTestsSpeak(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	read(t, transcript).writeFailures(&out)
	for _, want := range []string{"--- FAILED a TestParent/bad", "want 1, got 2", "syntax error", "panic: oh", "(did not end)", "TestMain said no"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the failures do not say %q:\n%s", want, out.String())
		}
	}
	for _, no := range []string{"a quiet word", "=== RUN", "needs a browser"} {
		if strings.Contains(out.String(), no) {
			t.Errorf("the failures say %q", no)
		}
	}
}

func TestALongFailureIsCutInTheMiddle(t *testing.T) {
	t.Parallel()
	into := newTally("unit")
	into.fail("p", "TestLong", "first\n"+strings.Repeat("x\n", 5000)+"last\n")
	var out strings.Builder
	into.writeFailures(&out)
	if n := strings.Count(out.String(), "\n"); n > shownLines+3 || !strings.Contains(out.String(), "first") || !strings.Contains(out.String(), "last") {
		t.Errorf("%d lines, want at most %d with the first and the last", n, shownLines+3)
	}
}

func TestASkipFailsTheRunOnlyWhereNoneIsAllowed(t *testing.T) {
	t.Parallel()
	for _, noSkip := range []bool{false, true} {
		into := newTally("unit")
		into.pass("p", "TestA")
		into.skip("p", "TestB", "no reason given")
		var out strings.Builder
		if good := summarise(&out, []*tally{into}, noSkip); good == noSkip {
			t.Errorf("noSkip %v: good is %v", noSkip, good)
		}
		if !strings.Contains(out.String(), "SKIPPED p TestB: no reason given\n") {
			t.Errorf("the skip is not named:\n%s", out.String())
		}
		if !strings.HasSuffix(out.String(), "\n1 passed, 0 failed, 1 skipped\n") {
			t.Errorf("the last line is not the count:\n%s", out.String())
		}
	}
}

func TestATestThatRunsInAnotherPartIsNotSkipped(t *testing.T) {
	t.Parallel()
	first, second := newTally("unit"), newTally("postgres")
	first.skip("p", "TestOnPostgres", "no server")
	first.skip("p", "TestNever", "no card reader")
	second.pass("p", "TestOnPostgres")
	second.skip("p", "TestNever", "no card reader")
	var out strings.Builder
	summarise(&out, []*tally{first, second}, false)
	if !strings.HasSuffix(out.String(), "\n1 passed, 0 failed, 1 skipped\n") || strings.Count(out.String(), "SKIPPED") != 1 {
		t.Errorf("want one skip, told once:\n%s", out.String())
	}
}

func TestAParentThatRunsInAnotherPartIsNotSkipped(t *testing.T) {
	t.Parallel()
	first := read(t, `{"Action":"run","Package":"p","Test":"TestAll"}
{"Action":"skip","Package":"p","Test":"TestAll"}
{"Action":"pass","Package":"p"}`)
	second := read(t, `{"Action":"run","Package":"p","Test":"TestAll"}
{"Action":"run","Package":"p","Test":"TestAll/one"}
{"Action":"pass","Package":"p","Test":"TestAll/one"}
{"Action":"pass","Package":"p","Test":"TestAll"}
{"Action":"pass","Package":"p"}`)
	var out strings.Builder
	summarise(&out, []*tally{first, second}, true)
	if !strings.HasSuffix(out.String(), "\n1 passed, 0 failed, 0 skipped\n") {
		t.Errorf("want one passed:\n%s", out.String())
	}
}

func TestTheSummaryTellsTheTimeOfEachPart(t *testing.T) {
	t.Parallel()
	a, b := newTally("unit"), newTally("e2e")
	a.took, b.took = 61*time.Second, 2*time.Second
	a.slow[module+"/internal/base/db"] = 40 * time.Second
	a.pass("p", "TestA")
	b.fail("p", "TestB", "no\n")
	var out strings.Builder
	if summarise(&out, []*tally{a, b}, false) {
		t.Error("a failure makes no good run")
	}
	for _, want := range []string{"1m1s", "internal/base/db 40s", "1m3s", "FAILED e2e: p TestB"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the summary does not say %q:\n%s", want, out.String())
		}
	}
}

func TestReasonOfASkip(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"    pg_test.go:12: PostgreSQL is: missing\n": "PostgreSQL is: missing",
		"":                    "no reason given",
		"  two\n   lines  \n": "two lines",
	} {
		if got := reason([]string{said}); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

func TestWhereAPackageIsTested(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"internal/base/db":  "unit",
		"m365sim":           "unit",
		"test/pg":           "unit",
		"test/run":          "unit",
		"test/arch":         "lint",
		"test/browser/axe":  "browser",
		"test/e2e":          "e2e",
		"test/upgrade":      "e2e",
		"test/soak":         "",
		"bench/peers":       "",
		"internal/benchmar": "unit",
	} {
		if got := where(pkg{ImportPath: module + "/" + path, TestGoFiles: []string{"x_test.go"}}); got != want {
			t.Errorf("%s is tested in %q, want %q", path, got, want)
		}
	}
	if got := where(pkg{ImportPath: module + "/internal/base/db"}); got != "" {
		t.Errorf("a package without tests is in %q", got)
	}
}

func TestPackagesThatReachADatabase(t *testing.T) {
	t.Parallel()
	list := `tcap.cloud/a fmt tcap.cloud/test/pg
tcap.cloud/a.test fmt tcap.cloud/a tcap.cloud/test/pg
tcap.cloud/b.test fmt tcap.cloud/test/pgx
`
	if got := reaching(list, "tcap.cloud/test/pg"); !slices.Equal(got, []string{"tcap.cloud/a"}) {
		t.Errorf("got %v", got)
	}
}

func TestStaleFilesAreNamed(t *testing.T) {
	t.Parallel()
	before := map[string][32]byte{"same": {1}, "changed": {1}, "gone": {1}}
	after := map[string][32]byte{"same": {1}, "changed": {2}, "new": {}}
	if got := differing(before, after); !slices.Equal(got, []string{"changed", "gone", "new"}) {
		t.Errorf("got %v", got)
	}
}

func TestFuzzTargetsAreFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	src := "package p\n\nimport \"testing\"\n\nfunc FuzzParse(f *testing.F) {}\nfunc FuzzTwo(f *testing.F) {}\nfunc helper() {}\ntype T struct{}\nfunc (T) FuzzNot(f *testing.F) {}\n"
	if err := os.WriteFile(filepath.Join(dir, "p_test.go"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := fuzzTargets(pkg{Dir: dir, TestGoFiles: []string{"p_test.go"}}); !slices.Equal(got, []string{"FuzzParse", "FuzzTwo"}) {
		t.Errorf("got %v", got)
	}
}

func TestAnUnknownPartIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := choose(parts(), []string{"unit", "unti"}); err == nil {
		t.Error("unti is no part, and nothing was said")
	}
	if got, err := choose(parts(), []string{"fuzz", "lint"}); err != nil || len(got) != 2 || got[0].name != "lint" {
		t.Errorf("got %v, %v: want lint, then fuzz", got, err)
	}
}
