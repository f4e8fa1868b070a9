package teamsadmin

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strings"

	"tcap.cloud/internal/remote/tenant"
)

// User is what Teams knows of an account.
type User struct {
	ObjectID string
	UPN      string
	// AccountType is User, ResourceAccount, Guest, SfBOnPremUser or IneligibleUser (F).
	AccountType string
	// FeatureTypes hold PhoneSystem when the account may get a number, VoiceApp when it is a licensed resource account (F).
	FeatureTypes []string
	// LineURI is as the service writes it: `tel:+61…`, perhaps with `;ext=`; empty for none.
	LineURI         string
	EnterpriseVoice bool
	// Policies are the names assigned, by type; a type that is not there is inherited from Global (A2).
	Policies map[string]string
}

// UserPage is some users.
type UserPage struct{ Users []User }

type userWire struct {
	ObjectID, Identity, UserPrincipalName string
	AccountType                           string
	FeatureTypes                          []string
	LineURI                               string
	EnterpriseVoiceEnabled                bool
	EffectivePolicyAssignments            []struct {
		PolicyType       string
		PolicyAssignment struct{ AssignmentType, DisplayName string }
	}
}

// UnmarshalJSON takes the user from the wire.
func (u *User) UnmarshalJSON(b []byte) error {
	var w userWire
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*u = User{
		ObjectID: w.ObjectID, UPN: w.UserPrincipalName, AccountType: w.AccountType, FeatureTypes: w.FeatureTypes,
		LineURI: w.LineURI, EnterpriseVoice: w.EnterpriseVoiceEnabled, Policies: map[string]string{},
	}
	if u.ObjectID == "" {
		u.ObjectID = w.Identity
	}
	for _, p := range w.EffectivePolicyAssignments {
		if p.PolicyType != "" && p.PolicyAssignment.DisplayName != "" {
			u.Policies[p.PolicyType] = strings.TrimPrefix(p.PolicyAssignment.DisplayName, "Tag:")
		}
	}
	return nil
}

// Users streams all accounts by page (GET /Teams.User/users, as Get-CsOnlineUser). No source shows how this list is paged: a link or a
// token in the answer is followed, and an answer without one is the last.
func (r *Reader) Users(ctx context.Context) iter.Seq2[UserPage, error] {
	return func(yield func(UserPage, error) bool) {
		path, query := "/Teams.User/users", url.Values(nil)
		for seen := map[string]bool{}; ; {
			resp, err := r.call(ctx, r.session, "Get-CsOnlineUser", &tenant.Request{Op: "teams.users.list", Path: path, Query: query})
			if err != nil {
				yield(UserPage{}, err)
				return
			}
			users, next, err := list[User]("teams.users.list", resp.Body, "users", "value")
			if !yield(UserPage{Users: users}, err) || err != nil || next == "" || seen[next] {
				return
			}
			seen[next] = true
			if path, query = "/Teams.User/users", (url.Values{"skipToken": {next}}); strings.HasPrefix(next, "https://") {
				path, query = next, nil
			}
		}
	}
}

// User reads one account by object id or user principal name.
func (r *Reader) User(ctx context.Context, id string) (User, error) {
	var u User
	err := r.get(ctx, "teams.users.get", "Get-CsOnlineUser", "/Teams.User/users/"+url.PathEscape(id), nil, &u)
	return u, err
}
