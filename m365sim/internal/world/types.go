// Package world is the state of the simulated Microsoft 365: tenants and what is in them, applications, the clock,
// faults, the request journal, and how all of that survives a kill. It speaks no HTTP; the services around it do.
package world

import "time"

// Cloud names one of Microsoft's clouds: global, gcc, gcc-high, dod, china.
type Cloud string

// The clouds, as contracts/rest-api.md spells them. GCC shares every host with global.
const (
	Global  Cloud = "global"
	GCC     Cloud = "gcc"
	GCCHigh Cloud = "gcc-high"
	DoD     Cloud = "dod"
	China   Cloud = "china"
)

// Directory-role template ids (facts/entra.md §1.5); a built-in role definition has the same id.
const (
	RoleGlobalAdministrator         = "62e90394-69f5-4237-9190-012177145e10"
	RolePrivilegedRoleAdministrator = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	RoleTeamsAdministrator          = "69091246-20e8-4a56-aa4d-066075b2a7a8"
	RoleUserAdministrator           = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	RoleDomainNameAdministrator     = "8329153b-31d0-4727-b945-745eb3bc5f31"
)

// Application ids of the resources that tokens are asked for. The same in every cloud.
const (
	GraphAppID      = "00000003-0000-0000-c000-000000000000"
	TeamsAdminAppID = "48ac35b8-9aa8-4d74-927d-1f4a14a0b239"
)

// Tenant is one organisation. Its tables are read and changed only inside World.View and World.Update.
type Tenant struct {
	ID        string
	Name      string
	Cloud     Cloud
	Domain    string // initial domain, <name>.onmicrosoft.com
	Domains   []Domain
	CreatedAt time.Time
	Deleted   bool
	Seed      int64
	Generated int // users made from the seed so far; the next one gets this index

	BlockedByConditionalAccess map[string]bool // appId → blocked; "*" means every application that is not the tenant's own
	RequireMFA                 bool

	Users             Table[User]
	DeletedUsers      Table[User]
	SKUs              Table[SKU] // by SKU id
	ServicePrincipals Table[ServicePrincipal]
	DeletedSPs        Table[ServicePrincipal]
	Grants            Table[Grant]             // delegated permissions granted (oauth2PermissionGrants)
	AppRoleGrants     Table[AppRoleAssignment] // application permissions granted
	RoleAssignments   Table[RoleAssignment]
	Numbers           Table[Number] // the tenant's telephone-number inventory, by E.164
	Policies          Table[Policy] // key PolicyKey(type, name)

	users changeLog
}

// Domain is one domain of a tenant.
type Domain struct {
	Name      string
	Verified  bool
	IsInitial bool
	IsDefault bool
}

// User is a member, guest or resource account of a tenant.
type User struct {
	ID                string
	UserPrincipalName string
	DisplayName       string
	GivenName         string
	Surname           string
	Mail              string
	AccountEnabled    bool
	UsageLocation     string // ISO 3166 alpha-2, "" when unset
	Department        string
	JobTitle          string
	UserType          string // Member or Guest
	Password          string
	CreatedAt         time.Time
	DeletedAt         time.Time // zero unless in DeletedUsers
	Licences          []Licence
	OnPremNumber      string            // msRTCSIP-Line synchronised from on premises, "" when none
	Policies          map[string]string // policy type → policy name granted directly
	PendingPolicies   []PendingPolicy   // granted, not visible yet
	EnterpriseVoice   bool
}

// PendingPolicy is a grant that was accepted and becomes visible at VisibleAt (30–45 s later).
type PendingPolicy struct {
	Type, Name string // Name "" removes the grant
	VisibleAt  time.Time
}

// Licence is a product assigned to a user, with the plans switched off inside it.
type Licence struct {
	SKUID         string
	DisabledPlans []string // service plan ids
}

// SKU is a product the tenant owns.
type SKU struct {
	ID         string
	PartNumber string
	Enabled    int // units bought
	Plans      []ServicePlan
}

// ServicePlan is one plan inside a product.
type ServicePlan struct{ ID, Name string }

// App is an application registration; it lives in its home tenant and may be used from others when MultiTenant.
type App struct {
	AppID        string
	ObjectID     string
	HomeTenant   string
	Name         string
	Publisher    string
	MultiTenant  bool
	Disabled     bool
	RedirectURIs []string
	IDTokens     bool     // implicit/hybrid ID tokens allowed (enableIdTokenIssuance)
	Delegated    []string // delegated Graph permissions in requiredResourceAccess
	Application  []string // application Graph permissions in requiredResourceAccess
	Secrets      []Secret
	Certificates []Certificate
	CreatedAt    time.Time
}

// Secret is a client secret of an application.
type Secret struct {
	KeyID string
	Value string
	Start time.Time
	End   time.Time
}

// Certificate is a public key an application may sign client assertions with.
type Certificate struct {
	KeyID      string
	Thumbprint string // base64url SHA-1, as in the x5t header
	DER        []byte
	End        time.Time
}

// ServicePrincipal is an application's presence in a tenant.
type ServicePrincipal struct {
	ID          string
	AppID       string
	DisplayName string
	Enabled     bool
	CreatedAt   time.Time
	DeletedAt   time.Time
}

// Grant is a delegated permission grant; ConsentType is AllPrincipals or Principal (then PrincipalID is a user).
type Grant struct {
	ID          string
	ClientID    string // object id of the client's service principal
	ConsentType string
	PrincipalID string
	ResourceID  string // object id of the resource's service principal
	Scope       string // space separated
}

// AppRoleAssignment is an application permission granted to a service principal.
type AppRoleAssignment struct {
	ID          string
	PrincipalID string
	ResourceID  string
	AppRoleID   string
	Value       string // for example User.ReadWrite.All
	CreatedAt   time.Time
}

// RoleAssignment gives a directory role to a user or a service principal.
type RoleAssignment struct {
	ID               string
	PrincipalID      string
	RoleDefinitionID string
	DirectoryScopeID string
}

// Number is a telephone number in the tenant's inventory.
type Number struct {
	TelephoneNumber string // E.164 with +
	Type            string // DirectRouting, OperatorConnect, CallingPlan
	TargetID        string // object id of the holder, "" when unassigned
	TargetKind      string // user or resourceAccount
	LocationID      string
	ActivationState string // Activated, AssignmentPending …
	AssignedAt      time.Time
}

// Policy is an instance of a Teams policy type, by PowerShell name, for example OnlineVoiceRoutingPolicy AU-All.
// Props go through JSON when the world is kept on disk: put the types JSON decodes into (float64, []any, map[string]any).
type Policy struct {
	Type  string
	Name  string
	ID    string
	Props map[string]any
}

// PolicyKey is the key of a policy in Tenant.Policies.
func PolicyKey(typ, name string) string { return typ + "/" + name }
