package operations

import (
	"strings"
	"testing"

	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/engine/operation"
)

func TestAPersonWhoLeftTheTenantIsToldByNameWithWhatToDo(t *testing.T) {
	t.Parallel()
	v := view{customer: org.Customer{ID: "c", Name: "Wingtip Toys"}, people: frame.Names{"u": "Ben Hall"}, act: true}
	v.op.Kind, v.op.Title = number.AssignKind, "Assign +61 2 5550 0001 to Ben Hall"
	v.op.Error = &operation.Problem{Code: "not-found", Detail: "There is no such thing in the tenant (User … was not found.)"}
	pv := v.problem()
	if pv.Happened != "Ben Hall is no longer in the tenant." || !strings.HasPrefix(pv.Do, "Resync Wingtip Toys") || pv.Actions == nil {
		t.Errorf("%+v", pv)
	}
	if v.act = false; v.problem().Actions != nil {
		t.Error("who may not resync is offered it")
	}
	v.op.Error = &operation.Problem{Code: "conflict", Detail: "+61255500001 was changed meanwhile"}
	if pv := v.problem(); !strings.Contains(pv.Happened, "changed meanwhile") || pv.Actions != nil {
		t.Errorf("another failure: %+v", pv)
	}
}
