// Passkeys: the one thing of these pages that needs a script. A form with data-passkey asks its address for the
// options of WebAuthn, lets the browser make or use a key, and is then sent like any other form.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const listed = (credentials) => (credentials || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function asked(form) {
  const answer = await fetch(form.dataset.passkey, {
    method: "POST",
    body: new URLSearchParams({ form_token: form.elements.form_token.value }),
    headers: { Accept: "application/json" },
  });
  if (!answer.ok) throw new Error("no options");
  return answer.json();
}

async function made(options) {
  const given = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: listed(options.excludeCredentials),
  };
  const key = await navigator.credentials.create({ publicKey: given });
  return {
    id: key.id,
    rawId: text(key.rawId),
    type: key.type,
    response: {
      clientDataJSON: text(key.response.clientDataJSON),
      attestationObject: text(key.response.attestationObject),
    },
  };
}

async function used(options) {
  const given = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: listed(options.allowCredentials),
  };
  const key = await navigator.credentials.get({ publicKey: given });
  return {
    id: key.id,
    rawId: text(key.rawId),
    type: key.type,
    response: {
      clientDataJSON: text(key.response.clientDataJSON),
      authenticatorData: text(key.response.authenticatorData),
      signature: text(key.response.signature),
      userHandle: text(key.response.userHandle || new ArrayBuffer(0)),
    },
  };
}

function keep(form, name, value) {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = name;
  field.value = value;
  form.append(field);
}

async function run(form) {
  const { options, ticket } = await asked(form);
  const response = options.publicKey.user ? await made(options.publicKey) : await used(options.publicKey);
  keep(form, "ticket", ticket);
  keep(form, "response", JSON.stringify(response));
  form.submit();
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const failed = form.querySelector("[data-failed]");
      failed.hidden = true;
      run(form).catch(() => {
        failed.hidden = false;
      });
    });
  }
}
