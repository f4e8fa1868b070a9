// The portal's own script. Every page works without it; it adds the command
// palette, dialogs, copy buttons, and keeps the focus where it was after a
// swap. No inline handler, no eval: it runs under script-src 'self'.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("tc-js");

  const closest = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);

  // --- theme: without this script the form posts and the page comes back.
  function applyTheme(form, button) {
    const theme = button.value;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    root.dataset.theme = theme;
    for (const b of form.querySelectorAll("button[name=theme]")) b.setAttribute("aria-pressed", String(b === button));
    const summary = form.closest("details")?.querySelector("summary");
    const icon = button.querySelector("svg");
    if (summary && icon) summary.replaceChildren(icon.cloneNode(true));
    closeMenu(form.closest("details"), true);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form instanceof HTMLFormElement && form.hasAttribute("data-theme-form") && event.submitter?.value) {
      event.preventDefault();
      applyTheme(form, event.submitter);
    }
  });

  // --- menus: one open at a time, closed by Escape and by a click elsewhere.
  function closeMenu(menu, refocus) {
    if (!menu?.open) return;
    menu.open = false;
    if (refocus) menu.querySelector("summary")?.focus();
  }

  document.addEventListener("click", (event) => {
    const inside = closest(event, "details.tc-menu");
    for (const menu of document.querySelectorAll("details.tc-menu[open]")) if (menu !== inside) closeMenu(menu, false);
  });

  // --- dialogs: the browser gives the focus back to the opener on close.
  function openDialog(id) {
    const dialog = document.getElementById(id);
    if (!(dialog instanceof HTMLDialogElement) || dialog.open) return false;
    dialog.showModal();
    return true;
  }

  document.addEventListener("click", (event) => {
    const opener = closest(event, "[data-opens]");
    if (opener && openDialog(opener.dataset.opens)) event.preventDefault();
    if (event.target instanceof HTMLDialogElement) event.target.close(); // the backdrop
  });

  // Typing the name enables the button; the server checks the name again.
  function checkName(input) {
    const button = input.form?.querySelector("button[type=submit]");
    if (button) button.disabled = input.value.trim() !== input.dataset.mustEqual;
  }
  document.addEventListener("input", (event) => {
    const input = closest(event, "[data-must-equal]");
    if (input) checkName(input);
  });

  // --- command palette
  const options = () => [...document.querySelectorAll("#palette-results [role=option][href]")];

  function choose(next) {
    const input = document.getElementById("palette-input");
    const all = options();
    for (const o of all) o.setAttribute("aria-selected", String(o === next));
    if (next) {
      input?.setAttribute("aria-activedescendant", next.id);
      next.scrollIntoView({ block: "nearest" });
    } else input?.removeAttribute("aria-activedescendant");
  }

  function openPalette() {
    if (!openDialog("palette")) return false;
    const input = document.getElementById("palette-input");
    input.focus();
    input.select();
    return true;
  }

  function movePalette(event) {
    const all = options();
    const at = all.findIndex((o) => o.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      event.preventDefault();
      if (all.length) choose(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length]);
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      all[at].click();
    }
  }

  const typing = (element) => element instanceof Element && element.closest("input, textarea, select, [contenteditable=true]") !== null;

  document.addEventListener("keydown", (event) => {
    if (closest(event, "#palette")) movePalette(event);
    const ctrlK = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k";
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target) && root.dataset.keys !== "off";
    if ((ctrlK || slash) && openPalette()) event.preventDefault();
    if (event.key === "Escape") {
      const dialog = closest(event, "dialog[open]"); // a search field would keep the key for itself
      if (dialog) {
        event.preventDefault();
        dialog.close();
      } else closeMenu(document.querySelector("details.tc-menu[open]"), true);
    }
  });

  document.addEventListener("click", (event) => {
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (plain && closest(event, "[data-palette]") && openPalette()) event.preventDefault();
  });

  // --- copy buttons and toasts
  function toast(text) {
    const region = document.getElementById("toasts");
    if (!region) return;
    const item = document.createElement("div");
    item.className = "tc-toast tc-tone-good";
    item.dataset.toast = "";
    item.textContent = text;
    region.append(item);
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      toast("Copied");
    } catch {
      toast("The browser did not allow copying. Select the text and copy it by hand.");
    }
  }

  document.addEventListener("click", (event) => {
    const button = closest(event, "[data-copy]");
    if (button) copy(button);
  });

  // A toast leaves after eight seconds, unless it is being read.
  function watchToasts(region) {
    const leave = (item) => setTimeout(() => (item.matches(":hover") ? leave(item) : item.remove()), 8000);
    region.querySelectorAll("[data-toast]").forEach(leave);
    new MutationObserver((records) => {
      for (const r of records) for (const n of r.addedNodes) if (n instanceof Element && n.matches("[data-toast]")) leave(n);
    }).observe(region, { childList: true });
  }

  // --- rows: a click beside the link follows it, unless text is being selected.
  function markRows(scope) {
    for (const row of scope.querySelectorAll(".tc-table tbody tr")) if (row.querySelector("th a[href]")) row.dataset.linked = "";
  }

  document.addEventListener("click", (event) => {
    const row = closest(event, "tr[data-linked]");
    if (!row || closest(event, "a, button, input, label, select, summary") || String(getSelection())) return;
    const link = row.querySelector("th a[href]");
    if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
    else link.click();
  });

  // --- focus: after a swap it goes back to the element with the same id, else
  // to the swapped part's first error, else stays where the browser put it.
  let focused = null;
  document.addEventListener("htmx:before:swap", () => {
    focused = document.activeElement?.id || null;
  });
  document.addEventListener("htmx:after:swap", () => {
    markRows(document);
    choose(null);
    const wrong = document.querySelector("main [aria-invalid=true]");
    const lost = document.activeElement === document.body || document.activeElement === null;
    if (!lost) return;
    (document.getElementById(focused ?? "") ?? wrong)?.focus({ preventScroll: true });
  });

  // --- start: the file is deferred, so the document is parsed.
  markRows(document);
  document.querySelectorAll("[data-must-equal]").forEach(checkName);
  const region = document.getElementById("toasts");
  if (region) watchToasts(region);
  const wrong = document.querySelector("main [aria-invalid=true]");
  if (wrong && wrong.matches("input, select, textarea")) wrong.focus();
})();
