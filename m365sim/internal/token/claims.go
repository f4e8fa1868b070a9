package token

import (
	"strings"
	"time"
)

// Lifetime of an access token and of an ID token. Microsoft chooses 60 to 90 minutes (facts/entra.md §5); one fixed value
// keeps tests predictable.
const Lifetime = time.Hour

// Claims is what a token says. Empty fields are left out of it, as Microsoft leaves them out.
type Claims struct {
	Audience   string    // aud: the resource's address or id as it was asked for; the client id in an ID token
	Issuer     string    // iss: AccessIssuer or IDIssuer
	Tenant     string    // tid
	AppID      string    // appid (access tokens only)
	ObjectID   string    // oid: the user's or service principal's; absent for an app without service principal
	Subject    string    // sub
	Scopes     []string  // scp: delegated permissions; never in an app-only token
	Roles      []string  // roles: application permissions
	RoleIDs    []string  // wids: directory-role template ids
	AppOnly    bool      // idtyp is "app"
	UPN        string    // upn in an access token, preferred_username in an ID token
	Name       string    // name of the person, app_displayname when AppOnly
	IssuedAt   time.Time // iat, whole seconds
	NotBefore  time.Time // nbf
	Expires    time.Time // exp
	UniqueID   string    // uti
	Nonce      string    // nonce (ID tokens only)
	CodeHash   string    // c_hash (ID tokens issued beside a code only)
	ClientAuth string    // appidacr: "0" public client, "1" secret, "2" certificate
}

// AccessIssuer is the issuer of access tokens of a tenant, the same on every host (facts/entra.md §5).
func AccessIssuer(tenantID string) string { return "https://sts.windows.net/" + tenantID + "/" }

// IDIssuer is the issuer of ID tokens of a tenant; base is the address of the login service without a trailing slash
// (facts/entra.md §1.4).
func IDIssuer(base, tenantID string) string { return base + "/" + tenantID + "/v2.0" }

// isID tells an ID token from an access token by its issuer.
func (c Claims) isID() bool { return strings.HasSuffix(c.Issuer, "/v2.0") }
