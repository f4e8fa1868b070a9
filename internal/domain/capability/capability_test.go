package capability_test

import (
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tcap.cloud/internal/domain/capability"
)

func service(kind capability.Kind, sync bool, cloud capability.Cloud, state capability.State) capability.Service {
	return capability.Service{Kind: kind, Sync: sync, Cloud: cloud, State: state}
}

func TestDirectRoutingCannotBeAddedWithoutSync(t *testing.T) {
	t.Parallel()
	got := capability.Check(capability.AddService, service(capability.DirectRouting, false, capability.Global, ""))
	if got.Allowed || got.Code != capability.CodeDirectRoutingSetup || got.Remedy.Action != capability.ActionTurnOnSync {
		t.Errorf("%+v", got)
	}
	for _, s := range []capability.Service{
		service(capability.DirectRouting, true, capability.Global, ""),
		service(capability.OperatorConnect, true, capability.Global, ""),
		service(capability.OperatorConnect, false, capability.DoD, ""),
	} {
		if got := capability.Check(capability.AddService, s); !got.Allowed {
			t.Errorf("%+v: %+v", s, got)
		}
	}
}

func TestHostedAppIsRefusedInGovernmentCloudsOnly(t *testing.T) {
	t.Parallel()
	for _, cloud := range capability.Clouds() {
		for _, kind := range capability.Kinds() {
			got := capability.Check(capability.HostedApp, service(kind, true, cloud, capability.PendingConsent))
			government := cloud == capability.GCCHigh || cloud == capability.DoD
			if got.Allowed == government {
				t.Errorf("%s, %s: %+v", kind, cloud, got)
			}
			if government && (got.Code != capability.CodeHostedApp || got.Remedy.Action != capability.ActionCustomApp) {
				t.Errorf("%s, %s: %+v", kind, cloud, got)
			}
		}
	}
}

func TestServiceWithoutSyncPairsNoApp(t *testing.T) {
	t.Parallel()
	got := capability.Check(capability.HostedApp, service(capability.OperatorConnect, false, capability.Global, ""))
	if got.Allowed || got.Code != capability.CodeNeedsSync || got.Remedy.Action != capability.ActionTurnOnSync {
		t.Errorf("%+v", got)
	}
}

func TestGrantingAccessIsNeverRefusedForLackOfAccess(t *testing.T) {
	t.Parallel()
	for _, state := range capability.States() {
		for _, f := range []capability.Feature{capability.HostedApp, capability.TenantAssociation, capability.AddService} {
			if got := capability.Check(f, service(capability.DirectRouting, true, capability.Global, state)); !got.Allowed {
				t.Errorf("%s while %s: %+v", f, state, got)
			}
		}
	}
}

func TestNumbersOfALostDirectRoutingServiceAreKeptAsData(t *testing.T) {
	t.Parallel()
	for _, state := range []capability.State{capability.Degraded, capability.Suspended, capability.Disconnected} {
		for _, f := range []capability.Feature{capability.AssignTrunk, capability.CallerID, capability.NumberRouting, capability.Release} {
			got := capability.Check(f, service(capability.DirectRouting, true, capability.Global, state))
			if !got.Allowed || !got.DataOnly {
				t.Errorf("%s while %s: %+v", f, state, got)
			}
		}
	}
}

func TestOperatorConnectManagesNumbersInFullWithoutSync(t *testing.T) {
	t.Parallel()
	for _, f := range []capability.Feature{capability.AssignTrunk, capability.CallerID, capability.NumberRouting,
		capability.UsageType, capability.UploadNumbers, capability.Release, capability.BillingActiveNumbers} {
		got := capability.Check(f, service(capability.OperatorConnect, false, capability.Global, ""))
		if !got.Allowed || got.DataOnly {
			t.Errorf("%s: %+v", f, got)
		}
	}
}

func TestAssignmentsWithoutSyncOfferTheRunbook(t *testing.T) {
	t.Parallel()
	s := service(capability.OperatorConnect, false, capability.Global, "")
	for _, f := range []capability.Feature{capability.AssignNumbers, capability.UnassignNumbers,
		capability.AssignResourceAccountNumbers, capability.UnassignResourceAccountNumbers} {
		if got := capability.Check(f, s); got.Allowed || got.Temporary || got.Remedy.Action != capability.ActionRunbook {
			t.Errorf("%s: %+v", f, got)
		}
	}
	if got := capability.Check(capability.ReadUsers, s); got.Remedy.Action != capability.ActionTurnOnSync {
		t.Errorf("read-users: %+v", got)
	}
}

func TestEachStateRefusesWithItsOwnCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state  capability.State
		code   capability.Code
		action capability.Action
	}{
		{"", capability.CodePendingConsent, capability.ActionGrantAccess},
		{capability.PendingConsent, capability.CodePendingConsent, capability.ActionGrantAccess},
		{capability.Activating, capability.CodeActivating, ""},
		{capability.Degraded, capability.CodeDegraded, capability.ActionGrantAccess},
		{capability.Suspended, capability.CodeSuspended, capability.ActionGrantAccess},
		{capability.Disconnected, capability.CodeDisconnected, capability.ActionGrantAccess},
	} {
		got := capability.Check(capability.AssignNumbers, service(capability.OperatorConnect, true, capability.Global, c.state))
		if got.Allowed || !got.Temporary || got.Code != c.code || got.Remedy.Action != c.action {
			t.Errorf("%q: %+v", c.state, got)
		}
		high := capability.Check(capability.AssignNumbers, service(capability.OperatorConnect, true, capability.GCCHigh, c.state))
		if high.Remedy.Action == capability.ActionGrantAccess {
			t.Errorf("%q in GCC High offers the hosted app's consent", c.state)
		}
	}
}

func TestRowsOfTheOtherKindSaySo(t *testing.T) {
	t.Parallel()
	if got := capability.Check(capability.DialPlans, service(capability.OperatorConnect, true, capability.Global, capability.Active)); got.Code != capability.CodeDirectRoutingOnly {
		t.Errorf("%+v", got)
	}
	if got := capability.Check(capability.UploadNumbers, service(capability.DirectRouting, true, capability.Global, capability.Active)); got.Code != capability.CodeOperatorConnectOnly {
		t.Errorf("%+v", got)
	}
}

func TestWhatTheTableDoesNotKnowIsRefused(t *testing.T) {
	t.Parallel()
	good := service(capability.DirectRouting, true, capability.Global, capability.Active)
	if got := capability.Check("make-coffee", good); got.Allowed || got.Code != capability.CodeUnknownFeature {
		t.Errorf("%+v", got)
	}
	for _, bad := range []capability.Service{
		{}, {Kind: "carrier-pigeon", Sync: true, Cloud: capability.Global, State: capability.Active},
		{Kind: capability.DirectRouting, Sync: true, Cloud: "moon", State: capability.Active},
		{Kind: capability.DirectRouting, Sync: true, Cloud: capability.Global, State: "splendid"},
		{Kind: capability.DirectRouting, Sync: true, State: capability.Active},
	} {
		if got := capability.Check(capability.AssignTrunk, bad); got.Allowed || got.Code != capability.CodeUnknownService {
			t.Errorf("%+v: %+v", bad, got)
		}
	}
}

func TestMatrixIsWholeAndInWords(t *testing.T) {
	t.Parallel()
	rows, seen := capability.All(), map[capability.Feature]bool{}
	if len(rows) != len(capability.Features()) {
		t.Errorf("%d rows, %d features", len(rows), len(capability.Features()))
	}
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, r := range rows {
		if seen[r.Feature] || !kebab.MatchString(string(r.Feature)) {
			t.Errorf("%s stands twice or is no stable name", r.Feature)
		}
		seen[r.Feature] = true
		if r.Title == "" || r.Description == "" || r.Section == "" {
			t.Errorf("%s lacks its words", r.Feature)
		}
		if want := len(capability.Kinds()) * 2 * len(capability.Clouds()); len(r.Cells) != want {
			t.Errorf("%s has %d cells of %d", r.Feature, len(r.Cells), want)
		}
	}
}

func TestARefusalAlwaysSaysWhyAndWhatToDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := capability.Service{
			Kind: rapid.SampledFrom(capability.Kinds()).Draw(t, "kind"), Sync: rapid.Bool().Draw(t, "sync"),
			Cloud: rapid.SampledFrom(capability.Clouds()).Draw(t, "cloud"),
			State: rapid.SampledFrom(append(capability.States(), "")).Draw(t, "state"),
		}
		answers := capability.Of(s)
		a := answers[rapid.IntRange(0, len(answers)-1).Draw(t, "feature")]
		d := a.Decision
		if d != capability.Check(a.Feature, s) {
			t.Fatalf("%s: Of and Check differ", a.Feature)
		}
		silent := d.Code == "" && d.Reason == "" && d.Remedy == capability.Remedy{} && !d.Temporary
		spoken := d.Code != "" && d.Reason != "" && d.Remedy.Label != "" && !d.DataOnly
		if d.Allowed && !silent || !d.Allowed && !spoken {
			t.Fatalf("%s for %+v: %+v", a.Feature, s, d)
		}
		if d.Allowed && !s.Sync && slices.Contains(tenantRows(), a.Feature) {
			t.Fatalf("%s is allowed without sync", a.Feature)
		}
	})
}

// tenantRows read or write the customer's tenant and nothing else.
func tenantRows() []capability.Feature {
	return []capability.Feature{
		capability.FQDNCreation, capability.ValidateDomains, capability.ActivateDomains, capability.DialPlans, capability.VoiceRoutes,
		capability.ReadUsers, capability.AssignNumbers, capability.UnassignNumbers, capability.ReadResourceAccounts,
		capability.CreateResourceAccounts, capability.AssignTemplates, capability.ResourceAccountBuilder, capability.BillingActiveUsers,
	}
}
