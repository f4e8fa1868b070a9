// Package passkey runs WebAuthn's two ceremonies for the portal: making a passkey for somebody who is signed in, and signing
// in with one. The store keeps credentials and the state of a prompt; this package alone reads them.
package passkey

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
)

// Prompt is what the page's script hands to the browser: the token of the ceremony and the options of the credential call.
type Prompt struct {
	Ceremony string `json:"ceremony"`
	Options  any    `json:"options"`
}

// ceremony is what is kept while a person looks at the prompt. MemberID is empty for a sign-in.
type ceremony struct {
	MemberID string               `json:"memberId,omitempty"`
	Session  webauthn.SessionData `json:"session"`
}

// person is a member as the library asks for one.
type person struct {
	org.Member
	keys []webauthn.Credential
}

func (p person) WebAuthnID() []byte                         { return []byte(p.ID) }
func (p person) WebAuthnName() string                       { return p.Email }
func (p person) WebAuthnDisplayName() string                { return p.Name }
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.keys }

// refused does not say which check a passkey failed.
func refused(err error) error {
	return fault.New(fault.Unauthenticated, "sign-in-refused", "This passkey cannot sign in here.").
		WithRemedy("Use another passkey or your password, or ask an administrator of your organisation for a sign-in link.").Because(err)
}

// Offered says whether passkeys can be had at the portal's address: they belong to a host name, never to an IP address
// (WebAuthn Level 3, "Relying Party Identifier").
func Offered(f *frame.Frame) bool {
	u, err := url.Parse(f.PublicURL)
	return err == nil && u.Hostname() != "" && net.ParseIP(u.Hostname()) == nil
}

// party is this portal as a relying party: its host, and the one origin it is opened at.
func party(f *frame.Frame) (*webauthn.WebAuthn, error) {
	if !Offered(f) {
		return nil, fault.New(fault.Conflict, "no-passkeys-here", "Passkeys need the portal to have a host name; it is opened by an IP address.").
			WithRemedy("Open the portal by its name, or sign in another way.")
	}
	u, err := url.Parse(f.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("reading the public URL for passkeys: %w", err)
	}
	return webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: "TCAP", RPOrigins: []string{u.Scheme + "://" + u.Host}})
}

func personOf(m org.Member, kept []org.Passkey) (person, error) {
	p := person{Member: m}
	for _, k := range kept {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(k.Credential), &c); err != nil {
			return p, fmt.Errorf("reading a passkey: %w", err)
		}
		p.keys = append(p.keys, c)
	}
	return p, nil
}

func keep(ctx context.Context, f *frame.Frame, memberID string, s *webauthn.SessionData, options any) (Prompt, error) {
	raw, err := json.Marshal(ceremony{memberID, *s})
	if err != nil {
		return Prompt{}, fmt.Errorf("encoding a ceremony: %w", err)
	}
	token, err := f.Org.PutCeremony(ctx, raw)
	return Prompt{Ceremony: token, Options: options}, err
}

func take(ctx context.Context, f *frame.Frame, token string) (ceremony, error) {
	var c ceremony
	raw, err := f.Org.TakeCeremony(ctx, token)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("reading a ceremony: %w", err)
	}
	return c, nil
}

// BeginSignIn makes a prompt for whoever has a passkey of this host.
func BeginSignIn(ctx context.Context, f *frame.Frame) (Prompt, error) {
	rp, err := party(f)
	if err != nil {
		return Prompt{}, err
	}
	options, session, err := rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Prompt{}, fmt.Errorf("beginning a sign-in with a passkey: %w", err)
	}
	return keep(ctx, f, "", session, options.Response)
}

// SignIn verifies what the browser answered and tells who it is.
func SignIn(ctx context.Context, f *frame.Frame, token, response string) (access.Actor, error) {
	rp, err := party(f)
	if err != nil {
		return access.Actor{}, err
	}
	c, err := take(ctx, f, token)
	if err != nil {
		return access.Actor{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(response))
	if err != nil || c.MemberID != "" {
		return access.Actor{}, refused(err)
	}
	var used org.Passkey
	find := func(rawID, handle []byte) (webauthn.User, error) {
		m, kept, err := f.Org.MemberForPasskey(ctx, string(handle))
		if err != nil {
			return nil, err
		}
		for _, k := range kept {
			if string(k.ID) == string(rawID) {
				used = k
			}
		}
		return personOf(m, kept)
	}
	credential, err := rp.ValidateDiscoverableLogin(find, c.Session, parsed)
	if err != nil || credential.Authenticator.CloneWarning {
		return access.Actor{}, refused(err)
	}
	after, err := json.Marshal(credential)
	if err != nil {
		return access.Actor{}, fmt.Errorf("encoding a passkey: %w", err)
	}
	return f.Org.UsePasskey(ctx, used, string(after))
}

// BeginAdd makes a prompt for a new passkey of the member who is signed in.
func BeginAdd(ctx context.Context, f *frame.Frame, who access.Actor) (Prompt, error) {
	rp, err := party(f)
	if err != nil {
		return Prompt{}, err
	}
	p, err := self(ctx, f, who)
	if err != nil {
		return Prompt{}, err
	}
	options, session, err := rp.BeginRegistration(p,
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementRequired),
		webauthn.WithExclusions(webauthn.Credentials(p.keys).CredentialDescriptors()))
	if err != nil {
		return Prompt{}, fmt.Errorf("beginning a passkey: %w", err)
	}
	return keep(ctx, f, p.ID, session, options.Response)
}

// Add verifies a new passkey and keeps it under a name.
func Add(ctx context.Context, f *frame.Frame, who access.Actor, token, response, name string) error {
	rp, err := party(f)
	if err != nil {
		return err
	}
	c, err := take(ctx, f, token)
	if err != nil {
		return err
	}
	p, err := self(ctx, f, who)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(response))
	if err != nil || c.MemberID != p.ID {
		return notMade(err)
	}
	credential, err := rp.CreateCredential(p, c.Session, parsed)
	if err != nil {
		return notMade(err)
	}
	raw, err := json.Marshal(credential)
	if err != nil {
		return fmt.Errorf("encoding a passkey: %w", err)
	}
	_, err = f.Org.AddPasskey(ctx, who, credential.ID, name, string(raw))
	return err
}

func self(ctx context.Context, f *frame.Frame, who access.Actor) (person, error) {
	if who.Kind != org.KindMember {
		return person{}, fault.New(fault.Forbidden, "members-only", "Only a member has passkeys; you are signed in without an account.")
	}
	m, err := f.Org.Member(ctx, who, who.ID)
	if err != nil {
		return person{}, err
	}
	kept, err := f.Org.Passkeys(ctx, who, who.ID)
	if err != nil {
		return person{}, err
	}
	return personOf(m, kept)
}

func notMade(err error) error {
	return fault.New(fault.Invalid, "passkey-refused", "The browser's answer does not make a passkey for this portal.").
		WithRemedy("Try again in the same window, at the portal's own address.").Because(err)
}

// Answer writes a prompt for the page's script.
func Answer(w http.ResponseWriter, p Prompt) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(p)
}
