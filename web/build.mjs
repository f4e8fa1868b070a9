// Builds the portal's static files from the packages pinned in package.json:
// compiles input.css, drops the rules no template uses, and copies htmx.
// Reads and writes this repository only.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "lightningcss";

const here = dirname(fileURLToPath(import.meta.url));
const portal = join(here, "../internal/door/portal");
const out = join(portal, "assets/static");

// sources answers the text of every file whose class names count as used.
// Generated files repeat their templates, and tests draw nothing of their own.
function sources(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
    const path = join(dir, e.name);
    if (e.isDirectory()) return sources(path);
    if (/_(templ|test)\.go$/.test(path)) return [];
    return /\.(templ|go)$|app\.js$/.test(e.name) ? [readFileSync(path, "utf8")] : [];
  });
}

// classesIn answers every class name a stylesheet mentions.
const classesIn = (css) => [...css.matchAll(/\.([a-zA-Z][\w-]*)/g)].map((m) => m[1]);

// unusedBasecoat answers Basecoat's class names that no class attribute names.
// Its names are plain words (card, table, field), so a word in a comment or a
// Go string does not count. Tailwind's own utilities are not touched: they are
// in the stylesheet only when some source asked for them.
function unusedBasecoat() {
  const dist = join(here, "node_modules/basecoat-css/dist");
  const files = readdirSync(join(dist, "components")).map((n) => join(dist, "components", n));
  const all = new Set([...files, join(dist, "styles/vega.css")].flatMap((f) => classesIn(readFileSync(f, "utf8"))));
  const text = sources(portal).join("\n");
  for (const m of text.matchAll(/class=("[^"]*"|\{[^}]*\})/g)) for (const name of m[1].match(/[\w-]+/g) ?? []) all.delete(name);
  return all;
}

// needed tells whether a selector could match: every class it asks for
// outside :not() is in use.
function needed(selector, unused) {
  return selector.every((part) => {
    if (part.type === "class") return !unused.has(part.name);
    if (part.type === "pseudo-class" && ["is", "where", "has"].includes(part.kind)) {
      return part.selectors.some((s) => needed(s, unused));
    }
    return true;
  });
}

function prune(css, unused) {
  return transform({
    filename: "app.css",
    code: css,
    minify: true,
    visitor: {
      Rule: {
        style(rule) {
          return rule.value.selectors.some((s) => needed(s, unused)) ? undefined : [];
        },
      },
    },
  }).code;
}

const scratch = mkdtempSync(join(tmpdir(), "portal-css-"));
try {
  const raw = join(scratch, "raw.css");
  execFileSync(process.execPath, [join(here, "node_modules/@tailwindcss/cli/dist/index.mjs"), "-i", join(here, "input.css"), "-o", raw], { cwd: here, stdio: ["ignore", "ignore", "inherit"] });
  writeFileSync(join(out, "app.css"), prune(readFileSync(raw), unusedBasecoat()));
} finally {
  rmSync(scratch, { recursive: true });
}
const htmx = join(here, "node_modules/htmx.org/dist");
copyFileSync(join(htmx, "htmx.min.js"), join(out, "htmx.min.js"));
for (const name of ["hx-csp.min.js", "hx-sse.min.js"]) copyFileSync(join(htmx, "ext", name), join(out, name));
