package browser

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// pressable finds what can be pressed and has this text or name: in an open dialog, else in the page's content, else
// anywhere. It answers where its middle is, once nothing lies over it.
const pressable = `(text => {
  const named = e => e.getAttribute("aria-label") === text || e.innerText?.replace(/\s+/g, " ").trim() === text;
  for (const root of [document.querySelector("dialog[open]"), document.querySelector("main"), document.body]) {
    const e = root && [...root.querySelectorAll("a[href], button, summary, [role=switch]")].find(e => named(e) && e.checkVisibility() && !e.disabled);
    if (!e) continue;
    e.scrollIntoView({block: "center", behavior: "instant"});
    const r = e.getBoundingClientRect(), x = r.left + r.width / 2, y = r.top + r.height / 2, top = document.elementFromPoint(x, y);
    return top && (e.contains(top) || top.contains(e)) ? [x, y] : null;
  }
  return null;
})`

// aim waits until there is something to press and answers a click on it.
func (b *tab) aim(text string) chromedp.Action[chromedp.Void] {
	b.t.Helper()
	var at []float64
	err := eventually(b.ctx, 15*time.Second, func() (bool, string, error) {
		v, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]float64](pressable+"("+quoted(text)+")"))
		at = v
		return len(v) == 2, told(err), nil
	})
	if err != nil {
		b.t.Fatalf("at %s there is nothing to press named %q: %v; the page says: %s", b.path(), text, err, b.words())
	}
	return chromedp.MouseClickXY(at[0], at[1])
}

// press clicks what has this text, with the mouse, and waits for the page it leads to; it answers the status.
func (b *tab) press(text string) int64 {
	b.t.Helper()
	return b.arrive(b.aim(text))
}

// tap clicks what has this text and leads to no other page.
func (b *tab) tap(text string) {
	b.t.Helper()
	b.must(b.aim(text))
}

// write types into the field with this label, in place of what is there.
func (b *tab) write(label, text string) {
	b.t.Helper()
	b.labelled(label, `c.focus(); c.select?.()`)
	if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		b.t.Fatalf("typing into %s: %v", label, err)
	}
}

// choose picks the entry of a select that begins with this text, as the keyboard does.
func (b *tab) choose(label, text string) {
	b.t.Helper()
	b.labelled(label, `const o = [...c.options].find(o => o.text.trim().startsWith(`+quoted(text)+`)); if (!o) throw new Error("no such entry");
	  c.focus(); c.value = o.value; c.dispatchEvent(new Event("input", {bubbles: true})); c.dispatchEvent(new Event("change", {bubbles: true}))`)
}

// upload chooses a file in the field with this label.
func (b *tab) upload(label, file string) {
	b.t.Helper()
	id := b.labelled(label, "")
	b.must(chromedp.SetUploadFiles(chromedp.ID(id), []string{file}))
}

// labelled does something with the control c of a label, and answers its id.
func (b *tab) labelled(label, js string) string {
	b.t.Helper()
	return eval[string](b, `(() => { const l = [...document.querySelectorAll("main label")].find(l => l.innerText.trim().startsWith(`+quoted(label)+`));
	  if (!l) throw new Error("no field of this label"); const c = document.getElementById(l.htmlFor); `+js+`; return c.id })()`)
}

// stroke is one key with the text it types.
type stroke struct {
	key, code, text string
	virtual         int64
}

// Keys that a page may take for itself.
var (
	slash = stroke{"/", "Slash", "/", 191}
	enter = stroke{"Enter", "Enter", "\r", 13}
)

// strike presses a key as a keyboard does: its text is typed only where the page has not taken the key for itself.
func strike(s stroke) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		key := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: s.key, Code: s.code, Text: s.text, WindowsVirtualKeyCode: s.virtual}
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, key); err != nil {
			return err
		}
		key.Type, key.Text = input.DispatchKeyEventTypeKeyUp, ""
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, key)
		return err
	})
}

// key presses keys, one after the other.
func (b *tab) key(keys string, modifiers ...chromedp.Modifier) {
	b.t.Helper()
	var opts []chromedp.KeyOption
	if len(modifiers) > 0 {
		opts = append(opts, chromedp.KeyModifiers(modifiers...))
	}
	b.must(chromedp.KeyEvent(keys, opts...))
}

// quoted is a text as JavaScript has it.
func quoted(text string) string {
	raw, _ := json.Marshal(text) // a string is always encoded
	return string(raw)
}
