// Passkeys: a form with data-passkey="get" or "create" asks the server for a
// prompt, the browser for a credential, and then posts like any other form.
// Without this script, or without passkeys, the form stays hidden.
(() => {
  "use strict";
  const able = window.PublicKeyCredential && "parseRequestOptionsFromJSON" in PublicKeyCredential;
  if (!able) return;

  async function prompt(form) {
    const answer = await fetch(form.dataset.begin, { method: "POST", headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("refused");
    return answer.json();
  }

  async function credential(kind, options) {
    if (kind === "create") {
      return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
    }
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  }

  function tell(form, text) {
    const place = form.querySelector("[data-passkey-message]");
    if (place) place.textContent = text;
  }

  async function run(form) {
    tell(form, "");
    try {
      const { ceremony, options } = await prompt(form);
      const made = await credential(form.dataset.passkey, options);
      form.elements.ceremony.value = ceremony;
      form.elements.response.value = JSON.stringify(made);
      form.submit();
    } catch (problem) {
      tell(form, problem.name === "NotAllowedError" ? "The prompt was closed. Nothing was changed." : "That did not work. Reload the page and try again.");
    }
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      run(form);
    });
  }
})();
