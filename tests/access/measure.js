// What a browser can measure of a page that axe does not: width, what is cut off, targets, what the keyboard meets.
window.access = (() => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])";
  const TARGET = 24; // CSS pixels, WCAG 2.5.8

  const named = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 140);
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 1;
  // The button that Enter presses in a long form: nobody sees it, and Tab passes it by on purpose.
  const forEnter = (element) => element.tabIndex < 0 && element.ariaHidden === "true" && getComputedStyle(element).clipPath !== "none";
  const controls = () => [...document.querySelectorAll(CONTROLS)].filter((element) => seen(element) && !element.disabled);

  function wide() {
    const root = document.documentElement;
    const over = root.scrollWidth - root.clientWidth;
    if (over <= 0) return [];
    const first = [...document.body.querySelectorAll("*")].filter(
      (element) => element.getBoundingClientRect().right > root.clientWidth + 0.5 && !scrolls(element.parentElement),
    );
    return [`${over}px too wide: ${first.slice(-1).map(named)}`];
  }

  function scrolls(element) {
    for (let box = element; box && box !== document.body; box = box.parentElement) {
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(box).overflowX)) return true;
    }
    return false;
  }

  // Text in a box that hides what does not fit. What only readers of screens are told is hidden so on purpose.
  function cut() {
    return [...document.body.querySelectorAll("*")]
      .filter((element) => {
        const style = getComputedStyle(element);
        const hides = /hidden|clip/.test(style.overflowX) || /hidden|clip/.test(style.overflowY);
        if (!hides || !seen(element) || element instanceof SVGElement || element.matches("input, textarea, select")) return false;
        return element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
      })
      .map((element) => `cut off: ${named(element)}`);
  }

  const textOf = (element) => element.innerText.trim().length;

  // "The target is in a sentence": the block that it flows in has words besides.
  function inSentence(element) {
    if (getComputedStyle(element).display !== "inline") return false;
    let block = element.parentElement;
    while (getComputedStyle(block).display === "inline") block = block.parentElement;
    const linked = [...block.querySelectorAll(CONTROLS)].reduce((sum, one) => sum + textOf(one), 0);
    return textOf(block) - linked > 3;
  }

  const boxOf = (element) => element.getBoundingClientRect();
  const small = (box) => box.width < TARGET - 0.5 || box.height < TARGET - 0.5;
  const centre = (box) => [box.left + box.width / 2, box.top + box.height / 2];

  // How far a box is from a point.
  function away([x, y], box) {
    return Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));
  }

  // A target under 24 pixels may stand if a circle of 24 round its middle meets no other target, nor another such circle.
  function targets() {
    const all = controls().map((element) => ({ element, box: boxOf(element) }));
    const tight = all.filter(({ element, box }) => small(box) && !inSentence(element));
    return tight
      .filter((one) =>
        all.some((other) => {
          if (other === one || one.element.contains(other.element) || other.element.contains(one.element)) return false;
          const from = centre(one.box);
          const near = away(from, other.box) < TARGET / 2;
          const apart = Math.hypot(from[0] - centre(other.box)[0], from[1] - centre(other.box)[1]);
          return near || (small(other.box) && apart < TARGET);
        }),
      )
      .map(({ element, box }) => `target of ${Math.round(box.width)} by ${Math.round(box.height)}: ${named(element)}`);
  }

  // Another page's body in the place of this one's, with its components started: the price of a page without its journey.
  async function put(text) {
    const other = new DOMParser().parseFromString(text, "text/html");
    document.title = other.title;
    document.body.replaceWith(document.adoptNode(other.body));
    document.body.classList.add("js-enabled", "govuk-frontend-supported");
    (await import(document.documentElement.dataset.govukSrc)).initAll({ onError: () => {} });
  }

  function unfold() {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const menu = document.querySelector(".govuk-js-service-navigation-toggle[aria-expanded=false]");
    if (menu && seen(menu)) menu.click();
    for (const box of document.querySelectorAll("main input[type=checkbox], main input[type=radio]")) {
      if (box.closest("div").querySelector("input[type=text], textarea, select")) box.checked = true;
    }
  }

  // ---- keyboard

  // One stop for a group of radios: the chosen one, else the first.
  function stops() {
    const groups = new Map();
    for (const radio of document.querySelectorAll("input[type=radio]")) {
      const id = `${[...document.forms].indexOf(radio.form)} ${radio.name}`;
      const chosen = groups.get(id);
      if (!chosen || (radio.checked && !chosen.checked)) groups.set(id, radio);
    }
    const allowed = new Set(groups.values());
    return [...document.querySelectorAll(CONTROLS)].filter(
      (element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled && !forEnter(element) && (element.type !== "radio" || allowed.has(element)),
    );
  }

  const LOOKS = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "backgroundColor", "borderTopColor", "borderTopWidth", "color", "textDecorationThickness"];

  function looks(element) {
    const label = element.labels?.[0];
    const parts = [[element], [element, "::before"], [element, "::after"]];
    if (label) parts.push([label, "::before"], [label, "::after"]);
    return parts.map(([one, pseudo]) => { const style = getComputedStyle(one, pseudo); return LOOKS.map((name) => style[name]).join(); }).join(";");
  }

  let order = [];
  let before = [];

  // Returns how many stops there are; `where` then says on which the keyboard is.
  function begin() {
    // An error summary has taken the focus: the walk begins at the top all the same.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    order = stops();
    before = order.map(looks);
    return order.length;
  }

  function where() {
    const here = document.activeElement;
    const at = order.indexOf(here);
    if (here === document.body || !here) return { at: -1, trouble: "" };
    if (at < 0) return { at: -2, trouble: `meets what is no control: ${named(here)}` };
    if (looks(here) === before[at]) return { at, trouble: `focus is not seen on ${named(here)}` };
    return { at, trouble: hidden(here) };
  }

  // The part of a box that is in the window: a long table is never whole there.
  function inWindow(box) {
    const left = Math.max(box.left, 0), top = Math.max(box.top, 0);
    return { left, top, width: Math.min(box.right, innerWidth) - left, height: Math.min(box.bottom, innerHeight) - top };
  }

  // WCAG 2.4.11: what has the focus is not covered whole, nor outside of the window.
  function hidden(element) {
    const free = [...element.getClientRects()].map(inWindow).some((box) =>
      [0.1, 0.5, 0.9].some((down) =>
        [0.1, 0.5, 0.9].some((across) => {
          const top = document.elementFromPoint(box.left + box.width * across, box.top + box.height * down);
          return box.width > 0 && box.height > 0 && top && (element.contains(top) || top.closest("label")?.control === element);
        }),
      ),
    );
    return free ? "" : `has the focus but is not seen: ${named(element)}`;
  }

  const name = (at) => named(order[at]);

  // What looks as if it could be pressed, and is no control.
  function forMouseOnly() {
    const reached = `${CONTROLS}, label, option`;
    return [...document.body.querySelectorAll("*")]
      .filter((element) => getComputedStyle(element).cursor === "pointer" && seen(element) && !element.closest(reached))
      .map((element) => `for the mouse alone: ${named(element)}`);
  }

  return { layout: () => [...wide(), ...cut(), ...targets()], put, unfold, begin, where, name, forMouseOnly };
})();
