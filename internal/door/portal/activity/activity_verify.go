package activity

import (
	"fmt"
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// verify walks every chain from its beginning and says what holds; the operator's administrators alone.
func (p pages) verify(w http.ResponseWriter, r *http.Request) error {
	if err := access.Can(frame.Actor(r), access.Operate); err != nil {
		return err
	}
	v, q, err := p.asked(r)
	if err != nil {
		return err
	}
	entries, broken, err := audit.Verify(r.Context(), p.DB.R)
	if err != nil {
		return err
	}
	proof := proofOf(entries, broken)
	v.proof = &proof
	return p.draw(w, r, v, q)
}

// proofOf says the outcome in words.
func proofOf(entries int64, broken []audit.Broken) ui.ProblemView {
	if len(broken) == 0 {
		return ui.ProblemView{Tone: ui.ToneGood, Happened: fmt.Sprintf("Verified to entry %d.", entries),
			Means: "Each entry follows the one before it; none was altered, dropped or moved. What was cut off at the very end is found only against a copy kept elsewhere."}
	}
	b := broken[0]
	return ui.ProblemView{Tone: ui.ToneBad, Happened: fmt.Sprintf("The record is broken: %d of its chains do not hold.", len(broken)),
		Means: fmt.Sprintf("The first one is %s, at entry %d: %s. %d entries before the breaks hold.", b.Chain, b.Seq, b.Why, entries),
		Do:    "Keep a copy of the store as it is, and compare it with the last backup."}
}
