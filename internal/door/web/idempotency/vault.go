package idempotency

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
)

// vault seals what is kept for a repeat. Its keys come from the presented API key, of which the store has only the hash:
// whoever has a copy of the store can neither read the answers nor try out bodies against their hashes.
type vault struct {
	aead cipher.AEAD
	mac  []byte
}

func newVault(presented string) (vault, error) {
	key, err := hkdf.Key(sha256.New, []byte(presented), nil, "tcap idempotency v1", 64)
	if err != nil {
		return vault{}, fmt.Errorf("deriving a key: %w", err)
	}
	block, err := aes.NewCipher(key[:32])
	if err != nil {
		return vault{}, fmt.Errorf("making a cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return vault{}, fmt.Errorf("making a cipher: %w", err)
	}
	return vault{aead: aead, mac: key[32:]}, nil
}

func (v vault) hash(body []byte) []byte {
	h := hmac.New(sha256.New, v.mac)
	h.Write(body)
	return h.Sum(nil)
}

func (v vault) seal(plain, bound []byte) []byte { return v.aead.Seal(nil, nil, plain, bound) }

func (v vault) open(sealed, bound []byte) ([]byte, error) {
	return v.aead.Open(nil, nil, sealed, bound)
}
