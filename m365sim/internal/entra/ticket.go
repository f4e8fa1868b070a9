package entra

import (
	"crypto/rand"
	"encoding/base64"
	"time"
)

// Kinds of ticket, and how long they live (facts/entra.md §1.3, §5). A code and a refresh token are kept beyond their
// life, so that "expired" and "used twice" can be told from "never issued".
const (
	kindFlow     = "entra-flow"
	kindSession  = "entra-session"
	kindCode     = "entra-code"
	kindIssued   = "entra-code-issued"
	kindRefresh  = "entra-refresh"
	flowLife     = time.Hour
	sessionLife  = 24 * time.Hour
	codeLife     = 10 * time.Minute
	codeMemory   = 24 * time.Hour
	refreshLife  = 90 * 24 * time.Hour
	refreshGrace = 90 * 24 * time.Hour
)

// signedIn is a person who has proven who they are.
type signedIn struct {
	Tenant string
	User   string // object id
	Mark   string // passwordMark at that time
	MFA    bool
}

// codeTicket is what an authorisation code stands for.
type codeTicket struct {
	signedIn
	AppID, Segment, RedirectURI, Challenge, Method, Nonce, Scope string
	Expires                                                      time.Time
}

// refreshTicket is what a refresh token stands for.
type refreshTicket struct {
	signedIn
	AppID, Scope string
	Expires      time.Time
}

// opaque is an unguessable value in Microsoft's shape: a version prefix and base64url.
func opaque(prefix string) string {
	var b [48]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}
