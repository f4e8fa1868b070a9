// Package entra signs in at Microsoft Entra ID: the application itself by client credentials, and people by the authorisation-code
// flow whose ID token it verifies. What Entra ID refuses comes back as a *tenant.Refusal, classified by number through the table in
// package tenant, never by text. Contracts: facts/entra.md.
package entra

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"tcap.cloud/internal/remote/tenant"
)

// Options are what a Client needs.
type Options struct {
	Directory tenant.Directory
	// HTTP carries the requests; nil: http.DefaultClient.
	HTTP *http.Client
	// Now dates tokens and caches; nil: time.Now. Microsoft's library keeps its own token cache on the machine's clock.
	Now func() time.Time
	// UserAgent is sent with each request; empty: tcap.
	UserAgent string
	// Timeout bounds one sign-in; 0: 30 s.
	Timeout time.Duration
}

// Client signs in. One for each process: it keeps the credentials and so their token caches. Safe for concurrent use.
type Client struct {
	opts Options
	http *http.Client

	mu   sync.Mutex
	kept map[appKey]*signIn
	keys map[string]*signingKeys // by issuer
}

// New checks the options and makes the client.
func New(opts Options) (*Client, error) {
	if err := opts.Directory.Validate(); err != nil {
		return nil, fmt.Errorf("entra: %w", err)
	}
	if opts.HTTP == nil {
		opts.HTTP = http.DefaultClient
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.UserAgent == "" {
		opts.UserAgent = "tcap"
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 30 * time.Second
	}
	client := *opts.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{opts: opts, http: &client, kept: map[appKey]*signIn{}, keys: map[string]*signingKeys{}}, nil
}

// ParseCertificate reads a certificate with its private key from PEM or PKCS#12. The password may be empty; what is wrong with the
// file is said without any of its content.
func ParseCertificate(data []byte, password tenant.Secret) (tenant.Certificate, error) {
	chain, key, err := azidentity.ParseCertificates(data, []byte(password.Reveal()))
	if err != nil {
		return tenant.Certificate{}, errors.New("the file holds no certificate with an unlocked private key")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return tenant.Certificate{}, errors.New("the private key cannot sign")
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || len(chain) == 0 || !public.Equal(chain[0].PublicKey) {
		return tenant.Certificate{}, errors.New("the private key does not belong to the first certificate")
	}
	return tenant.NewCertificate(chain, key), nil
}

// carrier sends what Microsoft's library asks for. The library takes the first segment of an authority's path for the tenant, so it is
// given the bare host, and a path that our authority has is put back here.
type carrier struct {
	client    *http.Client
	host      string
	prefix    string
	userAgent string
}

func newCarrier(client *http.Client, authority, userAgent string) (*carrier, string, error) {
	u, err := url.Parse(authority)
	if err != nil {
		return nil, "", fmt.Errorf("reading the authority: %w", err)
	}
	return &carrier{client: client, host: u.Host, prefix: u.Path, userAgent: userAgent}, u.Scheme + "://" + u.Host + "/", nil
}

// Do sends the request (policy.Transporter).
func (c *carrier) Do(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", c.userAgent)
	if c.prefix != "" && req.URL.Host == c.host && !strings.HasPrefix(req.URL.Path, c.prefix+"/") {
		req.URL.Path = c.prefix + req.URL.Path
		req.URL.RawPath = ""
	}
	return c.client.Do(req)
}

func (c *Client) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.opts.Timeout)
}
