package ui

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// The grounds that an accent must be read on: a card in the light theme and
// the lightest surface of the dark one (web/css/tokens.css).
var (
	brandClass  = regexp.MustCompile(`^brand-[a-z0-9-]{1,40}$`)
	brandHex    = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	lightGround = rgb{0xf1, 0xf3, 0xf6}
	darkGround  = rgb{0x22, 0x27, 0x31}
)

// minContrast is WCAG 2.2's 1.4.3 for text.
const minContrast = 4.5

type rgb [3]float64

// BrandCSS writes the stylesheet of a partner's accent colour, to be served
// from the portal's own origin. class must be brand- and lower-case letters,
// digits and hyphens; accent must be #rrggbb. The colour is darkened for the
// light theme and lightened for the dark one until text in it can be read
// (4.5:1), so that no brand can make the portal illegible.
func BrandCSS(class, accent string) (string, error) {
	if !brandClass.MatchString(class) {
		return "", fmt.Errorf("writing the brand stylesheet: class %q is not brand-…", class)
	}
	if !brandHex.MatchString(accent) {
		return "", fmt.Errorf("writing the brand stylesheet: colour %q is not #rrggbb", accent)
	}
	c := parseHex(accent)
	light := towards(c, rgb{0, 0, 0}, lightGround)
	dark := towards(c, rgb{255, 255, 255}, darkGround)
	return fmt.Sprintf(":root.%s{--primary:light-dark(%s,%s);--primary-foreground:light-dark(%s,%s)}\n",
		class, light.hex(), dark.hex(), readableOn(light).hex(), readableOn(dark).hex()), nil
}

// towards mixes c with goal in steps of two per cent until it stands out from ground.
func towards(c, goal, ground rgb) rgb {
	for step := 0; step <= 50; step++ {
		share := float64(step) / 50
		var mixed rgb
		for i := range mixed {
			mixed[i] = math.Round(c[i]*(1-share) + goal[i]*share)
		}
		if contrast(mixed, ground) >= minContrast {
			return mixed
		}
	}
	return goal
}

// readableOn answers black or white, whichever is read better on c.
func readableOn(c rgb) rgb {
	white, black := rgb{255, 255, 255}, rgb{12, 14, 20}
	if contrast(white, c) >= contrast(black, c) {
		return white
	}
	return black
}

// contrast is WCAG's contrast ratio, from 1 to 21.
func contrast(a, b rgb) float64 {
	la, lb := luminance(a), luminance(b)
	return (math.Max(la, lb) + .05) / (math.Min(la, lb) + .05)
}

// luminance is WCAG's relative luminance of an sRGB colour.
func luminance(c rgb) float64 {
	weight := rgb{.2126, .7152, .0722}
	sum := 0.0
	for i, v := range c {
		v /= 255
		if v <= .04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+.055)/1.055, 2.4)
		}
		sum += weight[i] * v
	}
	return sum
}

func (c rgb) hex() string { return fmt.Sprintf("#%02x%02x%02x", int(c[0]), int(c[1]), int(c[2])) }

// parseHex reads #rrggbb that brandHex has already accepted.
func parseHex(s string) rgb {
	n, _ := strconv.ParseUint(s[1:], 16, 32)
	return rgb{float64(n >> 16 & 255), float64(n >> 8 & 255), float64(n & 255)}
}
