package directory

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
)

// Query narrows a list of users. Number is "has", "none" or one number; Search looks in names, addresses and numbers. Sort is
// name, upn, number or status, with a minus before it for the other way round. Guests are never listed.
type Query struct {
	Status      Status
	Managed     *bool
	CanCallOut  *bool
	AccountType string
	Number      string
	Search      string
	Sort        string
	Cursor      string
	Limit       int // 50 where it is 0, at most 1,000
}

// TooMany is a total that is more than is counted.
const TooMany = 10_001

const (
	userColumns = `u.id, u.customer_id, u.upn, u.upn_key, u.display_name, u.name_key, u.enabled, u.usage_location, u.account_type, u.products,
		u.licensed, u.managed, u.number, u.number_type, u.voice_policy, u.dial_plan, u.enterprise_voice, u.on_premises, u.status, u.reason,
		u.updated_at, u.version, p.usages`
	userFrom = `tenant_user u LEFT JOIN tenant_policy p ON p.customer_id = u.customer_id AND p.type = 'OnlineVoiceRoutingPolicy'
		AND p.name = coalesce(u.voice_policy, 'Global')`
	// canCall is CanCallOut as a condition; a test holds the two together.
	canCall = `(u.licensed AND (u.enabled OR u.account_type = 'ResourceAccount') AND u.number IS NOT NULL AND u.enterprise_voice
		AND (coalesce(u.number_type, '') IN ('OperatorConnect', 'CallingPlan') OR coalesce(p.usages, 0) > 0))`
)

// customer asks whether the actor may, and sees the customer.
func (d *Directory) customer(ctx context.Context, actor access.Actor, action access.Action, id string) (org.Customer, error) {
	if err := access.Can(actor, action); err != nil {
		return org.Customer{}, err
	}
	return d.org.CustomerIn(ctx, d.db.R, actor.Scope, id)
}

// Users lists the users of a customer. total is counted up to TooMany; next is empty on the last page.
func (d *Directory) Users(ctx context.Context, actor access.Actor, customerID string, q Query) (items []User, next string, total int, err error) {
	if _, err := d.customer(ctx, actor, access.Read, customerID); err != nil {
		return nil, "", 0, err
	}
	l := q.listing(customerID)
	order, err := sortOf(q.Sort)
	if err != nil {
		return nil, "", 0, err
	}
	err = d.db.R.QueryRowContext(ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 AS one FROM %s WHERE %s LIMIT %d) AS counted`,
		userFrom, l.where(), TooMany), l.args...).Scan(&total)
	if err != nil {
		return nil, "", 0, fmt.Errorf("counting users: %w", err)
	}
	if err := l.after(q.Cursor, order); err != nil {
		return nil, "", 0, err
	}
	items, keys, err := d.fetch(ctx, customerID, l, order, q.limit()+1)
	if err != nil {
		return nil, "", 0, err
	}
	if n := q.limit(); len(items) > n {
		items = items[:n]
		next = cursor{order.name, keys[n-1], items[n-1].ID}.String()
	}
	return items, next, total, nil
}

func (q Query) limit() int {
	if q.Limit <= 0 {
		return 50
	}
	return min(q.Limit, 1000)
}

// listing gathers conditions and their arguments.
type listing struct {
	conds []string
	args  []any
}

func (l *listing) arg(v any) string {
	l.args = append(l.args, v)
	return "$" + strconv.Itoa(len(l.args))
}

func (l *listing) also(cond string) { l.conds = append(l.conds, cond) }

func (l *listing) where() string { return strings.Join(l.conds, " AND ") }

func (q Query) listing(customerID string) *listing {
	l := &listing{}
	l.also("u.customer_id = " + l.arg(clean(customerID)) + " AND u.removed_at IS NULL AND u.account_type <> " + l.arg(Guest))
	if q.Status != "" {
		l.also("u.status = " + l.arg(string(q.Status)))
	}
	if q.AccountType != "" {
		l.also("u.account_type = " + l.arg(q.AccountType))
	}
	if q.Managed != nil {
		l.also("u.managed = " + l.arg(*q.Managed))
	}
	if q.CanCallOut != nil {
		if *q.CanCallOut {
			l.also(canCall)
		} else {
			l.also("NOT " + canCall)
		}
	}
	switch q.Number {
	case "":
	case "has":
		l.also("u.number IS NOT NULL")
	case "none":
		l.also("u.number IS NULL")
	default:
		l.also("u.number = " + l.arg(lineNumber(q.Number)))
	}
	if key := fold(q.Search); key != "" {
		pattern := l.arg(db.Like(key))
		digits := l.arg(db.Like(strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(key)))
		l.also(fmt.Sprintf(`(u.name_key LIKE %[1]s ESCAPE '\' OR u.upn_key LIKE %[1]s ESCAPE '\' OR u.number LIKE %[2]s ESCAPE '\')`, pattern, digits))
	}
	return l
}

// order is a way to sort.
type order struct {
	name, column string
	desc         bool
	key          func(listed) string
}

// listed is a user with the keys he is sorted by.
type listed struct {
	User
	upnKey, nameKey string
}

func sortOf(name string) (order, error) {
	if name == "" {
		name = "name"
	}
	plain, desc := strings.CutPrefix(name, "-")
	o := order{name: name, desc: desc}
	switch plain {
	case "name":
		o.column, o.key = "u.name_key", func(u listed) string { return u.nameKey }
	case "upn":
		o.column, o.key = "u.upn_key", func(u listed) string { return u.upnKey }
	case "number":
		o.column, o.key = "coalesce(u.number, '')", func(u listed) string { return u.Number }
	case "status":
		o.column, o.key = "u.status", func(u listed) string { return string(u.Status) }
	default:
		return o, fault.New(fault.Invalid, "unknown-sort", "Users cannot be sorted by %q.", clean(plain)).
			WithFields(fault.Field{Path: "sort", Code: "unknown-sort", Detail: "Known here: name, upn, number, status; a minus turns it round."})
	}
	return o, nil
}

// cursor is where a page ended.
type cursor struct {
	Sort string `json:"s"`
	Key  string `json:"k"`
	ID   string `json:"i"`
}

// String is the cursor as callers hand it back.
func (c cursor) String() string {
	raw, _ := json.Marshal(c) // three texts cannot fail
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (l *listing) after(text string, o order) error {
	if text == "" {
		return nil
	}
	var c cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Sort != o.name || clean(c.Key) != c.Key || clean(c.ID) != c.ID {
		return fault.New(fault.Invalid, "invalid-cursor", "This cursor belongs to no page of this list.").
			WithRemedy("Begin again without a cursor, with the same sort and filters throughout.").Because(err)
	}
	than := ">"
	if o.desc {
		than = "<"
	}
	l.also(fmt.Sprintf("(%s, u.id) %s (%s, %s)", o.column, than, l.arg(c.Key), l.arg(c.ID)))
	return nil
}

func (d *Directory) fetch(ctx context.Context, customerID string, l *listing, o order, limit int) (items []User, keys []string, err error) {
	b, err := d.bookOf(ctx, d.db.R, customerID)
	if err != nil {
		return nil, nil, err
	}
	way := ""
	if o.desc {
		way = " DESC"
	}
	rows, err := d.db.R.QueryContext(ctx, fmt.Sprintf(`SELECT %s FROM %s WHERE %s ORDER BY %s%s, u.id%s LIMIT %d`,
		userColumns, userFrom, l.where(), o.column, way, way, limit), l.args...)
	if err != nil {
		return nil, nil, fmt.Errorf("listing users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		u, err := scanUser(rows, b)
		if err != nil {
			return nil, nil, fmt.Errorf("reading a user: %w", err)
		}
		items, keys = append(items, u.User), append(keys, o.key(u))
	}
	return items, keys, rows.Err()
}

func scanUser(s interface{ Scan(...any) error }, b book) (listed, error) {
	var u listed
	var products string
	var voice bool
	var location, number, numberType, policy, plan sql.NullString
	var updated, usages sql.NullInt64
	err := s.Scan(&u.ID, &u.CustomerID, &u.UserPrincipalName, &u.upnKey, &u.DisplayName, &u.nameKey, &u.Enabled, &location, &u.AccountType, &products,
		&u.Licensed, &u.Managed, &number, &numberType, &policy, &plan, &voice, &u.OnPremises, &u.Status, &u.Reason, &updated, &u.Version, &usages)
	if err != nil {
		return u, err
	}
	u.UsageLocation, u.Number, u.NumberType, u.VoicePolicy, u.DialPlan = location.String, number.String, numberType.String, policy.String, plan.String
	u.UpdatedAt = db.Time(updated)
	for _, h := range splitHeld(products) {
		u.Licences = append(u.Licences, b.product(h.sku).name)
	}
	u.CanCallOut, u.WhyNot = CanCallOut(CallFacts{Verdict: Verdict{u.Licensed, u.Status, u.Reason}, AccountType: u.AccountType, Enabled: u.Enabled,
		Number: u.Number, NumberType: u.NumberType, EnterpriseVoice: voice, Policy: u.VoicePolicy, PolicyKnown: usages.Valid, PolicyUsages: int(usages.Int64)})
	return u, nil
}

// User answers one user of a customer by object id.
func (d *Directory) User(ctx context.Context, actor access.Actor, customerID, userID string) (User, error) {
	if _, err := d.customer(ctx, actor, access.Read, customerID); err != nil {
		return User{}, err
	}
	return d.Find(ctx, d.db.R, customerID, userID)
}

// Find is User for rooms that have asked what the actor may; it reads as their transaction sees it.
func (d *Directory) Find(ctx context.Context, q db.Querier, customerID, userID string) (User, error) {
	return d.find(ctx, q, customerID, "u.id", clean(userID))
}

// FindByName is Find by user principal name, in any case.
func (d *Directory) FindByName(ctx context.Context, q db.Querier, customerID, userPrincipalName string) (User, error) {
	return d.find(ctx, q, customerID, "u.upn_key", fold(userPrincipalName))
}

func (d *Directory) find(ctx context.Context, q db.Querier, customerID, column, value string) (User, error) {
	b, err := d.bookOf(ctx, q, customerID)
	if err != nil {
		return User{}, err
	}
	u, err := scanUser(q.QueryRowContext(ctx, `SELECT `+userColumns+` FROM `+userFrom+` WHERE u.customer_id = $1 AND `+column+` = $2
		AND u.removed_at IS NULL ORDER BY u.id LIMIT 1`, customerID, value), b)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, fault.Missing("user")
	}
	if err != nil {
		return User{}, fmt.Errorf("reading a user: %w", err)
	}
	return u.User, nil
}

// Counts is how many users of a customer have each status, guests apart. CanCallOut is how many can really call.
type Counts struct {
	Total, NotLicensed, NotAllocated, Allocated int
	CanCallOut                                  int
}

// Counts counts the users of a customer.
func (d *Directory) Counts(ctx context.Context, actor access.Actor, customerID string) (Counts, error) {
	var c Counts
	if _, err := d.customer(ctx, actor, access.Read, customerID); err != nil {
		return c, err
	}
	rows, err := d.db.R.QueryContext(ctx, `SELECT u.status, count(*), coalesce(sum(CASE WHEN `+canCall+` THEN 1 ELSE 0 END), 0) FROM `+userFrom+`
		WHERE u.customer_id = $1 AND u.removed_at IS NULL AND u.account_type <> $2 GROUP BY u.status`, customerID, Guest)
	if err != nil {
		return c, fmt.Errorf("counting users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var status Status
		var n, can int
		if err := rows.Scan(&status, &n, &can); err != nil {
			return c, fmt.Errorf("counting users: %w", err)
		}
		c.Total, c.CanCallOut = c.Total+n, c.CanCallOut+can
		switch status {
		case NotLicensed:
			c.NotLicensed = n
		case NotAllocated:
			c.NotAllocated = n
		case Allocated:
			c.Allocated = n
		}
	}
	return c, rows.Err()
}
