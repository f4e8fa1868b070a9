package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// A picture shows a page down to here; what is longer is a list that goes on.
const tallest = 1500

// drawn answers the page as a PNG with a palette: pages have few colours, and files are a third of the size.
func (b *tab) drawn(width int64) []byte {
	b.t.Helper()
	// The window is made as tall as the page, so that what sticks to its edges is drawn to the end.
	for range 3 {
		height := min(max(eval[int64](b, `document.scrollingElement.scrollHeight`), 700), tallest)
		b.must(chromedp.EmulateViewport(width, height))
		b.rest()
	}
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatalf("taking a picture: %v", err)
	}
	b.wide(width)
	small, err := compact(shot)
	if err != nil {
		b.t.Fatalf("making the picture small: %v", err)
	}
	return small
}

// compact writes a PNG again with the 256 colours that it uses most; each other one becomes the nearest of them.
func compact(raw []byte) ([]byte, error) {
	src, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	counts := map[color.RGBA]int{}
	flat := image.NewRGBA(src.Bounds())
	draw.Draw(flat, flat.Bounds(), src, src.Bounds().Min, draw.Src)
	for i := 0; i < len(flat.Pix); i += 4 {
		counts[color.RGBA{flat.Pix[i], flat.Pix[i+1], flat.Pix[i+2], 255}]++
	}
	palette := mostUsed(counts)
	small := image.NewPaletted(flat.Bounds(), palette)
	nearest := map[color.RGBA]uint8{}
	for i := 0; i < len(flat.Pix); i += 4 {
		c := color.RGBA{flat.Pix[i], flat.Pix[i+1], flat.Pix[i+2], 255}
		at, known := nearest[c]
		if !known {
			at = uint8(palette.Index(c))
			nearest[c] = at
		}
		small.Pix[i/4] = at
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small)
	return out.Bytes(), err
}

func mostUsed(counts map[color.RGBA]int) color.Palette {
	all := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		if d := counts[b] - counts[a]; d != 0 {
			return d
		}
		return int(a.R)<<16 + int(a.G)<<8 + int(a.B) - int(b.R)<<16 - int(b.G)<<8 - int(b.B)
	})
	var out color.Palette
	for _, c := range all[:min(len(all), 256)] {
		out = append(out, c)
	}
	return out
}

// forgive drops the complaints that hold a text: a page that answers 404 on purpose is one in the browser's eyes.
func (b *tab) forgive(text string) {
	b.noted.mu.Lock()
	defer b.noted.mu.Unlock()
	b.noted.texts = slices.DeleteFunc(b.noted.texts, func(c string) bool { return strings.Contains(c, text) })
}

// cookies are what the visitor's browser would send, for a request without it.
func (v visitor) cookies(t *testing.T) string {
	t.Helper()
	got, err := chromedp.Call(v.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{v.stage.portal}})
	if err != nil {
		t.Fatalf("reading the cookies: %v", err)
	}
	var out []string
	for _, c := range got.Cookies {
		out = append(out, c.Name+"="+c.Value)
	}
	return strings.Join(out, "; ")
}
