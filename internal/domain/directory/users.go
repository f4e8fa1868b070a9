package directory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/remote/msgraph"
	"tcap.cloud/internal/remote/tenant"
)

// maxRows is how many rows a write transaction holds (DESIGN.md, Store).
const maxRows = 1000

// rulesVersion is part of each row's hash: raise it when Judge or the decoding changes, and the next full pass judges
// everybody anew.
const rulesVersion = 1

// userFields are what the directory asks of Graph.
func userFields() []string {
	return []string{"id", "userPrincipalName", "displayName", "userType", "accountEnabled", "usageLocation", "isResourceAccount",
		"assignedLicenses", "assignedPlans"}
}

// users reads everybody, or what changed since the last time, and goes on where an earlier run stopped.
func (p *pass) users(ctx context.Context) (string, error) {
	st, err := p.open(ctx)
	if err != nil {
		return "", err
	}
	if st.place.UsersRead { // by a sync that got no further: what changed since belongs to the same pass
		st.place.Link, st.place.Delta, st.place.UsersRead = st.place.Delta, "", false
	}
	err = p.readUsers(ctx, &st)
	// A forgotten token is Graph's way to ask for everybody (410). Once: a beginning cannot be too old.
	if errors.Is(err, msgraph.ErrDeltaExpired) && (st.place.Link != "" || !st.place.Full) {
		if err = p.begin(ctx, &st, true); err == nil {
			err = p.readUsers(ctx, &st)
		}
	}
	return fmt.Sprintf("%s read, %d changed", counted(st.place.Seen, "user"), st.place.Changed), err
}

// open is the pass that is under way, or a new one: full when the last full one is older than the last night.
func (p *pass) open(ctx context.Context) (state, error) {
	st, found, err := readState(ctx, p.d.db.R, p.customerID)
	if err != nil {
		return st, err
	}
	if !found {
		return st, fmt.Errorf("the sync of %s has no state", p.customerID)
	}
	p.total = st.users
	if st.place != nil {
		return st, nil
	}
	full := st.delta == "" || nightlyDue(st.lastFull, p.d.clock.Now(), p.zone, p.d.o.NightHour, spread(p.customerID))
	return st, p.begin(ctx, &st, full)
}

func (p *pass) begin(ctx context.Context, st *state, full bool) error {
	st.generation++
	st.place = &place{Full: full}
	return p.w.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return openPass(ctx, tx, p.customerID, st.generation, p.d.clock.Now(), st.place)
	})
}

func (p *pass) readUsers(ctx context.Context, st *state) error {
	token := st.place.Link
	if token == "" && !st.place.Full {
		token = st.delta
	}
	for page, err := range p.graph.DeltaUsers(ctx, token, userFields()) {
		if err != nil {
			return fmt.Errorf("reading users: %w", err)
		}
		if err := p.stopAsked(ctx); err != nil {
			return err
		}
		if err := p.usersPage(ctx, st, page); err != nil {
			return err
		}
	}
	if !st.place.UsersRead {
		return errors.New("reading users: Graph ended the list without saying where to go on the next time")
	}
	return nil
}

// incoming is one row of a page.
type incoming struct {
	id   string
	raw  json.RawMessage
	gone bool
	hash []byte
}

// usersPage writes one page, and with its last rows the place to go on from.
func (p *pass) usersPage(ctx context.Context, st *state, page msgraph.Page) error {
	rows, err := p.incoming(page.Rows)
	if err != nil {
		return err
	}
	for {
		some := rows[:min(len(rows), maxRows)]
		rows = rows[len(some):]
		next := *st.place
		next.Seen += len(some)
		if len(rows) == 0 {
			next.Link = page.Next
			if page.Next == "" && page.Delta != "" {
				next.UsersRead, next.Delta = true, page.Delta
			}
		}
		if err := p.applyUsers(ctx, st, some, &next); err != nil {
			return err
		}
		st.place = &next
		if len(rows) == 0 {
			return nil
		}
	}
}

// incoming takes ids and hashes of a page's rows. A user who is listed twice counts as he is listed last.
func (p *pass) incoming(page []msgraph.UserRow) ([]incoming, error) {
	at := make(map[string]int, len(page))
	rows := make([]incoming, 0, len(page))
	for _, u := range page {
		var who struct {
			ID      string          `json:"id"`
			Removed json.RawMessage `json:"@removed"`
		}
		if json.Unmarshal(u.Raw, &who) != nil || who.ID == "" {
			return nil, errors.New("reading users: a user of the page cannot be read")
		}
		in := incoming{id: who.ID, raw: u.Raw, gone: who.Removed != nil, hash: p.hash(u.Raw)}
		if i, twice := at[who.ID]; twice {
			rows[i] = in
			continue
		}
		at[who.ID] = len(rows)
		rows = append(rows, in)
	}
	return rows, nil
}

func (p *pass) hash(raw []byte) []byte {
	h := sha256.New()
	h.Write([]byte{rulesVersion})
	h.Write(p.productsHash)
	h.Write(raw)
	return h.Sum(nil)
}

// batch is what one transaction does.
type batch struct {
	insert, update, rehash []row
	mark, gone             []string
}

func (b batch) changed() []string {
	ids := make([]string, 0, len(b.insert)+len(b.update))
	for _, r := range slices.Concat(b.insert, b.update) {
		ids = append(ids, r.id)
	}
	return ids
}

const maxTries = 5

// again runs fn anew while rows change under it.
func again(fn func() error) error {
	var err error
	for range maxTries {
		if err = fn(); !errors.Is(err, errMoved) {
			return err
		}
	}
	return err
}

func (p *pass) applyUsers(ctx context.Context, st *state, rows []incoming, next *place) error {
	changedBefore := next.Changed
	return again(func() error {
		b, err := p.compareUsers(ctx, st, rows)
		if err != nil {
			return err
		}
		next.Changed = changedBefore + len(b.insert) + len(b.update)
		return p.w.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if err := p.put(ctx, tx, st.generation, b); err != nil {
				return err
			}
			if err := putPlace(ctx, tx, p.customerID, next); err != nil {
				return err
			}
			return p.w.Progress(ctx, tx, next.Seen, p.expected(next))
		})
	})
}

// expected is the number of users of the last sync while everybody is read; how much changed is not known beforehand.
func (p *pass) expected(at *place) int {
	if !at.Full || p.total == 0 {
		return 0
	}
	return max(p.total, at.Seen)
}

func (p *pass) put(ctx context.Context, tx db.Tx, generation int64, b batch) error {
	now := p.d.clock.Now()
	if err := insertRows(ctx, tx, p.customerID, now, b.insert); err != nil {
		return err
	}
	if err := updateRows(ctx, tx, p.customerID, now, b.update); err != nil {
		return err
	}
	if err := rehashRows(ctx, tx, p.customerID, b.rehash); err != nil {
		return err
	}
	if err := markRows(ctx, tx, p.customerID, b.mark, generation); err != nil {
		return err
	}
	if err := markRows(ctx, tx, p.customerID, b.gone, -generation); err != nil {
		return err
	}
	return p.announce(ctx, tx, b.changed())
}

// compareUsers decodes only whose hash is not the one kept. In a full pass the unchanged are marked as seen.
func (p *pass) compareUsers(ctx context.Context, st *state, rows []incoming) (batch, error) {
	var b batch
	ids := make([]string, len(rows))
	for i, in := range rows {
		ids[i] = in.id
	}
	known, err := readMarks(ctx, p.d.db.R, p.customerID, ids)
	if err != nil {
		return b, err
	}
	var differ []incoming
	var fetch []string
	for _, in := range rows {
		m, there := known[in.id]
		switch {
		case in.gone:
			b.gone = append(b.gone, in.id)
		case there && !m.removed && bytes.Equal(m.directoryHash, in.hash):
			b.mark = append(b.mark, in.id)
		default:
			differ = append(differ, in)
			if there {
				fetch = append(fetch, in.id)
			}
		}
	}
	old, err := readRows(ctx, p.d.db.R, p.customerID, fetch)
	if err != nil {
		return b, err
	}
	for _, in := range differ {
		if err := p.decide(ctx, st, in, old, &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (p *pass) decide(ctx context.Context, st *state, in incoming, old map[string]row, b *batch) error {
	was, there := old[in.id]
	r := was
	r.id, r.directoryHash, r.generation = in.id, in.hash, st.generation
	if err := p.readUser(&r.content, in.raw, !st.place.Full); err != nil {
		return err
	}
	if r.upn == "" { // a delta may name only what changed, and we do not know the rest
		u, err := p.graph.User(ctx, in.id)
		if tenant.ClassOf(err) == tenant.NotFound {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a user: %w", err)
		}
		raw, err := json.Marshal(u)
		if err != nil {
			return fmt.Errorf("reading a user: %w", err)
		}
		if err := p.readUser(&r.content, raw, false); err != nil {
			return err
		}
	}
	r.judge(p.book)
	switch {
	case !there:
		b.insert = append(b.insert, r)
	case was.removed || was.content != r.content:
		b.update = append(b.update, r)
	default:
		b.rehash = append(b.rehash, r)
	}
	return nil
}

// field is a property that may be absent, which in a delta means unchanged; null is a value.
type field[T any] struct {
	set   bool
	value T
}

// UnmarshalJSON notes that the property is there.
func (f *field[T]) UnmarshalJSON(b []byte) error {
	f.set = true
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, &f.value)
}

// over is the value; the old one where the property is absent and absence means unchanged.
func (f field[T]) over(old T, keep bool) T {
	if !f.set && keep {
		return old
	}
	return f.value
}

type userWire struct {
	UPN      field[string]                    `json:"userPrincipalName"`
	Name     field[string]                    `json:"displayName"`
	Type     field[string]                    `json:"userType"`
	Enabled  field[bool]                      `json:"accountEnabled"`
	Location field[string]                    `json:"usageLocation"`
	Resource field[bool]                      `json:"isResourceAccount"`
	Licences field[[]msgraph.AssignedLicense] `json:"assignedLicenses"`
	Plans    field[[]msgraph.AssignedPlan]    `json:"assignedPlans"`
}

// readUser puts Graph's user over what is known. Errors do not quote what was read.
func (p *pass) readUser(c *content, raw []byte, keep bool) error {
	var w userWire
	if json.Unmarshal(raw, &w) != nil {
		return errors.New("reading users: a user of the page cannot be read")
	}
	c.upn, c.name = clean(w.UPN.over(c.upn, keep)), clean(w.Name.over(c.name, keep))
	c.location, c.enabled = clean(w.Location.over(c.location, keep)), w.Enabled.over(c.enabled, keep)
	switch {
	case w.Type.value == "Guest":
		c.accountType = Guest
	case w.Resource.value:
		c.accountType = ResourceAccount
	case c.accountType == "", c.accountType == Guest && w.Type.value != "": // else Teams has said what it is, which it knows better
		c.accountType = Person
	}
	if w.Licences.set || !keep {
		c.products = p.held(w.Licences.value)
	}
	if w.Plans.set || !keep {
		c.plans = p.plans(w.Plans.value)
	}
	return nil
}

func (p *pass) held(licences []msgraph.AssignedLicense) string {
	held := make([]heldProduct, 0, len(licences))
	for _, l := range licences {
		h := heldProduct{sku: clean(l.SkuID)}
		for _, id := range l.DisabledPlans {
			if name := p.d.catalogue.planName(id); name != "" {
				h.off = append(h.off, name)
			}
		}
		held = append(held, h)
	}
	return joinHeld(held)
}

// plans keeps the voice plans; one that is assigned more than once counts as its best.
func (p *pass) plans(assigned []msgraph.AssignedPlan) string {
	plans := map[string]string{}
	for _, a := range assigned {
		name := p.d.catalogue.planName(a.ServicePlanID)
		if name == "" || better(plans[name], a.CapabilityStatus) {
			continue
		}
		plans[name] = clean(a.CapabilityStatus)
	}
	return joinPlans(plans)
}

// better: is the status that is known at least as good as the other? Best first: facts/teams-admin.md I.
func better(known, other string) bool {
	order := []string{"Enabled", "Warning", "Suspended", "LockedOut", "Deleted"}
	k, o := slices.Index(order, known), slices.Index(order, other)
	return known != "" && (o < 0 || k >= 0 && k <= o)
}
