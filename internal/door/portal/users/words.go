package users

import (
	"encoding/json"

	"github.com/a-h/templ"

	"tcap.cloud/internal/base/e164"
	"tcap.cloud/internal/domain/directory"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/frame"
	"tcap.cloud/internal/door/portal/ui"
)

func onWord(on bool) string {
	if on {
		return "On"
	}
	return "Off"
}

func trueWord(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

func statusPointer(u directory.User) *ui.State {
	s := ui.UserState(string(u.Status))
	return &s
}

func assignTitle(v view) string {
	if v.user.Number != "" {
		return "Change the number or its policy"
	}
	return "Assign a number"
}

// numberField is a text field that offers the free numbers.
func (v view) numberField() ui.Field {
	f := v.form.Needed("number", "Number", v.freeWords())
	f.Attrs = templ.Attributes{"list": "free-numbers", "autocomplete": "off", "inputmode": "tel"}
	return f
}

// warningWords says what a caller should know although the assignment is allowed.
func warningWords(code string) string {
	switch code {
	case "not-activated":
		return "The service's domain is not activated yet: the number is assigned, and calls come once it is."
	default:
		return code
	}
}

// body is what the API call of the page sends.
func (v view) body() string {
	wanted := v.wanted()
	if wanted == "" {
		wanted = plain(v.user.Number)
	}
	raw, err := json.Marshal(map[string]string{"number": wanted})
	if err != nil {
		return "{}"
	}
	return string(raw)
}

// offered is a free number as the field offers it; what is typed in is read however it is spelled.
func offered(n number.Number) string { return e164.Number(n.Number).Format(e164.International) }

// wanted is the number of the form in E.164, as the API takes it; what cannot be read stays as it was typed.
func (v view) wanted() string { return wanted(v.form, v.customer) }

// wanted is the number of the plan's form.
func (v planView) wanted() string { return wanted(v.form, v.customer) }

func wanted(form frame.Form, c org.Customer) string {
	typed := form.Get("number")
	if n, err := e164.ParseLoose(typed, c.Country); err == nil {
		return string(n)
	}
	return typed
}

func assignButton(v view) string {
	if v.user.Number != "" {
		return "Change"
	}
	return "Assign"
}
