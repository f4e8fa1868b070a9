package kind

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/engine/plan"
	"tcap.cloud/internal/remote/teamsadmin"
	"tcap.cloud/internal/remote/tenant"
)

// UserNumber is the telephone number that a person has in Teams.
type UserNumber struct {
	// Number is E.164 with its plus; as read it may have an extension (`+61…;ext=12`).
	Number string `json:"number"`
	// Type is DirectRouting, OperatorConnect or CallingPlan; as read it is empty where the tenant's inventory does not have
	// the number, as with one synchronised from the customer's own directory.
	Type string `json:"type"`
}

// UserNumbers is the kind "user-number"; its key is the user's object id. ours are the numbers that the inventory says were
// given to this person here: those alone may be replaced or taken. That the person's number is managed does not say which
// one it is, and the tenant's own administrator may have given another since.
func UserNumbers(ours ...string) *plan.KindOf[UserNumber] {
	return plan.Define(plan.Spec[UserNumber]{
		Name: "user-number", Version: 1, Area: tenant.AreaTeams, Visible: teamsVisible,
		Title: numberTitle, Get: getNumber,
		Guard: func(before, _ *UserNumber, _ bool) *fault.Fault { return guardNumber(before, ours) },
		Create: func(ctx context.Context, w *tenant.Writer, key string, after UserNumber) (plan.Written, error) {
			return changeNumber(ctx, w, key, nil, &after)
		},
		Update: func(ctx context.Context, w *tenant.Writer, key string, before, after UserNumber) (plan.Written, error) {
			return changeNumber(ctx, w, key, &before, &after)
		},
		Delete: func(ctx context.Context, w *tenant.Writer, key string, before UserNumber) (plan.Written, error) {
			return changeNumber(ctx, w, key, &before, nil)
		},
	})
}

// Number is the wish that the user (object id) has the number; ours are the numbers that it may replace.
func Number(userID, e164, numberType string, ours ...string) plan.Item {
	return UserNumbers(ours...).Want(userID, UserNumber{e164, numberType})
}

// NoNumber is the wish that the user has none; ours are the numbers that may be taken.
func NoNumber(userID string, ours ...string) plan.Item { return UserNumbers(ours...).Absent(userID) }

// NumberSeen is what the last sync saw; an empty number is none.
func NumberSeen(userID, e164, numberType string) plan.Observed {
	if e164 == "" {
		return UserNumbers().Seen(userID, nil)
	}
	return UserNumbers().Seen(userID, &UserNumber{e164, numberType})
}

func numberTitle(_ plan.Action, _ string, before, after *UserNumber) string {
	switch {
	case before != nil && after != nil:
		return fmt.Sprintf("Replace %s by %s", before.Number, after.Number)
	case after != nil:
		return "Assign " + after.Number
	case before != nil:
		return "Take " + before.Number + " back"
	}
	return "Change the number"
}

// guardNumber leaves a number alone that somebody else gave.
func guardNumber(before *UserNumber, ours []string) *fault.Fault {
	if before == nil {
		return nil
	}
	plain, _, _ := strings.Cut(before.Number, ";")
	if slices.Contains(ours, plain) {
		return nil
	}
	return Foreign(before.Number)
}

// Foreign is the refusal to touch a number that was not assigned here.
func Foreign(number string) *fault.Fault {
	return fault.New(fault.Conflict, "foreign-number", "This person has the number %s, which was not assigned here; it is left alone.", number).
		WithRemedy("Take %s from the person in Teams admin center first, then try again.", number)
}

// getNumber reads the person's number, and its type from the tenant's inventory, as the person's record does not tell it.
func getNumber(ctx context.Context, s *tenant.Session, userID string) (UserNumber, bool, error) {
	r := teamsadmin.NewReader(s)
	number, err := lineOf(ctx, r, userID)
	if tenant.ClassOf(err) == tenant.NotFound { // who is not in Teams has no number there
		return UserNumber{}, false, nil
	}
	if err != nil || number == "" {
		return UserNumber{}, false, err
	}
	listed, _, err := inInventory(ctx, r, number)
	return UserNumber{number, string(listed.Type)}, true, err
}

func lineOf(ctx context.Context, r *teamsadmin.Reader, userID string) (string, error) {
	u, err := r.User(ctx, userID)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(strings.ToLower(u.LineURI), "tel:"), nil
}

// inInventory finds a number among the tenant's.
func inInventory(ctx context.Context, r *teamsadmin.Reader, number string) (teamsadmin.Number, bool, error) {
	plain, _, _ := strings.Cut(number, ";")
	for page, err := range r.Numbers(ctx) {
		if err != nil {
			return teamsadmin.Number{}, false, fmt.Errorf("looking for the number among the tenant's: %w", err)
		}
		for _, n := range page.Numbers {
			if have, _, _ := strings.Cut(n.TelephoneNumber, ";"); have == plain {
				return n, true, nil
			}
		}
	}
	return teamsadmin.Number{}, false, nil
}

// changeNumber takes the old number and gives the new one. It looks at the person first, so that it can be repeated at any
// point: what is done already is passed over, and a number that is neither the old nor the new one stays.
func changeNumber(ctx context.Context, w *tenant.Writer, userID string, before, after *UserNumber) (plan.Written, error) {
	writer := teamsadmin.NewWriter(w)
	have, err := lineOf(ctx, writer.Reader, userID)
	if err != nil {
		return plan.Written{}, err
	}
	var said []string
	switch {
	case after != nil && have == after.Number:
		return plan.Written{}, nil
	case before != nil && have == before.Number:
		if said, err = takeNumber(ctx, writer, userID, *before); err != nil {
			return plan.Written{}, err
		}
	case have != "":
		return plan.Written{}, Foreign(have)
	}
	if after != nil {
		more, err := giveNumber(ctx, writer, userID, before, *after)
		if err != nil {
			return plan.Written{}, err
		}
		said = append(said, more...)
	}
	return plan.Written{Warning: strings.Join(said, " ")}, nil
}

// takeNumber treats a refusal as done where the inventory says that the person does not hold the number: the person's own
// record may be older than the inventory.
func takeNumber(ctx context.Context, w *teamsadmin.Writer, userID string, n UserNumber) ([]string, error) {
	said, err := w.UnassignNumber(ctx, userID, n.Number, teamsadmin.NumberType(n.Type))
	refusal := tenant.AsRefusal(err)
	if refusal == nil || refusal.Maybe || !refusal.Class.Permanent() {
		return said, err
	}
	listed, found, unread := inInventory(ctx, w.Reader, n.Number)
	if unread == nil && found && !strings.EqualFold(listed.TargetID, userID) {
		return nil, nil
	}
	return nil, err
}

// giveNumber assigns. Where that is refused after the old number was taken, the old one is given back: nobody is left
// without a number by a change that failed.
func giveNumber(ctx context.Context, w *teamsadmin.Writer, userID string, before *UserNumber, n UserNumber) ([]string, error) {
	said, err := w.AssignNumber(ctx, assignment(userID, n))
	refusal := tenant.AsRefusal(err)
	if refusal == nil || refusal.Maybe || !refusal.Class.Permanent() || before == nil {
		return said, err
	}
	if _, undone := w.AssignNumber(ctx, assignment(userID, *before)); undone != nil {
		return nil, fault.New(fault.Conflict, "old-number-not-restored",
			"%s was refused (%s), and %s could not be given back.", n.Number, refusal.Message, before.Number).
			WithRemedy("Assign %s to the person again.", before.Number).Because(err)
	}
	return nil, err
}

func assignment(userID string, n UserNumber) teamsadmin.Assignment {
	return teamsadmin.Assignment{Identity: userID, TelephoneNumber: n.Number, Type: teamsadmin.NumberType(n.Type)}
}
