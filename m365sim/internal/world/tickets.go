package world

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// ticket is a one-time thing of the login service: an authorisation code, a sign-in session, a refresh token.
type ticket struct {
	Kind, ID string
	Value    json.RawMessage `json:",omitempty"`
	Expires  time.Time
	Gone     bool `json:",omitempty"`
}

func (t ticket) key() string { return t.Kind + "\x00" + t.ID }

// PutTicket keeps value, as JSON, for ttl of the world's clock. An earlier ticket of the same kind and id is replaced.
func (w *World) PutTicket(_ context.Context, kind, id string, value any, ttl time.Duration) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding a %s ticket: %w", kind, err)
	}
	t := ticket{Kind: kind, ID: id, Value: raw, Expires: w.Now().Add(ttl)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tickets[t.key()] = t
	return w.log.keep(record{Ticket: &t})
}

// TakeTicket decodes the ticket into into and removes it: of two who take it at once, one gets it. ok is false when there is
// none, or it has expired.
func (w *World) TakeTicket(_ context.Context, kind, id string, into any) (ok bool, err error) {
	now := w.Now()
	w.mu.Lock()
	t, found := w.tickets[ticket{Kind: kind, ID: id}.key()]
	if found {
		delete(w.tickets, t.key())
		err = w.log.keep(record{Ticket: &ticket{Kind: kind, ID: id, Gone: true}})
	}
	w.mu.Unlock()
	if err != nil || !found || !now.Before(t.Expires) {
		return false, err
	}
	return true, t.decode(into)
}

// PeekTicket is TakeTicket without removing.
func (w *World) PeekTicket(kind, id string, into any) (bool, error) {
	now := w.Now()
	w.mu.RLock()
	t, found := w.tickets[ticket{Kind: kind, ID: id}.key()]
	w.mu.RUnlock()
	if !found || !now.Before(t.Expires) {
		return false, nil
	}
	return true, t.decode(into)
}

func (t ticket) decode(into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(t.Value, into); err != nil {
		return fmt.Errorf("decoding a %s ticket: %w", t.Kind, err)
	}
	return nil
}
