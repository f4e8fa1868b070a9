package graph

import (
	"fmt"
	"strings"
)

// object gives a property of something by its name; ok is false where there is no such property.
type object func(name string) (value any, ok bool)

// filter is a parsed $filter.
type filter func(object) bool

// parseFilter reads the part of OData's filter language that is modelled: eq, ne, ge, gt, le, lt, in, startswith, endswith,
// p/any(x:x eq 'v'), and, or, not, brackets. Strings compare without regard to case, as in the directory. What cannot be
// read is 501, so that a client's new filter is seen.
func parseFilter(text string) (filter, error) {
	if text == "" {
		return func(object) bool { return true }, nil
	}
	p := &filterParser{tokens: lex(text)}
	f, err := p.or()
	if err == nil && p.pos != len(p.tokens) {
		err = fmt.Errorf("at %q", p.peek())
	}
	if err != nil {
		return nil, unsupported("the filter " + text + " (" + err.Error() + ")")
	}
	return f, nil
}

// lex splits into words, quoted strings and single signs.
func lex(text string) []string {
	var tokens []string
	for i := 0; i < len(text); {
		switch ch := text[i]; {
		case ch == ' ':
			i++
		case strings.IndexByte("(),:", ch) >= 0:
			tokens = append(tokens, string(ch))
			i++
		case ch == '\'':
			end := closing(text, i)
			tokens = append(tokens, text[i:end])
			i = end
		default:
			end := i
			for end < len(text) && strings.IndexByte(" (),:'", text[end]) < 0 {
				end++
			}
			tokens = append(tokens, text[i:end])
			i = end
		}
	}
	return tokens
}

// closing is the position after the quoted string that begins at i; a doubled quote does not end it.
func closing(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		if text[j] != '\'' {
			continue
		}
		if j+1 < len(text) && text[j+1] == '\'' {
			j++
			continue
		}
		return j + 1
	}
	return len(text)
}

type filterParser struct {
	tokens []string
	pos    int
}

func (p *filterParser) peek() string {
	if p.pos < len(p.tokens) {
		return p.tokens[p.pos]
	}
	return ""
}

func (p *filterParser) next() string {
	t := p.peek()
	p.pos++
	return t
}

func (p *filterParser) expect(sign string) error {
	if got := p.next(); got != sign {
		return fmt.Errorf("want %q, have %q", sign, got)
	}
	return nil
}

func (p *filterParser) or() (filter, error) {
	left, err := p.and()
	for err == nil && strings.EqualFold(p.peek(), "or") {
		p.next()
		var right filter
		first := left
		right, err = p.and()
		left = func(o object) bool { return first(o) || right(o) }
	}
	return left, err
}

func (p *filterParser) and() (filter, error) {
	left, err := p.term()
	for err == nil && strings.EqualFold(p.peek(), "and") {
		p.next()
		var right filter
		first := left
		right, err = p.term()
		left = func(o object) bool { return first(o) && right(o) }
	}
	return left, err
}

func (p *filterParser) term() (filter, error) {
	switch word := p.next(); strings.ToLower(word) {
	case "(":
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case "not":
		inner, err := p.term()
		return func(o object) bool { return !inner(o) }, err
	case "startswith", "endswith":
		return p.affix(strings.ToLower(word))
	case "":
		return nil, fmt.Errorf("it ends too early")
	default:
		return p.comparison(word)
	}
}

func (p *filterParser) affix(function string) (filter, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	name := p.next()
	if err := p.expect(","); err != nil {
		return nil, err
	}
	value := strings.ToLower(unquote(p.next()))
	matches := strings.HasPrefix
	if function == "endswith" {
		matches = strings.HasSuffix
	}
	return func(o object) bool {
		text, _ := o(name)
		s, isText := text.(string)
		return isText && matches(strings.ToLower(s), value)
	}, p.expect(")")
}

func (p *filterParser) comparison(name string) (filter, error) {
	if list, isAny := strings.CutSuffix(name, "/any"); isAny {
		return p.any(list)
	}
	switch op := strings.ToLower(p.next()); op {
	case "eq", "ne", "ge", "gt", "le", "lt":
		literal := p.next()
		if literal == "" {
			return nil, fmt.Errorf("no value after %q", op)
		}
		return func(o object) bool { v, _ := o(name); return compare(v, op, literal) }, nil
	case "in":
		return p.in(name)
	default:
		return nil, fmt.Errorf("at %q", op)
	}
}

func (p *filterParser) in(name string) (filter, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var literals []string
	for {
		literals = append(literals, p.next())
		if p.peek() != "," {
			break
		}
		p.next()
	}
	return func(o object) bool {
		v, _ := o(name)
		for _, l := range literals {
			if compare(v, "eq", l) {
				return true
			}
		}
		return false
	}, p.expect(")")
}

// any reads (x:x eq 'v') of a list of strings.
func (p *filterParser) any(list string) (filter, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	variable := p.next()
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	if p.next() != variable || !strings.EqualFold(p.next(), "eq") {
		return nil, fmt.Errorf("only %s eq 'value' is read inside any()", variable)
	}
	literal := p.next()
	return func(o object) bool {
		v, _ := o(list)
		items, _ := v.([]string)
		for _, item := range items {
			if compare(item, "eq", literal) {
				return true
			}
		}
		return false
	}, p.expect(")")
}

// compare a property with a literal of the filter: a quoted string, true, false, null, or a bare GUID.
func compare(value any, op, literal string) bool {
	switch v := value.(type) {
	case bool:
		same := strings.EqualFold(literal, fmt.Sprint(v))
		return (op == "eq" && same) || (op == "ne" && !same)
	case string:
		return holds(strings.Compare(strings.ToLower(v), strings.ToLower(unquote(literal))), op)
	}
	isNull := literal == "null"
	return (op == "eq" && isNull) || (op == "ne" && !isNull)
}

func holds(order int, op string) bool {
	switch op {
	case "eq":
		return order == 0
	case "ne":
		return order != 0
	case "ge":
		return order >= 0
	case "gt":
		return order > 0
	case "le":
		return order <= 0
	}
	return order < 0
}
