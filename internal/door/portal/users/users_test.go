package users_test

import (
	"net/http"
	"testing"

	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/portal/operations"
	"tcap.cloud/internal/door/portal/portaltest"
	"tcap.cloud/internal/door/portal/users"
	"tcap.cloud/internal/engine/operation"
)

func world(t *testing.T) (*portaltest.World, string) {
	t.Helper()
	w := portaltest.New(t, users.Register, operations.Register)
	return w, "/customers/" + w.Wingtip.ID + "/users"
}

func TestTheListTellsWhoCannotHaveANumberAndWhy(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	agent := w.Agent()
	page := agent.Get(list)
	page.Has(t, http.StatusOK, "Ana Lopez", "ana@wingtip.example", "Not licensed", "needs Teams Phone", "Last synced", "Resync", "1–3 of 3", "Ben &lt;b&gt;Bold&lt;/b&gt;")
	agent.Get(list+"?status=not-licensed").Lacks(t, "Ana Lopez")
	agent.Get(list+"?number=has").Has(t, http.StatusOK, "No user matches.", "Clear filters")
	agent.Get(list+"?search=chris").Lacks(t, "Ana Lopez")
	agent.Get(list+"?managed=perhaps").Has(t, http.StatusUnprocessableEntity)
	agent.Get("/customers/"+w.Wingtip.ID+"/users?sort=shoe").Has(t, http.StatusUnprocessableEntity)
}

func TestBeforeTheFirstSyncThePageSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w, _ := world(t)
	w.Operator().Get("/customers/"+w.Tailspin.ID+"/users").Has(t, http.StatusOK, "Never synced.", "Open the service cards")
}

func TestTheManagedSwitchIsAFormAndComesBackToTheList(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	agent := w.Agent()
	agent.Get(list).Has(t, http.StatusOK, `role="switch"`, `aria-checked="true"`)
	agent.Post(list+"/"+portaltest.Ana+"/managed", "managed", "false", "return_to", list+"?search=ana").LeadsTo(t, list+"?search=ana")
	agent.Get(list+"?managed=false").Has(t, http.StatusOK, "Ana Lopez")
	agent.Post(list+"/"+portaltest.Ana+"/managed", "managed", "true", "return_to", "https://elsewhere.example/").LeadsTo(t, "/")
}

func TestAssignShowsThePlanThenAppliesItAndTakesItBack(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	agent, ana := w.Agent(), list+"/"+portaltest.Ana
	agent.Get(ana).Has(t, http.StatusOK, "Assign a number", `value="+61 2 5550 0001"`, "Australia", "The API call that does the same")
	plan := agent.Get(ana + "/preview?number=02+5550+0001&voicePolicy=%3DAustralia")
	plan.Has(t, http.StatusOK, "What will be changed in the tenant", "Assign +61\u00a02\u00a05550\u00a00001", "Grant the voice routing policy Australia", "Apply")
	done := agent.Post(ana+"/assign", "number", "02 5550 0001", "voicePolicy", "=Australia", "planHash", plan.Field(t, "planHash"))
	id := done.LeadsTo(t, "/operations/")
	if o := w.Until(id, operation.Succeeded, operation.Failed); o.State != operation.Succeeded {
		t.Fatalf("the assignment failed: %+v", o.Error)
	}
	agent.Get("/operations/"+id).Has(t, http.StatusOK, "Assign +61\u00a02\u00a05550\u00a00001 to Ana Lopez", "What was changed in the tenant", "Grant the voice routing policy Australia to Ana Lopez", "Done")
	agent.Get(ana).Has(t, http.StatusOK, "+61\u00a02\u00a05550\u00a00001", "Unassign", "Change the number or its policy", `value="+61 2 5550 0001"`, "Done: Assign +61\u00a02\u00a05550\u00a00001", "Assigned, seen in the tenant: Ana Lopez")
	ask := agent.Get(ana + "/unassign")
	ask.Has(t, http.StatusOK, "Take the number back from Ana Lopez?", "Take +61\u00a02\u00a05550\u00a00001 back")
	id = agent.Post(ana+"/unassign", "planHash", ask.Field(t, "planHash")).LeadsTo(t, "/operations/")
	if o := w.Until(id, operation.Succeeded, operation.Failed); o.State != operation.Succeeded {
		t.Fatalf("taking it back failed: %+v", o.Error)
	}
	if n, err := w.Numbers.Number(t.Context(), w.Root, "+61255500001"); err != nil || n.State != number.Free {
		t.Errorf("the number is %s (%v)", n.State, err)
	}
}

func TestAStalePlanShowsTheNewOneAndChangesNothing(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	agent := w.Agent()
	answer := agent.Post(list+"/"+portaltest.Ana+"/assign", "number", "+61255500001", "planHash", "0000")
	answer.Has(t, http.StatusPreconditionFailed, "no longer as it was", "Nothing was changed.", "Apply")
	if answer.Field(t, "planHash") == "0000" {
		t.Error("the new plan has the old hash")
	}
	if n, err := w.Numbers.Number(t.Context(), w.Root, "+61255500001"); err != nil || n.State != number.Free {
		t.Errorf("the number is %s (%v)", n.State, err)
	}
}

func TestARefusalKeepsWhatWasTypedAndSaysWhereItIsWrong(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	agent, ana := w.Agent(), list+"/"+portaltest.Ana
	agent.Post(ana+"/assign", "number", "12").Has(t, http.StatusUnprocessableEntity, `value="12"`, `aria-invalid="true"`)
	agent.Post(ana+"/assign", "number", "+61255509999").Has(t, http.StatusUnprocessableEntity, `value="+61255509999"`, "not in this customer")
	agent.Post(ana+"/assign", "number", "+61255500001", "voicePolicy", "=Nowhere").Has(t, http.StatusUnprocessableEntity, "The tenant has none named")
	agent.Get(list+"/"+portaltest.Chris).Has(t, http.StatusOK, "Chris Green cannot have a number: has Microsoft 365 E3, needs Teams Phone.")
	agent.Get(list+"/"+portaltest.Chris).Lacks(t, "/assign")
	agent.Post(list+"/"+portaltest.Chris+"/assign", "number", "+61255500001").Has(t, http.StatusConflict, "cannot have a number")
	agent.Get(ana+"/unassign").Has(t, http.StatusConflict, "has no number")
}

func TestANumberThatAnotherHasIsRefusedNamingTheHolder(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	agent := w.Agent()
	id := agent.Post(list+"/"+portaltest.Ana+"/assign", "number", "+61255500001").LeadsTo(t, "/operations/")
	w.Until(id, operation.Succeeded)
	agent.Post(list+"/"+portaltest.Ben+"/assign", "number", "+61255500001").Has(t, http.StatusConflict, "held by Ana Lopez", "ana@wingtip.example")
	agent.Get(list).Has(t, http.StatusOK, "+61\u00a02\u00a05550\u00a00001", "/numbers/+61255500001")
}

func TestOnlyThoseInScopeSeeUsersAndAViewerChangesNothing(t *testing.T) {
	t.Parallel()
	w, list := world(t)
	stranger, viewer, ana := w.Stranger(), w.Viewer(), list+"/"+portaltest.Ana
	for _, path := range []string{list, ana, ana + "/preview?number=%2B61255500001", ana + "/unassign", list + "/nobody"} {
		stranger.Get(path).Has(t, http.StatusNotFound)
	}
	for _, path := range []string{"/managed", "/assign", "/unassign"} {
		stranger.Post(ana+path, "number", "+61255500001").Has(t, http.StatusNotFound)
		viewer.Post(ana+path, "number", "+61255500001").Has(t, http.StatusForbidden)
	}
	viewer.Get(list).Lacks(t, "Resync", `role="switch"`, "#assign")
	viewer.Get(ana).Lacks(t, "<form class=\"tc-form\"", "Unassign")
	viewer.Get(ana+"/preview?number=%2B61255500001").Has(t, http.StatusForbidden)
}
