package entra

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	keysLast      = 24 * time.Hour   // facts/entra.md §5
	keysAskAgain  = 10 * time.Second // at most so often for a key that is not known
	maxKeyBody    = 1 << 20
	mostIssuers   = 256 // signing in is rare; past this the memory starts anew
	tenantPattern = "{tenantid}"
)

// signingKeys are one issuer's keys by id, never changed after they were read.
type signingKeys struct {
	byID  map[string]*rsa.PublicKey
	asked time.Time
}

// signingKey finds the key an issuer signs with. Keys change without a schedule: one that is not known is asked for anew.
func (c *Client) signingKey(ctx context.Context, issuer, id string) (*rsa.PublicKey, error) {
	now := c.opts.Now()
	c.mu.Lock()
	known := c.keys[issuer]
	c.mu.Unlock()
	if known != nil {
		key, ok := known.byID[id]
		switch age := now.Sub(known.asked); {
		case ok && age < keysLast:
			return key, nil
		case !ok && age < keysAskAgain:
			return nil, &IDTokenError{"key"}
		}
	}
	fetched, err := c.fetchKeys(ctx, issuer)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	if len(c.keys) >= mostIssuers {
		clear(c.keys)
	}
	c.keys[issuer] = fetched
	c.mu.Unlock()
	if key, ok := fetched.byID[id]; ok {
		return key, nil
	}
	return nil, &IDTokenError{"key"}
}

func (c *Client) fetchKeys(ctx context.Context, issuer string) (*signingKeys, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	var metadata struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := c.getJSON(ctx, issuer+"/.well-known/openid-configuration", &metadata); err != nil {
		return nil, err
	}
	if metadata.Issuer != issuer || !sameHost(metadata.Keys, issuer) {
		return nil, &IDTokenError{"issuer"}
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := c.getJSON(ctx, metadata.Keys, &set); err != nil {
		return nil, err
	}
	keys := &signingKeys{byID: map[string]*rsa.PublicKey{}, asked: c.opts.Now()}
	for _, k := range set.Keys {
		if public := k.public(issuer); public != nil {
			keys.byID[k.ID] = public
		}
	}
	return keys, nil
}

type jwk struct {
	Type   string `json:"kty"`
	Use    string `json:"use"`
	ID     string `json:"kid"`
	N      string `json:"n"`
	E      string `json:"e"`
	Issuer string `json:"issuer"`
}

// public is the RSA key, or nil where it may not sign for the issuer: Microsoft says on the key itself whose tokens it signs, and a key
// for personal accounts must not sign for an organisation (facts/entra.md §5).
func (k jwk) public(issuer string) *rsa.PublicKey {
	n, errN := base64.RawURLEncoding.DecodeString(k.N)
	e, errE := base64.RawURLEncoding.DecodeString(k.E)
	if k.Type != "RSA" || (k.Use != "" && k.Use != "sig") || errN != nil || errE != nil || len(n) < 256 || len(e) == 0 || len(e) > 4 {
		return nil
	}
	if k.Issuer != "" && k.Issuer != issuer && !fitsPattern(k.Issuer, issuer) {
		return nil
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
}

func fitsPattern(pattern, issuer string) bool {
	before, after, ok := strings.Cut(pattern, tenantPattern)
	return ok && strings.HasPrefix(issuer, before) && strings.HasSuffix(issuer, after) &&
		len(issuer) > len(before)+len(after) && guid.MatchString(issuer[len(before):len(issuer)-len(after)])
}

func sameHost(address, other string) bool {
	a, errA := url.Parse(address)
	b, errB := url.Parse(other)
	return errA == nil && errB == nil && a.Scheme == b.Scheme && a.Host == b.Host
}

func (c *Client) getJSON(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("User-Agent", c.opts.UserAgent)
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return unreachable(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return decodeAnswer(resp, c.opts.Now(), true)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxKeyBody))
	if err != nil {
		return unreachable(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return unreachable(fmt.Errorf("reading Microsoft's keys: %w", err))
	}
	return nil
}
