package e164

import (
	"strings"
	"unicode"
)

// maxCell is the longest cell that is looked at, in bytes.
const maxCell = 64

// ParseLoose takes a number as people keep it in spreadsheets:
//
//	+61 2 5550 0001   (02) 5550-0001 with region AU   tel:+61255500001
//	0061 2 5550 0001, 0011 61 2 5550 0001 with region AU
//
// region is ISO 3166 alpha-2 and may be empty; then only the international
// form is taken. Refused are what a spreadsheet would compute (= + - @ at the
// start; a + before a digit is a number), what it has already spoilt
// (6.13E+10), extensions, letters, and what reads as two numbers. Errors are
// *Error.
func ParseLoose(text, region string) (Number, error) {
	cell := trimCell(text)
	switch {
	case cell == "":
		return "", refuse(Empty)
	case len(cell) > maxCell:
		return "", refuse(NotE164)
	case isScientific(cell):
		return "", refuse(Scientific)
	case isFormula(cell):
		return "", refuse(Formula)
	}
	cell = cutTel(cell)
	digits, err := stripPunctuation(cell)
	if err != nil {
		return "", err
	}
	region = strings.ToUpper(strings.TrimSpace(region))
	switch {
	case strings.HasPrefix(digits, "+"):
		return checkPlus(digits)
	case region == "":
		return "", &Error{Reason: NeedsCountry, Suggestion: guess(digits)}
	default:
		return checkNational(digits, region)
	}
}

// trimCell removes what surrounds a value unseen: white space, no-break and
// zero-width spaces, a byte order mark, and the apostrophe with which a
// spreadsheet marks text.
func trimCell(text string) string {
	invisible := func(r rune) bool {
		return unicode.IsSpace(r) || r == '\u200b' || r == '\u2060' || r == '\ufeff' ||
			r == '\u200e' || r == '\u200f' || r == '\u202a' || r == '\u202c' || r == '\u202d'
	}
	text = strings.TrimFunc(text, invisible)
	return strings.TrimLeftFunc(strings.TrimPrefix(text, "'"), invisible)
}

// isScientific recognises 6.13E+10, 6,13E+10, 6E10 and +6.13E+10.
func isScientific(cell string) bool {
	mantissa, exponent, found := strings.Cut(strings.ToUpper(cell), "E")
	if !found {
		return false
	}
	whole, fraction := mantissa, "0"
	if at := strings.IndexAny(mantissa, ".,"); at >= 0 {
		whole, fraction = mantissa[:at], mantissa[at+1:]+"0"
	}
	return isDigits(cutSign(whole)) && isDigits(fraction) && isDigits(cutSign(exponent))
}

// cutSign removes one leading sign.
func cutSign(text string) string {
	if text != "" && (text[0] == '+' || text[0] == '-') {
		return text[1:]
	}
	return text
}

// isFormula recognises what a spreadsheet would compute when the cell is
// opened (OWASP, "CSV Injection").
func isFormula(cell string) bool {
	switch cell[0] {
	case '=', '-', '@':
		return true
	case '+':
		return len(cell) == 1 || cell[1] < '0' || cell[1] > '9'
	default:
		return false
	}
}

// cutTel removes the tel: scheme (RFC 3966), in any case.
func cutTel(cell string) string {
	const scheme = "tel:"
	if len(cell) >= len(scheme) && strings.EqualFold(cell[:len(scheme)], scheme) {
		return strings.TrimSpace(cell[len(scheme):])
	}
	return cell
}

// stripPunctuation leaves the digits and a leading plus sign. Anything but
// the usual separators is refused: a letter may be a typing error or a vanity
// number, and guessing is not ours.
func stripPunctuation(cell string) (string, error) {
	var out strings.Builder
	for i, r := range cell {
		switch {
		case '0' <= r && r <= '9', r == '+' && i == 0:
			out.WriteRune(r)
		case strings.ContainsRune(" -.()/\u00a0\u2009\u202f\u2010\u2011\u2012\u2013", r):
		case r == ';' || r == 'x' || r == 'X' || r == '#':
			return "", refuse(HasExtension)
		default:
			return "", refuse(NotE164)
		}
	}
	if strings.Trim(out.String(), "+") == "" {
		return "", refuse(NotE164)
	}
	return out.String(), nil
}

// checkPlus is the international form. A trunk prefix after the country code,
// as in +61 (0)2, is dropped by the plan where the country has one.
func checkPlus(digits string) (Number, error) {
	if digits[1] == '0' {
		return "", refuse(UnknownCountry)
	}
	return check(digits, "")
}

// checkNational reads a number without a plus sign in a country. Its own
// international prefix (0011 in Australia) is known to the plan; 00, which
// people write everywhere, is tried beside it. Two answers are none.
func checkNational(digits, region string) (Number, error) {
	national, err := check(digits, region)
	rest, doubleZero := strings.CutPrefix(digits, "00")
	if !doubleZero || rest == "" {
		return national, err
	}
	abroad, abroadErr := checkPlus("+" + rest)
	switch {
	case err == nil && abroadErr == nil && national != abroad:
		return "", refuse(Ambiguous)
	case err != nil && abroadErr == nil:
		return abroad, nil
	default:
		return national, err
	}
}

// guess reads digits without a country as if the plus sign, or 00 for it, had
// been left out: 61255500001 is what spreadsheets make of +61255500001.
func guess(digits string) Number {
	digits = strings.TrimPrefix(digits, "00")
	if digits == "" {
		return ""
	}
	n, err := checkPlus("+" + digits)
	if err != nil {
		return ""
	}
	return n
}
