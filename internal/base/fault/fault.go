// Package fault is the project's one error shape: few kinds, a stable code, a detail that is safe to show, and what to
// do about it. What is not a *Fault is internal: its text stays in the log.
package fault

import (
	"errors"
	"fmt"
)

// Kind says which class of answer a fault is; the doors map it to a status (internal/door/web).
type Kind uint8

// The kinds. The HTTP status each becomes is beside it.
const (
	Internal        Kind = iota // 500
	Invalid                     // 422 (400 where the request could not be read at all)
	Malformed                   // 400
	Unauthenticated             // 401
	Forbidden                   // 403
	NotFound                    // 404; also what lies outside the caller's scope
	Conflict                    // 409
	Stale                       // 412: If-Match or If-Plan-Match does not hold
	TooLarge                    // 413
	Limited                     // 429
	Unavailable                 // 503
)

// Remedy is what to do about a fault, in words; Action is set where one button mends it.
type Remedy struct {
	Text   string `json:"text"`
	Action string `json:"action,omitempty"`
	Label  string `json:"label,omitempty"`
}

// Field is what is wrong with one field or line of an input.
type Field struct {
	Path   string `json:"path"` // for example body.numbers[3].number, or line 4
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Fault is an error with a stable kebab-case code. Detail is shown to people; Err is not.
type Fault struct {
	Kind   Kind
	Code   string
	Detail string
	Remedy *Remedy
	Fields []Field
	Err    error
}

// New makes a fault whose detail is formatted from safe parts only.
func New(k Kind, code, format string, args ...any) *Fault {
	return &Fault{Kind: k, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// WithRemedy adds what to do, in words.
func (f *Fault) WithRemedy(format string, args ...any) *Fault {
	f.Remedy = &Remedy{Text: fmt.Sprintf(format, args...)}
	return f
}

// WithAction adds what to do and the action that does it.
func (f *Fault) WithAction(action, label, text string) *Fault {
	f.Remedy = &Remedy{Text: text, Action: action, Label: label}
	return f
}

// WithFields adds what is wrong with single fields or lines.
func (f *Fault) WithFields(fields ...Field) *Fault {
	f.Fields = append(f.Fields, fields...)
	return f
}

// Because keeps the cause for the log.
func (f *Fault) Because(err error) *Fault {
	f.Err = err
	return f
}

// Error is for logs; doors show Detail and Remedy.
func (f *Fault) Error() string {
	if f.Err != nil {
		return f.Code + ": " + f.Detail + ": " + f.Err.Error()
	}
	return f.Code + ": " + f.Detail
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Of finds the fault in an error chain.
func Of(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}

// Is says whether an error is a fault with this code.
func Is(err error, code string) bool {
	f, ok := Of(err)
	return ok && f.Code == code
}

// KindOf is the kind of an error; Internal where it is no fault.
func KindOf(err error) Kind {
	if f, ok := Of(err); ok {
		return f.Kind
	}
	return Internal
}

// Missing is the answer for what does not exist or lies outside the caller's scope: the two must not differ.
func Missing(what string) *Fault {
	return New(NotFound, "not-found", "There is no such %s, or it is not yours to see.", what)
}

// StaleVersion is the answer to an If-Match that no longer holds, or a row changed by someone else meanwhile.
func StaleVersion(what string) *Fault {
	return New(Stale, "stale-version", "The %s was changed by someone else meanwhile.", what).
		WithRemedy("Read it again and repeat the change on what you see now.")
}
