package entra

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"tcap.cloud/m365sim/internal/world"
)

// authorize is /{tenant}/oauth2/v2.0/authorize (facts/entra.md §1.3).
func (s *service) authorize(w http.ResponseWriter, r *http.Request) { s.enter(w, r, askAuthorize) }

// adminConsentV2 is /{tenant}/v2.0/adminconsent (facts/entra.md §1.1); never at common.
func (s *service) adminConsentV2(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.PathValue("tenant"), "common") {
		s.exchange(w, r).dead(refuse(90013, "The endpoint does not support 'common': name a tenant, or 'organizations'."))
		return
	}
	s.enter(w, r, askAdminV2)
}

// adminConsentV1 is /{tenant}/adminconsent (facts/entra.md §1.2).
func (s *service) adminConsentV1(w http.ResponseWriter, r *http.Request) { s.enter(w, r, askAdminV1) }

// checkClient finds what cannot be told to the application, because it is not known to be who it says, or no address of
// it is: these stay on a page of the login service.
func (s *service) checkClient(q request) *refusal {
	if q.ClientID == "" {
		return missing("client_id")
	}
	app, ok := s.w.App(q.ClientID)
	if !ok || !app.MultiTenant && q.Tenant != "" && app.HomeTenant != q.Tenant {
		directory := q.Tenant
		if directory == "" {
			directory = q.Segment
		}
		return appNotFound(q.ClientID, directory)
	}
	switch {
	case len(app.RedirectURIs) == 0:
		return refuse(500113, "No reply address is registered for the application.")
	case q.RedirectURI == "" && q.Kind != askAuthorize:
		return missing("redirect_uri")
	case !slices.Contains(app.RedirectURIs, q.RedirectURI):
		return refuse(50011, "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'. Make sure the redirect URI sent in the request matches one added to your application.", q.RedirectURI, app.AppID)
	}
	return s.singleTenantAtAlias(place{segment: q.Segment, tenant: q.Tenant}, q.ClientID)
}

// checkRequest finds what is wrong with a request whose application and reply address are sound; it is told to the
// application there.
func checkRequest(r *http.Request, app world.App, cloud world.Cloud, q request) *refusal {
	if q.Kind == askAuthorize {
		if no := checkResponse(app, q); no != nil {
			return no
		}
		if no := checkChallenge(q); no != nil {
			return no
		}
		if !slices.Contains([]string{"", "login", "none", "consent", "select_account"}, q.Prompt) {
			return refuse(90023, "Unsupported 'prompt' value '%s'.", q.Prompt)
		}
	}
	if q.Kind == askAdminV1 {
		return nil
	}
	if q.Scope == "" {
		return missing("scope")
	}
	a, no := parseScope(r, cloud, q.Scope)
	if no != nil {
		return no
	}
	if q.Kind == askAdminV2 && a.resource == "" {
		return badScope(q.Scope)
	}
	if wantsIDToken(q) && !a.has("openid") {
		return refuse(70011, "The response type 'id_token' needs the scope 'openid'.")
	}
	return nil
}

func wantsCode(q request) bool { return slices.Contains(strings.Fields(q.ResponseType), "code") }

func wantsIDToken(q request) bool { return slices.Contains(strings.Fields(q.ResponseType), "id_token") }

func checkResponse(app world.App, q request) *refusal {
	types := strings.Fields(q.ResponseType)
	if len(types) == 0 {
		return missing("response_type")
	}
	for _, typ := range types {
		switch typ {
		case "code", "id_token":
		case "token":
			return refuse(700051, "The response_type 'token' is not enabled for the application.")
		default:
			return refuse(70007, "'%s' is not a supported value of 'response_type'.", typ)
		}
	}
	if !slices.Contains([]string{"", "query", "fragment", "form_post"}, q.ResponseMode) {
		return refuse(70007, "'%s' is not a supported value of 'response_mode'.", q.ResponseMode)
	}
	if !wantsIDToken(q) {
		return nil
	}
	switch {
	case !app.IDTokens:
		return refuse(700054, "The response_type 'id_token' is not enabled for the application.")
	case q.ResponseMode == "query":
		return refuse(70007, "'query' is not a supported value of 'response_mode' when requesting a token.")
	case q.Nonce == "":
		return missing("nonce")
	}
	return nil
}

// checkChallenge checks PKCE's side of the authorize request: 50147 bad method or characters, 501491 bad size (43 to 128,
// RFC 7636 §4.2). Without a method the challenge is plain (facts/entra.md §1.3).
func checkChallenge(q request) *refusal {
	switch {
	case q.Challenge == "" && q.Method != "":
		return refuse(50147, "The code_challenge parameter is missing.")
	case q.Challenge == "":
		return nil
	case q.Method != "" && q.Method != "plain" && q.Method != "S256":
		return refuse(50147, "The code_challenge_method '%s' is not supported.", q.Method)
	case len(q.Challenge) < 43 || len(q.Challenge) > 128:
		return refuse(501491, "The size of the code_challenge parameter is invalid.")
	case !regexp.MustCompile(`^[A-Za-z0-9._~-]+$`).MatchString(q.Challenge):
		return refuse(50147, "The code_challenge parameter is invalid.")
	}
	return nil
}
