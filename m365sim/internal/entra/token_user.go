package entra

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
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

// redeemCode exchanges a code. The code is used up by the exchange that succeeds, so that a client with a wrong secret may
// mend it and try again.
func (s *service) redeemCode(r *http.Request, p place, id string) (answer, *refusal) {
	raw := r.PostForm.Get("code")
	if raw == "" {
		return answer{}, missing("code")
	}
	var code codeTicket
	ok, err := s.w.PeekTicket(kindCode, raw, &code)
	if err != nil {
		return answer{}, internal(err)
	}
	if !ok {
		return answer{}, s.unknownCode(raw)
	}
	if no := wrongTenant(p, code); no != nil {
		return answer{}, no
	}
	c, no := s.findClient(r.Context(), code.Tenant, id)
	if no == nil {
		no = s.authenticate(r, place{segment: p.segment, tenant: code.Tenant}, &c)
	}
	if no == nil {
		no = s.checkCode(r, code)
	}
	if no != nil {
		return answer{}, no
	}
	scope := r.PostForm.Get("scope")
	if scope == "" {
		scope = code.Scope
	}
	out, no := s.personTokens(r, c, code.signedIn, scope, code.Nonce)
	if no != nil {
		return answer{}, no
	}
	taken, err := s.w.TakeTicket(r.Context(), kindCode, raw, &code)
	if err != nil {
		return answer{}, internal(err)
	}
	if !taken {
		return answer{}, s.unknownCode(raw)
	}
	return out, nil
}

func (s *service) unknownCode(raw string) *refusal {
	if ok, err := s.w.PeekTicket(kindIssued, raw, nil); err == nil && ok {
		return refuse(54005, "The OAuth2 authorization code was already redeemed. Please retry with a new valid code or use an existing refresh token.")
	}
	return refuse(70000, "The provided value for the 'code' parameter is not valid.")
}

// wrongTenant: a code is redeemed at the tenant it was issued for; one asked for at an alias also at that alias.
func wrongTenant(p place, code codeTicket) *refusal {
	if p.tenant == code.Tenant || p.alias() && p.segment == code.Segment {
		return nil
	}
	return refuse(700005, "The provided authorization code is intended to be used against another tenant, and thus rejected. It must be redeemed against the same tenant it was acquired for.")
}

func (s *service) checkCode(r *http.Request, code codeTicket) *refusal {
	switch {
	case !strings.EqualFold(code.AppID, clientID(r)):
		return refuse(70000, "The provided grant was issued to another client.")
	case !s.w.Now().Before(code.Expires):
		return refuse(70008, "The provided authorization code has expired. Send a new interactive authorization request.")
	case r.PostForm.Get("redirect_uri") != code.RedirectURI:
		return refuse(500112, "The reply address '%s' does not match the reply address '%s' provided when requesting the authorization code.", r.PostForm.Get("redirect_uri"), code.RedirectURI)
	case !provesKey(code, r.PostForm.Get("code_verifier")):
		return refuse(501481, "The code_verifier does not match the code_challenge supplied in the authorization request.")
	}
	return nil
}

// provesKey checks the verifier against the challenge (RFC 7636 §4.6).
func provesKey(code codeTicket, verifier string) bool {
	if code.Challenge == "" || verifier == "" {
		return code.Challenge == verifier
	}
	derived := verifier
	if code.Method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		derived = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(derived), []byte(code.Challenge)) == 1
}

// refresh exchanges a refresh token for new tokens.
func (s *service) refresh(r *http.Request, p place, id string) (answer, *refusal) {
	raw := r.PostForm.Get("refresh_token")
	if raw == "" {
		return answer{}, missing("refresh_token")
	}
	var held refreshTicket
	ok, err := s.w.PeekTicket(kindRefresh, raw, &held)
	switch {
	case err != nil:
		return answer{}, internal(err)
	case !ok:
		return answer{}, refuse(70000, "The provided value for the 'refresh_token' parameter is not valid.")
	case !p.alias() && p.tenant != held.Tenant:
		return answer{}, refuse(700005, "The provided refresh token is intended to be used against another tenant, and thus rejected.")
	}
	c, no := s.findClient(r.Context(), held.Tenant, id)
	if no == nil {
		no = s.authenticate(r, place{segment: p.segment, tenant: held.Tenant}, &c)
	}
	switch {
	case no != nil:
		return answer{}, no
	case !strings.EqualFold(held.AppID, id):
		return answer{}, refuse(70000, "The provided grant was issued to another client.")
	case !s.w.Now().Before(held.Expires):
		return answer{}, refuse(700082, "The refresh token has expired due to inactivity.")
	}
	scope := r.PostForm.Get("scope")
	if scope == "" {
		scope = held.Scope
	} else if !slices.Contains(strings.Fields(scope), "offline_access") {
		scope += " offline_access" // a refresh always renews the refresh token
	}
	return s.personTokens(r, c, held.signedIn, scope, "")
}

// password is the resource owner's password grant. It never shows a page, so a missing consent and a required second
// factor are refusals (65001, 50076).
func (s *service) password(r *http.Request, p place, id string) (answer, *refusal) {
	name := r.PostForm.Get("username")
	if name == "" {
		return answer{}, missing("username")
	}
	who, no := s.signIn(p, name, r.PostForm.Get("password"))
	if no != nil {
		return answer{}, no
	}
	c, no := s.findClient(r.Context(), who.Tenant, id)
	if no == nil {
		no = s.authenticate(r, place{segment: p.segment, tenant: who.Tenant}, &c)
	}
	if no != nil {
		return answer{}, no
	}
	who.MFA = false
	return s.personTokens(r, c, who, r.PostForm.Get("scope"), "")
}

// personTokens issues what the scopes ask for: an access token always, a refresh token with offline_access, an ID token
// with openid.
func (s *service) personTokens(r *http.Request, c client, who signedIn, scope, nonce string) (answer, *refusal) {
	if scope == "" {
		return answer{}, missing("scope")
	}
	a, no := parseScope(r, s.cloud(who.Tenant), scope)
	if no != nil {
		return answer{}, no
	}
	if a.resource == "" { // OIDC scopes alone give a token for Graph's profile endpoint
		a.resource, a.audience = world.GraphAppID, world.GraphAppID
	}
	world.CallFrom(r.Context()).Tenant = who.Tenant
	user, claims, no := s.personClaims(c, who, a)
	if no != nil {
		return answer{}, no
	}
	raw, err := token.Mint(s.w, claims)
	if err != nil {
		return answer{}, internal(err)
	}
	out := answer{Access: raw, Scope: spellScopes(a, claims.Scopes)}
	if a.has("openid") {
		if out.ID, err = token.Mint(s.w, idClaims(base(r), c.app, user, who.Tenant, nonce)); err != nil {
			return answer{}, internal(err)
		}
	}
	if a.has("offline_access") {
		out.Refresh, err = s.newRefresh(r.Context(), c.app.AppID, who, scope)
		if err != nil {
			return answer{}, internal(err)
		}
	}
	return out, nil
}

// personClaims checks that the person may still have a token and gathers what is in it.
func (s *service) personClaims(c client, who signedIn, a ask) (user world.User, claims token.Claims, no *refusal) {
	err := s.w.View(who.Tenant, func(t *world.Tenant) error {
		resource, stop := findResource(t, a)
		if no = stop; no != nil {
			return nil
		}
		if user, no = stillWelcome(t, c.app, who); no != nil {
			return nil
		}
		scopes := delegatedScopes(t, c.sp.ID, resource.ID, user.ID)
		if no = ungranted(a, scopes, c.app); no != nil {
			return nil
		}
		claims = token.Claims{
			Audience: a.audience, Issuer: token.AccessIssuer(t.ID), Tenant: t.ID, AppID: c.app.AppID, ObjectID: user.ID,
			Subject: subject(user.ID, c.app.AppID), Scopes: scopes, RoleIDs: directoryRoles(t, user.ID),
			UPN: user.UserPrincipalName, Name: user.DisplayName, ClientAuth: c.auth,
		}
		return nil
	})
	if err != nil {
		return user, claims, internal(err)
	}
	return user, claims, no
}

// stillWelcome refuses a person who is gone (50034), disabled (50057), has another password (50173), needs a second
// factor (50076) or is kept out by conditional access (53003).
func stillWelcome(t *world.Tenant, app world.App, who signedIn) (world.User, *refusal) {
	u, ok := t.Users.Get(who.User)
	switch {
	case !ok:
		return u, refuse(50034, "The user account does not exist in the directory.")
	case !u.AccountEnabled:
		return u, refuse(50057, "The user account is disabled.")
	case passwordMark(u) != who.Mark:
		return u, refuse(50173, "The provided grant has expired due to it being revoked, a fresh token is needed. The user may have changed or reset their password.")
	case t.RequireMFA && !who.MFA:
		no := refuse(50076, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication.")
		no.suberror = "basic_action"
		return u, no
	case blocked(t, app, false):
		return u, conditionalAccess()
	}
	return u, nil
}

// ungranted refuses permissions nobody consented to (65001).
func ungranted(a ask, granted []string, app world.App) *refusal {
	lacking := len(a.names) > 0 && slices.ContainsFunc(a.names, func(n string) bool { return !containsFold(granted, n) })
	if !lacking && !(a.all && len(permissionsOnly(granted)) == 0) {
		return nil
	}
	no := refuse(65001, "The user or administrator has not consented to use the application with ID '%s' named '%s'. Send an interactive authorization request for this user and resource.", app.AppID, app.Name)
	no.suberror = "consent_required"
	return no
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, name) })
}

// spellScopes words the granted permissions as the request worded the resource.
func spellScopes(a ask, granted []string) string {
	var out []string
	for _, g := range granted {
		if !isOIDC(g) && !strings.EqualFold(a.audience, world.GraphAppID) {
			g = a.prefix() + g
		}
		out = append(out, g)
	}
	for _, o := range a.oidc {
		if o != "offline_access" && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return strings.Join(out, " ")
}

func (s *service) newRefresh(ctx context.Context, appID string, who signedIn, scope string) (string, error) {
	raw := opaque("1.")
	held := refreshTicket{signedIn: who, AppID: appID, Scope: scope, Expires: s.w.Now().Add(refreshLife)}
	if err := s.w.PutTicket(ctx, kindRefresh, raw, held, refreshLife+refreshGrace); err != nil {
		return "", fmt.Errorf("keeping a refresh token: %w", err)
	}
	return raw, nil
}

// idClaims are those of an ID token (facts/entra.md §1.4).
func idClaims(root string, app world.App, u world.User, tenantID, nonce string) token.Claims {
	return token.Claims{
		Audience: app.AppID, Issuer: token.IDIssuer(root, tenantID), Tenant: tenantID, ObjectID: u.ID,
		Subject: subject(u.ID, app.AppID), UPN: u.UserPrincipalName, Name: u.DisplayName, Nonce: nonce,
	}
}
