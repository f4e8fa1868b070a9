// Package seal keeps secrets so that the process that receives them cannot
// read them again. The web role holds Recipients (public keys) and can only
// seal; the worker role holds an Identity (private keys) and opens.
//
// Every value is bound to what it is for and to whom it belongs (Binding): a
// value copied to another customer, cloud, tenant, application or purpose
// does not open there. HPKE (RFC 9180) in base mode carries it, with
// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, all three approved
// under FIPS 140-3, which customers in GCC High and DoD ask for.
//
// With all roles in one process this is order, not protection: the promise
// holds where the web role runs as another OS user without the identity file.
package seal

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// Why a value could not be sealed or opened. None carries any of the value.
var (
	// ErrNotSealed: the bytes are not a sealed value of a known version.
	ErrNotSealed = errors.New("not a sealed value of a known version")
	// ErrUnknownKey: sealed to a key that this identity does not hold.
	ErrUnknownKey = errors.New("sealed to a key that is not in the identity")
	// ErrWrongBinding: altered, or moved from where it was sealed.
	ErrWrongBinding = errors.New("the sealed value does not belong here, or was altered")
	// ErrBinding: the binding lacks a part, or names an undeclared purpose.
	ErrBinding = errors.New("incomplete binding")
	// ErrForbidden: the job may not open values of this purpose.
	ErrForbidden = errors.New("this job may not open values of this purpose")
	// ErrNoIdentity: this process holds no identity (the web role).
	ErrNoIdentity = errors.New("this process holds no sealing identity")
	// ErrNoRecipient: no recipient to seal to.
	ErrNoRecipient = errors.New("no recipient to seal to")
	// ErrSize: nothing to seal, or more than MaxPlain.
	ErrSize = errors.New("a secret must hold between 1 and 65,536 bytes")
)

// MaxPlain is the largest secret, in bytes. Tokens stay far below.
const MaxPlain = 64 << 10

// Layout of a sealed value: version, key id, encapsulated key, ciphertext.
const (
	formatVersion = 1
	keyIDSize     = 8
	encSize       = 65 // an uncompressed P-256 point
	tagSize       = 16
	headerSize    = 1 + keyIDSize
)

// Sealed is an encrypted value as the database keeps it. It can be stored in
// a BLOB (bytea) column as it is.
type Sealed []byte

// Binding is what a value belongs to. Opening needs the same binding that
// sealing had; ids are compared without regard to ASCII case, as GUIDs are.
type Binding struct {
	// Purpose is one of the declared purposes.
	Purpose Purpose
	// CustomerID is our id of the customer.
	CustomerID string
	// Cloud is the customer's national cloud (global, gcc, gcc-high, dod, china).
	Cloud string
	// TenantID is the Entra tenant's id; empty only where it is not known yet.
	TenantID string
	// AppID is the application (client) id the value is used with.
	AppID string
	// Row further ties the value to one record, such as "operation:7", where a
	// customer has several of one purpose. Optional.
	Row string
}

// check refuses a binding that would leave a value less bound than its
// purpose asks for.
func (b Binding) check() error {
	r, known := ruleFor(b.Purpose)
	switch {
	case !known:
		return fmt.Errorf("purpose %q is not declared: %w", b.Purpose, ErrBinding)
	case b.CustomerID == "":
		return fmt.Errorf("no customer: %w", ErrBinding)
	case b.Cloud == "":
		return fmt.Errorf("no cloud: %w", ErrBinding)
	case r.needsTenant && b.TenantID == "":
		return fmt.Errorf("no tenant for purpose %q: %w", b.Purpose, ErrBinding)
	case r.needsApp && b.AppID == "":
		return fmt.Errorf("no application for purpose %q: %w", b.Purpose, ErrBinding)
	}
	return nil
}

// info encodes the binding for HPKE. Each part carries its length, so that
// no two bindings share an encoding.
func (b Binding) info() []byte {
	out := []byte("tcap seal v1")
	parts := []string{string(b.Purpose), b.CustomerID, b.Cloud, asciiLower(b.TenantID), asciiLower(b.AppID), b.Row}
	for _, part := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}

// asciiLower folds A–Z only: Unicode folding could make two ids one.
func asciiLower(s string) string {
	out := []byte(s)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}

// KeyID tells which key a value was sealed to, in hexadecimal, without
// opening it. ErrNotSealed where it is not a sealed value.
func KeyID(sealed Sealed) (string, error) {
	id, _, _, err := split(sealed)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(id), nil
}

// split takes a sealed value apart. It is the parser of untrusted bytes.
func split(sealed Sealed) (id, enc, ciphertext []byte, err error) {
	if len(sealed) <= headerSize+encSize+tagSize || sealed[0] != formatVersion {
		return nil, nil, nil, ErrNotSealed
	}
	if len(sealed) > headerSize+encSize+tagSize+MaxPlain {
		return nil, nil, nil, ErrNotSealed
	}
	rest := sealed[headerSize:]
	return sealed[1:headerSize], rest[:encSize], rest[encSize:], nil
}

// kem is the key encapsulation of format version 1.
func kem() hpke.KEM { return hpke.DHKEM(ecdh.P256()) }

// sealTo encrypts to one public key. The header is authenticated too, so that
// neither version nor key id can be exchanged.
func sealTo(r recipient, plain []byte, b Binding) (Sealed, error) {
	enc, sender, err := hpke.NewSender(r.public, hpke.HKDFSHA256(), hpke.AES256GCM(), b.info())
	if err != nil {
		return nil, fmt.Errorf("starting HPKE: %w", err)
	}
	header := append([]byte{formatVersion}, r.id[:]...)
	ciphertext, err := sender.Seal(header, plain)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return bytes.Join([][]byte{header, enc, ciphertext}, nil), nil
}

// openWith decrypts with one private key. Every failure is ErrWrongBinding:
// more would tell a forger which part he got right.
func openWith(key hpke.PrivateKey, sealed Sealed, b Binding) (Secret, error) {
	_, enc, ciphertext, err := split(sealed)
	if err != nil {
		return Secret{}, err
	}
	receiver, err := hpke.NewRecipient(enc, key, hpke.HKDFSHA256(), hpke.AES256GCM(), b.info())
	if err != nil {
		return Secret{}, ErrWrongBinding
	}
	plain, err := receiver.Open(sealed[:headerSize], ciphertext)
	if err != nil {
		return Secret{}, ErrWrongBinding
	}
	return takeSecret(plain), nil
}
