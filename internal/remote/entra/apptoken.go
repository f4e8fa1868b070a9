package entra

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"tcap.cloud/internal/remote/tenant"
)

// refusalKept is how long a lasting refusal is answered from memory, so that a lost tenant is not hammered (facts/entra.md §5).
const refusalKept = time.Minute

var _ tenant.ChallengedTokens = (*Client)(nil)

type appKey struct {
	cloud       tenant.Cloud
	tenant, app string
}

// signIn is the one credential kept for an application in a tenant. Its place lets one caller in at a time: Microsoft's library holds a
// mutex during the network call, and a mutex does not end with a context.
type signIn struct {
	place       chan struct{}
	fingerprint string
	source      azcore.TokenCredential
	refused     map[tenant.Resource]keptRefusal
}

type keptRefusal struct {
	refusal tenant.Refusal
	until   time.Time
}

// AppToken is a token of the application itself. It is answered from memory while it lasts; a lasting refusal is remembered for a
// minute. fresh passes both: it signs in anew.
func (c *Client) AppToken(ctx context.Context, ref tenant.Ref, cred tenant.Credential, resource tenant.Resource, fresh bool) (tenant.Token, error) {
	// Graph is the only resource with continuous access evaluation for applications (facts/entra.md §5).
	return c.appToken(ctx, ref, cred, resource, fresh, policy.TokenRequestOptions{EnableCAE: resource == tenant.ResourceGraph})
}

// AppTokenFor is a new token with the claims that a resource asked for.
func (c *Client) AppTokenFor(ctx context.Context, ref tenant.Ref, cred tenant.Credential, resource tenant.Resource, claims string) (tenant.Token, error) {
	return c.appToken(ctx, ref, cred, resource, true, policy.TokenRequestOptions{EnableCAE: true, Claims: claims})
}

func (c *Client) appToken(ctx context.Context, ref tenant.Ref, cred tenant.Credential, resource tenant.Resource, fresh bool, ask policy.TokenRequestOptions) (tenant.Token, error) {
	endpoints, err := c.opts.Directory.Endpoints(ref.Cloud)
	if err != nil {
		return tenant.Token{}, err
	}
	kept, err := c.enter(ctx, ref, cred)
	if err != nil {
		return tenant.Token{}, err
	}
	defer func() { <-kept.place }()
	if last, ok := kept.refused[resource]; ok && !fresh && c.opts.Now().Before(last.until) {
		refusal := last.refusal
		return tenant.Token{}, &refusal
	}
	if err := c.prepare(kept, endpoints, ref, cred, fresh); err != nil {
		return tenant.Token{}, err
	}
	limited, cancel := c.within(ctx)
	defer cancel()
	ask.Scopes = []string{endpoints.Scope(resource)}
	got, err := kept.source.GetToken(limited, ask)
	if err != nil {
		return tenant.Token{}, c.remember(kept, resource, c.refusalOf(ctx, err))
	}
	delete(kept.refused, resource)
	return tenant.Token{Value: tenant.NewSecret(got.Token), ExpiresAt: got.ExpiresOn}, nil
}

// enter takes the place of the application in the tenant, or gives up with the context.
func (c *Client) enter(ctx context.Context, ref tenant.Ref, cred tenant.Credential) (*signIn, error) {
	c.mu.Lock()
	key := appKey{ref.Cloud, ref.TenantID, cred.AppID}
	kept, ok := c.kept[key]
	if !ok {
		kept = &signIn{place: make(chan struct{}, 1), refused: map[tenant.Resource]keptRefusal{}}
		c.kept[key] = kept
	}
	c.mu.Unlock()
	select {
	case kept.place <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if fingerprint := cred.Fingerprint(); kept.fingerprint != fingerprint {
		kept.fingerprint, kept.source = fingerprint, nil
		clear(kept.refused)
	}
	return kept, nil
}

// prepare makes the credential where there is none yet, or where its cache must be passed: the library has no other way.
func (c *Client) prepare(kept *signIn, e tenant.Endpoints, ref tenant.Ref, cred tenant.Credential, fresh bool) error {
	if kept.source != nil && !fresh {
		return nil
	}
	source, err := c.newSource(e, ref, cred)
	if err == nil {
		kept.source = source
	}
	return err
}

func (c *Client) newSource(e tenant.Endpoints, ref tenant.Ref, cred tenant.Credential) (azcore.TokenCredential, error) {
	transport, host, err := newCarrier(c.http, e.Authority, c.opts.UserAgent)
	if err != nil {
		return nil, err
	}
	client := azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: host},
		Transport: transport,
		Retry:     policy.RetryOptions{MaxRetries: -1}, // the door retries, within its budget
	}
	var source azcore.TokenCredential
	switch {
	case !cred.Certificate.IsZero():
		source, err = azidentity.NewClientCertificateCredential(ref.TenantID, cred.AppID, cred.Certificate.Chain(), cred.Certificate.Key(),
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: true})
	case !cred.Secret.IsZero():
		source, err = azidentity.NewClientSecretCredential(ref.TenantID, cred.AppID, cred.Secret.Reveal(),
			&azidentity.ClientSecretCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: true})
	default:
		return nil, local("credential-missing", "There is neither a secret nor a certificate", "Enter a secret or upload a certificate.")
	}
	if err != nil { // its text is not kept: it may be about the key
		return nil, local("credential-unusable", "The tenant's id or the credential is malformed", "Check the tenant's id, the application's id and the credential.")
	}
	return source, nil
}

func local(code, message, remedy string) *tenant.Refusal {
	return &tenant.Refusal{Class: tenant.Config, Source: tenant.SourceEntra, Code: code, Message: message, Remedy: remedy}
}

// refusalOf reads what the library says. Without an answer of Microsoft's it is the network, or metadata that does not fit: never a
// loss of access (facts/entra.md §7).
func (c *Client) refusalOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var failed *azidentity.AuthenticationFailedError
	if errors.As(err, &failed) && failed.RawResponse != nil {
		return decodeAnswer(failed.RawResponse, c.opts.Now(), false)
	}
	return unreachable(err)
}

func (c *Client) remember(kept *signIn, resource tenant.Resource, err error) error {
	if r := tenant.AsRefusal(err); r != nil && r.Class.Permanent() {
		kept.refused[resource] = keptRefusal{*r, c.opts.Now().Add(refusalKept)}
	}
	return err
}

func unreachable(err error) *tenant.Refusal {
	r := &tenant.Refusal{
		Class: tenant.Network, Source: tenant.SourceEntra, Code: "sign-in-unreachable", Message: "Microsoft's sign-in did not answer",
		Remedy: "Nothing to do; it is tried again.",
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return r.WithCause(context.DeadlineExceeded)
	}
	return r.WithCause(fmt.Errorf("signing in: %s", tenant.Scrub(err.Error())))
}
