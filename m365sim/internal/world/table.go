package world

import (
	"encoding/json"
	"fmt"
	"iter"
)

// Table keeps values by id in the order they were first put. Values are copies: change one by putting it again, so that
// the change is seen by the log and by delta queries. It is not safe for concurrent use; World's lock guards it.
type Table[T any] struct {
	byID  map[string]T
	order []string
	put   func(id string, v T)
	gone  func(id string)
}

// Get returns the value with this id.
func (t *Table[T]) Get(id string) (T, bool) { v, ok := t.byID[id]; return v, ok }

// Len is the number of values.
func (t *Table[T]) Len() int { return len(t.byID) }

// Put adds or replaces the value with this id.
func (t *Table[T]) Put(id string, v T) {
	if t.byID == nil {
		t.byID = map[string]T{}
	}
	if _, known := t.byID[id]; !known {
		t.order = append(t.order, id)
	}
	t.byID[id] = v
	if t.put != nil {
		t.put(id, v)
	}
}

// Delete removes the value with this id; it says whether there was one.
func (t *Table[T]) Delete(id string) bool {
	if _, known := t.byID[id]; !known {
		return false
	}
	delete(t.byID, id)
	t.compact(id)
	if t.gone != nil {
		t.gone(id)
	}
	return true
}

// compact drops the id from the order; were it to stay, putting it again would list it twice.
func (t *Table[T]) compact(deleted string) {
	for i := len(t.order) - 1; i >= 0; i-- {
		if t.order[i] == deleted {
			t.order = append(t.order[:i], t.order[i+1:]...)
			return
		}
	}
}

// All yields the values in the order they were first put.
func (t *Table[T]) All() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, id := range t.order {
			if v, ok := t.byID[id]; ok && !yield(id, v) {
				return
			}
		}
	}
}

// IDs lists the ids in the order they were first put; the slice is the table's own and must not be changed.
func (t *Table[T]) IDs() []string { return t.order }

// reserve makes room for n values.
func (t *Table[T]) reserve(n int) { t.byID, t.order = make(map[string]T, n), make([]string, 0, n) }

// bind has every Put and Delete told to the tenant's pending change, under the table's name.
func (t *Table[T]) bind(name string, p *pending) {
	t.put = func(id string, v T) { p.record(name, id, v) }
	t.gone = func(id string) { p.remove(name, id) }
}

// load is Put from the log: nothing is recorded.
func (t *Table[T]) load(id string, raw json.RawMessage) error {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("decoding %s: %w", id, err)
	}
	defer t.silence()()
	t.Put(id, v)
	return nil
}

// drop is Delete from the log: nothing is recorded.
func (t *Table[T]) drop(id string) {
	defer t.silence()()
	t.Delete(id)
}

// encode is the value as the log keeps it.
func (t *Table[T]) encode(id string) (json.RawMessage, bool, error) {
	v, ok := t.byID[id]
	if !ok {
		return nil, false, nil
	}
	raw, err := json.Marshal(v)
	return raw, true, err
}

func (t *Table[T]) silence() (restore func()) {
	put, gone := t.put, t.gone
	t.put, t.gone = nil, nil
	return func() { t.put, t.gone = put, gone }
}
