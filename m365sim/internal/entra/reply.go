package entra

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"tcap.cloud/m365sim/internal/token"
	"tcap.cloud/m365sim/internal/world"
)

// finish ends a flow well: the code and ID token of authorize, or the words of admin consent.
func (x exchange) finish(f flow) {
	var fields url.Values
	var no *refusal
	if f.admin() {
		fields, no = x.adminAnswer(f)
	} else {
		fields, no = x.codeAnswer(f)
	}
	if no != nil {
		x.dead(no)
		return
	}
	if x.close(f) {
		x.send(f, fields)
	}
}

// adminAnswer is the reply of admin consent; v1 has no scope (facts/entra.md §1.1, §1.2).
func (x exchange) adminAnswer(f flow) (url.Values, *refusal) {
	out := url.Values{"admin_consent": {"True"}, "tenant": {f.Who.Tenant}}
	if f.Request.Kind == askAdminV1 {
		return out, nil
	}
	a, no := scopeOf(x.r, x.s.cloud(f.Who.Tenant), f.Request)
	if no != nil {
		return nil, no
	}
	names, _ := wanted(a, x.s.app(f.Request.ClientID))
	granted := append([]string{}, a.oidc...)
	for _, n := range names {
		granted = append(granted, a.prefix()+n)
	}
	if a.all {
		granted = append(granted, a.prefix()+".default")
	}
	out.Set("scope", strings.Join(granted, " "))
	return out, nil
}

// codeAnswer is the reply of authorize: a code, an ID token, or both; then c_hash ties them (facts/entra.md §1.4).
func (x exchange) codeAnswer(f flow) (url.Values, *refusal) {
	out := url.Values{"session_state": {uuid.NewString()}}
	hash := ""
	if wantsCode(f.Request) {
		code, err := x.newCode(f)
		if err != nil {
			return nil, internal(err)
		}
		out.Set("code", code)
		hash = halfHash(code)
	}
	if !wantsIDToken(f.Request) {
		return out, nil
	}
	var u world.User
	err := x.s.w.View(f.Who.Tenant, func(t *world.Tenant) error {
		u, _ = t.Users.Get(f.Who.User)
		return nil
	})
	if err != nil {
		return nil, internal(err)
	}
	claims := idClaims(base(x.r), x.s.app(f.Request.ClientID), u, f.Who.Tenant, f.Request.Nonce)
	claims.CodeHash = hash
	raw, err := token.Mint(x.s.w, claims)
	if err != nil {
		return nil, internal(err)
	}
	out.Set("id_token", raw)
	return out, nil
}

func (x exchange) newCode(f flow) (string, error) {
	q, ctx := f.Request, x.r.Context()
	code := opaque("1.")
	held := codeTicket{
		signedIn: f.Who, AppID: q.ClientID, Segment: q.Segment, RedirectURI: q.RedirectURI, Challenge: q.Challenge,
		Method: q.Method, Nonce: q.Nonce, Scope: q.Scope, Expires: x.s.w.Now().Add(codeLife),
	}
	if err := x.s.w.PutTicket(ctx, kindIssued, code, true, codeMemory); err != nil {
		return "", err
	}
	return code, x.s.w.PutTicket(ctx, kindCode, code, held, codeMemory)
}

// halfHash is c_hash: the left half of the SHA-256 of the code (OpenID Connect Core §3.3.2.11).
func halfHash(code string) string {
	sum := sha256.Sum256([]byte(code))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// sendError tells the application of a refusal, at its reply address and in the mode it asked for.
func (x exchange) sendError(f flow, no *refusal) {
	out := url.Values{"error": {no.kind}, "error_description": {x.t.describe(no, x.s.w.Now())}}
	if f.admin() {
		out.Set("admin_consent", "True") // on failure also (facts/entra.md §1.1)
		if f.Who.Tenant != "" {
			out.Set("tenant", f.Who.Tenant)
		}
	}
	if no.suberror != "" {
		out.Set("suberror", no.suberror)
	}
	if x.close(f) {
		x.send(f, out)
	}
}

// mode is where the answer goes: code in the query, anything with a token in the fragment, unless told otherwise.
func mode(q request) string {
	switch {
	case q.Kind != askAuthorize:
		return "query"
	case q.ResponseMode == "fragment" || q.ResponseMode == "form_post":
		return q.ResponseMode
	case wantsIDToken(q):
		return "fragment"
	}
	return "query"
}

func (x exchange) send(f flow, fields url.Values) {
	if f.Request.State != "" {
		fields.Set("state", f.Request.State)
	}
	if mode(f.Request) == "form_post" {
		x.replyPage(f, fields)
		return
	}
	to, err := url.Parse(f.Request.RedirectURI)
	if err != nil {
		x.dead(refuse(50011, "The redirect URI is malformed."))
		return
	}
	if mode(f.Request) == "fragment" {
		x.w.Header().Set("Location", strings.SplitN(to.String(), "#", 2)[0]+"#"+fields.Encode())
	} else {
		if to.RawQuery != "" {
			to.RawQuery += "&"
		}
		to.RawQuery += fields.Encode()
		x.w.Header().Set("Location", to.String())
	}
	x.w.WriteHeader(http.StatusFound)
}
