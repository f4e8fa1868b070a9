package settings

import (
	"net/http"
	"strconv"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
)

func (p pages) brand(w http.ResponseWriter, r *http.Request) error {
	if err := access.Can(frame.Actor(r), access.Operate); err != nil {
		return err
	}
	op, err := p.Org.Operator(r.Context())
	if err != nil {
		return err
	}
	return p.drawBrand(w, r, http.StatusOK, frame.NewForm("name", op.Name, "brand.displayName", op.Brand.DisplayName, "brand.accent", op.Brand.Accent,
		"brand.supportEmail", op.Brand.SupportEmail, "brand.supportUrl", op.Brand.SupportURL, "version", strconv.FormatInt(op.Version, 10)))
}

func (p pages) drawBrand(w http.ResponseWriter, r *http.Request, status int, form frame.Form) error {
	return p.Render(w, r, status, p.page(r, "Brand", "/settings/brand"), brandPage(form, tabs(r, "Brand")))
}

func (p pages) saveBrand(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	op, err := p.Org.Operator(r.Context())
	if err != nil {
		return err
	}
	brand := org.Brand{DisplayName: form.Get("brand.displayName"), Accent: form.Get("brand.accent"), LogoURL: op.Brand.LogoURL,
		SupportEmail: form.Get("brand.supportEmail"), SupportURL: form.Get("brand.supportUrl")}
	version, _ := strconv.ParseInt(form.Get("version"), 10, 64)
	if _, err := p.Org.UpdateOperator(r.Context(), frame.Actor(r), org.OperatorPatch{Name: form.Optional("name"), Brand: &brand}, version); err != nil {
		if !form.Reject(err, "name", "brand.displayName", "brand.accent", "brand.supportEmail", "brand.supportUrl") {
			return err
		}
		return p.drawBrand(w, r, frame.StatusOf(err), form)
	}
	return p.Done(w, r, "/settings/brand", "Saved")
}
