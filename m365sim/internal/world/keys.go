package world

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// keysPublished is how many signing keys are kept: Entra publishes several at once and retires the oldest
// (facts/entra.md §5, key roll).
const keysPublished = 3

// SigningKey signs tokens. One set serves all tenants and clouds.
type SigningKey struct {
	ID      string
	Private *rsa.PrivateKey
	Created time.Time
}

// keyRecord is a key as the log keeps it.
type keyRecord struct {
	ID      string
	DER     []byte // PKCS #1
	Created time.Time
}

// SigningKeys lists the keys, newest first; the first one is made when it is asked for. Nil only when no key can be made.
func (w *World) SigningKeys() []SigningKey {
	w.keyMu.Lock()
	defer w.keyMu.Unlock()
	if keys := w.currentKeys(); len(keys) > 0 {
		return keys
	}
	if err := w.addKey(); err != nil {
		return nil
	}
	return w.currentKeys()
}

// RollKey signs with a new key from now on. The ones before stay published, up to three in all.
func (w *World) RollKey(context.Context) error {
	w.keyMu.Lock()
	defer w.keyMu.Unlock()
	return w.addKey()
}

func (w *World) currentKeys() []SigningKey {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.Clone(w.keys)
}

func (w *World) addKey() error {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("making a signing key: %w", err)
	}
	k := SigningKey{ID: w.NewID(), Private: private, Created: w.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.installKey(k)
	return w.log.keep(record{Key: k.record()})
}

func (w *World) installKey(k SigningKey) {
	w.keys = slices.Insert(w.keys, 0, k)
	w.keys = w.keys[:min(len(w.keys), keysPublished)]
}

func (k SigningKey) record() *keyRecord {
	return &keyRecord{ID: k.ID, DER: x509.MarshalPKCS1PrivateKey(k.Private), Created: k.Created}
}

func (r keyRecord) key() (SigningKey, error) {
	private, err := x509.ParsePKCS1PrivateKey(r.DER)
	if err != nil {
		return SigningKey{}, fmt.Errorf("reading signing key %s: %w", r.ID, err)
	}
	return SigningKey{ID: r.ID, Private: private, Created: r.Created}, nil
}
