package ui

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// id answers the id of the control.
func (f Field) id() string {
	if f.ID != "" {
		return f.ID
	}
	return "f-" + f.Name
}

// optionID answers the id of choice i.
func (f Field) optionID(i int) string { return f.id() + "-" + strconv.Itoa(i) }

// boxValue answers what a check box sends when it is on.
func (f Field) boxValue() string {
	if f.Value == "" {
		return "on"
	}
	return f.Value
}

// aria ties hint and error to the control, and marks it when it is wrong.
func (f Field) aria() templ.Attributes {
	a := templ.Attributes{}
	var by []string
	if f.Hint != "" {
		by = append(by, f.id()+"-hint")
	}
	if f.Error != "" {
		by = append(by, f.id()+"-error")
		a["aria-invalid"] = "true"
	}
	if len(by) > 0 {
		a["aria-describedby"] = strings.Join(by, " ")
	}
	return a
}
