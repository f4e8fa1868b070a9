// Package e164 is the one door for telephone numbers: text comes in by Parse
// (programs) or ParseLoose (spreadsheet cells) and is a Number from then on.
// The numbering plans are those of Google's libphonenumber; E.164 itself is
// ITU-T Recommendation E.164 (at most 15 digits, country code first).
package e164

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Number is a number in E.164: a plus sign and up to 15 digits. Take one from
// Parse or ParseLoose; the methods answer empty for any other text.
type Number string

// MaxDigits is the longest number that E.164 allows, without the plus sign.
const MaxDigits = 15

// Reason says why a text was refused: stable, kebab-case, fit for the API.
type Reason string

// The reasons.
const (
	// NotE164: not a plus sign and digits (or, for a cell, nothing like a number).
	NotE164 Reason = "not-e164"
	// TooLong: more digits than E.164, or the country's plan, allows.
	TooLong Reason = "too-long"
	// UnknownCountry: no country has this calling code.
	UnknownCountry Reason = "unknown-country"
	// InvalidForCountry: the country's numbering plan has no such number.
	InvalidForCountry Reason = "invalid-for-country"
	// Formula: the cell begins as a spreadsheet formula does.
	Formula Reason = "formula"
	// Scientific: the spreadsheet turned the number into 6.13E+10; the last
	// digits are lost and cannot be recovered.
	Scientific Reason = "scientific-notation"
	// Ambiguous: the cell reads as two different numbers.
	Ambiguous Reason = "ambiguous"
	// NeedsCountry: a national number where no country is known.
	NeedsCountry Reason = "needs-country"
	// HasExtension: the number carries an extension, which is none of ours.
	HasExtension Reason = "has-extension"
	// Empty: nothing in it.
	Empty Reason = "empty"
)

// Error is the refusal of a text. It does not repeat the text, which its
// sender has and which may be hostile.
type Error struct {
	// Reason is why.
	Reason Reason
	// Suggestion is the number that was probably meant, empty if unclear. It is
	// for a person to confirm, never to be taken silently.
	Suggestion Number
}

// Error gives the reason in words, with the suggestion.
func (e *Error) Error() string {
	words := e.Reason.Words()
	if e.Suggestion != "" {
		words += "; did you mean " + string(e.Suggestion) + "?"
	}
	return words
}

// Words explains the reason to a person.
func (r Reason) Words() string {
	switch r {
	case TooLong:
		return "the number has too many digits"
	case UnknownCountry:
		return "no country has this calling code"
	case InvalidForCountry:
		return "the country's numbering plan has no such number"
	case Formula:
		return "the cell is a spreadsheet formula, not a number"
	case Scientific:
		return "the spreadsheet shortened the number and lost its last digits; format the column as text and enter it again"
	case Ambiguous:
		return "the text can be read as two different numbers; write it with + and the country code"
	case NeedsCountry:
		return "a national number needs a country; write it with + and the country code"
	case HasExtension:
		return "the number carries an extension; leave it out"
	case Empty:
		return "the number is missing"
	default:
		return "a number is written as + followed by the country code and digits only"
	}
}

// ReasonOf finds the reason in an error of this package; empty for others.
func ReasonOf(err error) Reason {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return ""
}

// refuse makes the error for a reason.
func refuse(r Reason) error { return &Error{Reason: r} }

// Parse takes a number exactly as E.164 writes it, for API input: a plus sign
// and digits, valid in its country's plan. defaultRegion (ISO 3166 alpha-2, may
// be empty) never completes a number here; it only helps the suggestion that
// goes with a refusal. Errors are *Error.
func Parse(text, defaultRegion string) (Number, error) {
	if text == "" {
		return "", refuse(Empty)
	}
	if !isPlusDigits(text) {
		return "", &Error{Reason: NotE164, Suggestion: suggest(text, defaultRegion)}
	}
	if len(text) > MaxDigits+1 {
		return "", refuse(TooLong)
	}
	parsed, err := check(text, "")
	if err != nil {
		return "", err
	}
	if parsed != Number(text) {
		// A trunk prefix after the country code, as in +61 02….
		return "", &Error{Reason: InvalidForCountry, Suggestion: parsed}
	}
	return parsed, nil
}

// isPlusDigits reports whether text is + and ASCII digits, the first not zero:
// no country code begins with one.
func isPlusDigits(text string) bool {
	digits, plus := strings.CutPrefix(text, "+")
	return plus && isDigits(digits) && digits[0] != '0'
}

// isDigits reports whether text is one or more ASCII digits.
func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// suggest reads a refused text as a cell; empty where that fails too.
func suggest(text, region string) Number {
	n, err := ParseLoose(text, region)
	if err != nil {
		return ""
	}
	return n
}

// check asks the numbering plans about a text of digits, with or without a
// plus sign. The answer is in E.164.
func check(text, region string) (Number, error) {
	parsed, err := phonenumbers.Parse(text, region)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return "", refuse(UnknownCountry)
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return "", refuse(TooLong)
	case errors.Is(err, phonenumbers.ErrTooShortNSN), errors.Is(err, phonenumbers.ErrTooShortAfterIDD):
		return "", refuse(InvalidForCountry)
	case err != nil:
		return "", refuse(NotE164)
	case parsed.GetExtension() != "":
		return "", refuse(HasExtension)
	}
	number := phonenumbers.Format(parsed, phonenumbers.E164)
	if len(number) > MaxDigits+1 || phonenumbers.IsPossibleNumberWithReason(parsed) == phonenumbers.TOO_LONG {
		return "", refuse(TooLong)
	}
	if !phonenumbers.IsPossibleNumber(parsed) || !phonenumbers.IsValidNumber(parsed) {
		return "", refuse(InvalidForCountry)
	}
	return Number(number), nil
}
