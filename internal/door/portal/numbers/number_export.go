package numbers

import (
	"net/http"
	"strings"

	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
)

func joined(tags []string) string { return strings.Join(tags, ", ") }

// export writes the numbers that the filters let through as a file.
func (p pages) export(w http.ResponseWriter, r *http.Request) error {
	v, q, err := p.asked(r)
	if err != nil {
		return err
	}
	who := frame.Actor(r)
	q.Cursor, q.Limit = "", 1000
	found, err := p.Numbers.Numbers(r.Context(), who, q)
	if err != nil {
		return err
	}
	names, _, err := listing.Customers(r.Context(), p.Frame, who)
	if err != nil {
		return err
	}
	file, err := listing.Download(w, "numbers.csv", "number", "state", "holder", "customer", "service", "type", "country", "callerId", "voicePolicy", "tags")
	if err != nil {
		return nil //nolint:nilerr // the reader left
	}
	defer file.Close()
	for {
		for _, n := range found.Items {
			if file.Line(line(n, names)...) != nil {
				return nil
			}
		}
		if found.Next == "" {
			return nil
		}
		q.Cursor = found.Next
		if found, err = p.Numbers.Numbers(r.Context(), who, q); err != nil {
			// The status is sent already: a file cut short must not look whole.
			p.Log.ErrorContext(r.Context(), "writing the numbers", "customer", v.customer.ID, "error", err)
			panic(http.ErrAbortHandler)
		}
	}
}

func line(n number.Number, names map[string]string) []string {
	holder := ""
	if n.Holder != nil {
		holder = n.Holder.Name
	}
	return []string{n.Number, string(n.State), holder, names[n.CustomerID], n.NumberType, n.Type, n.Country, n.CallerID, n.VoicePolicy, strings.Join(n.Tags, "|")}
}
