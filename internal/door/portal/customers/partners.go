package customers

import (
	"net/http"
	"strconv"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/listing"
	"tcap.cloud/internal/door/portal/ui"
)

// partnersView is the list of partners.
type partnersView struct {
	filters ui.Filters
	table   ui.Table
	pager   ui.Paging
	may     bool
}

func (p pages) partners(w http.ResponseWriter, r *http.Request) error {
	who := frame.Actor(r)
	q := listing.New("/partners", r.URL.Query())
	found, err := p.Org.Partners(r.Context(), who, org.PartnerQuery{Search: q.Get("search"), Sort: q.Get("sort"), Cursor: q.Cursor(), Limit: perPage})
	if err != nil {
		return err
	}
	v := partnersView{may: frame.Can(r, access.Operate), pager: q.Pager(found.Next, len(found.Items), found.Total, found.TotalIsLowerBound)}
	v.filters = ui.Filters{Action: "/partners", Label: "Search partners", Value: q.Get("search"), Keep: q.Keep("search"), Clear: q.Clear("search"), Live: "#partners"}
	v.table = ui.Table{ID: "partners", Caption: "Partners", Columns: []ui.Column{q.Column("Partner", "name", "name"), {Title: "Customers", Number: true}, q.Column("Since", "createdAt", "name")},
		Empty: ui.Empty{Icon: ui.IconBuilding, Sentence: "No partner matches. A partner sells to customers and sees only its own."}}
	for _, partner := range found.Items {
		count, err := p.customersOf(r, partner.ID)
		if err != nil {
			return err
		}
		v.table.Rows = append(v.table.Rows, ui.Row{Cells: []ui.Cell{{Text: partner.Name, Sub: partner.Brand.DisplayName, Href: "/customers?partner=" + partner.ID},
			{Text: count, Href: "/customers?partner=" + partner.ID}, {Body: ui.Time(partner.CreatedAt, p.Now())}}})
	}
	return p.Render(w, r, http.StatusOK, p.Page(r, "Partners", ui.SectionCustomers), partnersPage(v))
}

// customersOf counts a partner's customers, in words where they are too many to count.
func (p pages) customersOf(r *http.Request, partnerID string) (string, error) {
	page, err := p.Org.Customers(r.Context(), frame.Actor(r), org.CustomerQuery{PartnerID: partnerID, Limit: 1})
	if page.TotalIsLowerBound {
		return "more than " + strconv.Itoa(page.Total), err
	}
	return strconv.Itoa(page.Total), err
}

func (p pages) newPartner(w http.ResponseWriter, r *http.Request) error {
	if err := access.Can(frame.Actor(r), access.Operate); err != nil {
		return err
	}
	return p.drawPartner(w, r, http.StatusOK, frame.NewForm())
}

func (p pages) drawPartner(w http.ResponseWriter, r *http.Request, status int, form frame.Form) error {
	page := p.Page(r, "New partner", ui.SectionCustomers)
	page.Path = "/partners/new"
	return p.Render(w, r, status, page, newPartnerPage(form))
}

func (p pages) createPartner(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	partner, err := p.Org.CreatePartner(r.Context(), frame.Actor(r), org.NewPartner{Name: form.Get("name"),
		Brand: org.Brand{SupportEmail: form.Get("brand.supportEmail"), Accent: form.Get("brand.accent")}})
	if err != nil {
		if !form.Reject(err, "name", "brand.supportEmail", "brand.accent") {
			return err
		}
		return p.drawPartner(w, r, frame.StatusOf(err), form)
	}
	return p.Done(w, r, "/customers?partner="+partner.ID, partner.Name+" was added")
}
