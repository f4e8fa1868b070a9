package ui_test

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"pgregory.net/rapid"
	"tcap.cloud/internal/door/portal/ui"
)

func TestAnUnknownStateIsShownInWords(t *testing.T) {
	t.Parallel()
	if got := ui.ServiceState("on-hold"); got.Word != "On hold" || got.Icon != ui.IconQuestion {
		t.Errorf("got %+v", got)
	}
	if got := ui.NumberState(""); got.Word != "Unknown" {
		t.Errorf("got %+v", got)
	}
}

func TestMomentsAreToldFromNow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 2, 0, 0, time.UTC)
	for offset, want := range map[time.Duration]string{
		-time.Second: "just now", -20 * time.Second: "20 s ago", -3 * time.Minute: "3 min ago", -5 * time.Hour: "5 h ago",
		-30 * time.Hour: "yesterday", -72 * time.Hour: "3 days ago", -30 * 24 * time.Hour: "24 Oct 2026",
		20 * time.Second: "in 20 s", 90 * time.Minute: "in 1 h", 72 * time.Hour: "on 26 Nov 2026",
	} {
		if got := ui.Ago(now.Add(offset), now); got != want {
			t.Errorf("%v from now is %q, want %q", offset, got, want)
		}
	}
}

func TestAnAddressThatRunsScriptIsNotDrawn(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "java\nscript:x"} {
		for name, c := range map[string]templ.Component{
			"button": ui.LinkButton("x", bad, ui.Quiet), "form": ui.PostButton(bad, ui.Btn{Text: "x"}),
			"facts": ui.KeyValues([]ui.Pair{{Key: "k", Text: "t", Href: bad}}),
		} {
			if got := render(t, c); strings.Contains(strings.ToLower(got), "script:") || strings.Contains(got, "data:") {
				t.Errorf("%s draws %q as %s", name, bad, got)
			}
		}
	}
}

func TestAButtonThatOpensADialogLeadsToAPageWithoutJavaScript(t *testing.T) {
	t.Parallel()
	got := render(t, ui.Button(ui.Btn{Text: "Disconnect", Href: "/customers/w/disconnect", Dialog: "d"}))
	if !strings.HasPrefix(got, "<a ") || !strings.Contains(got, `data-opens="d"`) || !strings.Contains(got, `href="/customers/w/disconnect"`) {
		t.Errorf("it is drawn as %s", got)
	}
}

func TestTextIsEscaped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[<>"'&a-z]{1,20}`).Draw(t, "text") + `<b>"`
		for _, c := range []templ.Component{ui.Plain(s), ui.CopyField(s, s), ui.Status(ui.State{Code: s, Word: s}), ui.CodeBlock(s, s)} {
			var b strings.Builder
			if err := c.Render(context.Background(), &b); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "<b>") {
				t.Fatalf("%q comes out as markup: %s", s, b.String())
			}
		}
	})
}

func TestABrandColourCanAlwaysBeRead(t *testing.T) {
	t.Parallel()
	pairs := regexp.MustCompile(`light-dark\((#[0-9a-f]{6}),(#[0-9a-f]{6})\)`)
	rapid.Check(t, func(t *rapid.T) {
		hex := fmt.Sprintf("#%06x", rapid.IntRange(0, 0xffffff).Draw(t, "colour"))
		css, err := ui.BrandCSS("brand-x", hex)
		if err != nil {
			t.Fatal(err)
		}
		m := pairs.FindAllStringSubmatch(css, -1)
		if len(m) != 2 {
			t.Fatalf("the stylesheet is %s", css)
		}
		for _, p := range [][2]string{{m[0][1], "#ffffff"}, {m[0][1], "#f1f3f6"}, {m[0][2], "#15181e"}, {m[0][2], "#222731"}, {m[0][1], m[1][1]}, {m[0][2], m[1][2]}} {
			if got := ratio(p[0], p[1]); got < 4.5 {
				t.Fatalf("%s: %s on %s is %.2f:1", hex, p[0], p[1], got)
			}
		}
	})
}

// ratio is WCAG's contrast, written again so that the code is not its own judge.
func ratio(a, b string) float64 {
	lum := func(s string) float64 {
		sum := 0.0
		for i, weight := range []float64{.2126, .7152, .0722} {
			n, _ := strconv.ParseInt(s[1+2*i:3+2*i], 16, 32)
			v := float64(n) / 255
			if v <= .04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	hi, lo := max(lum(a), lum(b)), min(lum(a), lum(b))
	return (hi + .05) / (lo + .05)
}

func TestABrandThatIsNotAColourIsRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range [][2]string{{"brand-x", "red"}, {"brand-x", "#12345"}, {"x", "#123456"}, {"brand-x}*{", "#123456"}, {"brand-x", "#123456;}"}} {
		if css, err := ui.BrandCSS(bad[0], bad[1]); err == nil {
			t.Errorf("%v gives %s", bad, css)
		}
	}
}

func TestANonceTurnsTheGateOfHtmxOn(t *testing.T) {
	t.Parallel()
	page := ui.Bare(ui.Page{Title: "x"})
	if got := render(t, page); strings.Contains(got, "hx-csp") || strings.Contains(got, "nonce=") {
		t.Error("without a nonce the gate would refuse every attribute, yet it is loaded")
	}
	var b strings.Builder
	if err := page.Render(templ.WithNonce(context.Background(), "n0nce"), &b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "hx-csp.min.js") || strings.Count(got, `nonce="n0nce"`) != 4 {
		t.Errorf("the head is %s", got)
	}
}
