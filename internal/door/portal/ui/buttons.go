package ui

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// Variant is how much a button asks for attention.
type Variant string

// The variants: one primary button on a page at most.
const (
	Primary   Variant = "primary"
	Secondary Variant = "outline"
	Quiet     Variant = "ghost"
	Danger    Variant = "destructive"
)

// Btn is a button, or a link that looks like one when Href is set.
type Btn struct {
	Text     string
	Href     string
	Variant  Variant // Secondary when empty
	Small    bool
	Icon     Icon   // may be empty
	Type     string // "submit" when empty
	Name     string
	Value    string
	Form     string // id of the form it submits, when it stands outside
	Action   string // formaction
	Dialog   string // id of the dialog it opens; with Href too, works without JavaScript
	Label    string // accessible name when Text alone is not clear
	Disabled bool
	Attrs    templ.Attributes
}

// variant answers the variant to draw.
func (b Btn) variant() string {
	if b.Variant == "" {
		return string(Secondary)
	}
	return string(b.Variant)
}

// kind answers the type attribute.
func (b Btn) kind() string {
	switch {
	case b.Dialog != "":
		return "button"
	case b.Type != "":
		return b.Type
	default:
		return "submit"
	}
}

// size answers Basecoat's data-size.
func (b Btn) size() string {
	if b.Small {
		return "sm"
	}
	return "default"
}

// Join draws components one after the other: the way to pass several buttons
// where one component is asked for. A nil component is skipped.
func Join(parts ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, c := range parts {
			if c == nil {
				continue
			}
			if err := c.Render(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// Plain draws text, escaped.
func Plain(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, templ.EscapeString(text))
		return err
	})
}
