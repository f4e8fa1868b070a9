package capability

// Code is the stable name of a refusal.
type Code string

// The codes.
const (
	CodeNeedsSync           Code = "needs-sync"
	CodeDirectRoutingOnly   Code = "direct-routing-only"
	CodeOperatorConnectOnly Code = "operator-connect-only"
	CodeDirectRoutingSetup  Code = "direct-routing-needs-sync"
	CodeHostedApp           Code = "hosted-app-unavailable"
	CodePendingConsent      Code = "service-pending-consent"
	CodeActivating          Code = "service-activating"
	CodeDegraded            Code = "service-degraded"
	CodeSuspended           Code = "service-suspended"
	CodeDisconnected        Code = "service-disconnected"
	CodeUnknownFeature      Code = "unknown-feature"
	CodeUnknownService      Code = "unknown-service"
)

// Action is a button that a remedy offers.
type Action string

// The actions.
const (
	ActionGrantAccess Action = "grant-access"
	ActionTurnOnSync  Action = "turn-on-sync"
	ActionRunbook     Action = "runbook"
	ActionCustomApp   Action = "custom-app"
)

// refuseKind: the row is for the other kind of service.
func refuseKind(k Kind) Decision {
	if k == OperatorConnect {
		return Decision{
			Code:   CodeDirectRoutingOnly,
			Reason: "This belongs to Direct Routing. With Operator Connect nothing of it has to be configured in the tenant.",
			Remedy: Remedy{Label: "Use a Direct Routing service"},
		}
	}
	return Decision{
		Code:   CodeOperatorConnectOnly,
		Reason: "This belongs to Operator Connect. Direct Routing numbers carry no usage type and are not uploaded to Teams admin center.",
		Remedy: Remedy{Label: "Use an Operator Connect service"},
	}
}

// refuseDirectRoutingSetup: no sync, no Direct Routing.
func refuseDirectRoutingSetup() Decision {
	return Decision{
		Code: CodeDirectRoutingSetup,
		Reason: "Direct Routing cannot be set up without sync: its domain, dial plans and voice routes " +
			"are made inside the customer's tenant. Operator Connect can.",
		Remedy: Remedy{Action: ActionTurnOnSync, Label: "Turn on sync"},
	}
}

// refuseHostedApp: government clouds pair with an app of their own.
func refuseHostedApp(c Cloud) Decision {
	name := "GCC High"
	if c == DoD {
		name = "DoD"
	}
	return Decision{
		Code:   CodeHostedApp,
		Reason: "The hosted app cannot work in " + name + ". The customer creates an app in its own tenant.",
		Remedy: Remedy{Action: ActionCustomApp, Label: "Set up a custom app"},
	}
}

// refusePairing: a service without sync has nothing to pair.
func refusePairing() Decision {
	return Decision{
		Code:   CodeNeedsSync,
		Reason: "This service works without sync, so no app is paired with the tenant.",
		Remedy: Remedy{Action: ActionTurnOnSync, Label: "Turn on sync"},
	}
}

// refuseWithoutSync: sync is off by choice. Assignments have a runbook to run
// by hand (S3.2); it is no help where Direct Routing lacks its set-up.
func refuseWithoutSync(row line, s Service) Decision {
	d := Decision{
		Code:   CodeNeedsSync,
		Reason: "Without sync the platform neither reads nor changes the customer's tenant.",
		Remedy: Remedy{Action: ActionTurnOnSync, Label: "Turn on sync"},
	}
	if row.runbook && s.Kind == OperatorConnect {
		d.Reason += " The customer's Teams administrator does this in Teams admin center or PowerShell."
		d.Remedy = Remedy{Action: ActionRunbook, Label: "Get the PowerShell runbook"}
	}
	return d
}

// refuseState: sync is on, but there is no access now.
func refuseState(s Service) Decision {
	d := Decision{Temporary: true, Remedy: Remedy{Action: ActionGrantAccess, Label: "Grant access"}}
	if s.Cloud == GCCHigh || s.Cloud == DoD {
		d.Remedy = Remedy{Action: ActionCustomApp, Label: "Check the custom app"}
	}
	switch s.State {
	case Activating:
		d.Code, d.Reason = CodeActivating, "The tenant is being connected; its first sync has not finished."
		d.Remedy = Remedy{Label: "Wait for the first sync to finish"}
	case Degraded:
		d.Code, d.Reason = CodeDegraded, "The tenant cannot be reached. Calls work; changes wait until access is back."
	case Suspended:
		d.Code, d.Reason = CodeSuspended, "Calls are off because access to the tenant was lost (emergency calls work)."
	case Disconnected:
		d.Code, d.Reason = CodeDisconnected, "The tenant is no longer connected."
	default:
		d.Code, d.Reason = CodePendingConsent, "A Global Administrator of the customer has not allowed access yet."
	}
	return d
}

// refuseUnknownFeature: not a row of the table.
func refuseUnknownFeature() Decision {
	return Decision{Code: CodeUnknownFeature, Reason: "There is no such feature."}
}

// refuseUnknownService: a kind, cloud or state that does not exist.
func refuseUnknownService() Decision {
	return Decision{Code: CodeUnknownService, Reason: "The service's kind, cloud or state is not a known one."}
}
