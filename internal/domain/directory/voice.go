package directory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/remote/teamsadmin"
	"tcap.cloud/internal/remote/tenant"
)

// The policy types that are read (facts/teams-admin.md A1).
const (
	VoiceRoutingPolicy = "OnlineVoiceRoutingPolicy"
	DialPlan           = "TenantDialPlan"
)

// settle is how long what we have verified ourselves stands against a list that may be older: a change takes up to 45 s to
// show in the list of users (facts/teams-admin.md A2).
const settle = 3 * time.Minute

// settledMark is the voice hash of a row that SetVoice wrote.
func settledMark() []byte { return []byte("settled") }

// voice reads policies and the voice state of everybody: Teams has no delta. Nothing is kept of where it stopped, as what is
// unchanged costs no writing.
func (p *pass) voice(ctx context.Context) (string, error) {
	st, _, err := readState(ctx, p.d.db.R, p.customerID)
	if err != nil || st.place == nil { // the pass is over; only the step was not yet noted as done
		return "", err
	}
	if err := p.policies(ctx, st.generation); err != nil {
		return "", err
	}
	types, err := p.numberTypes(ctx)
	if err != nil {
		return "", err
	}
	if p.total, err = p.d.countUsers(ctx, p.d.db.R, p.customerID); err != nil {
		return "", err
	}
	v := &voicePass{pass: p, types: types, generation: st.generation, began: st.lastBegan, place: *st.place, seen: map[string]bool{}, asked: p.d.clock.Now()}
	for page, err := range p.teams.Users(ctx) {
		if err != nil {
			return "", fmt.Errorf("reading voice settings: %w", err)
		}
		if err := v.page(ctx, page.Users); err != nil {
			return "", err
		}
	}
	kept, err := v.absent(ctx)
	if err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%s read, %d changed", counted(len(v.seen), "account"), v.changed)
	if kept > 0 {
		detail += fmt.Sprintf("; Teams does not list %s that had voice settings: they are shown as they were last seen", counted(kept, "account"))
	}
	return detail, nil
}

// policies replaces the lists of policies, which are short.
func (p *pass) policies(ctx context.Context, generation int64) error {
	for _, typ := range []string{VoiceRoutingPolicy, DialPlan} {
		list, err := p.teams.Policies(ctx, typ)
		if err != nil {
			return fmt.Errorf("reading policies: %w", err)
		}
		err = p.w.Write(ctx, func(ctx context.Context, tx db.Tx) error { return p.putPolicies(ctx, tx, typ, generation, list) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) putPolicies(ctx context.Context, tx db.Tx, typ string, generation int64, list []teamsadmin.Policy) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM tenant_policy WHERE customer_id = $1 AND type = $2`, p.customerID, typ); err != nil {
		return fmt.Errorf("replacing policies: %w", err)
	}
	for _, policy := range list {
		var w struct{ OnlinePstnUsages []json.RawMessage }
		if json.Unmarshal(policy.Raw, &w) != nil { // of another shape: it names none that we can read
			w.OnlinePstnUsages = nil
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO tenant_policy (customer_id, type, name, usages, generation, seen_at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (customer_id, type, name) DO NOTHING`,
			p.customerID, typ, clean(policy.Identity), len(w.OnlinePstnUsages), generation, db.Micros(p.d.clock.Now()))
		if err != nil {
			return fmt.Errorf("keeping a policy: %w", err)
		}
	}
	return nil
}

// numberTypes says of what type the number of each account is. A tenant that does not let us read its numbers is synced all
// the same.
func (p *pass) numberTypes(ctx context.Context) (map[string]string, error) {
	types := map[string]string{}
	for page, err := range p.teams.Numbers(ctx) {
		switch tenant.ClassOf(err) {
		case tenant.Refused, tenant.NotFound:
			return types, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the tenant's numbers: %w", err)
		}
		for _, n := range page.Numbers {
			if n.TargetID != "" {
				types[strings.ToLower(n.TargetID)] = clean(string(n.Type))
			}
		}
	}
	return types, nil
}

// voicePass is the reading of voice state in one run.
type voicePass struct {
	*pass
	types      map[string]string
	generation int64
	began      time.Time
	place      place
	seen       map[string]bool
	asked      time.Time // when the page that is being written was asked for, at the latest
	changed    int
}

func (v *voicePass) page(ctx context.Context, users []teamsadmin.User) error {
	if err := v.stopAsked(ctx); err != nil {
		return err
	}
	for len(users) > 0 {
		some := users[:min(len(users), maxRows)]
		users = users[len(some):]
		if err := v.apply(ctx, some); err != nil {
			return err
		}
	}
	v.asked = v.d.clock.Now()
	return nil
}

func (v *voicePass) apply(ctx context.Context, users []teamsadmin.User) error {
	byID := make(map[string]teamsadmin.User, len(users))
	ids := make([]string, 0, len(users))
	for _, u := range users {
		if _, twice := byID[u.ObjectID]; !twice {
			ids = append(ids, u.ObjectID)
		}
		byID[u.ObjectID] = u
	}
	next, changed := v.place, 0
	err := again(func() error {
		update, rehash, seen, err := v.compareVoice(ctx, ids, byID)
		if err != nil {
			return err
		}
		changed, next.Changed = len(update), v.place.Changed+v.unwritten(update)
		return v.write(ctx, batch{update: update, rehash: rehash}, seen, len(v.seen)+len(ids), next)
	})
	if err != nil {
		return err
	}
	v.changed += changed
	v.place = next
	for _, id := range ids {
		v.seen[id] = true
	}
	return nil
}

// unwritten is how many of the rows this pass has not counted as changed yet.
func (v *voicePass) unwritten(rows []row) int {
	n := 0
	for _, r := range rows {
		if r.updated.Before(v.began) {
			n++
		}
	}
	return n
}

func (v *voicePass) write(ctx context.Context, b batch, seen []VoiceSeen, done int, next place) error {
	return v.w.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := v.put(ctx, tx, v.generation, b); err != nil {
			return err
		}
		if err := putPlace(ctx, tx, v.customerID, &next); err != nil {
			return err
		}
		if v.d.reconcile != nil && len(seen) > 0 {
			if err := v.d.reconcile.Observed(ctx, tx, v.customerID, seen); err != nil {
				return fmt.Errorf("matching numbers with what is seen: %w", err)
			}
		}
		return v.w.Progress(ctx, tx, done, max(v.total, done))
	})
}

// compareVoice finds what differs. Left alone are accounts that Graph has not told of, and those that we have just written
// ourselves: the list may be older than that.
func (v *voicePass) compareVoice(ctx context.Context, ids []string, users map[string]teamsadmin.User) (update, rehash []row, seen []VoiceSeen, err error) {
	known, err := readMarks(ctx, v.d.db.R, v.customerID, ids)
	if err != nil {
		return nil, nil, nil, err
	}
	var differ []string
	for _, id := range ids {
		m, there := known[id]
		ours := bytes.Equal(m.voiceHash, settledMark()) && m.updated.After(v.asked.Add(-settle))
		if !there || m.removed || ours {
			continue
		}
		seen = append(seen, v.sight(m.name, users[id]))
		if !bytes.Equal(m.voiceHash, v.hash(users[id])) {
			differ = append(differ, id)
		}
	}
	old, err := readRows(ctx, v.d.db.R, v.customerID, differ)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, id := range differ {
		was := old[id]
		r := was
		v.readVoice(&r, users[id])
		if r.content == was.content {
			rehash = append(rehash, r)
		} else {
			update = append(update, r)
		}
	}
	return update, rehash, seen, nil
}

func (v *voicePass) sight(name string, u teamsadmin.User) VoiceSeen {
	number, extension := splitExtension(lineNumber(u.LineURI))
	return VoiceSeen{UserID: u.ObjectID, Name: name, Number: number, Extension: extension, NumberType: v.typeOf(u)}
}

func (v *voicePass) typeOf(u teamsadmin.User) string {
	if u.LineURI == "" {
		return ""
	}
	return v.types[strings.ToLower(u.ObjectID)]
}

func (v *voicePass) hash(u teamsadmin.User) []byte {
	h := sha256.New()
	h.Write([]byte{rulesVersion})
	for _, part := range []string{u.AccountType, u.LineURI, v.typeOf(u), fmt.Sprint(u.EnterpriseVoice), u.Policies[VoiceRoutingPolicy], u.Policies[DialPlan]} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return h.Sum(nil)
}

// readVoice puts Teams' account over the row. A number is taken for one from on premises when the account is homed there, or
// when it has the number without enterprise voice: assigning in the cloud switches that on, and a number that is synchronised
// from the local directory does not (facts/teams-admin.md B, Set-CsPhoneNumberAssignment).
func (v *voicePass) readVoice(r *row, u teamsadmin.User) {
	switch u.AccountType {
	case Person, ResourceAccount, Guest:
		r.accountType = u.AccountType
	}
	r.number, r.numberType = lineNumber(u.LineURI), v.typeOf(u)
	r.policy, r.dialPlan = clean(u.Policies[VoiceRoutingPolicy]), clean(u.Policies[DialPlan])
	r.voice = u.EnterpriseVoice
	r.onPremises = u.AccountType == "SfBOnPremUser" || r.number != "" && !u.EnterpriseVoice
	r.voiceHash, r.voiceGeneration = v.hash(u), v.generation
	r.judge(v.book)
}

// absent takes the voice settings off accounts that a complete list does not have any more, where they are few; else it
// answers how many keep theirs. Accounts that are gone from the directory itself are left to the removal.
func (v *voicePass) absent(ctx context.Context) (kept int, err error) {
	ids, all, err := v.missing(ctx)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	if v.d.brakes(len(ids), all) {
		return len(ids), nil
	}
	for len(ids) > 0 {
		some := ids[:min(len(ids), maxRows)]
		ids = ids[len(some):]
		if err := v.clear(ctx, some); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// missing answers who has voice settings and was not listed, and how many have any.
func (v *voicePass) missing(ctx context.Context) (ids []string, all int, err error) {
	gone, generation := goneBy(v.place.Full, v.generation)
	rows, err := v.d.db.R.QueryContext(ctx, `SELECT id, voice_hash, updated_at FROM tenant_user WHERE customer_id = $2 AND NOT (`+gone+`)
		AND removed_at IS NULL AND (number IS NOT NULL OR voice_policy IS NOT NULL OR dial_plan IS NOT NULL OR enterprise_voice) ORDER BY id`,
		generation, v.customerID)
	if err != nil {
		return nil, 0, fmt.Errorf("looking for accounts that Teams does not list: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var hash []byte
		var updated sql.NullInt64
		if err := rows.Scan(&id, &hash, &updated); err != nil {
			return nil, 0, fmt.Errorf("looking for accounts that Teams does not list: %w", err)
		}
		all++
		ours := bytes.Equal(hash, settledMark()) && db.Time(updated).After(v.asked.Add(-settle))
		if !v.seen[id] && !ours {
			ids = append(ids, id)
		}
	}
	return ids, all, rows.Err()
}

func (v *voicePass) clear(ctx context.Context, ids []string) error {
	next := v.place
	err := again(func() error {
		old, err := readRows(ctx, v.d.db.R, v.customerID, ids)
		if err != nil {
			return err
		}
		var b batch
		var seen []VoiceSeen
		for _, id := range ids {
			r := old[id]
			v.readVoice(&r, teamsadmin.User{ObjectID: id})
			b.update = append(b.update, r)
			seen = append(seen, VoiceSeen{UserID: id, Name: r.name})
		}
		next.Changed = v.place.Changed + v.unwritten(b.update)
		return v.write(ctx, b, seen, len(v.seen), next)
	})
	v.changed += len(ids)
	v.place = next
	return err
}
