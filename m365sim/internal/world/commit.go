package world

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// anyTable is a Table of whatever type, for the log.
type anyTable interface {
	bind(name string, p *pending)
	load(id string, raw json.RawMessage) error
	drop(id string)
	encode(id string) (json.RawMessage, bool, error)
	IDs() []string
}

// tables are the tenant's tables by field name: a table added to Tenant is kept on disk without more ado.
func tables(t *Tenant) map[string]anyTable {
	found := map[string]anyTable{}
	v := reflect.ValueOf(t).Elem()
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if table, ok := v.Field(i).Addr().Interface().(anyTable); ok {
			found[v.Type().Field(i).Name] = table
		}
	}
	return found
}

// head is what a tenant is apart from its tables; those have no exported fields and come out as {}.
func head(t *Tenant) (json.RawMessage, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encoding the tenant: %w", err)
	}
	return raw, nil
}

// setHead is the reverse. Fields are cleared first, since decoding into a map keeps the keys that were there.
func setHead(t *Tenant, raw json.RawMessage) error {
	v := reflect.ValueOf(t).Elem()
	for i := range v.NumField() {
		field := v.Field(i)
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if _, table := field.Addr().Interface().(anyTable); !table {
			field.SetZero()
		}
	}
	if err := json.Unmarshal(raw, t); err != nil {
		return fmt.Errorf("decoding the tenant: %w", err)
	}
	return nil
}

// op is one Put (Value) or Delete (no Value) in a table.
type op struct {
	Table string          `json:"t"`
	ID    string          `json:"i"`
	Value json.RawMessage `json:"v,omitempty"`
}

// pending collects what one Update does to the tables.
type pending struct {
	encode bool // false in memory: only which users were touched matters
	wrote  bool
	ops    []op
	users  []string
	seen   map[string]bool
	err    error
}

func (p *pending) record(table, id string, v any) {
	p.touch(table, id)
	if !p.encode {
		return
	}
	raw, err := json.Marshal(v)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("encoding %s %s: %w", table, id, err)
	}
	p.ops = append(p.ops, op{Table: table, ID: id, Value: raw})
}

func (p *pending) remove(table, id string) {
	p.touch(table, id)
	if p.encode {
		p.ops = append(p.ops, op{Table: table, ID: id})
	}
}

func (p *pending) touch(table, id string) {
	p.wrote = true
	if !userTable(table) || p.seen[id] {
		return
	}
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	p.seen[id] = true
	p.users = append(p.users, id)
}

func userTable(name string) bool { return name == "Users" || name == "DeletedUsers" }

// commit ends an Update: the change log, the log on disk, the index. The room's lock is held.
func (w *World) commit(ctx context.Context, r *room, before json.RawMessage) error {
	done := *r.pending
	*r.pending = pending{encode: done.encode}
	after, err := head(r.tenant)
	if err != nil {
		return err
	}
	rec := record{Tenant: r.tenant.ID, Ops: done.ops}
	if !bytes.Equal(before, after) {
		rec.Head = after
	}
	if !done.wrote && rec.Head == nil {
		return nil
	}
	CallFrom(ctx).Wrote = true
	r.tenant.note(done.users)
	if rec.Head != nil {
		w.index(r.tenant)
	}
	if done.err != nil {
		return w.log.fail(done.err)
	}
	return w.log.keep(rec)
}

// touchedUsers are the users a record of the log is about, each once, in its order.
func (rec record) touchedUsers() []string {
	var p pending
	for _, o := range rec.Ops {
		p.touch(o.Table, o.ID)
	}
	return p.users
}
