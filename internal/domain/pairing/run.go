package pairing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/base/seal"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/kind"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/msgraph"
	"tcap.cloud/internal/remote/teamsadmin"
	"tcap.cloud/internal/remote/tenant"
)

// The steps of a pairing, as people see them.
const (
	stepSignIn  = "Check who signed in"
	stepConsent = "Check the consent"
	stepBind    = "Connect the tenant"
	stepRoles   = "Place the two roles"
	stepProve   = "Prove that the application can sign in by itself"
	stepSync    = "Read users for the first time"
)

func steps() []string {
	return []string{stepSignIn, stepConsent, stepBind, stepRoles, stepProve, stepSync}
}

// notes is what a run leaves for the next one.
type notes struct {
	TenantID  string    `json:"tenantId"` // whose administrator signed in, verified
	ObjectID  string    `json:"objectId"`
	UPN       string    `json:"upn"`
	AdminID   string    `json:"adminId"` // who of those who signed in was seen to be a Global Administrator
	Since     time.Time `json:"since"`   // when the last sign-in was redeemed: Microsoft replicates from then on
	ProveFrom time.Time `json:"proveFrom"`
	SyncID    string    `json:"syncId"`
}

// worker is one run of the pairing operation.
type worker struct {
	*Pairings
	r        *operation.Run
	customer org.Customer
	app      HostedApp
	at       tenant.Endpoints
	notes    notes
}

// Run makes a pairing of what Microsoft sent back. Each step reads how things are, so that it may be run again anywhere.
func (s *Pairings) Run(ctx context.Context, r *operation.Run) error {
	customer, err := s.o.Org.Customer(ctx, access.System("pairing"), r.Op.CustomerID)
	if err != nil {
		return err
	}
	app, at, err := s.hosted(tenant.Cloud(customer.Cloud))
	if err != nil {
		return err
	}
	w := &worker{Pairings: s, r: r, customer: customer, app: app, at: at}
	if err := r.Memo(&w.notes); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{{stepSignIn, w.signIn}, {stepConsent, w.consent}, {stepBind, w.bind}, {stepRoles, w.roles}, {stepProve, w.prove}, {stepSync, w.firstSync}} {
		if err := r.Step(ctx, step.name, step.do); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) ref() tenant.Ref {
	return tenant.Ref{CustomerID: w.customer.ID, TenantID: w.notes.TenantID, Cloud: tenant.Cloud(w.customer.Cloud)}
}

func needSignIn(why string) error { return operation.Wait{For: operation.ForSignIn, Why: why} }

// signIn redeems the code, once, and verifies the ID token; what it gives is sealed to the operation.
func (w *worker) signIn(ctx context.Context) (string, error) {
	if err := w.redeem(ctx); err != nil {
		return "", err
	}
	if named := w.customer.TenantID; named != "" && !strings.EqualFold(named, w.notes.TenantID) {
		return "", wrongTenant(w.customer)
	}
	if _, err := w.delegated(ctx); err != nil {
		return "", err
	}
	return "Signed in as " + w.notes.UPN + ", a Global Administrator.", nil
}

// administers asks Graph whether who signed in is a Global Administrator, and notes it. Each sign-in is asked, also one that
// came later because the first had expired.
func (w *worker) administers(ctx context.Context, session *tenant.Session) error {
	if w.notes.AdminID != "" && w.notes.AdminID == w.notes.ObjectID {
		return nil
	}
	mine, err := msgraph.NewReader(session).MyDirectoryRoles(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(mine, func(r msgraph.DirectoryRole) bool { return strings.EqualFold(r.RoleTemplateID, globalAdministrator) }) {
		return fault.New(fault.Conflict, "not-global-administrator", "The person who signed in is not a Global Administrator of the organisation; nothing was changed.").
			WithAction("grant-access", "Grant access", "Send the link to a Global Administrator. A role that has to be activated first must be active at that moment.")
	}
	w.notes.AdminID = w.notes.ObjectID
	return w.r.Write(ctx, func(ctx context.Context, tx db.Tx) error { return w.r.Note(ctx, tx, w.notes) })
}

func (w *worker) redeem(ctx context.Context) error {
	code, ok, err := getSealed(ctx, w.o.DB.R, w.r.Op.ID, string(seal.AuthorizationCode))
	if err != nil {
		return err
	}
	if !ok {
		if _, have, err := getSealed(ctx, w.o.DB.R, w.r.Op.ID, string(seal.DelegatedToken)); err != nil || have {
			return err
		}
		return needSignIn("The administrator's sign-in is gone; it is needed once more.")
	}
	secrets, plain, err := w.open(ctx, code)
	if err != nil {
		return err
	}
	path := code.tenantID
	if path == "" {
		path = "organizations"
	}
	in, err := w.o.Entra.Redeem(ctx, w.at, entra.RedeemRequest{Tenant: path, Credential: w.app.Credential, Code: tenant.NewSecret(plain),
		Verifier: tenant.NewSecret(secrets.Verifier), RedirectURI: code.redirectURI})
	if err != nil {
		return w.codeLost(ctx, err)
	}
	claims, err := w.o.Entra.VerifyIDToken(ctx, w.at, in.IDToken, w.app.AppID, secrets.Nonce)
	var bad *entra.IDTokenError
	if errors.As(err, &bad) {
		return fault.New(fault.Conflict, "sign-in-not-proven", "Who signed in could not be proven (%s); nothing was changed.", bad.Check).
			WithAction("grant-access", "Grant access", "Start again with Grant access. If it happens again, tell your operator.").Because(err)
	}
	if err != nil {
		return err
	}
	if known := w.notes.TenantID; known != "" && !strings.EqualFold(known, claims.TenantID) {
		return wrongTenant(w.customer)
	}
	return w.keepToken(ctx, claims, in)
}

func wrongTenant(c org.Customer) *fault.Fault {
	return fault.New(fault.Conflict, "wrong-tenant", "The person who signed in belongs to another organisation than %s; nothing was changed.", c.Name).
		WithAction("grant-access", "Grant access", "Use the link again and sign in with an account of the right organisation.")
}

// open reads the code and what belongs to it; only this job may.
func (w *worker) open(ctx context.Context, code sealedRow) (flowSecrets, string, error) {
	var secrets flowSecrets
	opener := w.o.Opener.For(seal.JobRedeemConsent)
	plain, err := opener.Open(code.value, codeBinding(w.customer.ID, code.cloud, code.appID, w.r.Op.ID))
	if err != nil {
		return secrets, "", fmt.Errorf("opening a code: %w", err)
	}
	row, ok, err := getSealed(ctx, w.o.DB.R, w.r.Op.ID, string(seal.PKCEVerifier))
	if err != nil || !ok {
		return secrets, "", errors.Join(err, errors.New("a code without its verifier"))
	}
	raw, err := opener.Open(row.value, seal.Binding{Purpose: seal.PKCEVerifier, CustomerID: w.customer.ID, Cloud: string(row.cloud), AppID: row.appID, Row: row.redirectURI})
	if err != nil {
		return secrets, "", fmt.Errorf("opening a verifier: %w", err)
	}
	if err := json.Unmarshal(raw.Reveal(), &secrets); err != nil {
		return secrets, "", fmt.Errorf("reading a flow's secrets: %w", err)
	}
	return secrets, string(plain.Reveal()), nil
}

// codeLost says what follows where a code could not be redeemed. A code is good once: where the answer was lost or it was
// used by a run that died, the administrator signs in again and the operation goes on.
func (w *worker) codeLost(ctx context.Context, err error) error {
	refusal := tenant.AsRefusal(err)
	if refusal == nil || (!refusal.Maybe && !refusal.Class.Permanent()) {
		return err
	}
	spent := refusal.Maybe || slices.ContainsFunc(refusal.Codes, func(c int) bool { return c == 54005 || c == 70008 })
	if forget := w.r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return destroySealed(ctx, tx, w.r.Op.ID, string(seal.AuthorizationCode), string(seal.PKCEVerifier))
	}); forget != nil {
		return forget
	}
	if spent {
		return needSignIn("Microsoft's answer to the sign-in was lost; the administrator signs in once more.")
	}
	return err
}

func (w *worker) keepToken(ctx context.Context, claims entra.IDClaims, in entra.SignedIn) error {
	w.notes.TenantID, w.notes.ObjectID, w.notes.UPN, w.notes.Since = strings.ToLower(claims.TenantID), claims.ObjectID, claims.UPN, w.o.Clock.Now()
	value, err := w.o.Recipients.Seal(seal.SecretFromString(in.Token.Value.Reveal()), w.tokenBinding())
	if err != nil {
		return fmt.Errorf("sealing a token: %w", err)
	}
	expires := in.Token.ExpiresAt
	if latest := w.o.Clock.Now().Add(TokenLife); expires.IsZero() || expires.After(latest) {
		expires = latest
	}
	row := sealedRow{id: uuid.NewString(), purpose: string(seal.DelegatedToken), cloud: tenant.Cloud(w.customer.Cloud), tenantID: w.notes.TenantID,
		appID: w.app.AppID, value: value, expiresAt: expires}
	return w.r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := destroySealed(ctx, tx, w.r.Op.ID, string(seal.AuthorizationCode), string(seal.PKCEVerifier)); err != nil {
			return err
		}
		if err := w.putSealed(ctx, tx, w.customer.ID, w.r.Op.ID, row); err != nil {
			return err
		}
		return w.r.Note(ctx, tx, w.notes)
	})
}

func (w *worker) tokenBinding() seal.Binding {
	return seal.Binding{Purpose: seal.DelegatedToken, CustomerID: w.customer.ID, Cloud: w.customer.Cloud, TenantID: w.notes.TenantID, AppID: w.app.AppID,
		Row: "operation:" + w.r.Op.ID}
}

// delegated is the administrator's own session while the token lives; otherwise the operation waits for another sign-in.
func (w *worker) delegated(ctx context.Context) (*tenant.Session, error) {
	row, ok, err := getSealed(ctx, w.o.DB.R, w.r.Op.ID, string(seal.DelegatedToken))
	if err != nil {
		return nil, err
	}
	if !ok || !w.o.Clock.Now().Before(row.expiresAt) {
		if err := w.redeem(ctx); err != nil { // a later sign-in of the same operation, if there is one
			return nil, err
		}
		if row, ok, err = getSealed(ctx, w.o.DB.R, w.r.Op.ID, string(seal.DelegatedToken)); err != nil {
			return nil, err
		}
	}
	if !ok || !w.o.Clock.Now().Before(row.expiresAt) {
		return nil, needSignIn("The administrator's sign-in has expired; it is needed once more.")
	}
	token, err := w.o.Opener.For(seal.JobAdministratorStep).Open(row.value, w.tokenBinding())
	if err != nil {
		return nil, fmt.Errorf("opening a token: %w", err)
	}
	session := w.door.Delegated(w.ref(), tenant.Token{Value: tenant.NewSecret(string(token.Reveal())), ExpiresAt: row.expiresAt})
	return session, w.administers(ctx, session)
}

// replicating says whether something is not there yet just after it was made (facts/entra.md §1.5: seconds to minutes). The
// operation itself may be days older: it waits for people too.
func (w *worker) replicating(err error, made time.Time, what string) error {
	c := tenant.ClassOf(err)
	young := w.o.Clock.Now().Sub(made) < 5*time.Minute
	if young && (c == tenant.NotFound || c == tenant.AccessLost || c == tenant.Config || c == tenant.Refused) {
		return operation.Wait{Until: w.o.Clock.Now().Add(2 * time.Second), For: operation.ForMicrosoft, Why: what}
	}
	return err
}

// consent asks Graph what was agreed to: for everybody, and all of it (S1.6).
func (w *worker) consent(ctx context.Context) (string, error) {
	session, err := w.delegated(ctx)
	if err != nil {
		return "", err
	}
	g := msgraph.NewReader(session)
	sp, err := g.ServicePrincipalByAppID(ctx, w.app.AppID)
	if err != nil {
		return "", w.replicating(err, w.notes.Since, "Microsoft does not show the application in the tenant yet.")
	}
	grants, err := g.PermissionGrants(ctx, sp.ID)
	if err != nil {
		return "", err
	}
	var all, own []string
	for _, grant := range grants {
		if grant.ConsentType == "AllPrincipals" {
			all = append(all, grant.Scopes()...)
		} else {
			own = append(own, grant.Scopes()...)
		}
	}
	for _, p := range HostedPermissions() {
		if slices.Contains(all, p.Value) {
			continue
		}
		if slices.Contains(own, p.Value) {
			return "", fault.New(fault.Conflict, "consent-for-one-person", "The consent was given for one person only, not for the organisation; nothing was changed.").
				WithAction("grant-access", "Grant access", "Use the link again and tick \"Consent on behalf of your organisation\" before accepting.")
		}
		return "", fault.New(fault.Conflict, "consent-incomplete", "The permission %q was not given; nothing was changed.", p.Title).
			WithAction("grant-access", "Grant access", "Use the link again and accept all three permissions.")
	}
	return "Given for the whole organisation: 3 permissions.", nil
}

// bind reads the tenant's name and domains and ties it to the customer: at once where it was named beforehand, otherwise
// after somebody of the customer's own side has confirmed it.
func (w *worker) bind(ctx context.Context) (string, error) {
	session, err := w.delegated(ctx)
	if err != nil {
		return "", err
	}
	g := msgraph.NewReader(session)
	tenantOrg, err := g.Organization(ctx)
	if err != nil {
		return "", err
	}
	sp, err := g.ServicePrincipalByAppID(ctx, w.app.AppID)
	if err != nil {
		return "", err
	}
	confirmed := strings.EqualFold(w.customer.TenantID, w.notes.TenantID)
	var domains []string
	for _, d := range tenantOrg.VerifiedDomains {
		domains = append(domains, d.Name)
	}
	err = w.r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		p, err := ensure(ctx, tx, w.customer.ID, tenant.Cloud(w.customer.Cloud), w.app.AppID, w.o.Clock.Now())
		if err != nil {
			return err
		}
		if p.TenantID != "" && p.TenantID != w.notes.TenantID {
			return fault.New(fault.Conflict, "wrong-tenant", "This customer is connected to another tenant; nothing was changed.").
				WithAction("grant-access", "Grant access", "Sign in with an account of the tenant that is connected, or disconnect it first.")
		}
		p.TenantName, p.TenantDomains, p.Candidate = tenantOrg.DisplayName, domains, w.notes.TenantID
		if confirmed {
			p.TenantID, p.Candidate, p.ServicePrincipalID, p.ApplicationID = w.notes.TenantID, "", sp.ID, w.app.AppID
			p.ConsentedBy, p.ConsentedAt = w.notes.UPN, w.o.Clock.Now()
		} else if err := w.free(ctx, tx); err != nil {
			return err
		}
		if err := w.save(ctx, tx, p); err != nil {
			return err
		}
		return w.changed(ctx, tx)
	})
	if err != nil {
		return "", err
	}
	if !confirmed {
		return "", operation.Wait{For: operation.ForConfirmation, Why: fmt.Sprintf("Is %s (%s) the tenant of %s? Somebody of the customer's side confirms it.",
			tenantOrg.DisplayName, strings.Join(domains, ", "), w.customer.Name)}
	}
	return tenantOrg.DisplayName + " (" + strings.Join(domains, ", ") + ")", nil
}

// free refuses a candidate that belongs to another customer before anybody is asked to confirm it.
func (w *worker) free(ctx context.Context, tx db.Tx) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM pairing WHERE tenant_id = $1 AND customer_id <> $2`, w.notes.TenantID, w.customer.ID).Scan(&n)
	if err != nil {
		return fmt.Errorf("asking whose a tenant is: %w", err)
	}
	if n > 0 {
		return pairedElsewhere()
	}
	return nil
}

func (w *worker) changed(ctx context.Context, tx db.Tx) error {
	return feed.Append(ctx, tx, feed.Line{At: w.o.Clock.Now(), Topic: "customer", Ref: w.customer.ID, PartnerID: w.customer.PartnerID, CustomerID: w.customer.ID})
}

// roles places the two directory roles on the application, as a plan made with the administrator's own sign-in.
func (w *worker) roles(ctx context.Context) (string, error) {
	p, _, err := read(ctx, w.o.DB.R, w.customer.ID)
	if err != nil {
		return "", err
	}
	session, err := w.delegated(ctx)
	if err != nil {
		return "", err
	}
	if err := w.o.Plans.Apply(ctx, w.r, plan.Job{Session: session, TenantID: p.TenantID, Items: RoleItems(p.ServicePrincipalID)}); err != nil {
		return "", err
	}
	return "Teams Administrator and User Administrator, on the application alone.", nil
}

// RoleItems are the wishes behind "what we will make in your tenant".
func RoleItems(servicePrincipalID string) []plan.Item {
	var items []plan.Item
	for _, role := range HostedRoles() {
		items = append(items, kind.Role(servicePrincipalID, role.TemplateID))
	}
	return items
}

// prove signs in as the application alone, with fresh tokens, and reads something behind each of the two roles.
func (w *worker) prove(ctx context.Context) (string, error) {
	if w.notes.ProveFrom.IsZero() { // the roles were placed just now
		w.notes.ProveFrom = w.o.Clock.Now()
		if err := w.r.Write(ctx, func(ctx context.Context, tx db.Tx) error { return w.r.Note(ctx, tx, w.notes) }); err != nil {
			return "", err
		}
	}
	session := w.door.Session(w.ref())
	if _, err := msgraph.NewReader(session).Organization(ctx); err != nil {
		return "", w.replicating(err, w.notes.ProveFrom, "The application's first sign-in is refused; Microsoft may need some minutes after a consent.")
	}
	if _, err := teamsadmin.NewReader(session).ServiceDiscovery(ctx); err != nil {
		return "", w.replicating(err, w.notes.ProveFrom, "Teams does not know the application's role yet; Microsoft may need some minutes.")
	}
	return "Microsoft Graph and Teams administration answer the application itself.", nil
}

// firstSync starts the sync and waits for its end: only then is the card active.
func (w *worker) firstSync(ctx context.Context) (string, error) {
	if w.notes.SyncID == "" {
		err := w.r.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			id, _, err := w.syncer.StartSync(ctx, tx, w.customer, w.r.Actor())
			if err != nil {
				return err
			}
			w.notes.SyncID = id
			return w.r.Note(ctx, tx, w.notes)
		})
		if err != nil {
			return "", err
		}
	}
	op, err := w.o.Operations.Get(ctx, access.Scope{Level: access.Operator}, w.notes.SyncID)
	switch {
	case err != nil:
		return "", err
	case op.State == operation.Succeeded:
		return fmt.Sprintf("%d users.", op.Done), nil
	case op.State.Final():
		return "", fault.New(fault.Conflict, "first-sync-failed", "The tenant is connected, but its users could not be read: %s", problemText(op.Error))
	}
	return "", operation.Wait{Until: w.o.Clock.Now().Add(250 * time.Millisecond), For: operation.ForMicrosoft, Why: "Reading users."}
}

func problemText(p *operation.Problem) string {
	if p == nil {
		return "it was cancelled."
	}
	return p.Detail
}

// Finish moves the pairing with the end of its operation, and destroys whatever was sealed to it.
func (s *Pairings) Finish(ctx context.Context, tx db.Tx, op operation.Row, failure *fault.Fault) error {
	if err := destroySealed(ctx, tx, op.ID); err != nil {
		return err
	}
	if err := s.o.Plans.Withhold(ctx, tx, op.ID); err != nil {
		return err
	}
	p, ok, err := read(ctx, tx, op.CustomerID)
	if err != nil || !ok {
		return err
	}
	now, from := s.o.Clock.Now(), p.State
	p.Candidate, p.LastCheckAt = "", now
	switch {
	case failure == nil:
		p.State, p.Cause, p.Failures, p.ActivatedAt = Active, nil, 0, now
	case p.State == Activating:
		p.State = PendingConsent
		p.Cause = &Cause{Code: failure.Code, Detail: failure.Detail, Since: now, CorrelationID: op.CorrelationID}
	}
	if err := s.save(ctx, tx, p); err != nil {
		return err
	}
	if err := audit.Append(ctx, s.o.DB, tx, audit.What{At: now, Actor: access.Actor{Kind: "operation", ID: op.ID, Name: op.Actor}, Action: "pairing." + string(p.State),
		PartnerID: op.PartnerID, CustomerID: op.CustomerID, TargetKind: "customer", TargetID: op.CustomerID, OperationID: op.ID,
		Detail: map[string]any{"from": from, "to": p.State, "tenantId": p.TenantID, "consentedBy": p.ConsentedBy}}); err != nil {
		return err
	}
	return feed.Append(ctx, tx, feed.Line{At: now, Topic: "customer", Ref: op.CustomerID, PartnerID: op.PartnerID, CustomerID: op.CustomerID})
}
