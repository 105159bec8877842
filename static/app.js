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
const WRITE_PAUSE = 1500; // milliseconds without a key before what was written is saved
const SAVE_AT_MOST = 15000; // milliseconds after which a save counts as failed
const KEEPALIVE_BYTES = 60000; // more than that a browser does not send from a page that is left

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
  const saver = savers.get(form);
  if (saver ? saver.holds(event) : triesLine(event)) return;
  const now = performance.now();
  if (form.dataset.sentAt && now - Number(form.dataset.sentAt) < RESEND_PAUSE) {
    event.preventDefault();
    return;
  }
  if (form.method === "post") form.dataset.sentAt = String(now);
}

// A page that is left for one that never comes takes what was written with it. So where somebody wrote, the line is
// tried first. True while it is.
function triesLine(event) {
  const form = event.target;
  const wrote = [...form.querySelectorAll("textarea")].some((box) => box.value !== box.defaultValue);
  if (!wrote || form.method !== "post" || form.dataset.sentAt || lineIsGood.delete(form)) return false;
  event.preventDefault();
  sendIfLineIsGood(form, event.submitter);
  return true;
}

async function sendIfLineIsGood(form, button) {
  try {
    const signal = AbortSignal.timeout(SAVE_AT_MOST);
    const answer = await fetch("/healthz", { method: "HEAD", cache: "no-store", signal });
    if (!answer.ok) throw new Error(answer.statusText);
  } catch {
    warn(navigator.onLine ? NOT_SAVED : OFFLINE);
    return;
  }
  lineIsGood.add(form);
  form.requestSubmit(button);
}

const lineIsGood = new WeakSet();

// ---- forms that save themselves while somebody writes ----

// The form carries a mark of what it showed. Two saves of one form must not meet: the later would carry the mark of
// before the earlier, and look like a change made elsewhere. So one save waits for the other, and sending for both.
class Saver {
  constructor(form) {
    this.form = form;
    this.place = document.getElementById(form.dataset.autosave);
    this.changed = false; // since the last save began
    this.failed = false; // the last save did not arrive
    this.over = false;
    this.running = null;
    this.leaving = null;
    form.addEventListener("input", () => this.later(WRITE_PAUSE));
    form.addEventListener("change", () => this.later(WRITE_PAUSE / 5));
    form.addEventListener("click", (event) => this.clear(event));
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.save(); });
  }

  later(pause) {
    this.changed = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), pause);
  }

  async save() {
    clearTimeout(this.timer);
    if (this.running || !this.changed || this.over) return;
    this.changed = false;
    this.running = this.send();
    await this.running;
    this.running = null;
    if (this.changed) this.later(WRITE_PAUSE);
  }

  async send() {
    const body = new URLSearchParams(new FormData(this.form));
    body.set("_writing", "yes");
    try {
      const answer = await fetch(this.form.action, {
        method: "POST",
        body,
        headers: { "HX-Request": "true" },
        signal: AbortSignal.timeout(SAVE_AT_MOST),
        keepalive: body.toString().length < KEEPALIVE_BYTES,
      });
      const told = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
      if (told.mark) this.form.elements.namedItem("_revision").value = told.mark;
      this.over = answer.status === 409;
      this.failed = answer.status >= 500;
      if (!this.failed) clearWarning();
      this.say(told.said ?? "Not saved yet. Your answer is still on this page. Choose Save and continue.");
    } catch {
      this.failed = true;
      this.say(navigator.onLine ? "Not saved yet. Your answer is still on this page." : OFFLINE);
    }
    // Once the server is there again, what did not arrive is saved without a press.
    this.changed ||= this.failed;
  }

  say(words) {
    if (this.place.textContent !== words) this.place.textContent = words;
  }

  // Sending waits until everything is saved: where that fails, the page stays, with what was written. True while it
  // waits.
  holds(event) {
    clearTimeout(this.timer);
    if (this.over || !(this.running || this.changed)) return false;
    event.preventDefault();
    this.leaving ??= this.leave(event.submitter);
    return true;
  }

  async leave(button) {
    await this.running;
    await this.save();
    this.leaving = null;
    if (this.failed) warn(navigator.onLine ? NOT_SAVED : OFFLINE);
    else this.form.requestSubmit(button);
  }

  clear(event) {
    const button = event.target.closest("button[name=_clear]");
    if (!button) return;
    event.preventDefault();
    const radios = this.form.querySelectorAll(`input[type=radio][name="${CSS.escape(button.value)}"]`);
    for (const radio of radios) radio.checked = false;
    radios[0]?.focus();
    announce("Your answer is cleared.");
    this.later(WRITE_PAUSE / 5);
  }
}

const savers = new Map();
for (const form of document.querySelectorAll("form[data-autosave]")) savers.set(form, new Saver(form));

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
// htmx notes the path of each page there, for a history that no page of ours uses: nothing stays in the browser.
for (const moment of ["load", "pagehide"]) window.addEventListener(moment, () => sessionStorage.clear());
window.addEventListener("pageshow", (event) => {
  release();
  // A page kept by the browser may be another person's, or out of date: ask the server.
  if (event.persisted) window.location.reload();
});

try {
  govuk = await import(document.documentElement.dataset.govukSrc);
  // One rule counts characters here and on the server: Unicode code points. An emoji is one, not two.
  govuk.CharacterCount.prototype.updateCount = function () {
    this.count = [...this.$textarea.value].length;
  };
} catch {
  // The components are plain HTML underneath. Without their script the menu must not stay hidden.
  document.body.classList.remove("js-enabled", "govuk-frontend-supported");
}
start(document);
