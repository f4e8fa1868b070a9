package number

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/e164"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/operation"
)

// ImportRequest puts numbers into a customer's inventory. NumberType is needed only without a service.
type ImportRequest struct {
	CustomerID string
	ServiceID  string
	NumberType string
	Lines      []Line
}

// Outcome is what became of one line: created, exists or rejected.
type Outcome struct {
	Line    int                `json:"line"`
	Number  string             `json:"number"`
	Outcome string             `json:"outcome"`
	Error   *operation.Problem `json:"error"`
}

// The outcomes of a line.
const (
	Created  = "created"
	Exists   = "exists"
	Rejected = "rejected"
)

// inline is how many lines are imported inside a request; part is how many one transaction of an operation holds, few enough
// that the lease can be renewed between them on a store with a single writer.
const (
	inline = 1000
	part   = 250
)

// ImportResult has one outcome for each line in order, or the id of the operation that is working on them.
type ImportResult struct {
	Items       []Outcome
	Created     int
	Exists      int
	Rejected    int
	OperationID string
}

// target is where numbers go.
type target struct {
	PartnerID  string `json:"partnerId"`
	CustomerID string `json:"customerId"`
	ServiceID  string `json:"serviceId,omitempty"`
	NumberType string `json:"numberType"`
	Country    string `json:"country,omitempty"` // of the customer: completes national numbers
}

// importInput is what an import operation is started with.
type importInput struct {
	Target target `json:"target"`
	Lines  []Line `json:"lines"`
}

// Import creates the numbers, line by line: a bad line spoils no other, and a repeat changes nothing. Over 1,000 lines it
// is an operation.
func (s *Numbers) Import(ctx context.Context, actor access.Actor, req ImportRequest) (ImportResult, error) {
	if err := access.Can(actor, access.Assign); err != nil {
		return ImportResult{}, err
	}
	if len(req.Lines) == 0 {
		return ImportResult{}, fault.New(fault.Invalid, "empty", "There are no numbers to import.")
	}
	if len(req.Lines) > MaxLines {
		return ImportResult{}, fault.New(fault.TooLarge, "too-large", "An import has at most 100,000 lines.").WithRemedy("Split the file.")
	}
	to, err := s.target(ctx, actor, req)
	if err != nil {
		return ImportResult{}, err
	}
	if len(req.Lines) > inline {
		return s.importLater(ctx, actor, to, req.Lines)
	}
	lines := check(req.Lines, to)
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return s.importChunk(ctx, tx, actor, "", to, lines)
	})
	if err != nil {
		return ImportResult{}, err
	}
	return resultOf(lines), nil
}

func resultOf(lines []checked) ImportResult {
	var r ImportResult
	for _, l := range lines {
		switch l.out.Outcome {
		case Created:
			r.Created++
		case Exists:
			r.Exists++
		case Rejected:
			r.Rejected++
		}
		r.Items = append(r.Items, l.out)
	}
	return r
}

func (s *Numbers) target(ctx context.Context, actor access.Actor, req ImportRequest) (target, error) {
	c, err := s.o.Org.CustomerIn(ctx, s.o.DB.R, actor.Scope, req.CustomerID)
	if err != nil {
		return target{}, err
	}
	to := target{PartnerID: c.PartnerID, CustomerID: c.ID, NumberType: req.NumberType, Country: c.Country}
	if req.ServiceID != "" {
		svc, of, err := s.o.Org.ServiceIn(ctx, s.o.DB.R, actor.Scope, req.ServiceID)
		if err != nil || of.ID != c.ID {
			return target{}, fault.Missing("service")
		}
		if req.NumberType != "" && req.NumberType != svc.Kind {
			return target{}, badType("The service is of the kind " + svc.Kind + ".")
		}
		to.ServiceID, to.NumberType = svc.ID, svc.Kind
	}
	if to.NumberType != org.DirectRouting && to.NumberType != org.OperatorConnect {
		return target{}, badType("Name a service, or one of direct-routing and operator-connect.")
	}
	return to, nil
}

func badType(detail string) *fault.Fault {
	return fault.New(fault.Invalid, "invalid-import", "The numbers cannot be imported so.").
		WithFields(fault.Field{Path: "numberType", Code: "unknown-type", Detail: detail})
}

func (s *Numbers) importLater(ctx context.Context, actor access.Actor, to target, lines []Line) (ImportResult, error) {
	var id string
	err := s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var err error
		id, _, err = s.o.Operations.Start(ctx, tx, operation.New{Kind: ImportKind, Title: fmt.Sprintf("Import %d numbers", len(lines)),
			PartnerID: to.PartnerID, CustomerID: to.CustomerID, ServiceID: to.ServiceID, Total: len(lines), Actor: actor, Input: importInput{to, lines}})
		if err != nil {
			return err
		}
		return audit.Append(ctx, s.o.DB, tx, audit.What{At: s.o.Clock.Now(), Actor: actor, Action: "number.import", PartnerID: to.PartnerID,
			CustomerID: to.CustomerID, TargetKind: "operation", TargetID: id, OperationID: id, Detail: map[string]any{"lines": len(lines)}})
	})
	return ImportResult{OperationID: id}, err
}

// checked is a line that was read, with what became of it.
type checked struct {
	line     Line
	number   e164.Number
	kind     e164.Kind
	callerID string
	tags     []string
	bad      bool // rejected before the store was asked
	out      Outcome
}

// check reads each line and finds what is doubled: pure.
func check(lines []Line, to target) []checked {
	out := make([]checked, len(lines))
	first := map[e164.Number]int{}
	for i, l := range lines {
		if l.Line == 0 {
			l.Line = i + 1
		}
		c := checkLine(l, to)
		if c.out.Error == nil {
			if at, twice := first[c.number]; twice {
				c.reject("duplicate-line", fmt.Sprintf("The same number is on line %d.", at))
			} else {
				first[c.number] = l.Line
			}
		}
		c.bad = c.out.Error != nil
		out[i] = c
	}
	return out
}

func (c *checked) reject(code, detail string) {
	c.out.Outcome, c.out.Error = Rejected, &operation.Problem{Code: code, Detail: detail}
}

func checkLine(l Line, to target) checked {
	c := checked{line: l, out: Outcome{Line: l.Line, Number: shown(l.Number)}}
	region := strings.ToUpper(l.Country)
	switch {
	case region != "" && !e164.IsCountry(region):
		c.reject("unknown-country", "The country is not an ISO 3166 code of two letters.")
		return c
	case region == "":
		region = to.Country
	}
	n, err := e164.ParseLoose(l.Number, region)
	if err != nil {
		c.reject(string(e164.ReasonOf(err)), sentence(err.Error()))
		return c
	}
	c.number, c.kind, c.out.Number = n, n.Type(), string(n)
	if l.Country != "" && n.Country() != region {
		c.reject("wrong-country", "The number is not one of that country.")
		return c
	}
	if l.Type != "" && !knownKind(e164.Kind(l.Type)) {
		c.reject("unknown-type", "The type is not known.")
		return c
	} else if l.Type != "" {
		c.kind = e164.Kind(l.Type)
	}
	if l.CallerID != "" {
		caller, err := e164.ParseLoose(l.CallerID, region)
		if err != nil {
			c.reject("bad-caller-id", "The caller ID: "+err.Error()+".")
			return c
		}
		c.callerID = string(caller)
	}
	var bad *fault.Field
	if c.tags, bad = cleanTags(l.Tags); bad != nil {
		c.reject(bad.Code, bad.Detail)
	}
	return c
}

// shown is what a person wrote, short enough to be shown again.
func shown(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}

func sentence(words string) string {
	if words == "" {
		return words
	}
	return strings.ToUpper(words[:1]) + words[1:] + "."
}

func knownKind(k e164.Kind) bool {
	switch k {
	case e164.Fixed, e164.Mobile, e164.FixedOrMobile, e164.TollFree, e164.PremiumRate, e164.SharedCost, e164.VoIP, e164.Personal,
		e164.Pager, e164.Corporate, e164.Voicemail, e164.UnknownKind:
		return true
	}
	return false
}

// importChunk writes the good lines of a chunk and says what became of each. It may run again with the transaction.
func (s *Numbers) importChunk(ctx context.Context, tx db.Tx, actor access.Actor, operationID string, to target, lines []checked) error {
	if err := s.o.Org.LockCustomer(ctx, tx, to.CustomerID); err != nil {
		return err
	}
	if err := s.stillThere(ctx, tx, to); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, insertNumber)
	if err != nil {
		return fmt.Errorf("preparing to write numbers: %w", err)
	}
	defer insert.Close()
	counts := map[string]int{}
	for i := range lines {
		c := &lines[i]
		if !c.bad {
			c.out.Outcome, c.out.Error = "", nil
			if err := s.importOne(ctx, tx, insert, actor, operationID, to, c); err != nil {
				return err
			}
		}
		counts[c.out.Outcome]++
	}
	if err := feed.Append(ctx, tx, feed.Line{At: s.o.Clock.Now(), Topic: "number", Ref: to.CustomerID, PartnerID: to.PartnerID, CustomerID: to.CustomerID}); err != nil {
		return err
	}
	return audit.Append(ctx, s.o.DB, tx, audit.What{At: s.o.Clock.Now(), Actor: actor, Action: "number.import", PartnerID: to.PartnerID, CustomerID: to.CustomerID,
		TargetKind: "customer", TargetID: to.CustomerID, OperationID: operationID, Detail: map[string]any{"outcomes": counts,
			"firstLine": lines[0].line.Line, "lastLine": lines[len(lines)-1].line.Line, "serviceId": to.ServiceID}})
}

// stillThere asks again, under the customer's lock, whether the numbers have somewhere to go.
func (s *Numbers) stillThere(ctx context.Context, tx db.Tx, to target) error {
	everything := access.Scope{Level: access.Operator}
	if to.ServiceID == "" {
		_, err := s.o.Org.CustomerIn(ctx, tx, everything, to.CustomerID)
		return err
	}
	_, _, err := s.o.Org.ServiceIn(ctx, tx, everything, to.ServiceID)
	return err
}

const insertNumber = `INSERT INTO number (e164, partner_id, customer_id, service_id, number_type, state, country, type, caller_id, tags,
	created_at, updated_at, version) VALUES ($1,$2,$3,$4,$5,'free',$6,$7,$8,$9,$10,$10,1) ON CONFLICT (e164) DO NOTHING`

func (s *Numbers) importOne(ctx context.Context, tx db.Tx, insert *sql.Stmt, actor access.Actor, operationID string, to target, c *checked) error {
	now := s.o.Clock.Now()
	tags, err := encodeTags(c.tags)
	if err != nil {
		return err
	}
	res, err := insert.ExecContext(ctx, string(c.number), to.PartnerID, to.CustomerID, db.Null(to.ServiceID), to.NumberType, c.number.Country(), string(c.kind), db.Null(c.callerID), tags, db.Micros(now))
	if err != nil {
		return fmt.Errorf("writing number %s: %w", c.number, err)
	}
	made, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("counting written numbers: %w", err)
	}
	if made == 1 {
		c.out.Outcome = Created
		n := Number{Number: string(c.number), PartnerID: to.PartnerID, CustomerID: to.CustomerID}
		return s.history(ctx, tx, "", n, step{event: Imported, by: actor, because: operationID})
	}
	have, ok, err := find(ctx, tx, string(c.number))
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("number %s vanished while it was imported", c.number)
	}
	return s.importKnown(ctx, tx, actor, operationID, to, c, have)
}

// importKnown says what becomes of a line whose number is in the inventory already: the customer's own exists, one of its
// partner's free stock is allotted to it, anything else belongs to another.
func (s *Numbers) importKnown(ctx context.Context, tx db.Tx, actor access.Actor, operationID string, to target, c *checked, have Number) error {
	switch {
	case have.CustomerID == to.CustomerID && have.ServiceID == to.ServiceID:
		c.out.Outcome = Exists
		return nil
	case have.CustomerID == to.CustomerID && have.ServiceID != "" && to.ServiceID != "":
		c.reject("belongs-to-another-service", "The number belongs to another service of this customer.")
		return nil
	case have.CustomerID == to.CustomerID && to.ServiceID == "":
		c.out.Outcome = Exists
		return nil
	case have.CustomerID == to.CustomerID:
		return s.allot(ctx, tx, actor, operationID, to, c, have, Changed)
	case have.CustomerID == "" && have.PartnerID == to.PartnerID && have.State == Quarantined && have.QuarantineUntil.After(s.o.Clock.Now()):
		c.reject("number-quarantined", "The number was released and rests until "+have.QuarantineUntil.Format("2006-01-02")+".")
		return nil
	case have.CustomerID == "" && have.PartnerID == to.PartnerID && have.State == Quarantined:
		have.QuarantineUntil = time.Time{}
		rested, err := s.move(ctx, tx, have, step{event: QuarantineEnded, by: actor})
		if err != nil {
			return err
		}
		return s.allot(ctx, tx, actor, operationID, to, c, rested, Allotted)
	case have.CustomerID == "" && have.PartnerID == to.PartnerID && have.State == Free:
		return s.allot(ctx, tx, actor, operationID, to, c, have, Allotted)
	}
	c.reject("belongs-to-another", "The number is in the inventory already and is not this customer's.")
	return nil
}

// allot gives a number of the stock to the customer, or one of the customer's to a service.
func (s *Numbers) allot(ctx context.Context, tx db.Tx, actor access.Actor, operationID string, to target, c *checked, n Number, e Event) error {
	c.out.Outcome = Created
	if e == Changed {
		c.out.Outcome = Exists
	}
	n.CustomerID, n.ServiceID, n.NumberType = to.CustomerID, to.ServiceID, to.NumberType
	if c.callerID != "" {
		n.CallerID = c.callerID
	}
	if len(c.tags) > 0 {
		n.Tags = c.tags
	}
	_, err := s.move(ctx, tx, n, step{event: e, keep: true, operation: n.OperationID, by: actor, because: operationID})
	return err
}

func itoa(n int) string { return strconv.Itoa(n) }

// importer does large imports, one chunk for each transaction.
type importer struct{ s *Numbers }

// importNotes says how far an import is.
type importNotes struct {
	Next     int `json:"next"` // index of the first line not done
	Created  int `json:"created"`
	Exists   int `json:"exists"`
	Rejected int `json:"rejected"`
}

// Run goes on at the first chunk not done; a chunk's numbers, outcomes and progress are one transaction.
func (w importer) Run(ctx context.Context, r *operation.Run) error {
	var in importInput
	var notes importNotes
	if err := r.Input(&in); err != nil {
		return err
	}
	if err := r.Memo(&notes); err != nil {
		return err
	}
	lines := check(in.Lines, in.Target)
	for notes.Next < len(lines) {
		if asked, err := r.Cancelled(ctx); err != nil || asked {
			if err != nil {
				return err
			}
			return operation.Cancel()
		}
		next := lines[notes.Next:min(notes.Next+part, len(lines))]
		var after importNotes
		err := r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if err := w.s.importChunk(ctx, tx, r.Actor(), r.Op.ID, in.Target, next); err != nil {
				return err
			}
			after = notes.plus(next)
			return record(ctx, tx, r, next, after, len(lines))
		})
		if err != nil {
			return err
		}
		notes = after
	}
	return nil
}

func (n importNotes) plus(done []checked) importNotes {
	r := resultOf(done)
	return importNotes{n.Next + len(done), n.Created + r.Created, n.Exists + r.Exists, n.Rejected + r.Rejected}
}

func record(ctx context.Context, tx db.Tx, r *operation.Run, done []checked, notes importNotes, total int) error {
	lines := make([]operation.Line, len(done))
	for i, c := range done {
		lines[i] = operation.Line{Line: c.line.Line, Input: shown(c.line.Number), Outcome: c.out.Outcome, Error: c.out.Error}
	}
	if err := r.RecordLines(ctx, tx, lines...); err != nil {
		return err
	}
	if err := r.Note(ctx, tx, notes); err != nil {
		return err
	}
	if err := r.Result(ctx, tx, map[string]int{"created": notes.Created, "exists": notes.Exists, "rejected": notes.Rejected}); err != nil {
		return err
	}
	return r.Progress(ctx, tx, notes.Next, total)
}

// Finish moves nothing: each chunk was complete in itself.
func (importer) Finish(context.Context, db.Tx, operation.Row, *fault.Fault) error { return nil }
