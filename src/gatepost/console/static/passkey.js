// Passkeys: asks the device and sends its answer as a form. Without JavaScript there are none.
"use strict";
(() => {
  const can = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!can) continue;
    form.hidden = false;
    const fault = form.querySelector("[data-fault]");
    const show = (text) => {
      fault.textContent = text;
      fault.hidden = !text;
    };
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return; // the device has answered: this is the real one
      event.preventDefault();
      show("");
      try {
        const asked = await fetch(form.dataset.begin, { method: "POST", body: new FormData(form) });
        if (!asked.ok) {
          show(await asked.text());
          return;
        }
        const options = await asked.json();
        const made =
          form.dataset.passkey === "add"
            ? await navigator.credentials.create({
                publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
              })
            : await navigator.credentials.get({
                publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
              });
        form.elements.credential.value = JSON.stringify(made.toJSON());
        if (form.elements.password) form.elements.password.value = "";
        form.submit();
      } catch {
        show(form.dataset.failed);
      } finally {
        form.removeAttribute("aria-busy");
      }
    });
  }
})();
