package signin

import (
	"io"
	"net/http"
	"strings"
	"time"

	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

// themeLife is how long a choice of colours is remembered.
const themeLife = 365 * 24 * time.Hour

// theme keeps the colour scheme and returns to the page it was chosen on. The page's script reads and sets the same cookie.
func (p pages) theme(w http.ResponseWriter, r *http.Request) error {
	form, err := frame.ReadForm(w, r)
	if err != nil {
		return err
	}
	c := p.Cookie(ui.ThemeCookie, string(ui.ParseTheme(form.Get("theme"))), themeLife)
	c.HttpOnly = false
	http.SetCookie(w, c)
	return frame.Redirect(w, r, frame.Local(form.Get("return_to")))
}

// brand answers the stylesheet of an accent colour. The address names the colour, so that it can be kept for ever; it says
// nothing of whose colour it is that the page that links it does not.
func (p pages) brand(w http.ResponseWriter, r *http.Request) error {
	colour, ok := strings.CutSuffix(r.PathValue("file"), ".css")
	css, err := ui.BrandCSS("brand-"+r.PathValue("id"), "#"+colour)
	if err != nil || !ok {
		return fault.Missing("stylesheet").Because(err)
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = io.WriteString(w, css)
	return nil
}
