package pairing

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/remote/tenant"
)

const columns = `customer_id, state, cloud, tenant_id, candidate_tenant_id, tenant_name, tenant_domains, app_kind, application_id, service_principal_id,
	cause_code, cause_detail, cause_since, correlation_id, consented_by, consented_at, activated_at, operation_id, last_check_at, next_check_at,
	failures, version`

func read(ctx context.Context, q db.Querier, customerID string) (Pairing, bool, error) {
	var p Pairing
	var tid, candidate, name, app, sp, code, detail, correlation, by, op sql.NullString
	var since, consented, activated, last, next sql.NullInt64
	var domains string
	err := q.QueryRowContext(ctx, `SELECT `+columns+` FROM pairing WHERE customer_id = $1`, customerID).Scan(&p.CustomerID, &p.State, &p.Cloud, &tid,
		&candidate, &name, &domains, &p.AppKind, &app, &sp, &code, &detail, &since, &correlation, &by, &consented, &activated, &op, &last, &next,
		&p.Failures, &p.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return Pairing{CustomerID: customerID, State: PendingConsent, AppKind: "hosted"}, false, nil
	}
	if err != nil {
		return Pairing{}, false, fmt.Errorf("reading a pairing: %w", err)
	}
	p.TenantID, p.Candidate, p.TenantName, p.ApplicationID, p.ServicePrincipalID = tid.String, candidate.String, name.String, app.String, sp.String
	p.ConsentedBy, p.OperationID = by.String, op.String
	p.ConsentedAt, p.ActivatedAt, p.LastCheckAt, p.NextCheckAt = db.Time(consented), db.Time(activated), db.Time(last), db.Time(next)
	if code.Valid {
		p.Cause = &Cause{Code: code.String, Detail: detail.String, Since: db.Time(since), CorrelationID: correlation.String}
	}
	if err := json.Unmarshal([]byte(domains), &p.TenantDomains); err != nil {
		return Pairing{}, false, fmt.Errorf("reading a tenant's domains: %w", err)
	}
	return p, true, nil
}

// ensure writes the row of a customer that has none yet.
func ensure(ctx context.Context, tx db.Tx, customerID string, cloud tenant.Cloud, appID string, now time.Time) (Pairing, error) {
	_, err := tx.ExecContext(ctx, `INSERT INTO pairing (customer_id, state, cloud, tenant_domains, app_kind, application_id, failures, created_at, updated_at, version)
		VALUES ($1, $2, $3, '[]', 'hosted', $4, 0, $5, $5, 1) ON CONFLICT (customer_id) DO NOTHING`, customerID, string(PendingConsent), string(cloud), appID, db.Micros(now))
	if err != nil {
		return Pairing{}, fmt.Errorf("writing a pairing: %w", err)
	}
	p, _, err := read(ctx, tx, customerID)
	return p, err
}

// save writes a pairing back if nobody else did meanwhile. A tenant that belongs to another customer is refused.
func (s *Pairings) save(ctx context.Context, tx db.Tx, p Pairing) error {
	if p.TenantID != "" {
		var other string
		err := tx.QueryRowContext(ctx, `SELECT customer_id FROM pairing WHERE tenant_id = $1 AND customer_id <> $2`, p.TenantID, p.CustomerID).Scan(&other)
		if err == nil {
			return pairedElsewhere()
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("asking whose a tenant is: %w", err)
		}
	}
	if p.TenantDomains == nil {
		p.TenantDomains = []string{}
	}
	domains, err := encode(p.TenantDomains)
	if err != nil {
		return err
	}
	cause := Cause{}
	if p.Cause != nil {
		cause = *p.Cause
	}
	res, err := tx.ExecContext(ctx, `UPDATE pairing SET state = $1, tenant_id = $2, candidate_tenant_id = $3, tenant_name = $4, tenant_domains = $5,
		application_id = $6, service_principal_id = $7, cause_code = $8, cause_detail = $9, cause_since = $10, correlation_id = $11, consented_by = $12,
		consented_at = $13, activated_at = $14, operation_id = $15, last_check_at = $16, next_check_at = $17, failures = $18, updated_at = $19,
		version = version + 1 WHERE customer_id = $20 AND version = $21`,
		string(p.State), db.Null(p.TenantID), db.Null(p.Candidate), db.Null(p.TenantName), domains, db.Null(p.ApplicationID), db.Null(p.ServicePrincipalID),
		db.Null(cause.Code), db.Null(cause.Detail), db.Micros(cause.Since), db.Null(cause.CorrelationID), db.Null(p.ConsentedBy), db.Micros(p.ConsentedAt),
		db.Micros(p.ActivatedAt), db.Null(p.OperationID), db.Micros(p.LastCheckAt), db.Micros(p.NextCheckAt), p.Failures, db.Micros(s.o.Clock.Now()),
		p.CustomerID, p.Version)
	if s.o.DB.IsUnique(err) {
		return pairedElsewhere()
	}
	return db.Changed(res, err, fault.StaleVersion("connection to the tenant"))
}

func pairedElsewhere() *fault.Fault {
	return fault.New(fault.Conflict, "tenant-paired-elsewhere", "This Microsoft 365 tenant already belongs to another customer; nothing was changed.").
		WithRemedy("Check that you signed in to the right organisation. If the tenant is to move, disconnect it from the other customer first.")
}

// flow is one link given to an administrator; it is good for one reply.
type flow struct {
	stateHash   []byte
	customerID  string
	serviceID   string
	operationID string
	appID       string
	cloud       tenant.Cloud
	secrets     []byte
	redirectURI string
	tenantHint  string
	actor       string
	actorID     string
	expiresAt   time.Time
	usedAt      time.Time
}

func (s *Pairings) putFlow(ctx context.Context, tx db.Tx, f flow, purpose string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO consent_flow (state_hash, customer_id, service_id, purpose, operation_id, app_id, cloud, secrets, redirect_uri,
		tenant_hint, actor, actor_id, created_at, expires_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
		f.stateHash, f.customerID, db.Null(f.serviceID), purpose, db.Null(f.operationID), f.appID, string(f.cloud), f.secrets, f.redirectURI,
		db.Null(f.tenantHint), f.actor, f.actorID, db.Micros(s.o.Clock.Now()), db.Micros(f.expiresAt))
	if err != nil {
		return fmt.Errorf("writing a consent flow: %w", err)
	}
	return nil
}

func getFlow(ctx context.Context, q db.Querier, stateHash []byte) (flow, bool, error) {
	f := flow{stateHash: stateHash}
	var service, op, hint sql.NullString
	var expires, used sql.NullInt64
	err := q.QueryRowContext(ctx, `SELECT customer_id, service_id, operation_id, app_id, cloud, secrets, redirect_uri, tenant_hint, actor, actor_id, expires_at, used_at
		FROM consent_flow WHERE state_hash = $1`, stateHash).Scan(&f.customerID, &service, &op, &f.appID, &f.cloud, &f.secrets, &f.redirectURI, &hint,
		&f.actor, &f.actorID, &expires, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	if err != nil {
		return f, false, fmt.Errorf("reading a consent flow: %w", err)
	}
	f.serviceID, f.operationID, f.tenantHint = service.String, op.String, hint.String
	f.expiresAt, f.usedAt = db.Time(expires), db.Time(used)
	return f, true, nil
}

// useUp marks a flow used by one conditional update: of two replies one wins.
func (s *Pairings) useUp(ctx context.Context, tx db.Tx, f flow) error {
	now := s.o.Clock.Now()
	res, err := tx.ExecContext(ctx, `UPDATE consent_flow SET used_at = $1 WHERE state_hash = $2 AND used_at IS NULL AND expires_at > $1`, db.Micros(now), f.stateHash)
	return db.Changed(res, err, replayed())
}

// sealed values of an operation -----------------------------------------------------------------------------------------

type sealedRow struct {
	id, purpose, tenantID, appID, redirectURI string
	cloud                                     tenant.Cloud
	value                                     []byte
	expiresAt                                 time.Time
}

// putSealed replaces what the operation had of this purpose.
func (s *Pairings) putSealed(ctx context.Context, tx db.Tx, customerID, operationID string, row sealedRow) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM sealed WHERE operation_id = $1 AND purpose = $2`, operationID, row.purpose); err != nil {
		return fmt.Errorf("replacing a sealed value: %w", err)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO sealed (id, purpose, customer_id, cloud, tenant_id, app_id, operation_id, value, redirect_uri, created_at, expires_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)`, row.id, row.purpose, customerID, string(row.cloud), row.tenantID, row.appID, operationID, row.value,
		db.Null(row.redirectURI), db.Micros(s.o.Clock.Now()), db.Micros(row.expiresAt))
	if err != nil {
		return fmt.Errorf("keeping a sealed value: %w", err)
	}
	return nil
}

func getSealed(ctx context.Context, q db.Querier, operationID, purpose string) (sealedRow, bool, error) {
	row := sealedRow{purpose: purpose}
	var redirect sql.NullString
	var expires sql.NullInt64
	err := q.QueryRowContext(ctx, `SELECT id, cloud, tenant_id, app_id, value, redirect_uri, expires_at FROM sealed WHERE operation_id = $1 AND purpose = $2`,
		operationID, purpose).Scan(&row.id, &row.cloud, &row.tenantID, &row.appID, &row.value, &redirect, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return row, false, nil
	}
	if err != nil {
		return row, false, fmt.Errorf("reading a sealed value: %w", err)
	}
	row.redirectURI, row.expiresAt = redirect.String, db.Time(expires)
	return row, true, nil
}

// destroySealed forgets what an operation had sealed; purposes none means all.
func destroySealed(ctx context.Context, tx db.Tx, operationID string, purposes ...string) error {
	if len(purposes) == 0 {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sealed WHERE operation_id = $1`, operationID); err != nil {
			return fmt.Errorf("destroying sealed values: %w", err)
		}
		return nil
	}
	for _, p := range purposes {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sealed WHERE operation_id = $1 AND purpose = $2`, operationID, p); err != nil {
			return fmt.Errorf("destroying a sealed value: %w", err)
		}
	}
	return nil
}
