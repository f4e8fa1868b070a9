package world

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// opsPerRecord keeps the lines of a compacted log readable.
const opsPerRecord = 500

// touches says which rows differ, or may differ, from what the seed generates, and which of them were ever deleted: those
// stand at another place of their table's order now.
type touches struct {
	rows map[string]map[string]map[string]bool // tenant → table → id → ever deleted
}

func (t *touches) add(tenant string, o op) {
	if t.rows == nil {
		t.rows = map[string]map[string]map[string]bool{}
	}
	if t.rows[tenant] == nil {
		t.rows[tenant] = map[string]map[string]bool{}
	}
	if t.rows[tenant][o.Table] == nil {
		t.rows[tenant][o.Table] = map[string]bool{}
	}
	t.rows[tenant][o.Table][o.ID] = t.rows[tenant][o.Table][o.ID] || o.Value == nil
}

// compactTo writes the shortest log that leads to the present state beside path and moves it there, which a kill either
// precedes or follows.
func (w *World) compactTo(path string, touched *touches) (err error) {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making the new log: %w", err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	if err := w.writeAll(out, touched); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the new log: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("replacing the log: %w", err)
	}
	return nil
}

func (w *World) writeAll(out io.Writer, touched *touches) error {
	enc := json.NewEncoder(out)
	records := []record{{Clock: &w.offset}}
	for _, k := range slices.Backward(w.keys) {
		records = append(records, record{Key: k.record()})
	}
	for _, a := range w.apps {
		records = append(records, record{App: &a})
	}
	now := w.Now()
	for _, t := range w.tickets {
		if now.Before(t.Expires) {
			records = append(records, record{Ticket: &t})
		}
	}
	for _, id := range w.created() {
		of, err := w.rooms[id].compacted(touched.rows[id])
		if err != nil {
			return err
		}
		records = append(records, of...)
	}
	for _, f := range w.faults {
		records = append(records, record{Fault: &f})
	}
	for _, rec := range records {
		if err := enc.Encode(rec); err != nil {
			return fmt.Errorf("encoding: %w", err)
		}
	}
	return nil
}

// created lists all tenants in the order they were made, the deleted ones too: their names stay taken.
func (w *World) created() []string {
	ids := make([]string, 0, len(w.rooms))
	for id := range w.rooms {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return w.rooms[a].made.Number - w.rooms[b].made.Number })
	return ids
}

func (r *room) compacted(touched map[string]map[string]bool) ([]record, error) {
	raw, err := head(r.tenant)
	if err != nil {
		return nil, err
	}
	ops, err := r.touchedOps(touched)
	if err != nil {
		return nil, err
	}
	records := []record{{Create: &r.made}}
	for chunk := range slices.Chunk(ops, opsPerRecord) {
		records = append(records, record{Tenant: r.made.TenantID, Compacted: true, Ops: chunk})
	}
	last := record{Tenant: r.made.TenantID, Compacted: true, Head: raw, Seq: r.tenant.ChangeSeq()}
	last.Changes = slices.Collect(r.tenant.UserChanges(int64(r.made.Users)))
	return append(records, last), nil
}

// touchedOps restates the touched rows: first what has gone, or has moved to the end of its table by being deleted and put
// again, then what is there, in the table's order.
func (r *room) touchedOps(touched map[string]map[string]bool) ([]op, error) {
	var ops []op
	all := tables(r.tenant)
	for _, name := range slices.Sorted(maps.Keys(touched)) {
		for id, deleted := range touched[name] {
			if deleted {
				ops = append(ops, op{Table: name, ID: id})
			}
		}
		for _, id := range all[name].IDs() {
			if _, ok := touched[name][id]; !ok {
				continue
			}
			raw, _, err := all[name].encode(id)
			if err != nil {
				return nil, fmt.Errorf("encoding %s %s: %w", name, id, err)
			}
			ops = append(ops, op{Table: name, ID: id, Value: raw})
		}
	}
	return ops, nil
}
