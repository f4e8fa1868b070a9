package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/remote/msgraph"
)

// Product is what a tenant has bought.
type Product struct {
	SkuID      string
	PartNumber string
	Name       string
	Bought     int
	Used       int
	VoicePlans []string
}

// products reads what the tenant has bought; a short list, replaced as a whole.
func (p *pass) products(ctx context.Context) (string, error) {
	skus, err := p.graph.SubscribedSKUs(ctx)
	if err != nil {
		return "", fmt.Errorf("reading products: %w", err)
	}
	err = p.w.Write(ctx, func(ctx context.Context, tx db.Tx) error { return p.putProducts(ctx, tx, skus) })
	return counted(len(skus), "product"), err
}

func (p *pass) putProducts(ctx context.Context, tx db.Tx, skus []msgraph.SubscribedSKU) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM tenant_product WHERE customer_id = $1`, p.customerID); err != nil {
		return fmt.Errorf("replacing products: %w", err)
	}
	for _, s := range skus {
		var plans []string
		for _, plan := range s.ServicePlans {
			if name := p.d.catalogue.planName(plan.ServicePlanID); name != "" {
				plans = append(plans, name)
			}
		}
		slices.Sort(plans)
		_, err := tx.ExecContext(ctx, `INSERT INTO tenant_product (customer_id, sku_id, part_number, bought, used, plans, generation)
			VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (customer_id, sku_id) DO NOTHING`,
			p.customerID, strings.ToLower(s.SkuID), clean(s.SkuPartNumber), s.PrepaidUnits.Enabled+s.PrepaidUnits.Warning, s.ConsumedUnits,
			strings.Join(slices.Compact(plans), " "))
		if err != nil {
			return fmt.Errorf("keeping a product: %w", err)
		}
	}
	return nil
}

// Products lists what the customer's tenant has bought, as the last sync saw it, by name.
func (d *Directory) Products(ctx context.Context, actor access.Actor, customerID string) ([]Product, error) {
	if _, err := d.customer(ctx, actor, access.Read, customerID); err != nil {
		return nil, err
	}
	list, err := readProducts(ctx, d.db.R, customerID)
	if err != nil {
		return nil, err
	}
	b := d.bookFrom(list)
	for i := range list {
		list[i].Name = b.product(list[i].SkuID).name
	}
	slices.SortFunc(list, func(a, b Product) int { return strings.Compare(a.Name+a.SkuID, b.Name+b.SkuID) })
	return list, nil
}

func readProducts(ctx context.Context, q db.Querier, customerID string) ([]Product, error) {
	rows, err := q.QueryContext(ctx, `SELECT sku_id, part_number, bought, used, plans FROM tenant_product WHERE customer_id = $1`, customerID)
	if err != nil {
		return nil, fmt.Errorf("reading products: %w", err)
	}
	defer rows.Close()
	var list []Product
	for rows.Next() {
		var p Product
		var plans string
		if err := rows.Scan(&p.SkuID, &p.PartNumber, &p.Bought, &p.Used, &plans); err != nil {
			return nil, fmt.Errorf("reading a product: %w", err)
		}
		p.VoicePlans = strings.Fields(plans)
		list = append(list, p)
	}
	return list, rows.Err()
}

func (d *Directory) bookOf(ctx context.Context, q db.Querier, customerID string) (book, error) {
	list, err := readProducts(ctx, q, customerID)
	return d.bookFrom(list), err
}

func (d *Directory) bookFrom(list []Product) book {
	b := book{catalogue: d.catalogue, tenant: map[string]product{}}
	for _, p := range list {
		b.tenant[p.SkuID] = product{partNumber: p.PartNumber, plans: p.VoicePlans}
	}
	return b
}

// counted is "1 user", "250 users".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
