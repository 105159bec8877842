// What the pages do beyond HTML. Everything works without this file; it makes waiting, errors and
// moving about easier. No inline code anywhere: the site's content security policy forbids it.

const OFFLINE = "You are not connected. Your answer is still on this page. Try again when you are back online.";
const NOT_SAVED = "We could not save. Your answer is still on this page. Try again in a minute.";
const BY_STATUS = {
  400: "We could not save, because this page was open for a long time. Copy what you typed, then load the page again.",
  403: "You cannot do this any more. Load the page again to see what has changed.",
  404: "This is not here any more. Load the page again to see what has changed.",
  413: "That file is too big.",
  429: "There were too many tries. Your answer is still on this page. Wait a minute, then try again.",
};
const RESEND_PAUSE = 5000; // milliseconds in which a second press of a button sends nothing

document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("govuk-frontend-supported");

let govuk = null;

function start(scope) {
  // An element that swapped in brings its parent's other components along: those are started already.
  govuk?.initAll({ scope, onError: (error) => { if (error.name !== "InitError") console.error(error); } });
}

// ---- messages ----

function alertBox() {
  return document.getElementById("alert");
}

function warn(message) {
  const box = document.createElement("p");
  box.className = "lp-alert__box";
  box.textContent = message;
  alertBox().replaceChildren(box);
  alertBox().scrollIntoView({ block: "center" });
}

function clearWarning() {
  alertBox().replaceChildren();
}

function announce(message) {
  document.getElementById("status").textContent = message;
}

// ---- forms that load a whole page ----

function release() {
  for (const form of document.querySelectorAll("form[data-sent-at]")) delete form.dataset.sentAt;
}

function onSubmit(event) {
  const form = event.target;
  if (form.hasAttribute("hx-post") || form.hasAttribute("hx-get")) return;
  if (!navigator.onLine) {
    event.preventDefault();
    warn(OFFLINE);
    return;
  }
  const now = performance.now();
  if (form.dataset.sentAt && now - Number(form.dataset.sentAt) < RESEND_PAUSE) {
    event.preventDefault();
    return;
  }
  if (form.method === "post") form.dataset.sentAt = String(now);
}

// ---- fragments ----

function focusOn(element) {
  if (!element.hasAttribute("tabindex")) {
    element.setAttribute("tabindex", "-1");
    element.addEventListener("blur", () => element.removeAttribute("tabindex"), { once: true });
  }
  element.focus();
}

function onLoad(event) {
  // htmx fires this for each element it put into the page, and once for the body at the start.
  const added = event.detail.elt;
  if (added === document.body) return;
  start(added.parentElement ?? added);
  const marked = (name) => (added.hasAttribute(name) ? added : added.querySelector(`[${name}]`));
  const title = marked("data-title")?.dataset.title;
  if (title) document.title = title;
  const words = marked("data-announce")?.dataset.announce;
  if (words) announce(words);
  const summary = added.matches(".govuk-error-summary") ? added : added.querySelector(".govuk-error-summary");
  const target = summary ?? marked("data-focus");
  if (target) focusOn(target);
}

function onFailure(event) {
  const status = event.detail.xhr?.status ?? 0;
  warn(navigator.onLine ? BY_STATUS[status] ?? NOT_SAVED : OFFLINE);
}

function onAnswer(event) {
  if (event.detail.successful) clearWarning();
}

document.addEventListener("submit", onSubmit);
document.addEventListener("htmx:load", onLoad);
document.addEventListener("htmx:responseError", onFailure);
document.addEventListener("htmx:sendError", onFailure);
document.addEventListener("htmx:timeout", onFailure);
document.addEventListener("htmx:afterRequest", onAnswer);
window.addEventListener("online", clearWarning);
window.addEventListener("pageshow", (event) => {
  release();
  // A page kept by the browser may be another person's, or out of date: ask the server.
  if (event.persisted) window.location.reload();
});

try {
  govuk = await import(document.documentElement.dataset.govukSrc);
} catch {
  // The components are plain HTML underneath. Without their script the menu must not stay hidden.
  document.body.classList.remove("js-enabled", "govuk-frontend-supported");
}
start(document);
