package capability_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tcap.cloud/internal/domain/capability"
)

// printedRow is one row of the guide, transcribed cell by cell.
type printedRow struct {
	source              capability.Source
	withSync, otherwise string
}

func readGuide(t *testing.T) []printedRow {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "..", "testdata", "appendix-a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"table", "section", "feature", "with_sync", "without_sync"}; !slices.Equal(records[0], want) {
		t.Fatalf("columns are %v", records[0])
	}
	var rows []printedRow
	for _, r := range records[1:] {
		rows = append(rows, printedRow{capability.Source{Table: r[0], Section: r[1], Feature: r[2]}, r[3], r[4]})
	}
	return rows
}

// says reads a printed cell for one kind of service. Every text that is
// printed in the guide is listed here; another fails.
func says(t *testing.T, cell string, kind capability.Kind) bool {
	t.Helper()
	switch cell {
	case "☑", "✓":
		return true
	case "☐", "✗":
		return false
	case "☑ Direct Routing Only":
		return kind == capability.DirectRouting
	case "☑ Operator Connect Only", "OC Only":
		return kind == capability.OperatorConnect
	default:
		t.Fatalf("no such cell is printed: %q", cell)
		return false
	}
}

// answersFor finds the features that stand for a printed row.
func answersFor(source capability.Source) []capability.Row {
	return slices.DeleteFunc(capability.All(), func(r capability.Row) bool { return !slices.Contains(r.Sources, source) })
}

func TestGuideAndTableHaveTheSameRows(t *testing.T) {
	t.Parallel()
	guide := readGuide(t)
	if len(guide) != 15+15 {
		t.Errorf("the guide prints 15 rows in Appendix A and 15 in the FAQ, the transcription has %d", len(guide))
	}
	seen := map[capability.Source]bool{}
	for _, row := range guide {
		if seen[row.source] {
			t.Errorf("%v is transcribed twice", row.source)
		}
		seen[row.source] = true
		if len(answersFor(row.source)) == 0 {
			t.Errorf("%v is printed and not in the table", row.source)
		}
	}
	for _, row := range capability.All() {
		for _, source := range row.Sources {
			if !seen[source] {
				t.Errorf("%s names %v, which is not printed", row.Feature, source)
			}
		}
		inProse := []capability.Feature{capability.AddService, capability.HostedApp}
		if len(row.Sources) == 0 && !slices.Contains(inProse, row.Feature) {
			t.Errorf("%s comes from no printed row", row.Feature)
		}
	}
}

func TestEveryCellOfAppendixA(t *testing.T) {
	t.Parallel()
	for _, row := range readGuide(t) {
		if row.source.Table != "Appendix A" {
			continue
		}
		for _, answer := range answersFor(row.source) {
			for _, cell := range answer.Cells {
				want := says(t, pick(row, cell.Sync), cell.Kind)
				if cell.Decision.Allowed != want {
					t.Errorf("%s: allowed %v, Appendix A prints %q", where(answer, cell), cell.Decision.Allowed, pick(row, cell.Sync))
				}
			}
		}
	}
}

// finer are the cells where the FAQ marks a whole group and Appendix A says
// something else of the row. Appendix A prevails there, and nowhere else.
func finer() []string {
	return []string{
		// "Direct Routing Only" in Appendix A: Operator Connect has no domain, dial
		// plan or route to make, with or without sync.
		"Domain Validation/operator-connect/true", "Domain Validation/operator-connect/false",
		"Voice Policies/operator-connect/true", "Voice Policies/operator-connect/false",
		"Dial Plans/operator-connect/true", "Dial Plans/operator-connect/false",
		// "Operator Connect Only" in Appendix A.
		"Usage Types/direct-routing/true",
	}
}

func TestEveryCellOfTheFAQ(t *testing.T) {
	t.Parallel()
	var differ []string
	for _, row := range readGuide(t) {
		if row.source.Table != "FAQ" {
			continue
		}
		for _, answer := range answersFor(row.source) {
			for _, cell := range answer.Cells {
				want := says(t, pick(row, cell.Sync), cell.Kind)
				if strings.HasPrefix(row.source.Feature, "NOT applicable to ") {
					want = true // the group's marks do not bind this row: it needs no sync
				}
				if inEffect(row, cell) == want {
					continue
				}
				key := fmt.Sprintf("%s/%s/%v", row.source.Feature, cell.Kind, cell.Sync)
				if !slices.Contains(finer(), key) {
					t.Errorf("%s: the FAQ prints %q", where(answer, cell), pick(row, cell.Sync))
				}
				if !slices.ContainsFunc(answer.Sources, func(s capability.Source) bool { return s.Table == "Appendix A" }) {
					t.Errorf("%s: differs from the FAQ without a row in Appendix A", where(answer, cell))
				}
				differ = append(differ, key)
			}
		}
	}
	slices.Sort(differ)
	want := finer()
	slices.Sort(want)
	if got := slices.Compact(differ); !slices.Equal(got, want) {
		t.Errorf("cells where Appendix A prevails:\n got %v\nwant %v", got, want)
	}
}

// inEffect: of number rows the FAQ's marks mean writing to the tenant, so that
// what is kept as data only does not count (S3.1).
func inEffect(row printedRow, cell capability.Cell) bool {
	if row.source.Section == "Number Management" {
		return cell.Decision.Allowed && !cell.Decision.DataOnly
	}
	return cell.Decision.Allowed
}

func TestWithoutAccessADirectRoutingServiceStandsInTheOtherColumn(t *testing.T) {
	t.Parallel()
	lost := []capability.State{capability.Degraded, capability.Suspended, capability.Disconnected, capability.PendingConsent, capability.Activating, ""}
	for _, row := range readGuide(t) {
		if row.source.Table != "Appendix A" {
			continue
		}
		for _, answer := range answersFor(row.source) {
			for _, kind := range capability.Kinds() {
				for _, state := range lost {
					s := capability.Service{Kind: kind, Sync: true, Cloud: capability.Global, State: state}
					got := capability.Check(answer.Feature, s)
					if got.Allowed != says(t, row.otherwise, kind) {
						t.Errorf("%s of a %s service, %q: allowed %v, printed %q", answer.Feature, kind, state, got.Allowed, row.otherwise)
					}
					if got.Allowed && kind == capability.DirectRouting && !got.DataOnly {
						t.Errorf("%s of a %s service, %q, would write to the tenant", answer.Feature, kind, state)
					}
				}
			}
		}
	}
}

func pick(row printedRow, sync bool) string {
	if sync {
		return row.withSync
	}
	return row.otherwise
}

func where(r capability.Row, c capability.Cell) string {
	return fmt.Sprintf("%s, %s, sync %v, %s", r.Feature, c.Kind, c.Sync, c.Cloud)
}
