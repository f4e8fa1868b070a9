package org

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// minPassword is the fewest characters; maxPassword, in bytes, keeps a request from buying work without end.
const (
	minPassword = 12
	maxPassword = 1024
)

// cost is argon2id's price; it stands in each hash, so that it can be raised without losing the old ones.
type cost struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// hasher hashes and compares, at most a few at a time: each takes memory while it works.
type hasher struct {
	cost  cost
	slots chan struct{}
	dummy string
}

const (
	saltLength = 16
	hashLength = 32
)

// newHasher has the second recommended cost of OWASP's password storage page: 19 MiB, two passes, one lane.
func newHasher() *hasher {
	h := &hasher{cost: cost{memory: 19 * 1024, time: 2, threads: 1}, slots: make(chan struct{}, 4)}
	// What an unknown address is compared with: no password has the hash of zeros, and comparing takes as long.
	h.dummy = h.cost.text(make([]byte, saltLength), make([]byte, hashLength))
	return h
}

func (c cost) text(salt, hash []byte) string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads, enc.EncodeToString(salt), enc.EncodeToString(hash))
}

// checkPassword refuses one that is too short or too long.
func checkPassword(password string) error {
	switch {
	case utf8.RuneCountInString(norm.NFC.String(password)) < minPassword:
		return refuseField("password", "too-short", fmt.Sprintf("A password needs at least %d characters.", minPassword))
	case len(password) > maxPassword:
		return refuseField("password", "too-long", fmt.Sprintf("A password may have at most %d bytes.", maxPassword))
	}
	return nil
}

// derive waits for a slot and computes; NFC makes one password of the ways in which keyboards compose a letter.
func (h *hasher) derive(ctx context.Context, c cost, password string, salt []byte) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, c.time, c.memory, c.threads, hashLength), nil
}

// hash answers the text to keep.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("making a salt: %w", err)
	}
	sum, err := h.derive(ctx, h.cost, password, salt)
	if err != nil {
		return "", err
	}
	return h.cost.text(salt, sum), nil
}

// verify compares in constant time; an empty text takes as long as a wrong password.
func (h *hasher) verify(ctx context.Context, text, password string) (bool, error) {
	if text == "" {
		text = h.dummy
	}
	if len(password) > maxPassword {
		password = ""
	}
	c, salt, want, err := parseHash(text)
	if err != nil {
		return false, err
	}
	got, err := h.derive(ctx, c, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// parseHash reads $argon2id$v=19$m=…,t=…,p=…$salt$hash, with costs that this program could have written.
func parseHash(text string) (c cost, salt, hash []byte, err error) {
	var version int
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return c, nil, nil, errors.New("reading a password hash: unknown kind")
	}
	if _, err = fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &c.memory, &c.time, &c.threads); err != nil {
		return c, nil, nil, fmt.Errorf("reading a password hash: %w", err)
	}
	if version != argon2.Version || c.memory < 8 || c.memory > 1<<20 || c.time < 1 || c.time > 64 || c.threads < 1 {
		return c, nil, nil, errors.New("reading a password hash: its cost is out of range")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
		hash, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || len(salt) < 8 || len(hash) != hashLength {
		return c, nil, nil, errors.New("reading a password hash: bad salt or hash")
	}
	return c, salt, hash, nil
}
