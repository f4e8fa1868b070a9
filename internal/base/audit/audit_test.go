package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
)

var (
	everything = access.Scope{Level: access.Operator}
	nine       = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
)

func entry(customer string, n int) audit.What {
	return audit.What{At: nine.Add(time.Duration(n) * time.Second), Actor: access.Actor{Kind: "member", ID: "m1", Name: "Fabrikam's administrator"},
		Action: "number.assign", PartnerID: "fabrikam", CustomerID: customer, TargetKind: "number", TargetID: fmt.Sprint(n),
		Detail: map[string]any{"before": nil, "after": n}}
}

func put(t *testing.T, d *db.DB, entries ...audit.What) {
	t.Helper()
	for _, w := range entries {
		if err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return audit.Append(ctx, d, tx, w) }); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t *testing.T, d *db.DB) (int64, []audit.Broken) {
	t.Helper()
	n, broken, err := audit.Verify(t.Context(), d.R)
	if err != nil {
		t.Fatal(err)
	}
	return n, broken
}

// chain writes five entries of one customer and two of another.
func chain(t *testing.T, d *db.DB) {
	t.Helper()
	for n := 1; n <= 5; n++ {
		put(t, d, entry("wingtip", n))
	}
	put(t, d, entry("tailspin", 6), entry("tailspin", 7))
}

// tamper changes rows as somebody with the database in his hands would.
func tamper(t *testing.T, d *db.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := d.Writer().ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnUntouchedChainHolds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if n, broken := verify(t, d); n != 0 || len(broken) != 0 {
			t.Fatalf("an empty audit: %d entries, broken %v", n, broken)
		}
		chain(t, d)
		if n, broken := verify(t, d); n != 7 || len(broken) != 0 {
			t.Fatalf("%d entries, broken %v", n, broken)
		}
	})
}

func TestEachAlteredFieldIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	for column, value := range map[string]string{
		"at": "at + 1", "actor": "'Somebody else'", "actor_id": "'member:m2'", "action": "'number.release'", "partner_id": "'contoso'",
		"customer_id": "'tailspin'", "target_kind": "'user'", "target_id": "'9'", "operation_id": "'o1'", "detail": `'{"after":4,"before":null}'`,
	} {
		t.Run(column, func(t *testing.T) {
			t.Parallel()
			d := dbtest.SQLite(t)
			chain(t, d)
			tamper(t, d, "UPDATE audit_entry SET "+column+" = "+value+" WHERE chain = 'wingtip' AND seq = 3")
			n, broken := verify(t, d)
			if len(broken) != 1 || broken[0] != (audit.Broken{Chain: "wingtip", Seq: 3, Why: "it was altered"}) {
				t.Fatalf("broken %v", broken)
			}
			if n != 4 {
				t.Fatalf("%d entries hold, want 2 before the altered one and 2 of the other chain", n)
			}
		})
	}
}

func TestWhatWasDoneToAChainIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statements []string
		seq        int64
		why        string
	}{
		"one byte of a detail": {[]string{`UPDATE audit_entry SET detail = replace(detail, '3', '8') WHERE chain = 'wingtip' AND seq = 3`}, 3, "altered"},
		"one byte of a hash":   {[]string{`UPDATE audit_entry SET hash = x'00' WHERE chain = 'wingtip' AND seq = 3`}, 3, "altered"},
		"a middle row gone":    {[]string{`DELETE FROM audit_entry WHERE chain = 'wingtip' AND seq = 3`}, 4, "entry 3 is missing"},
		"the first row gone":   {[]string{`DELETE FROM audit_entry WHERE chain = 'wingtip' AND seq = 1`}, 2, "entry 1 is missing"},
		"a gap closed": {[]string{`DELETE FROM audit_entry WHERE chain = 'wingtip' AND seq = 3`,
			`UPDATE audit_entry SET seq = 3 WHERE chain = 'wingtip' AND seq = 4`}, 3, "does not follow"},
		"two rows in each other's place": {[]string{`UPDATE audit_entry SET seq = 99 WHERE chain = 'wingtip' AND seq = 2`,
			`UPDATE audit_entry SET seq = 2 WHERE chain = 'wingtip' AND seq = 3`, `UPDATE audit_entry SET seq = 3 WHERE chain = 'wingtip' AND seq = 99`}, 2, "does not follow"},
		"a row of another chain": {[]string{`DELETE FROM audit_entry WHERE chain = 'wingtip' AND seq >= 2`,
			`UPDATE audit_entry SET chain = 'wingtip' WHERE chain = 'tailspin' AND seq = 2`}, 2, "does not follow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.SQLite(t)
			chain(t, d)
			tamper(t, d, c.statements...)
			_, broken := verify(t, d)
			if len(broken) != 1 || broken[0].Chain != "wingtip" || broken[0].Seq != c.seq || !strings.Contains(broken[0].Why, c.why) {
				t.Fatalf("broken %v, want entry %d: %s", broken, c.seq, c.why)
			}
		})
	}
}

// A chain whose end was cut off is a shorter chain that holds: only a checkpoint kept elsewhere (how many entries there
// were, and the last hash) shows the loss.
func TestACutTailIsSeenOnlyByTheNumberOfEntries(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		chain(t, d)
		tamper(t, d, `DELETE FROM audit_entry WHERE chain = 'wingtip' AND seq >= 4`)
		if n, broken := verify(t, d); n != 5 || len(broken) != 0 {
			t.Fatalf("%d entries hold, broken %v", n, broken)
		}
	})
}

func TestManyAtOnceKeepOneUnbrokenChain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const writers, each = 8, 10
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for n := range each {
					err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
						return audit.Append(ctx, d, tx, entry([]string{"wingtip", ""}[n%2], n))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n, broken := verify(t, d); n != writers*each || len(broken) != 0 {
			t.Fatalf("%d entries, broken %v", n, broken)
		}
		var operators int
		if err := d.R.QueryRowContext(t.Context(), `SELECT max(seq) FROM audit_entry WHERE chain = $1`, audit.OperatorChain).Scan(&operators); err != nil || operators != writers*each/2 {
			t.Fatalf("the operator's chain ends at %d, %v", operators, err)
		}
	})
}

func TestAnEntryOfAFailedWriteIsNotThere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		boom := errors.New("boom")
		err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			if err := audit.Append(ctx, d, tx, entry("wingtip", 1)); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		put(t, d, entry("wingtip", 2))
		if n, broken := verify(t, d); n != 1 || len(broken) != 0 {
			t.Fatalf("%d entries, broken %v", n, broken)
		}
	})
}

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := entry("wingtip", 1)
		w.OperationID, w.Detail = "o1", json.RawMessage(`{"name": "Zoë & <Sons>"}`)
		put(t, d, w, audit.What{At: nine, Actor: access.System("sweep"), Action: "operator.update", TargetKind: "operator", TargetID: "1"})
		got, err := audit.List(t.Context(), d.R, audit.Query{Scope: everything, Limit: 10})
		if err != nil || len(got) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		e := got[0]
		if e.Chain != "wingtip" || e.Seq != 1 || !e.At.Equal(w.At) || e.Actor != w.Actor.Name || e.ActorID != "member:m1" || e.OperationID != "o1" ||
			e.CustomerID != "wingtip" || e.PartnerID != "fabrikam" {
			t.Errorf("read %+v", e)
		}
		var detail struct{ Name string }
		if err := json.Unmarshal(e.Detail, &detail); err != nil || detail.Name != "Zoë & <Sons>" {
			t.Errorf("detail %s, %v", e.Detail, err)
		}
		if o := got[1]; o.Chain != audit.OperatorChain || o.CustomerID != "" || string(o.Detail) != "{}" {
			t.Errorf("read %+v", o)
		}
		if n, broken := verify(t, d); n != 2 || len(broken) != 0 {
			t.Errorf("%d entries, broken %v", n, broken)
		}
	})
}

func TestADetailThatDoesNotEncodeIsRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		w := entry("wingtip", 1)
		w.Detail = func() {}
		return audit.Append(ctx, d, tx, w)
	})
	if err == nil {
		t.Fatal("written")
	}
}

func TestAListingKeepsToTheScope(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		chain(t, d)
		other := entry("coho", 8)
		other.PartnerID = "contoso"
		put(t, d, other, audit.What{At: nine, Actor: access.System("s"), Action: "operator.update", TargetKind: "operator", TargetID: "1"})
		for _, c := range []struct {
			scope access.Scope
			want  int
		}{
			{everything, 9}, {access.Scope{Level: access.Partner, PartnerID: "fabrikam"}, 7}, {access.Scope{Level: access.Customer, CustomerID: "tailspin"}, 2},
			{access.Scope{Level: access.Partner, PartnerID: "contoso"}, 1}, {access.Scope{}, 0}, {access.Scope{Level: access.Partner}, 0},
		} {
			got, err := audit.List(t.Context(), d.R, audit.Query{Scope: c.scope, Limit: 100})
			if err != nil || len(got) != c.want {
				t.Errorf("%+v: %d entries, %v; want %d", c.scope, len(got), err, c.want)
			}
		}
		// A filter does not widen a scope.
		got, err := audit.List(t.Context(), d.R, audit.Query{Scope: access.Scope{Level: access.Customer, CustomerID: "tailspin"}, CustomerID: "wingtip", Limit: 100})
		if err != nil || len(got) != 0 {
			t.Errorf("%d entries of another customer, %v", len(got), err)
		}
	})
}

func TestEveryFilterNarrows(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		chain(t, d)
		w := entry("wingtip", 9)
		w.Actor, w.Action, w.OperationID, w.TargetKind = access.System("sweep"), "customer.update", "o9", "customer"
		put(t, d, w)
		for name, c := range map[string]struct {
			q    audit.Query
			want int
		}{
			"customer": {audit.Query{CustomerID: "tailspin"}, 2}, "action": {audit.Query{Action: "customer.update"}, 1},
			"operation": {audit.Query{OperationID: "o9"}, 1}, "kind": {audit.Query{TargetKind: "number"}, 7}, "target": {audit.Query{TargetID: "3"}, 1},
			"actor's name": {audit.Query{Actor: "sweep"}, 1}, "actor's id": {audit.Query{Actor: "member:m1"}, 7},
			"since": {audit.Query{Since: nine.Add(7 * time.Second)}, 2}, "two together": {audit.Query{CustomerID: "wingtip", TargetKind: "number"}, 5},
		} {
			c.q.Scope, c.q.Limit = everything, 100
			got, err := audit.List(t.Context(), d.R, c.q)
			if err != nil || len(got) != c.want {
				t.Errorf("%s: %d entries, %v; want %d", name, len(got), err, c.want)
			}
		}
	})
}

// Entries of one moment in several chains are the hard case for a cursor.
func TestPagesGiveEveryEntryOnceNewestFirst(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for n := range 6 {
			for _, c := range []string{"wingtip", "Tailspin", ""} {
				put(t, d, entry(c, n/2))
			}
		}
		seen := map[string]bool{}
		var before *audit.Cursor
		last := nine.Add(time.Hour)
		for {
			page, err := audit.List(t.Context(), d.R, audit.Query{Scope: everything, Before: before, Limit: 4})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				ref := fmt.Sprint(e.Chain, e.Seq)
				if seen[ref] || e.At.After(last) {
					t.Fatalf("%s at %v after %v, seen before: %v", ref, e.At, last, seen[ref])
				}
				seen[ref], last = true, e.At
			}
			e := page[len(page)-1]
			before = &audit.Cursor{At: e.At.UnixMicro(), Chain: e.Chain, Seq: e.Seq}
		}
		if len(seen) != 18 {
			t.Fatalf("%d entries in all, want 18", len(seen))
		}
	})
}
