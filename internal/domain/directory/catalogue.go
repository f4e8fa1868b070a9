package directory

import (
	"crypto/sha256"
	"embed"
	"encoding/csv"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

//go:embed data/*.csv
var data embed.FS

// product is something that a tenant buys: its name for people and the voice plans inside.
type product struct {
	name, partNumber string
	plans            []string
}

// Catalogue is Microsoft's published list of products and service plans, as far as calling needs it (the page "Product names
// and service plan identifiers for licensing"; facts/teams-admin.md I). What is not in it is called by its part number.
type Catalogue struct {
	bySKU  map[string]product
	byPart map[string]product
	plans  map[string]string // service plan id to its short name
}

// LoadCatalogue reads the list that is built in.
func LoadCatalogue() (*Catalogue, error) {
	c := &Catalogue{bySKU: map[string]product{}, byPart: map[string]product{}, plans: map[string]string{}}
	err := eachLine("data/products.csv", 4, func(f []string) {
		p := product{name: f[0], partNumber: f[1], plans: strings.Fields(f[3])}
		c.bySKU[strings.ToLower(f[2])], c.byPart[strings.ToUpper(f[1])] = p, p
	})
	if err != nil {
		return nil, err
	}
	return c, eachLine("data/plans.csv", 2, func(f []string) { c.plans[strings.ToLower(f[1])] = f[0] })
}

// eachLine reads a built-in file without its heading.
func eachLine(name string, fields int, line func([]string)) error {
	text, err := fs.ReadFile(data, name)
	if err != nil {
		return fmt.Errorf("reading the built-in %s: %w", name, err)
	}
	r := csv.NewReader(strings.NewReader(string(text)))
	r.FieldsPerRecord = fields
	lines, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("reading the built-in %s: %w", name, err)
	}
	for _, l := range lines[1:] {
		line(l)
	}
	return nil
}

// planName is the short name of a plan that calling depends on; "" for every other.
func (c *Catalogue) planName(id string) string {
	name := c.plans[strings.ToLower(id)]
	for _, n := range [][]string{phonePlans(), teamsPlans(), resourcePlans()} {
		if slices.Contains(n, name) {
			return name
		}
	}
	return ""
}

// book is the catalogue with what one tenant says of its own products, which goes first.
type book struct {
	catalogue *Catalogue
	tenant    map[string]product // by SKU id
}

func (b book) product(sku string) product {
	sku = strings.ToLower(sku)
	known, inList := b.catalogue.bySKU[sku]
	own, bought := b.tenant[sku]
	switch {
	case bought && !inList:
		known, inList = b.catalogue.byPart[strings.ToUpper(own.partNumber)]
		if !inList {
			known.name = own.partNumber
		}
		fallthrough
	case bought:
		known.partNumber, known.plans = own.partNumber, own.plans
	case !inList:
		known.name = "a product that is not in Microsoft's list"
	}
	return known
}

// digest changes when a verdict about somebody unchanged may change with the tenant's products.
func (b book) digest() []byte {
	h := sha256.New()
	for _, sku := range slices.Sorted(maps.Keys(b.tenant)) {
		p := b.tenant[sku]
		fmt.Fprintf(h, "%s %s %s\n", sku, p.partNumber, strings.Join(p.plans, " "))
	}
	return h.Sum(nil)
}
