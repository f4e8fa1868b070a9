package pairing

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/base/feed"
	"tcap.cloud/internal/base/seal"
	"tcap.cloud/internal/domain/capability"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/engine/operation"
	"tcap.cloud/internal/remote/entra"
	"tcap.cloud/internal/remote/tenant"
)

// Grant is a link that sends an administrator to Microsoft, with what it will ask there.
type Grant struct {
	ConsentURL  string       `json:"consentUrl"`
	Permissions []Permission `json:"permissions"`
	Roles       []Role       `json:"roles"`
	ExpiresAt   time.Time    `json:"expiresAt"`
}

// flowSecrets is what the worker needs to redeem the code; the web role seals it and cannot read it again.
type flowSecrets struct {
	Verifier string `json:"verifier"`
	Nonce    string `json:"nonce"`
}

// GrantAccess makes a link for the service's customer. It changes nothing in the tenant and nothing of the pairing's state.
func (s *Pairings) GrantAccess(ctx context.Context, a access.Actor, serviceID string) (Grant, error) {
	if err := access.Can(a, access.Connect); err != nil {
		return Grant{}, err
	}
	svc, customer, err := s.o.Org.Service(ctx, a, serviceID)
	if err != nil {
		return Grant{}, err
	}
	if !svc.Sync {
		return Grant{}, fault.New(fault.Conflict, "sync-off", "This service works without sync: nothing is connected, so there is nothing to grant.").
			WithRemedy("The customer accepts the operator in Teams admin center. Turn sync on to connect the tenant.")
	}
	return s.grant(ctx, a, customer, svc.ID, "pair", "")
}

// SignIn makes a link for an operation that waits for an administrator, after which the same operation goes on.
func (s *Pairings) SignIn(ctx context.Context, a access.Actor, op operation.Row) (Grant, error) {
	if err := access.Can(a, access.Connect); err != nil {
		return Grant{}, err
	}
	if op.WaitingFor != operation.ForSignIn {
		return Grant{}, fault.New(fault.Conflict, "no-sign-in-needed", "This operation is not waiting for an administrator to sign in.")
	}
	customer, err := s.o.Org.Customer(ctx, a, op.CustomerID)
	if err != nil {
		return Grant{}, err
	}
	return s.grant(ctx, a, customer, op.ServiceID, "sign-in", op.ID)
}

func (s *Pairings) grant(ctx context.Context, a access.Actor, customer org.Customer, serviceID, purpose, operationID string) (Grant, error) {
	cloud := tenant.Cloud(customer.Cloud)
	app, endpoints, err := s.hosted(cloud)
	if err != nil {
		return Grant{}, err
	}
	current, _, err := read(ctx, s.o.DB.R, customer.ID)
	if err != nil {
		return Grant{}, err
	}
	hint := current.TenantID
	if hint == "" {
		hint = customer.TenantID
	}
	verifier, challenge := entra.NewPKCE()
	state, nonce := entra.NewRandom(), entra.NewRandom()
	secrets, err := json.Marshal(flowSecrets{verifier.Reveal(), nonce})
	if err != nil {
		return Grant{}, fmt.Errorf("encoding a flow's secrets: %w", err)
	}
	hash := sha256.Sum256([]byte(state))
	f := flow{stateHash: hash[:], customerID: customer.ID, serviceID: serviceID, operationID: operationID, appID: app.AppID, cloud: cloud,
		redirectURI: s.o.RedirectURI, tenantHint: hint, actor: a.Name, actorID: a.Kind + ":" + a.ID, expiresAt: s.o.Clock.Now().Add(flowLife)}
	if f.secrets, err = s.o.Recipients.Seal(seal.NewSecret(secrets), f.binding()); err != nil {
		return Grant{}, fmt.Errorf("sealing a flow: %w", err)
	}
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := ensure(ctx, tx, customer.ID, cloud, app.AppID, s.o.Clock.Now()); err != nil {
			return err
		}
		if err := s.putFlow(ctx, tx, f, purpose); err != nil {
			return err
		}
		return audit.Append(ctx, s.o.DB, tx, audit.What{At: s.o.Clock.Now(), Actor: a, Action: "pairing.link", PartnerID: customer.PartnerID,
			CustomerID: customer.ID, TargetKind: "customer", TargetID: customer.ID, OperationID: operationID, Detail: map[string]any{"purpose": purpose, "expiresAt": f.expiresAt}})
	})
	if err != nil {
		return Grant{}, err
	}
	at := hint
	if at == "" {
		at = "organizations"
	}
	return Grant{Permissions: HostedPermissions(), Roles: HostedRoles(), ExpiresAt: f.expiresAt,
		ConsentURL: entra.AuthorizeURL(endpoints, entra.AuthorizeRequest{Tenant: at, ClientID: app.AppID, RedirectURI: f.redirectURI,
			Scopes: scopes(), State: state, Nonce: nonce, Challenge: challenge, Prompt: "consent"})}, nil
}

func scopes() []string {
	out := []string{"openid", "profile"}
	for _, p := range HostedPermissions() {
		out = append(out, p.Value)
	}
	return out
}

// binding ties a flow's secrets to its customer, cloud and application, and to this one flow.
func (f flow) binding() seal.Binding {
	return seal.Binding{Purpose: seal.PKCEVerifier, CustomerID: f.customerID, Cloud: string(f.cloud), AppID: f.appID, Row: fmt.Sprintf("flow:%x", f.stateHash)}
}

// hosted answers the operator's own application in a cloud, or why it cannot be used there (S2.2).
func (s *Pairings) hosted(cloud tenant.Cloud) (HostedApp, tenant.Endpoints, error) {
	d := capability.Check(capability.HostedApp, capability.Service{Kind: capability.DirectRouting, Sync: true, Cloud: capability.Cloud(cloud)})
	if !d.Allowed {
		return HostedApp{}, tenant.Endpoints{}, fault.New(fault.Conflict, string(d.Code), "%s", d.Reason).WithAction(string(d.Remedy.Action), d.Remedy.Label, d.Remedy.Label)
	}
	app, ok := s.o.Hosted[cloud]
	if !ok {
		return HostedApp{}, tenant.Endpoints{}, fault.New(fault.Conflict, "no-hosted-app", "The operator has no application of its own in the cloud %q yet.", cloud).
			WithRemedy("The operator registers one and names it with --hosted-app, or the customer brings an application of its own.")
	}
	e, err := s.o.Directory.Endpoints(cloud)
	if err != nil {
		return HostedApp{}, tenant.Endpoints{}, fault.New(fault.Conflict, "unknown-cloud", "This system does not know where the cloud %q is.", cloud).Because(err)
	}
	return app, e, nil
}

func replayed() *fault.Fault {
	return fault.New(fault.Conflict, "consent-replayed", "This reply from Microsoft was used before, or came too late; nothing was changed.").
		WithAction("grant-access", "Grant access", "Start again with Grant access: each link is good for one reply.")
}

// Callback takes what Microsoft sent the administrator back with. It looks for an error first, for a refused consent also
// says admin_consent=True, and believes nothing else but that the flow is ours and unused. It answers the operation that
// goes on, or why nothing was changed.
func (s *Pairings) Callback(ctx context.Context, form url.Values) (operationID string, err error) {
	hash := sha256.Sum256([]byte(form.Get("state")))
	f, known, err := getFlow(ctx, s.o.DB.R, hash[:])
	if err != nil {
		return "", err
	}
	if !known {
		return "", fault.New(fault.Malformed, "consent-unknown", "This reply does not belong to any link that was given out here; nothing was changed.").
			WithAction("grant-access", "Grant access", "Start again with Grant access on the service card.")
	}
	if !f.usedAt.IsZero() || !s.o.Clock.Now().Before(f.expiresAt) {
		return "", replayed()
	}
	if refusal := entra.RedirectRefusal(form.Get("error"), form.Get("error_description")); refusal != nil {
		return "", s.refused(ctx, f, refusal)
	}
	code := form.Get("code")
	if code == "" {
		return "", fault.New(fault.Malformed, "consent-without-code", "Microsoft's reply says who may have agreed, and proves nothing; nothing was changed.").
			WithAction("grant-access", "Grant access", "Start again with Grant access and sign in on the page it opens.")
	}
	return s.accept(ctx, f, code)
}

// refused uses the flow up and tells why in words.
func (s *Pairings) refused(ctx context.Context, f flow, r *tenant.Refusal) error {
	err := s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := s.useUp(ctx, tx, f); err != nil {
			return err
		}
		partner, err := s.partnerOf(ctx, f.customerID)
		if err != nil {
			return err
		}
		return audit.Append(ctx, s.o.DB, tx, audit.What{At: s.o.Clock.Now(), Actor: microsoft(f), Action: "pairing.refused", PartnerID: partner,
			CustomerID: f.customerID, TargetKind: "customer", TargetID: f.customerID, Detail: map[string]any{"code": r.Code, "codes": r.Codes}})
	})
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "consent-refused", "%s Nothing was changed.", sentence(r.Message)).
		WithAction("grant-access", "Grant access", orText(r.Remedy, "Ask a Global Administrator of the organisation to use the link, and to accept."))
}

func sentence(text string) string {
	if text == "" {
		return "Microsoft did not give the consent."
	}
	if last := text[len(text)-1]; last == '.' || last == '!' || last == '?' {
		return text
	}
	return text + "."
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// microsoft is the actor of what a reply brings about: whoever made the link asked, Microsoft's reply did it.
func microsoft(f flow) access.Actor {
	return access.Actor{Kind: "consent", ID: f.actorID, Name: f.actor}
}

func (s *Pairings) partnerOf(ctx context.Context, customerID string) (string, error) {
	c, err := s.o.Org.Customer(ctx, access.System("consent"), customerID)
	return c.PartnerID, err
}

// accept uses the flow up, seals the code and starts the operation, or lets the one that waits for this sign-in go on.
func (s *Pairings) accept(ctx context.Context, f flow, code string) (string, error) {
	customer, err := s.o.Org.Customer(ctx, access.System("consent"), f.customerID)
	if err != nil {
		return "", err
	}
	var id string
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := s.useUp(ctx, tx, f); err != nil {
			return err
		}
		var waits bool
		if id, waits, err = s.operationFor(ctx, tx, f, customer); err != nil {
			return err
		}
		if err := s.keepCode(ctx, tx, f, id, code); err != nil {
			return err
		}
		if waits {
			if err := s.o.Operations.CheckNow(ctx, tx, id); err != nil {
				return err
			}
		} else if err := s.begin(ctx, tx, f, customer, id); err != nil {
			return err
		}
		return audit.Append(ctx, s.o.DB, tx, audit.What{At: s.o.Clock.Now(), Actor: microsoft(f), Action: "pairing.reply", PartnerID: customer.PartnerID,
			CustomerID: customer.ID, TargetKind: "customer", TargetID: customer.ID, OperationID: id})
	})
	return id, err
}

// operationFor finds the operation that waits for this sign-in, or starts one.
func (s *Pairings) operationFor(ctx context.Context, tx db.Tx, f flow, customer org.Customer) (id string, waits bool, err error) {
	id, existing, err := s.o.Operations.Start(ctx, tx, operation.New{Kind: KindPair, Title: "Connect " + customer.Name + " to its Microsoft 365 tenant",
		PartnerID: customer.PartnerID, CustomerID: customer.ID, ServiceID: f.serviceID, Subject: "pairing:" + customer.ID, Actor: microsoft(f), Steps: steps()})
	if err != nil || !existing {
		return id, false, err
	}
	op, err := s.o.Operations.Get(ctx, access.Scope{Level: access.Operator}, id)
	if err != nil {
		return "", false, err
	}
	if op.State == operation.Waiting && (op.WaitingFor == operation.ForSignIn || op.WaitingFor == operation.ForConfirmation) {
		return id, true, nil
	}
	return "", false, fault.New(fault.Conflict, "pairing-running", "This customer is being connected right now; nothing was changed by this reply.").
		WithRemedy("Wait for the running connection to end: operation %s.", id)
}

func (s *Pairings) keepCode(ctx context.Context, tx db.Tx, f flow, operationID, code string) error {
	b := codeBinding(f.customerID, f.cloud, f.appID, operationID)
	value, err := s.o.Recipients.Seal(seal.SecretFromString(code), b)
	if err != nil {
		return fmt.Errorf("sealing a code: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("making an id: %w", err)
	}
	row := sealedRow{id: id.String(), purpose: string(seal.AuthorizationCode), cloud: f.cloud, appID: f.appID, tenantID: f.tenantHint, value: value,
		redirectURI: f.redirectURI, expiresAt: s.o.Clock.Now().Add(10 * time.Minute)}
	if err := s.putSealed(ctx, tx, f.customerID, operationID, row); err != nil {
		return err
	}
	row.id, row.purpose, row.value = uuid.NewString(), string(seal.PKCEVerifier), f.secrets
	row.redirectURI = fmt.Sprintf("flow:%x", f.stateHash) // the row it was sealed to, needed to open it
	return s.putSealed(ctx, tx, f.customerID, operationID, row)
}

func codeBinding(customerID string, cloud tenant.Cloud, appID, operationID string) seal.Binding {
	return seal.Binding{Purpose: seal.AuthorizationCode, CustomerID: customerID, Cloud: string(cloud), AppID: appID, Row: "operation:" + operationID}
}

// begin shows the customer as activating. One that is connected already stays as it is until the new sign-in is proven.
func (s *Pairings) begin(ctx context.Context, tx db.Tx, f flow, customer org.Customer, operationID string) error {
	p, err := ensure(ctx, tx, customer.ID, f.cloud, f.appID, s.o.Clock.Now())
	if err != nil {
		return err
	}
	p.OperationID, p.ApplicationID = operationID, f.appID
	if p.State == PendingConsent || p.State == Disconnected {
		p.State = Activating
	}
	if err := s.save(ctx, tx, p); err != nil {
		return err
	}
	return feed.Append(ctx, tx, feed.Line{At: s.o.Clock.Now(), Topic: "customer", Ref: customer.ID, PartnerID: customer.PartnerID, CustomerID: customer.ID})
}
