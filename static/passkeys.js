// Passkeys: asks the browser to make one or to sign with one, and sends what it answers with an ordinary form.
// Without this file the forms stay hidden, and people use the other ways.

const REFUSED = "That did not work. Try again, or use another way.";
const GONE = "This page was open for too long. Load it again.";

function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function textOf(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decoded(options) {
  const whole = { ...options, challenge: bytesOf(options.challenge) };
  if (options.user) whole.user = { ...options.user, id: bytesOf(options.user.id) };
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    if (options[list]) whole[list] = options[list].map((one) => ({ ...one, id: bytesOf(one.id) }));
  }
  return whole;
}

function encoded(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  return JSON.stringify({
    id: credential.id,
    rawId: textOf(credential.rawId),
    type: credential.type,
    clientExtensionResults: {},
    response: Object.fromEntries(parts.filter((part) => response[part]).map((part) => [part, textOf(response[part])])),
  });
}

async function options(place, form) {
  const body = new URLSearchParams({ csrf_token: form.elements.namedItem("csrf_token").value });
  const answer = await fetch(place.dataset.begin, { method: "POST", body });
  if (answer.status === 429) throw new Error(REFUSED);
  const told = await answer.json();
  if (told.to) location.assign(told.to);
  return decoded(told);
}

let waiting = null;

async function ask(place, form, { quiet = false } = {}) {
  // A browser waits for one passkey at a time.
  waiting?.abort();
  waiting = new AbortController();
  const { signal } = waiting;
  const said = place.querySelector("[data-passkey-said]");
  said.textContent = "";
  try {
    const publicKey = await options(place, form);
    const made = place.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey, signal })
      : await navigator.credentials.get(quiet ? { publicKey, signal, mediation: "conditional" } : { publicKey, signal });
    form.elements.namedItem("answer").value = encoded(made);
    form.submit();
  } catch (error) {
    if (!quiet) said.textContent = error instanceof SyntaxError ? GONE : REFUSED;
  }
}

// Where the browser can, the address field itself offers passkeys; asked for when somebody goes into it.
async function offerInField(place, form) {
  const field = document.querySelector("input[autocomplete~=webauthn]");
  if (!field || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  field.addEventListener("focus", () => ask(place, form, { quiet: true }), { once: true });
}

if (window.PublicKeyCredential) {
  for (const place of document.querySelectorAll("[data-passkey]")) {
    const form = place.querySelector("form");
    place.hidden = false;
    form.addEventListener("submit", (event) => {
      if (form.elements.namedItem("answer").value) return;
      event.preventDefault();
      event.stopPropagation();
      ask(place, form);
    });
    if (place.dataset.passkey === "get") offerInField(place, form);
  }
}
