// Says in good time that a sign-in is about to end, and keeps it going while somebody types. Without this file the
// foot of each page says when it ends.

const WARN = 300; // seconds before the end at which the page says so (WCAG 2.2.1 asks for 20)
const TYPING_COUNTS = 300; // seconds between two times that typing is told to the server
const OVER = "You are signed out. What you typed is still on this page. Send it: you sign in, and it is there again.";
const UNREACHED = "We could not reach the service. Try again.";

const LEFT = "/signed-in";
const STAY = "/signed-in/stay";

function element(name, classes, text, attributes = {}) {
  const made = document.createElement(name);
  made.className = classes;
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// The Ministry of Justice's timeout warning, with the browser's own dialog around it.
const dialog = element("dialog", "lp-staying", "", { "aria-labelledby": "staying-title", "aria-describedby": "staying-words" });
const words = element("p", "govuk-body", "", { id: "staying-words", "aria-live": "polite" });
const button = element("button", "govuk-button", "", { type: "button" });
dialog.append(
  element("h2", "govuk-heading-m", "You will be signed out soon", { id: "staying-title" }),
  words,
  element("p", "govuk-body", "What you typed is not lost. Send it after you sign in again."),
  button,
);
document.body.append(dialog);

let idleEnds, wholeEnds;
let told = Date.now();
let wholeSaid = false;
let over = false;
let asking = false;
let trouble = "";

function count(left) {
  idleEnds = Date.now() + left.idle * 1000;
  wholeEnds = Date.now() + left.whole * 1000;
}

function secondsLeft() {
  return (idleEnds - Date.now()) / 1000;
}

// What stands in the form fields is not what the page came with, or came back unsaved.
function hasWriting() {
  const changed = (field) => {
    if (field.type === "hidden") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected && option.index);
    return field.value !== field.defaultValue;
  };
  const fields = document.querySelectorAll("main input, main textarea, main select");
  return document.querySelector(".govuk-error-summary") !== null || [...fields].some(changed);
}

async function ask(url, options = {}) {
  asking = true;
  try {
    const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(10000), ...options });
    if (!answer.ok) throw new Error(String(answer.status));
    count(await answer.json());
    trouble = "";
  } finally {
    asking = false;
  }
}

// The minutes, and in the last one every twenty seconds: a screen reader says each change.
function time(seconds) {
  const shown = seconds > 60 ? Math.ceil(seconds / 60) : Math.max(20, Math.ceil(seconds / 20) * 20);
  if (seconds > 60) return `${shown} minutes`;
  return shown === 60 ? "1 minute" : `${shown} seconds`;
}

function say(text) {
  if (words.textContent !== text) words.textContent = text;
}

function open() {
  const whole = wholeEnds <= idleEnds;
  if (whole && wholeSaid) return;
  say(trouble || `We will sign you out in ${time(secondsLeft())}${whole ? ", and you cannot put that off." : ", to keep what is here safe."}`);
  button.textContent = whole ? "Go on" : "Stay signed in";
  if (!dialog.open) dialog.showModal();
}

function end() {
  over = true;
  dialog.close();
  if (!hasWriting()) {
    // The sign-in page takes the place of what another person could read here.
    window.location.replace(window.location.pathname + window.location.search);
    return;
  }
  const box = document.createElement("p");
  box.className = "lp-alert__box";
  box.textContent = OVER;
  document.getElementById("alert").replaceChildren(box);
}

async function look() {
  if (over || asking || secondsLeft() > WARN) return;
  if (!dialog.open) {
    // Another page of this browser may have been used meanwhile.
    try { await ask(LEFT); } catch { /* offline: what is known counts on */ }
  }
  if (secondsLeft() <= 0) {
    // A clock that was set, or a machine that slept, is no proof: the server says whether it is over.
    try { await ask(LEFT); } catch { return; }
    if (secondsLeft() <= 0) return end();
  }
  if (secondsLeft() <= WARN) open();
  else dialog.close();
}

async function stay() {
  if (wholeEnds <= idleEnds) {
    wholeSaid = true;
    dialog.close();
    return;
  }
  try {
    await ask(STAY, { method: "POST", body: new URLSearchParams({ csrf_token: document.querySelector("input[name=csrf_token]").value }) });
  } catch {
    trouble = UNREACHED;
    say(trouble);
    return;
  }
  told = Date.now();
  if (secondsLeft() <= 0) end();
  else dialog.close();
}

async function typing() {
  if (over || dialog.open || Date.now() - told < TYPING_COUNTS * 1000) return;
  told = Date.now();
  try {
    await ask(STAY, { method: "POST", body: new URLSearchParams({ csrf_token: document.querySelector("input[name=csrf_token]").value }) });
  } catch { /* the warning comes in time */ }
}

const [idle, whole] = document.querySelector("meta[name=staying]").content.split(" ").map(Number);
count({ idle, whole });
button.addEventListener("click", stay);
// Escape is the same one action.
dialog.addEventListener("cancel", (event) => { event.preventDefault(); stay(); });
document.addEventListener("input", typing);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
setInterval(look, 1000);
