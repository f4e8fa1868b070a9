package world

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Given names, surnames and departments generated users are made of; common ones, so that pages look lived in.
var (
	givenNames  = strings.Fields("Alex Amy Ben Carla Chris Dana David Elena Emma Frank Grace Hana Ivan Jack Jane Karim Kate Leo Linh Lucy Marco Maria Nadia Noah Olga Omar Paul Priya Rosa Ryan Sam Sara Tara Tom Uma Victor Wendy Xin Yusuf Zoe")
	surnames    = strings.Fields("Adams Baker Chen Clark Cooper Davis Evans Fisher Garcia Gray Hall Harris Hill Hughes Ito Jones Kelly Khan Kim King Lee Lopez Martin Meyer Moore Nguyen Novak Patel Price Reed Rossi Scott Silva Smith Stone Taylor Turner Walker White Young")
	departments = strings.Fields("Sales Finance Operations Support Engineering Marketing Legal People")
	jobTitles   = strings.Fields("Manager Analyst Consultant Coordinator Engineer Assistant")
)

// plainShare is the part of the users without Teams Phone that hold a product with Teams; the others hold nothing.
const plainShare = 80

// generator makes a tenant's users from its seed: the same seed makes the same people, with ids of the tenant's own.
type generator struct {
	made  creation
	owned products
	salt  uint64
}

func newGenerator(c creation) generator {
	h := fnv.New64a()
	h.Write([]byte(c.TenantID))
	return generator{made: c, owned: productsOf(c.Cloud), salt: h.Sum64()}
}

// user is the one with this index: 0 is the Global Administrator, 1 an ordinary user.
func (g generator) user(i int) User {
	r := rand.New(rand.NewPCG(uint64(g.made.Seed), uint64(i)))
	given, sur := givenNames[r.IntN(len(givenNames))], surnames[r.IntN(len(surnames))]
	alias := strings.ToLower(given+"."+sur) + strconv.Itoa(i)
	if i == 0 {
		given, sur, alias = "Global", "Administrator", "admin"
	}
	u := User{
		ID: g.id("user", i), UserPrincipalName: alias + "@" + g.made.Domain, Mail: alias + "@" + g.made.Domain,
		DisplayName: given + " " + sur, GivenName: given, Surname: sur,
		AccountEnabled: true, UserType: "Member", UsageLocation: location(r), CreatedAt: g.made.At,
		Department: departments[r.IntN(len(departments))], JobTitle: jobTitles[r.IntN(len(jobTitles))],
		Password: password(r),
	}
	switch hasTeams := r.IntN(100) < plainShare; {
	case g.licensed(i):
		u.Licences = licences(g.owned.phone)
	case hasTeams:
		u.Licences = licences(g.owned.plain)
	}
	return u
}

// licensed spreads the licensed share evenly; the ordinary user, index 1, is the first to have one and the administrator the
// last.
func (g generator) licensed(i int) bool {
	n := g.made.Users
	count := int(math.Round(g.made.LicensedShare * float64(n)))
	at := (i + n - 1) % n
	return at*count%n < count
}

func location(r *rand.Rand) string {
	switch n := r.IntN(100); {
	case n < 90:
		return "AU"
	case n < 97:
		return "NZ"
	default:
		return ""
	}
}

func password(r *rand.Rand) string { return fmt.Sprintf("Pw-%08x!", r.Uint32()) }

// id is a GUID that follows from the tenant's id, what it is of and its index.
func (g generator) id(of string, i int) string {
	h := fnv.New64a()
	h.Write([]byte(of))
	r := rand.New(rand.NewPCG(g.salt, h.Sum64()+uint64(i)))
	var b uuid.UUID
	for n := range b {
		b[n] = byte(r.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return b.String()
}

// tenant is the whole tenant as it is when it was just made.
func (g generator) tenant() *Tenant {
	c := g.made
	t := &Tenant{
		ID: c.TenantID, Name: c.Name, Cloud: c.Cloud, Domain: c.Initial, CreatedAt: c.At, Seed: c.Seed, Generated: c.Users,
		Domains: []Domain{{Name: c.Initial, Verified: true, IsInitial: true, IsDefault: c.Domain == c.Initial}},
	}
	if c.Domain != c.Initial {
		t.Domains = append(t.Domains, Domain{Name: c.Domain, Verified: true, IsDefault: true})
	}
	t.Users.reserve(c.Users)
	t.users.latest = make(map[string]int64, c.Users)
	for i := range c.Users {
		u := g.user(i)
		t.Users.Put(u.ID, u)
		t.users.append(Change{Seq: int64(i + 1), ID: u.ID})
	}
	g.furnish(t)
	return t
}

// furnish puts what every tenant has: products, Microsoft's own service principals, the administrator's role, policies.
func (g generator) furnish(t *Tenant) {
	for _, s := range append(append([]SKU{}, g.owned.phone...), g.owned.plain...) {
		s.Enabled = t.Users.Len() + 25
		t.SKUs.Put(s.ID, s)
	}
	for i, sp := range []ServicePrincipal{
		{AppID: GraphAppID, DisplayName: "Microsoft Graph"},
		{AppID: TeamsAdminAppID, DisplayName: "Skype and Teams Tenant Admin API"},
	} {
		sp.ID, sp.Enabled, sp.CreatedAt = g.id("servicePrincipal", i), true, t.CreatedAt
		t.ServicePrincipals.Put(sp.ID, sp)
	}
	role := RoleAssignment{
		ID: g.id("roleAssignment", 0), PrincipalID: g.id("user", 0), RoleDefinitionID: RoleGlobalAdministrator, DirectoryScopeID: "/",
	}
	t.RoleAssignments.Put(role.ID, role)
	for i, p := range []Policy{
		{Type: "OnlineVoiceRoutingPolicy", Name: "Global", Props: map[string]any{"OnlinePstnUsages": []any{}}},
		{Type: "OnlineVoiceRoutingPolicy", Name: "AU-All", Props: map[string]any{"OnlinePstnUsages": []any{}}},
		{Type: "TenantDialPlan", Name: "Global", Props: map[string]any{"NormalizationRules": []any{}}},
	} {
		p.ID = g.id("policy", i)
		t.Policies.Put(PolicyKey(p.Type, p.Name), p)
	}
}
