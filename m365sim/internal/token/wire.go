package token

import (
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// wire is the token's payload in Microsoft's claim names (access-token-claims-reference.md, id-token-claims-reference.md).
type wire struct {
	Audience    string           `json:"aud"`
	Issuer      string           `json:"iss"`
	IssuedAt    *jwt.NumericDate `json:"iat"`
	NotBefore   *jwt.NumericDate `json:"nbf"`
	Expires     *jwt.NumericDate `json:"exp"`
	AppName     string           `json:"app_displayname,omitempty"`
	AppID       string           `json:"appid,omitempty"`
	ClientAuth  string           `json:"appidacr,omitempty"`
	CodeHash    string           `json:"c_hash,omitempty"`
	IDProvider  string           `json:"idp,omitempty"`
	IDType      string           `json:"idtyp,omitempty"`
	Name        string           `json:"name,omitempty"`
	Nonce       string           `json:"nonce,omitempty"`
	ObjectID    string           `json:"oid,omitempty"`
	Preferred   string           `json:"preferred_username,omitempty"`
	Roles       []string         `json:"roles,omitempty"`
	Scopes      string           `json:"scp,omitempty"`
	Subject     string           `json:"sub,omitempty"`
	Tenant      string           `json:"tid"`
	UniqueName  string           `json:"unique_name,omitempty"`
	UPN         string           `json:"upn,omitempty"`
	UniqueID    string           `json:"uti,omitempty"`
	Version     string           `json:"ver"`
	DirectoryRs []string         `json:"wids,omitempty"`
}

// Interface of golang-jwt's validator.
func (w wire) GetExpirationTime() (*jwt.NumericDate, error) { return w.Expires, nil }
func (w wire) GetIssuedAt() (*jwt.NumericDate, error)       { return w.IssuedAt, nil }
func (w wire) GetNotBefore() (*jwt.NumericDate, error)      { return w.NotBefore, nil }
func (w wire) GetIssuer() (string, error)                   { return w.Issuer, nil }
func (w wire) GetSubject() (string, error)                  { return w.Subject, nil }
func (w wire) GetAudience() (jwt.ClaimStrings, error)       { return jwt.ClaimStrings{w.Audience}, nil }

func toWire(c Claims) wire {
	w := wire{
		Audience: c.Audience, Issuer: c.Issuer, Tenant: c.Tenant, ObjectID: c.ObjectID, Subject: c.Subject,
		IssuedAt: jwt.NewNumericDate(c.IssuedAt), NotBefore: jwt.NewNumericDate(c.NotBefore), Expires: jwt.NewNumericDate(c.Expires),
		Roles: c.Roles, DirectoryRs: c.RoleIDs, UniqueID: c.UniqueID, Nonce: c.Nonce, CodeHash: c.CodeHash,
	}
	switch {
	case c.isID():
		w.Version, w.Preferred, w.Name = "2.0", c.UPN, c.Name
	case c.AppOnly:
		w.Version, w.AppID, w.ClientAuth, w.AppName, w.IDType = "1.0", c.AppID, c.ClientAuth, c.Name, "app"
		w.IDProvider = c.Issuer
	default:
		w.Version, w.AppID, w.ClientAuth, w.Name, w.IDType = "1.0", c.AppID, c.ClientAuth, c.Name, "user"
		w.UPN, w.UniqueName, w.Scopes = c.UPN, c.UPN, strings.Join(c.Scopes, " ")
	}
	return w
}

func fromWire(w wire) Claims {
	c := Claims{
		Audience: w.Audience, Issuer: w.Issuer, Tenant: w.Tenant, AppID: w.AppID, ObjectID: w.ObjectID, Subject: w.Subject,
		Scopes: strings.Fields(w.Scopes), Roles: w.Roles, RoleIDs: w.DirectoryRs, AppOnly: w.IDType == "app",
		UPN: w.UPN, Name: w.Name, UniqueID: w.UniqueID, Nonce: w.Nonce, CodeHash: w.CodeHash, ClientAuth: w.ClientAuth,
		IssuedAt: instant(w.IssuedAt), NotBefore: instant(w.NotBefore), Expires: instant(w.Expires),
	}
	if c.AppOnly {
		c.Name = w.AppName
	}
	if c.UPN == "" {
		c.UPN = w.Preferred
	}
	return c
}

func instant(d *jwt.NumericDate) time.Time {
	if d == nil {
		return time.Time{}
	}
	return d.UTC()
}
