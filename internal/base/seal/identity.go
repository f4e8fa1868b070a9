package seal

import (
	"bytes"
	"crypto/hpke"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Identity is the worker role's set of private keys: the newest and those
// before it that values are still sealed to. It is never printed or encoded
// by accident; Text is the one way to its bytes. Safe for concurrent use.
type Identity struct {
	keys []identityKey // newest first, at least one
}

// identityKey is one private key with its public half.
type identityKey struct {
	recipient
	private hpke.PrivateKey
}

// NewIdentity makes an identity with one fresh key.
func NewIdentity() (*Identity, error) { return newIdentityAt(time.Now()) }

// newIdentityAt is NewIdentity with the creation time given.
func newIdentityAt(created time.Time) (*Identity, error) {
	private, err := kem().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("making a sealing key: %w", err)
	}
	return identityOf([]identityKey{newIdentityKey(created, private)})
}

// newIdentityKey joins both halves of a key.
func newIdentityKey(created time.Time, private hpke.PrivateKey) identityKey {
	return identityKey{recipient: newRecipient(created, private.PublicKey()), private: private}
}

// identityOf sorts keys and drops doubles.
func identityOf(keys []identityKey) (*Identity, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("no identity in it: %w", ErrKeyText)
	}
	slices.SortFunc(keys, func(a, b identityKey) int { return compareRecipients(a.recipient, b.recipient) })
	keys = slices.CompactFunc(keys, func(a, b identityKey) bool { return a.id == b.id })
	return &Identity{keys: keys}, nil
}

// Rotate gives an identity with a fresh key that is newer than all present
// ones, whatever the clock says. The old keys stay, to open what they sealed.
func (i *Identity) Rotate() (*Identity, error) {
	created := time.Now()
	if newest := i.keys[0].created; !created.After(newest.Add(time.Microsecond)) {
		created = newest.Add(time.Microsecond)
	}
	fresh, err := newIdentityAt(created)
	if err != nil {
		return nil, err
	}
	return identityOf(append(fresh.keys, i.keys...))
}

// Retire gives the identity without one key, named by its id in hexadecimal.
// The newest cannot be retired; an unknown one answers ErrUnknownKey. First
// make sure that no value is sealed to it any more.
func (i *Identity) Retire(keyID string) (*Identity, error) {
	at := slices.IndexFunc(i.keys, func(k identityKey) bool { return hex.EncodeToString(k.id[:]) == keyID })
	switch {
	case at < 0:
		return nil, fmt.Errorf("retiring key %q: %w", keyID, ErrUnknownKey)
	case at == 0:
		return nil, fmt.Errorf("retiring key %q: it is the newest; rotate first", keyID)
	}
	return identityOf(slices.Delete(slices.Clone(i.keys), at, at+1))
}

// Recipients gives the public halves, for the web role.
func (i *Identity) Recipients() *Recipients {
	keys := make([]recipient, 0, len(i.keys))
	for _, k := range i.keys {
		keys = append(keys, k.recipient)
	}
	return &Recipients{keys: keys}
}

// Open decrypts a value. Errors: ErrNotSealed, ErrUnknownKey, ErrBinding,
// ErrWrongBinding. Jobs go through an Opener, which also asks the list of
// purposes.
func (i *Identity) Open(sealed Sealed, b Binding) (Secret, error) {
	if i == nil {
		return Secret{}, ErrNoIdentity
	}
	if err := b.check(); err != nil {
		return Secret{}, err
	}
	id, _, _, err := split(sealed)
	if err != nil {
		return Secret{}, err
	}
	for _, k := range i.keys {
		if bytes.Equal(k.id[:], id) {
			return openWith(k.private, sealed, b)
		}
	}
	return Secret{}, fmt.Errorf("key %x: %w", id, ErrUnknownKey)
}

// NeedsReseal reports whether a value is sealed to another key than the newest.
func (i *Identity) NeedsReseal(sealed Sealed) bool { return i.Recipients().NeedsReseal(sealed) }

// Reseal moves a value to the newest key without showing it to the caller.
// The binding stays. A value that needs nothing is answered as it is, once it
// has been proven to open.
func (i *Identity) Reseal(sealed Sealed, b Binding) (Sealed, error) {
	plain, err := i.Open(sealed, b)
	if err != nil {
		return nil, fmt.Errorf("re-sealing: %w", err)
	}
	defer plain.Destroy()
	if !i.NeedsReseal(sealed) {
		return sealed, nil
	}
	return i.Recipients().Seal(plain, b)
}

// Text is the identity as its file holds it, private keys in the clear, one
// on a line, newest first, each under comment lines with its time and its
// recipient.
func (i *Identity) Text() (Secret, error) {
	var out bytes.Buffer
	for _, k := range i.keys {
		raw, err := k.private.Bytes()
		if err != nil {
			return Secret{}, fmt.Errorf("writing an identity: %w", err)
		}
		fmt.Fprintf(&out, "# made %s\n", k.created.Format(time.RFC3339))
		fmt.Fprintf(&out, "# %s\n", encodeKey(recipientPrefix, k.created, k.public.Bytes()))
		fmt.Fprintf(&out, "%s\n", encodeKey(identityPrefix, k.created, raw))
	}
	return NewSecret(out.Bytes()), nil
}

// ParseIdentity reads what Text wrote: one key on a line; empty lines and
// lines that begin with # are passed over. Errors name the line, never its text.
func ParseIdentity(text []byte) (*Identity, error) {
	var keys []identityKey
	line := 0
	for row := range strings.Lines(string(text)) {
		line++
		row = strings.TrimSpace(row)
		if row == "" || strings.HasPrefix(row, "#") {
			continue
		}
		created, raw, err := decodeKey(identityPrefix, row, privateSize)
		if err != nil {
			return nil, fmt.Errorf("reading the identity, line %d: %w", line, err)
		}
		private, err := kem().NewPrivateKey(raw)
		if err != nil {
			return nil, fmt.Errorf("reading the identity, line %d: no key of the curve: %w", line, ErrKeyText)
		}
		keys = append(keys, newIdentityKey(created, private))
	}
	return identityOf(keys)
}

// Format answers every verb with the number of keys and the newest one's id.
func (i *Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, i.String()) }

// String names the identity without its keys.
func (i *Identity) String() string {
	if i == nil || len(i.keys) == 0 {
		return "[no identity]"
	}
	return fmt.Sprintf("[identity of %d keys, newest %x]", len(i.keys), i.keys[0].id[:])
}

// LogValue names the identity without its keys.
func (i *Identity) LogValue() slog.Value { return slog.StringValue(i.String()) }
