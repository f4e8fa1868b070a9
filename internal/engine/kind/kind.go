// Package kind holds the kinds of things that the program makes, changes and removes in a customer's tenant, one file for
// each. Owners say what they want with Role, Number, NoNumber, Policy and NoPolicy; the plan engine alone makes it so.
package kind

import "tcap.cloud/internal/engine/plan"

// All are the kinds there are, for plan.New.
func All() []plan.Kind {
	return []plan.Kind{RoleAssignments(), UserNumbers(), PolicyGrants()}
}
