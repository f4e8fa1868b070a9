package kind

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/teamsadmin"
	"tcap.cloud/internal/remote/tenant"
)

// The policy types that are granted with a number (facts/teams-admin.md B, Grant-CsOnlineVoiceRoutingPolicy).
const (
	VoiceRoutingPolicy = "OnlineVoiceRoutingPolicy"
	DialPlan           = "TenantDialPlan"
)

// PolicyGrant is a policy that one person was given; without a grant the person inherits Global (A2).
type PolicyGrant struct {
	Policy string `json:"policy"`
}

// teamsVisible: a grant shows after 30 to 45 seconds (A2); the rest is margin.
const teamsVisible = 3 * time.Minute

// PolicyGrants is the kind "policy-grant"; its key is "<user id>|<policy type>".
func PolicyGrants() *plan.KindOf[PolicyGrant] {
	return plan.Define(plan.Spec[PolicyGrant]{
		Name: "policy-grant", Version: 1, Area: tenant.AreaTeams, Visible: teamsVisible,
		Title:     policyTitle,
		Get:       getPolicy,
		Normalise: func(p PolicyGrant) PolicyGrant { return PolicyGrant{strings.TrimPrefix(p.Policy, "Tag:")} },
		Create:    grantPolicy,
		Update: func(ctx context.Context, w *tenant.Writer, key string, _, after PolicyGrant) (plan.Written, error) {
			return grantPolicy(ctx, w, key, after)
		},
		Delete: func(ctx context.Context, w *tenant.Writer, key string, _ PolicyGrant) (plan.Written, error) {
			return grantPolicy(ctx, w, key, PolicyGrant{})
		},
	})
}

// Policy is the wish that the user (object id) has the policy of that type and name.
func Policy(userID, policyType, name string) plan.Item {
	return PolicyGrants().Want(pair(userID, policyType), PolicyGrant{name})
}

// NoPolicy is the wish that the user has no grant of that type, so that Global applies.
func NoPolicy(userID, policyType string) plan.Item {
	return PolicyGrants().Absent(pair(userID, policyType))
}

// PolicySeen is what the last sync saw; an empty name is no grant.
func PolicySeen(userID, policyType, name string) plan.Observed {
	if name == "" {
		return PolicyGrants().Seen(pair(userID, policyType), nil)
	}
	return PolicyGrants().Seen(pair(userID, policyType), &PolicyGrant{name})
}

func policyTitle(action plan.Action, key string, before, after *PolicyGrant) string {
	what := "policy"
	if _, typ, err := parts(key); err == nil {
		what = policyName(typ)
	}
	switch {
	case action == plan.Delete && before != nil:
		return fmt.Sprintf("Take the %s %s away; the tenant's own applies", what, before.Policy)
	case before != nil && after != nil:
		return fmt.Sprintf("Change the %s from %s to %s", what, before.Policy, after.Policy)
	case after != nil:
		return fmt.Sprintf("Grant the %s %s", what, after.Policy)
	}
	return "Change the " + what
}

func policyName(policyType string) string {
	switch policyType {
	case VoiceRoutingPolicy:
		return "voice routing policy"
	case DialPlan:
		return "dial plan"
	}
	return policyType
}

func getPolicy(ctx context.Context, s *tenant.Session, key string) (PolicyGrant, bool, error) {
	user, typ, err := parts(key)
	if err != nil {
		return PolicyGrant{}, false, err
	}
	u, err := teamsadmin.NewReader(s).User(ctx, user)
	if tenant.ClassOf(err) == tenant.NotFound {
		return PolicyGrant{}, false, nil
	}
	if err != nil {
		return PolicyGrant{}, false, err
	}
	name := u.Policies[typ]
	return PolicyGrant{name}, name != "" && name != "Global", nil
}

// grantPolicy is safe to repeat: it says how things should be. An empty name takes the grant away.
func grantPolicy(ctx context.Context, w *tenant.Writer, key string, after PolicyGrant) (plan.Written, error) {
	user, typ, err := parts(key)
	if err != nil {
		return plan.Written{}, err
	}
	writer := teamsadmin.NewWriter(w)
	said, err := writer.GrantPolicy(ctx, user, typ, after.Policy)
	if err != nil && after.Policy != "" {
		err = explainPolicy(ctx, writer.Reader, typ, after.Policy, err)
	}
	return plan.Written{Warning: strings.Join(said, " ")}, err
}

// explainPolicy finds out whether a refusal means that there is no such policy. Microsoft's text for it is not known well
// enough to be matched, so the tenant's policies are read.
func explainPolicy(ctx context.Context, r *teamsadmin.Reader, typ, name string, err error) error {
	refusal := tenant.AsRefusal(err)
	if refusal == nil || refusal.Maybe || (refusal.Class != tenant.Invalid && refusal.Class != tenant.NotFound && refusal.Class != tenant.Ours) {
		return err
	}
	all, unread := r.Policies(ctx, typ)
	if unread != nil {
		return err
	}
	for _, p := range all {
		if strings.EqualFold(p.Identity, name) {
			return err
		}
	}
	return fault.New(fault.Conflict, "policy-not-found", "The tenant has no %s named %q.", policyName(typ), name).
		WithRemedy("Make the policy in Teams admin center, or choose one that is there.").Because(err)
}
