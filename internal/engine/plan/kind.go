// Package plan turns what should be in a tenant into changes that a person can read, makes them one after another so that
// any crash can be carried on, reads back what was written, and has the owner move its rows. It is the only way to write
// to a tenant: engine/kind holds the kinds of things there are, and nothing else may use a tenant's Writer.
package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/remote/tenant"
)

// Action is what a change does.
type Action string

// The actions. None is kept in a plan only so that a preview can say that nothing needs doing.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	None   Action = "none"
)

// Kind is one kind of thing in a tenant, opaque to the engine. Define makes one.
type Kind interface {
	Name() string
	Version() int
	Area() tenant.Area
	Title(action Action, key string, before, after json.RawMessage) string
	Visible() time.Duration

	observe(ctx context.Context, s *tenant.Session, key string) (json.RawMessage, error) // nil: absent
	normalise(raw json.RawMessage) (json.RawMessage, error)
	guard(before, after json.RawMessage, managed bool) *fault.Fault
	write(ctx context.Context, w *tenant.Writer, action Action, key string, before, after json.RawMessage) (Written, error)
}

// Written is what a write answered. Its success is no proof: the engine reads back.
type Written struct {
	RemoteID  string
	RequestID string
	Warning   string
}

// Spec is how a kind is written. T is the thing as we want it; its JSON is what plans show and records keep.
type Spec[T any] struct {
	Name    string
	Version int // of T's JSON: records of a year ago are read by it
	Area    tenant.Area
	// Visible is how long Microsoft may take to show a write; until then reading the old value proves nothing.
	Visible time.Duration
	// Title says a change in words; before or after is nil where there is none.
	Title func(action Action, key string, before, after *T) string
	// Get answers found, absent (false) or unknown (an error): three answers.
	Get func(ctx context.Context, s *tenant.Session, key string) (T, bool, error)
	// Normalise makes of a wish what the remote will echo, so that a second plan finds nothing to do. Nil: as it is.
	Normalise func(T) T
	// Guard refuses a change to what is not ours. managed: we made or adopted what is there. Nil: nothing refused.
	Guard func(before, after *T, managed bool) *fault.Fault
	// Create, Update and Delete write. Each must be safe to repeat, or say so by a refusal that Get explains.
	Create func(ctx context.Context, w *tenant.Writer, key string, after T) (Written, error)
	Update func(ctx context.Context, w *tenant.Writer, key string, before, after T) (Written, error)
	Delete func(ctx context.Context, w *tenant.Writer, key string, before T) (Written, error)
}

// KindOf is a kind that knows its type; owners use it to say what they want.
type KindOf[T any] struct{ spec Spec[T] }

// Define makes a kind.
func Define[T any](s Spec[T]) *KindOf[T] { return &KindOf[T]{s} }

// Item is one wish: this thing so, or not at all (Want nil).
type Item struct {
	Kind Kind
	Key  string
	Want json.RawMessage
}

// Want says how a thing should be.
func (k *KindOf[T]) Want(key string, v T) Item {
	if k.spec.Normalise != nil {
		v = k.spec.Normalise(v)
	}
	return Item{Kind: k, Key: key, Want: mustEncode(v)}
}

// Absent says that a thing should not be.
func (k *KindOf[T]) Absent(key string) Item { return Item{Kind: k, Key: key} }

// Seen says how a thing is, for a preview made from what the last sync saw; nil is absent.
func (k *KindOf[T]) Seen(key string, v *T) Observed {
	o := Observed{Kind: k.spec.Name, Key: key}
	if v != nil {
		n := *v
		if k.spec.Normalise != nil {
			n = k.spec.Normalise(n)
		}
		o.Value = mustEncode(n)
	}
	return o
}

// Decode reads a recorded value.
func (k *KindOf[T]) Decode(raw json.RawMessage) (*T, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("reading a recorded %s: %w", k.spec.Name, err)
	}
	return &v, nil
}

// mustEncode encodes a plain struct of a kind; such a type cannot fail to encode.
func mustEncode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("a kind's type does not encode: %v", err)) //nolint // a programming error seen by the kind's first test
	}
	return raw
}

// Name is how records and previews name the kind.
func (k *KindOf[T]) Name() string { return k.spec.Name }

// Version of the recorded form.
func (k *KindOf[T]) Version() int { return k.spec.Version }

// Area is the part of the tenant it lives in.
func (k *KindOf[T]) Area() tenant.Area { return k.spec.Area }

// Visible is how long Microsoft may take to show a write.
func (k *KindOf[T]) Visible() time.Duration { return k.spec.Visible }

// Title says a change in words.
func (k *KindOf[T]) Title(action Action, key string, before, after json.RawMessage) string {
	b, err := k.Decode(before)
	if err != nil {
		return k.spec.Name
	}
	a, err := k.Decode(after)
	if err != nil {
		return k.spec.Name
	}
	return k.spec.Title(action, key, b, a)
}

func (k *KindOf[T]) observe(ctx context.Context, s *tenant.Session, key string) (json.RawMessage, error) {
	v, found, err := k.spec.Get(ctx, s, key)
	if err != nil || !found {
		return nil, err
	}
	return k.Seen(key, &v).Value, nil
}

func (k *KindOf[T]) normalise(raw json.RawMessage) (json.RawMessage, error) {
	v, err := k.Decode(raw)
	if err != nil || v == nil {
		return nil, err
	}
	return k.Seen("", v).Value, nil
}

func (k *KindOf[T]) guard(before, after json.RawMessage, managed bool) *fault.Fault {
	if k.spec.Guard == nil {
		return nil
	}
	b, err := k.Decode(before)
	if err == nil {
		var a *T
		if a, err = k.Decode(after); err == nil {
			return k.spec.Guard(b, a, managed)
		}
	}
	return fault.New(fault.Internal, "unreadable-record", "A recorded value cannot be read.").Because(err)
}

func (k *KindOf[T]) write(ctx context.Context, w *tenant.Writer, action Action, key string, before, after json.RawMessage) (Written, error) {
	b, err := k.Decode(before)
	if err != nil {
		return Written{}, err
	}
	a, err := k.Decode(after)
	if err != nil {
		return Written{}, err
	}
	switch {
	case action == Create && a != nil:
		return k.spec.Create(ctx, w, key, *a)
	case action == Update && a != nil && b != nil:
		return k.spec.Update(ctx, w, key, *b, *a)
	case action == Delete && b != nil:
		return k.spec.Delete(ctx, w, key, *b)
	}
	return Written{}, fmt.Errorf("a %s of %s %s lacks its values", action, k.spec.Name, key)
}

// same compares two normalised values; nil is absent.
func same(a, b json.RawMessage) bool { return bytes.Equal(a, b) }
