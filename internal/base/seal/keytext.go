package seal

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Text forms of keys: prefix, then base32 of the creation time (8 bytes, Unix
// microseconds), the key, and 4 bytes of checksum that catch a slip in copying.
const (
	recipientPrefix = "tcap-recipient-1-"
	identityPrefix  = "tcap-identity-1-"
	timeSize        = 8
	checksumSize    = 4
	privateSize     = 32
)

// ErrKeyText: the text is not a recipient or identity. The message never
// repeats the text, which may be a private key.
var ErrKeyText = errors.New("not a sealing key, or mistyped")

// encodeKey writes a key as text.
func encodeKey(prefix string, created time.Time, key []byte) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(created.UnixMicro()))
	raw = append(raw, key...)
	raw = append(raw, checksum(prefix, raw)...)
	return prefix + strings.ToLower(keyEncoding().EncodeToString(raw))
}

// decodeKey reads what encodeKey wrote. There is one text for one key: an
// upper-case or padded variant is refused.
func decodeKey(prefix, text string, size int) (created time.Time, key []byte, err error) {
	body, found := strings.CutPrefix(text, prefix)
	if !found {
		return time.Time{}, nil, fmt.Errorf("it must begin with %q: %w", prefix, ErrKeyText)
	}
	raw, err := keyEncoding().DecodeString(strings.ToUpper(body))
	if err != nil || len(raw) != timeSize+size+checksumSize {
		return time.Time{}, nil, fmt.Errorf("wrong characters or length: %w", ErrKeyText)
	}
	rest, sum := raw[:timeSize+size], raw[timeSize+size:]
	if string(sum) != string(checksum(prefix, rest)) {
		return time.Time{}, nil, fmt.Errorf("the checksum does not match: %w", ErrKeyText)
	}
	created = time.UnixMicro(int64(binary.BigEndian.Uint64(rest[:timeSize]))).UTC()
	if encodeKey(prefix, created, rest[timeSize:]) != text {
		return time.Time{}, nil, fmt.Errorf("not in its one written form: %w", ErrKeyText)
	}
	return created, rest[timeSize:], nil
}

// checksum covers the prefix too, so that an identity pasted as a recipient
// is noticed even with its prefix changed.
func checksum(prefix string, raw []byte) []byte {
	sum := sha256.Sum256(append([]byte(prefix), raw...))
	return sum[:checksumSize]
}

// keyEncoding is base32, as it survives being read aloud and double-clicked.
func keyEncoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }
