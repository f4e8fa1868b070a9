package control

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"tcap.cloud/m365sim/internal/world"
)

// e164 is a telephone number as the tenant's inventory keeps it.
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func deleteUser(c scene) (int, error) {
	u, err := c.user()
	if err != nil {
		return 0, err
	}
	c.bin(u)
	return 1, nil
}

// bin moves a user to the deleted items; number and licences stay with it.
func (c scene) bin(u world.User) {
	c.t.Users.Delete(u.ID)
	u.DeletedAt = c.world.Now()
	c.t.DeletedUsers.Put(u.ID, u)
}

func restoreUser(c scene) (int, error) {
	if c.UPN == "" {
		return 0, badRequest("The action %s takes upn.", c.Action)
	}
	if _, ok := c.t.UserByName(c.UPN); ok {
		return 0, conflict("The tenant has a user %s.", c.UPN)
	}
	var found *world.User
	for _, u := range c.t.DeletedUsers.All() {
		if strings.EqualFold(u.UserPrincipalName, c.UPN) || u.ID == c.UPN {
			found = &u // the one deleted last, should there be several
		}
	}
	if found == nil {
		return 0, notFound("The tenant has no deleted user %s.", c.UPN)
	}
	c.t.DeletedUsers.Delete(found.ID)
	found.DeletedAt = time.Time{}
	c.t.Users.Put(found.ID, *found)
	return 1, nil
}

func removeLicence(c scene) (int, error) {
	u, err := c.user()
	if err != nil {
		return 0, err
	}
	left := slices.DeleteFunc(slices.Clone(u.Licences), func(l world.Licence) bool {
		sku, _ := c.t.SKUs.Get(l.SKUID)
		return c.SKU == "" || strings.EqualFold(l.SKUID, c.SKU) || strings.EqualFold(sku.PartNumber, c.SKU)
	})
	n := len(u.Licences) - len(left)
	if n == 0 {
		return 0, notFound("%s holds no such licence: %q.", c.UPN, c.SKU)
	}
	u.Licences = left
	c.t.Users.Put(u.ID, u)
	return n, nil
}

// setNumber gives the person a Direct Routing number, made when the inventory has none such, or takes theirs away. The one
// they had stays in the inventory.
func setNumber(c scene) (int, error) {
	u, err := c.user()
	if err != nil {
		return 0, err
	}
	number := ""
	if c.Number != nil {
		number = strings.TrimPrefix(*c.Number, "tel:")
	}
	if number != "" && !e164.MatchString(number) {
		return 0, badRequest("number is %q: it must be E.164, like +61255501000.", number)
	}
	n, known := c.t.Numbers.Get(number)
	if n.TargetID != "" && n.TargetID != u.ID {
		return 0, conflict("%s is assigned to %s.", number, n.TargetID)
	}
	if !known {
		n = world.Number{TelephoneNumber: number, Type: "DirectRouting"}
	}
	for key, held := range c.t.Numbers.All() {
		if held.TargetID == u.ID && key != number {
			held.TargetID, held.TargetKind, held.AssignedAt = "", "", time.Time{}
			c.t.Numbers.Put(key, held)
		}
	}
	u.EnterpriseVoice = number != ""
	c.t.Users.Put(u.ID, u)
	if number == "" {
		return 1, nil
	}
	n.TargetID, n.TargetKind, n.ActivationState, n.AssignedAt = u.ID, "user", "Activated", c.world.Now()
	c.t.Numbers.Put(number, n)
	return 1, nil
}

func addUsers(s *service, ctx context.Context, tenant string, a action) (int, error) {
	ids, err := s.world.AddUsers(ctx, tenant, a.Count)
	return len(ids), err
}

// deleteUsers bins the newest, never who holds a directory role: somebody must be left to administer the tenant.
func deleteUsers(c scene) (int, error) {
	if c.Count < 1 {
		return 0, badRequest("The action %s takes count, at least 1.", c.Action)
	}
	spared := map[string]bool{}
	for _, a := range c.t.RoleAssignments.All() {
		spared[a.PrincipalID] = true
	}
	var chosen []world.User
	for _, id := range slices.Backward(c.t.Users.IDs()) {
		if u, _ := c.t.Users.Get(id); !spared[id] && len(chosen) < c.Count {
			chosen = append(chosen, u)
		}
	}
	if len(chosen) < c.Count {
		return 0, conflict("The tenant has %d users without a directory role, fewer than %d.", len(chosen), c.Count)
	}
	for _, u := range chosen {
		c.bin(u)
	}
	return len(chosen), nil
}

// deleteDomain removes a custom domain nobody is named by, as DELETE /domains demands; the initial one cannot be removed.
func deleteDomain(c scene) (int, error) {
	i := slices.IndexFunc(c.t.Domains, func(d world.Domain) bool { return strings.EqualFold(d.Name, c.Domain) })
	switch {
	case i < 0:
		return 0, notFound("The tenant has no domain %q.", c.Domain)
	case c.t.Domains[i].IsInitial:
		return 0, conflict("%s is the tenant's initial domain.", c.Domain)
	}
	for _, u := range c.t.Users.All() {
		if _, domain, _ := strings.Cut(u.UserPrincipalName, "@"); strings.EqualFold(domain, c.Domain) {
			return 0, conflict("%s is used by %s.", c.Domain, u.UserPrincipalName)
		}
	}
	left := slices.Delete(slices.Clone(c.t.Domains), i, i+1)
	if c.t.Domains[i].IsDefault {
		for n := range left {
			left[n].IsDefault = left[n].IsInitial
		}
	}
	c.t.Domains = left
	return 1, nil
}

func deleteTenant(c scene) (int, error) {
	c.t.Deleted = true
	return 1, nil
}
