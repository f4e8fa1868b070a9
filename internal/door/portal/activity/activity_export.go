package activity

import (
	"net/http"
	"strconv"
	"time"

	"tcap.cloud/internal/base/audit"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/portal/listing"
)

const exportPage = 1000

// export writes everything that the filters let through as a file, newest first.
func (p pages) export(w http.ResponseWriter, r *http.Request) error {
	v, q, err := p.asked(r)
	if err != nil {
		return err
	}
	if text := v.form.Errors["since"]; text != "" {
		return fault.New(fault.Invalid, "invalid-since", "The day is not one. %s", text)
	}
	q.Limit = exportPage
	entries, err := audit.List(r.Context(), p.DB.R, q)
	if err != nil {
		return err
	}
	file, err := listing.Download(w, "activity.csv", "at", "who", "whoId", "action", "customerId", "targetKind", "targetId", "operationId", "chain", "seq", "detail")
	if err != nil {
		return nil //nolint:nilerr // the reader left
	}
	defer file.Close()
	for {
		for _, e := range entries {
			if file.Line(e.At.Format(time.RFC3339), e.Actor, e.ActorID, e.Action, e.CustomerID, e.TargetKind, e.TargetID, e.OperationID, e.Chain,
				strconv.FormatInt(e.Seq, 10), string(e.Detail)) != nil {
				return nil
			}
		}
		if len(entries) < exportPage {
			return nil
		}
		last := entries[len(entries)-1]
		q.Before = &audit.Cursor{At: last.At.UnixMicro(), Chain: last.Chain, Seq: last.Seq}
		if entries, err = audit.List(r.Context(), p.DB.R, q); err != nil {
			// The status is sent already: a file cut short must not look whole.
			p.Log.ErrorContext(r.Context(), "writing the activity", "error", err)
			panic(http.ErrAbortHandler)
		}
	}
}
