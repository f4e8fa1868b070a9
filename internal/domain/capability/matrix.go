package capability

// Section groups rows as the guide does.
type Section string

// The sections.
const (
	SectionService          Section = "Service configuration and activation"
	SectionNumbers          Section = "Number management"
	SectionUsers            Section = "User management"
	SectionResourceAccounts Section = "Resource account management"
	SectionBilling          Section = "Billing"
)

// Source is a row of the guide, in the guide's words.
type Source struct {
	// Table is "Appendix A" or "FAQ".
	Table string
	// Section and Feature are as printed.
	Section, Feature string
}

// Row is one feature with all its cells.
type Row struct {
	Feature Feature
	Section Section
	// Title and Description are in the words of the trade, sentence case.
	Title, Description string
	// Sources are the rows of the guide it comes from; none for add-service and
	// hosted-app, which the guide says in prose.
	Sources []Source
	// Cells holds one cell for each kind, column and cloud.
	Cells []Cell
}

// Cell is the table's answer for one kind, column and cloud. The column "with
// sync" is that of an active service.
type Cell struct {
	Kind     Kind
	Sync     bool
	Cloud    Cloud
	Decision Decision
}

// Answer is one feature for one service.
type Answer struct {
	Feature            Feature
	Section            Section
	Title, Description string
	Decision           Decision
}

// Features lists all features in the order of the table.
func Features() []Feature {
	var all []Feature
	for _, l := range table() {
		all = append(all, l.feature)
	}
	return all
}

// All gives the whole matrix, for GET /capabilities.
func All() []Row {
	var rows []Row
	for _, l := range table() {
		rows = append(rows, Row{
			Feature: l.feature, Section: l.section, Title: l.title, Description: l.description,
			Sources: l.printed, Cells: cells(l.feature),
		})
	}
	return rows
}

// cells asks Check for every combination, so that the matrix shown is the one
// that decides.
func cells(f Feature) []Cell {
	var all []Cell
	for _, cloud := range Clouds() {
		for _, kind := range Kinds() {
			for _, sync := range []bool{true, false} {
				s := Service{Kind: kind, Sync: sync, Cloud: cloud, State: Active}
				all = append(all, Cell{Kind: kind, Sync: sync, Cloud: cloud, Decision: Check(f, s)})
			}
		}
	}
	return all
}

// Of answers every feature for one service, for its card.
func Of(s Service) []Answer {
	var all []Answer
	for _, l := range table() {
		all = append(all, Answer{
			Feature: l.feature, Section: l.section, Title: l.title, Description: l.description,
			Decision: Check(l.feature, s),
		})
	}
	return all
}
