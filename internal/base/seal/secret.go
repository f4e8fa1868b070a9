package seal

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// mask is what a secret shows of itself, in whatever way it is printed.
const mask = "[sealed]"

// Secret is a value in the clear that must not be printed. Every way of
// formatting, logging or encoding it gives "[sealed]"; only Reveal gives the
// value. The zero Secret is empty.
//
// The bytes hang on a function, not in the struct: fmt cannot call methods on
// an unexported field of somebody else's struct and prints such a field by
// reflection, which follows pointers and slices but not closures.
type Secret struct {
	plain func() *[]byte
}

// NewSecret takes a copy of plain; the caller may clear its own afterwards.
func NewSecret(plain []byte) Secret {
	return takeSecret(append([]byte(nil), plain...))
}

// takeSecret makes a Secret of bytes that nobody else holds.
func takeSecret(own []byte) Secret {
	return Secret{plain: func() *[]byte { return &own }}
}

// SecretFromString is NewSecret for a string, such as a form field.
func SecretFromString(plain string) Secret { return NewSecret([]byte(plain)) }

// Reveal gives the value in the clear. The bytes belong to the Secret: do not
// change or keep them. It is nil when the Secret is empty or destroyed.
func (s Secret) Reveal() []byte {
	if s.plain == nil {
		return nil
	}
	return *s.plain()
}

// IsEmpty reports whether there is no value.
func (s Secret) IsEmpty() bool { return len(s.Reveal()) == 0 }

// Equal compares two secrets in a time that depends on their length alone.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare(s.Reveal(), other.Reveal()) == 1
}

// Destroy overwrites the value and empties the secret and all its copies. The
// runtime may have moved the bytes before, so this is care, not a guarantee.
func (s Secret) Destroy() {
	if s.plain == nil {
		return
	}
	own := s.plain()
	clear(*own)
	*own = nil
}

// Format answers every verb, so that no flag reaches the bytes.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// String gives "[sealed]".
func (s Secret) String() string { return mask }

// GoString gives "[sealed]".
func (s Secret) GoString() string { return mask }

// LogValue gives "[sealed]" to every slog handler.
func (s Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText gives "[sealed]" to the text, XML and YAML encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON gives "[sealed]" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }
