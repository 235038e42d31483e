// Passkeys and security keys: asks the browser what the page's form holds, puts the answer into it and sends it.
// A form of this kind stays hidden where there is no script, or where the browser knows no keys.
"use strict";
(() => {
  const form = document.querySelector("form[data-key]");
  if (!form || !window.PublicKeyCredential || !navigator.credentials) return;
  const unable = document.querySelector("[data-key-unable]");
  const failed = document.querySelector("[data-key-failed]");
  const asked = JSON.parse(form.dataset.options);

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (keys) => (keys || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const ask = () => {
    const publicKey = { ...asked, challenge: bytes(asked.challenge) };
    if (form.dataset.key === "get") {
      return navigator.credentials.get({ publicKey: { ...publicKey, allowCredentials: named(asked.allowCredentials) } });
    }
    return navigator.credentials.create({ publicKey: {
      ...publicKey, user: { ...asked.user, id: bytes(asked.user.id) },
      excludeCredentials: named(asked.excludeCredentials),
    } });
  };

  const told = (found) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature"]) {
      if (found.response[name]) response[name] = text(found.response[name]);
    }
    return JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response });
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    try {
      form.elements.answer.value = told(await ask());
      form.submit();
    } catch {
      failed.hidden = false;  // given up, timed out, or none of the keys that were asked for
    }
  });
  if (unable) unable.hidden = true;
  form.hidden = false;
})();
