package m365sim

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// tokenClaims are the claims of a bearer token that say whose call it is.
type tokenClaims struct {
	TenantID string `json:"tid"`
	AppV1    string `json:"appid"`
	AppV2    string `json:"azp"`
}

func (c tokenClaims) appID() string {
	if c.AppV1 != "" {
		return c.AppV1
	}
	return c.AppV2
}

// unverifiedClaims reads an Authorization header without believing it; whatever is no JWT has no claims.
func unverifiedClaims(authorization string) (c tokenClaims) {
	scheme, token, _ := strings.Cut(authorization, " ")
	parts := strings.Split(token, ".")
	if !strings.EqualFold(scheme, "Bearer") || len(parts) != 3 {
		return c
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return c
	}
	_ = json.Unmarshal(payload, &c)
	return c
}
