package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tcap.cloud/internal/base/fault"
)

func TestAFaultIsFoundBelowItsWrappings(t *testing.T) {
	t.Parallel()
	f := fault.New(fault.Conflict, "number-held", "%s has it.", "Ana")
	err := fmt.Errorf("assigning: %w", errors.Join(errors.New("beside it"), fmt.Errorf("inner: %w", f)))
	if got, ok := fault.Of(err); !ok || got != f || got.Detail != "Ana has it." {
		t.Fatalf("found %v, %v", got, ok)
	}
	if !fault.Is(err, "number-held") || fault.Is(err, "number") || fault.KindOf(err) != fault.Conflict {
		t.Fatalf("is %v, kind %v", fault.Is(err, "number-held"), fault.KindOf(err))
	}
}

func TestWhatIsNoFaultIsInternal(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, errors.New("disk full")} {
		if _, ok := fault.Of(err); ok || fault.KindOf(err) != fault.Internal || fault.Is(err, "") {
			t.Errorf("%v: a fault %v, kind %v", err, ok, fault.KindOf(err))
		}
	}
}

func TestTheCauseIsForTheLogAndNotInTheDetail(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial tcp 10.0.0.7: refused")
	f := fault.New(fault.Unavailable, "unreachable", "Microsoft does not answer.").Because(cause)
	if !errors.Is(f, cause) || !strings.Contains(f.Error(), "10.0.0.7") || strings.Contains(f.Detail, "10.0.0.7") {
		t.Fatalf("%v; detail %q", f, f.Detail)
	}
	if plain := fault.New(fault.Invalid, "bad-name", "A name is needed."); plain.Error() != "bad-name: A name is needed." || plain.Unwrap() != nil {
		t.Fatalf("%v", plain)
	}
}

func TestRemedyActionAndFieldsAreKept(t *testing.T) {
	t.Parallel()
	f := fault.New(fault.Invalid, "bad", "No.").WithRemedy("Wait %d minutes.", 5)
	if *f.Remedy != (fault.Remedy{Text: "Wait 5 minutes."}) {
		t.Errorf("%+v", f.Remedy)
	}
	if f.WithAction("grant-access", "Grant access", "50 % done"); *f.Remedy != (fault.Remedy{Text: "50 % done", Action: "grant-access", Label: "Grant access"}) {
		t.Errorf("%+v", f.Remedy)
	}
	f.WithFields(fault.Field{Path: "line 1"}).WithFields(fault.Field{Path: "line 2"}, fault.Field{Path: "line 3"})
	if len(f.Fields) != 3 || f.Fields[2].Path != "line 3" {
		t.Errorf("%+v", f.Fields)
	}
}

func TestTheCommonRefusals(t *testing.T) {
	t.Parallel()
	if f := fault.Missing("customer"); f.Kind != fault.NotFound || f.Code != "not-found" || !strings.Contains(f.Detail, "customer") {
		t.Errorf("%+v", f)
	}
	if f := fault.StaleVersion("service"); f.Kind != fault.Stale || f.Code != "stale-version" || f.Remedy == nil {
		t.Errorf("%+v", f)
	}
}
