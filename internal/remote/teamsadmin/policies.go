package teamsadmin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"tcap.cloud/internal/remote/tenant"
)

// Policy is one policy or configuration object of any type (A1): its identity, and all of it as the service wrote it.
type Policy struct {
	// Identity is `Global` or the name, without the `Tag:` that the service puts before a per-user policy's.
	Identity string
	Raw      json.RawMessage
}

// UnmarshalJSON keeps the bytes and reads the identity.
func (p *Policy) UnmarshalJSON(b []byte) error {
	var w struct{ Identity string }
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	p.Identity, p.Raw = strings.TrimPrefix(w.Identity, "Tag:"), append(json.RawMessage(nil), b...)
	return nil
}

// Policies are all objects of a type: `OnlineVoiceRoutingPolicy`, `TenantDialPlan`, `OnlinePstnUsages` (plural), … (A1 lists those that
// are known to answer).
func (r *Reader) Policies(ctx context.Context, policyType string) ([]Policy, error) {
	resp, err := r.call(ctx, r.session, "Get-Cs"+policyType, &tenant.Request{
		Op: "teams.policies.list", Path: "/Skype.Policy/configurations/" + url.PathEscape(policyType),
	})
	if err != nil {
		return nil, err
	}
	policies, _, err := list[Policy]("teams.policies.list", resp.Body, "value", "configurations")
	return policies, err
}

// grantBody is PascalCase, as Skype.Policy wants it (J0). A null name takes the policy away.
type grantBody struct {
	PolicyType string
	PolicyName *string
}

// GrantPolicy gives a user (object id) the policy of that name and type; an empty name takes it away, so that Global applies. It shows
// in User after half a minute or so (A2). The texts are warnings.
//
// Two shapes are known: type and name in the body (A2), and the type in the path (J6, module 5.2), tried where the service does not know
// the first.
func (w *Writer) GrantPolicy(ctx context.Context, userID, policyType, name string) ([]string, error) {
	body := grantBody{PolicyType: policyType}
	if name != "" {
		body.PolicyName = &name
	}
	path := "/Skype.Policy/users/" + url.PathEscape(userID)
	resp, err := w.grant(ctx, policyType, path, body)
	if refusal := tenant.AsRefusal(err); refusal != nil && (refusal.Status == http.StatusNotFound || refusal.Status == http.StatusMethodNotAllowed) {
		resp, err = w.grant(ctx, policyType, path+"/"+url.PathEscape(policyType), struct {
			PolicyName           *string
			AdditionalParameters struct{}
		}{PolicyName: body.PolicyName})
	}
	if err != nil {
		return nil, err
	}
	return warnings(resp), nil
}

func (w *Writer) grant(ctx context.Context, policyType, path string, body any) (*tenant.Response, error) {
	return w.call(ctx, w.door, "Grant-Cs"+policyType, &tenant.Request{Op: "teams.policies.grant", Method: http.MethodPut, Path: path, JSON: body})
}
