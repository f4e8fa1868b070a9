package seal

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// recipient is one public key.
type recipient struct {
	id      [keyIDSize]byte
	created time.Time
	public  hpke.PublicKey
}

// newRecipient computes the id, over the time as well: a key id names one
// line of text.
func newRecipient(created time.Time, public hpke.PublicKey) recipient {
	r := recipient{created: created.UTC().Truncate(time.Microsecond), public: public}
	raw := binary.BigEndian.AppendUint64(nil, uint64(r.created.UnixMicro()))
	sum := sha256.Sum256(append(raw, public.Bytes()...))
	copy(r.id[:], sum[:])
	return r
}

// compareRecipients orders the newest first, and equal ages by id, so that
// every process chooses the same one.
func compareRecipients(a, b recipient) int {
	if c := b.created.Compare(a.created); c != 0 {
		return c
	}
	return bytes.Compare(a.id[:], b.id[:])
}

// Recipients are the public keys values are sealed to: all that the web role
// needs. The newest by creation time receives new seals, whatever the order
// they were given in. Safe for concurrent use.
type Recipients struct {
	keys []recipient // newest first, at least one
}

// ParseRecipients reads recipients separated by commas or white space.
func ParseRecipients(text string) (*Recipients, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	var keys []recipient
	for i, word := range words {
		created, raw, err := decodeKey(recipientPrefix, word, encSize)
		if err != nil {
			return nil, fmt.Errorf("reading recipient %d: %w", i+1, err)
		}
		public, err := kem().NewPublicKey(raw)
		if err != nil {
			return nil, fmt.Errorf("reading recipient %d: no point of the curve: %w", i+1, ErrKeyText)
		}
		keys = append(keys, newRecipient(created, public))
	}
	return recipientsOf(keys)
}

// recipientsOf sorts keys and drops doubles.
func recipientsOf(keys []recipient) (*Recipients, error) {
	if len(keys) == 0 {
		return nil, ErrNoRecipient
	}
	slices.SortFunc(keys, compareRecipients)
	keys = slices.CompactFunc(keys, func(a, b recipient) bool { return a.id == b.id })
	return &Recipients{keys: keys}, nil
}

// String gives the recipients' text, newest first, separated by a space, as
// ParseRecipients reads it. Public: it may be shown.
func (r *Recipients) String() string {
	var words []string
	for _, k := range r.keys {
		words = append(words, encodeKey(recipientPrefix, k.created, k.public.Bytes()))
	}
	return strings.Join(words, " ")
}

// KeyIDs lists the keys' ids in hexadecimal, newest first.
func (r *Recipients) KeyIDs() []string {
	var ids []string
	for _, k := range r.keys {
		ids = append(ids, hex.EncodeToString(k.id[:]))
	}
	return ids
}

// Seal encrypts a secret to the newest recipient. Errors: ErrBinding, ErrSize,
// ErrNoRecipient. Two seals of one value differ.
func (r *Recipients) Seal(plain Secret, b Binding) (Sealed, error) {
	if r == nil || len(r.keys) == 0 {
		return nil, ErrNoRecipient
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	if n := len(plain.Reveal()); n == 0 || n > MaxPlain {
		return nil, ErrSize
	}
	return sealTo(r.keys[0], plain.Reveal(), b)
}

// NeedsReseal reports whether a value is sealed to another key than the
// newest. What is no sealed value at all cannot be re-sealed and answers
// false; opening it tells why.
func (r *Recipients) NeedsReseal(sealed Sealed) bool {
	id, _, _, err := split(sealed)
	if err != nil {
		return false
	}
	return !bytes.Equal(id, r.keys[0].id[:])
}
