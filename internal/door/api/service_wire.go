package api

import (
	"time"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/pairing"
	"tcap.cloud/internal/domain/servicecard"
)

// serviceWire is the service card (contracts/rest-api.md, "Shapes that scripts rely on").
type serviceWire struct {
	ID            string          `json:"id"`
	CustomerID    string          `json:"customerId"`
	Kind          string          `json:"kind" enum:"direct-routing,operator-connect"`
	Sync          bool            `json:"sync"`
	Status        string          `json:"status" enum:"pending-consent,activating,active,degraded,suspended,disconnected"`
	Sentence      string          `json:"sentence" doc:"The status in one sentence"`
	Cause         *causeWire      `json:"cause"`
	Affects       []string        `json:"affects"`
	Remedy        *remedyWire     `json:"remedy"`
	Activation    *activationWire `json:"activation" doc:"Of a Direct Routing domain"`
	LastSync      *lastSyncWire   `json:"lastSync"`
	NextTry       *time.Time      `json:"nextTry"`
	Failures      failuresWire    `json:"failures"`
	App           *appWire        `json:"app"`
	Tenant        *tenantWire     `json:"tenant"`
	Candidate     *tenantWire     `json:"candidate" doc:"A tenant whose administrator has consented and that is still to be confirmed"`
	VoicePolicy   *string         `json:"voicePolicy"`
	DialPlan      *string         `json:"dialPlan"`
	OperationID   *string         `json:"operationId" doc:"Of the connection being made"`
	SyncOperation *string         `json:"syncOperationId" doc:"Of a running sync"`
	Users         int             `json:"users"`
	WithNumber    int             `json:"usersWithNumber"`
	Made          []string        `json:"made" doc:"What was made in the tenant, in words"`
	Capabilities  []abilityWire   `json:"capabilities"`
	CreatedAt     time.Time       `json:"createdAt"`
	UpdatedAt     time.Time       `json:"updatedAt"`
	Version       int64           `json:"version"`
}

type causeWire struct {
	Code          string    `json:"code"`
	Detail        string    `json:"detail"`
	Since         time.Time `json:"since"`
	CorrelationID *string   `json:"correlationId" doc:"Microsoft's, for support"`
}

type remedyWire struct {
	Action *string `json:"action" doc:"Set where one button mends it"`
	Label  *string `json:"label"`
	Text   string  `json:"text"`
}

type activationWire struct {
	State string     `json:"state" enum:"not-started,waiting,done,failed"`
	Until *time.Time `json:"until"`
}

type lastSyncWire struct {
	At      time.Time `json:"at"`
	Users   int       `json:"users"`
	Changed int       `json:"changed"`
}

// failuresWire counts lost access against the access policy; what no policy says is null.
type failuresWire struct {
	Count    int        `json:"count"`
	Max      *int       `json:"max"`
	Window   *int       `json:"window" doc:"Seconds"`
	ResetsAt *time.Time `json:"resetsAt"`
}

type appWire struct {
	Kind          string `json:"kind" enum:"hosted,custom"`
	ApplicationID string `json:"applicationId"`
}

type tenantWire struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Domains []string `json:"domains"`
}

func wireService(c servicecard.Card) serviceWire {
	s := c.Service
	out := serviceWire{ID: s.ID, CustomerID: s.CustomerID, Kind: s.Kind, Sync: s.Sync, Status: c.Status, Sentence: c.Sentence,
		Cause: wireCause(c.Cause), Affects: orEmpty(c.Affects), Remedy: wireRemedy(c.Remedy), NextTry: when(c.NextTry),
		Failures: failuresWire{Count: c.Failures}, Tenant: wireTenant(c.Tenant), Candidate: wireTenant(c.Candidate),
		VoicePolicy: orNull(s.VoicePolicy), DialPlan: orNull(s.DialPlan), OperationID: orNull(c.OperationID), SyncOperation: orNull(c.SyncID),
		Users: c.Users, WithNumber: c.WithNumber, Made: orEmpty(c.Made), Capabilities: wireAbilities(c.Capabilities),
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, Version: s.Version}
	if c.Activation != nil {
		out.Activation = &activationWire{State: c.Activation.State, Until: when(c.Activation.Until)}
	}
	if c.LastSync != nil {
		out.LastSync = &lastSyncWire{At: c.LastSync.At.UTC(), Users: c.LastSync.Users, Changed: c.LastSync.Changed}
	}
	if c.App != nil {
		out.App = &appWire{Kind: c.App.Kind, ApplicationID: c.App.ApplicationID}
	}
	return out
}

func wireCause(c *pairing.Cause) *causeWire {
	if c == nil {
		return nil
	}
	return &causeWire{Code: c.Code, Detail: c.Detail, Since: c.Since.UTC(), CorrelationID: orNull(c.CorrelationID)}
}

func wireRemedy(r *fault.Remedy) *remedyWire {
	if r == nil {
		return nil
	}
	return &remedyWire{Action: orNull(r.Action), Label: orNull(r.Label), Text: r.Text}
}

func wireTenant(t *servicecard.Tenant) *tenantWire {
	if t == nil {
		return nil
	}
	return &tenantWire{ID: t.ID, Name: t.Name, Domains: orEmpty(t.Domains)}
}

// orEmpty is [] where there is nothing: a list is never null.
func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
