package listing

import (
	"context"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// Customers answers the names of the customers in the person's scope by id, and the options of a filter. The first thousand
// by name: whoever has more comes from the customer's own page.
func Customers(ctx context.Context, f *frame.Frame, who access.Actor) (map[string]string, []ui.Option, error) {
	page, err := f.Org.Customers(ctx, who, org.CustomerQuery{Limit: 1000})
	if err != nil {
		return nil, nil, err
	}
	names, options := map[string]string{}, []ui.Option{{Text: "Every customer"}}
	for _, c := range page.Items {
		names[c.ID] = c.Name
		options = append(options, ui.Option{Value: c.ID, Text: c.Name})
	}
	return names, options, nil
}
