package world

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// logName is the file in Options.Dir: one JSON record a line, appended in one write for each change, so that a kill leaves
// whole lines and at most one torn at the end. There is no fsync: what is survived is the death of the process, not of the
// machine.
const logName = "world.jsonl"

// record is one line of the log. Only what it is about is set.
type record struct {
	Create *creation       `json:"create,omitempty"`
	Tenant string          `json:"tenant,omitempty"`
	Head   json.RawMessage `json:"head,omitempty"`
	Ops    []op            `json:"ops,omitempty"`

	// A compacted record restates what is there; the change log then comes with it instead of following from Ops.
	Compacted bool     `json:"compacted,omitempty"`
	Changes   []Change `json:"changes,omitempty"`
	Seq       int64    `json:"seq,omitempty"`

	App       *App           `json:"app,omitempty"`
	Key       *keyRecord     `json:"key,omitempty"`
	Ticket    *ticket        `json:"ticket,omitempty"`
	Clock     *time.Duration `json:"clock,omitempty"`
	Fault     *Fault         `json:"fault,omitempty"`
	FaultGone string         `json:"faultGone,omitempty"`
}

// logFile appends records. A nil logFile keeps nothing.
type logFile struct {
	mu  sync.Mutex
	f   *os.File
	err error // the first failure: from then on memory is ahead of the disk and nothing more is accepted
}

func (l *logFile) keep(rec record) error {
	if l == nil {
		return nil
	}
	line, err := json.Marshal(rec)
	if err != nil {
		return l.fail(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if _, err := l.f.Write(append(line, '\n')); err != nil {
		l.err = fmt.Errorf("writing the log: %w", err)
	}
	return l.err
}

func (l *logFile) fail(err error) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	return l.err
}

func (l *logFile) failure() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *logFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.err, os.ErrClosed) {
		return nil
	}
	l.err = os.ErrClosed
	return l.f.Close()
}

// open replays the log of dir, writes it anew without what was superseded, and appends to that from now on.
func (w *World) open(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	path := filepath.Join(dir, logName)
	touched, err := w.replayFile(path)
	if err != nil {
		return err
	}
	for _, id := range w.created() { // a domain that moved between tenants was indexed in the order they were made
		w.indexLocked(w.rooms[id].tenant)
	}
	if err := w.compactTo(path, touched); err != nil {
		return fmt.Errorf("compacting the log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	w.log = &logFile{f: f}
	for _, r := range w.rooms {
		r.bind(true)
	}
	return nil
}

// bind has the tables tell their changes to the room.
func (r *room) bind(encode bool) {
	r.pending = &pending{encode: encode}
	for name, t := range tables(r.tenant) {
		t.bind(name, r.pending)
	}
}

func (w *World) replayFile(path string) (*touches, error) {
	touched := &touches{}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return touched, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return touched, nil // whatever line holds now was torn by a kill and never answered for
		}
		if err != nil {
			return nil, fmt.Errorf("reading the log: %w", err)
		}
		if err := w.replayLine(bytes.TrimSpace(line), touched); err != nil {
			return nil, fmt.Errorf("line %d of the log: %w", n, err)
		}
	}
}

func (w *World) replayLine(line []byte, touched *touches) error {
	var rec record
	if err := json.Unmarshal(line, &rec); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	switch {
	case rec.Create != nil:
		w.install(*rec.Create)
		return nil
	case rec.Tenant != "":
		return w.replayTenant(rec, touched)
	case rec.App != nil:
		w.apps[rec.App.key()] = *rec.App
	case rec.Clock != nil:
		w.offset = *rec.Clock
	case rec.Key != nil:
		k, err := rec.Key.key()
		if err != nil {
			return err
		}
		w.installKey(k)
	case rec.Ticket != nil && rec.Ticket.Gone:
		delete(w.tickets, rec.Ticket.key())
	case rec.Ticket != nil:
		w.tickets[rec.Ticket.key()] = *rec.Ticket
	case rec.Fault != nil:
		w.installFault(*rec.Fault)
	case rec.FaultGone != "":
		w.uninstallFault(rec.FaultGone)
	}
	return nil
}

func (w *World) replayTenant(rec record, touched *touches) error {
	r, ok := w.rooms[rec.Tenant]
	if !ok {
		return fmt.Errorf("tenant %s: %w", rec.Tenant, ErrNoTenant)
	}
	if rec.Head != nil {
		if err := setHead(r.tenant, rec.Head); err != nil {
			return err
		}
		w.indexLocked(r.tenant)
	}
	known := tables(r.tenant)
	for _, o := range rec.Ops {
		t, ok := known[o.Table]
		if !ok {
			return fmt.Errorf("unknown table %s", o.Table)
		}
		touched.add(rec.Tenant, o)
		if o.Value == nil {
			t.drop(o.ID)
		} else if err := t.load(o.ID, o.Value); err != nil {
			return err
		}
	}
	if !rec.Compacted {
		r.tenant.note(rec.touchedUsers())
		return nil
	}
	for _, c := range rec.Changes {
		r.tenant.users.append(c)
	}
	r.tenant.users.seq = max(r.tenant.users.seq, rec.Seq)
	return nil
}
