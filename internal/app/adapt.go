package app

import (
	"context"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
)

// peopleOf shows the directory to the inventory in the inventory's words.
type peopleOf struct {
	d *directory.Directory
	q db.Querier
}

// User answers a person as the last sync saw him.
func (p peopleOf) User(ctx context.Context, customerID, userID string) (number.UserInfo, error) {
	u, err := p.d.User(ctx, access.System("numbers"), customerID, userID)
	if err != nil {
		return number.UserInfo{}, err
	}
	return number.UserInfo{ID: u.ID, Name: u.DisplayName, UPN: u.UserPrincipalName, Licensed: u.Status != directory.NotLicensed, Reason: u.Reason,
		Number: u.Number, VoicePolicy: u.VoicePolicy, DialPlan: u.DialPlan}, nil
}

// SetVoice shows a verified change at once.
func (p peopleOf) SetVoice(ctx context.Context, tx db.Tx, customerID, userID string, e164, policy *string) error {
	return p.d.SetVoice(ctx, tx, customerID, userID, e164, policy)
}

// Has says whether the last sync saw a policy.
func (p peopleOf) Has(ctx context.Context, customerID, policyType, name string) (bool, error) {
	return p.d.HasPolicy(ctx, p.q, customerID, policyType, name)
}

// seenBy tells the inventory what a sync saw.
type seenBy struct{ n *number.Numbers }

// Observed matches accounts with the inventory in the sync's transaction.
func (s seenBy) Observed(ctx context.Context, tx db.Tx, customerID string, seen []directory.VoiceSeen) error {
	out := make([]number.Seen, len(seen))
	for i, v := range seen {
		out[i] = number.Seen{UserID: v.UserID, Name: v.Name, Number: v.Number}
	}
	return s.n.Observed(ctx, tx, customerID, out)
}
