// What unfold leaves to the mouse, by keyboard as well: things that are clicked get a place in the
// order of Tab, dialogs take the focus, hold it and give it back, Escape closes what is open; and
// whoever waits longer than a second sees that something is going on.
(() => {
  "use strict";
  const FOCUSABLE =
    "a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select, textarea, [tabindex='0']";
  // Not things of their own: what lies behind an open sheet, and a frame round a field.
  const NO_BUTTON = "#changelist-filter-close, :has(> input, > button)";
  let opener = null;
  let pressed = null;

  const words = (name) => document.getElementById("wf-manners")?.dataset[name] ?? "";
  const shown = (element) => element.getClientRects().length > 0;

  function name(element) {
    const icon = element.matches(".material-symbols-outlined")
      ? element
      : element.querySelector(".material-symbols-outlined");
    const rest = element.innerText.replace(icon?.innerText ?? "", "").trim();
    const label = rest ? "" : words(icon?.innerText.trim() ?? "");
    if (label && !element.hasAttribute("aria-label")) element.setAttribute("aria-label", label);
  }

  // simplebar knows no language.
  function named(root) {
    for (const area of root.querySelectorAll("[aria-label='scrollable content']"))
      area.setAttribute("aria-label", words("scroll"));
  }

  // The icon in a link that opens nothing by itself, a user's card, a tab without an address ...
  function reachable(root) {
    named(root);
    for (const element of root.querySelectorAll("[x-on\\:click]")) {
      if (element.matches(`${FOCUSABLE}, ${NO_BUTTON}`) && !element.matches("[role=button]")) continue;
      if (!element.hasAttribute("tabindex")) element.tabIndex = 0;
      if (!element.hasAttribute("role")) element.setAttribute("role", "button");
      name(element);
    }
  }

  const modal = () => document.getElementById("modal-content");
  const dialog = () => (modal() && shown(modal()) ? modal() : null);
  // The filters lie over the list, but on the widest screens.
  function sheet() {
    const found = document.getElementById("changelist-filter");
    return found && shown(found) && getComputedStyle(found).position === "fixed" ? found : null;
  }

  function opened(box) {
    const title = box.querySelector("h1");
    if (title) title.id = "wf-dialog-title";
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
    box.setAttribute("aria-labelledby", "wf-dialog-title");
    box.tabIndex = -1;
    reachable(box);
    const wait = () => (shown(box) ? focusFirst(box) : requestAnimationFrame(wait));
    wait();
  }

  function focusFirst(box) {
    const fields = "form :is(input:not([type=hidden]), select, textarea), form button[type=submit]";
    (box.querySelector(fields) ?? box).focus();
  }

  function trap(event, box) {
    const inside = [...box.querySelectorAll(FOCUSABLE)].filter(shown);
    const at = inside.indexOf(document.activeElement);
    const next = event.shiftKey ? at - 1 : at + 1;
    if (at >= 0 && next >= 0 && next < inside.length) return;
    event.preventDefault();
    inside.at(event.shiftKey ? -1 : 0)?.focus();
  }

  function returned() {
    const wait = () => {
      if (dialog()) return requestAnimationFrame(wait);
      opener?.focus();
      opener = null;
    };
    requestAnimationFrame(wait);
  }

  // An open menu closes on a click elsewhere, the sheet of filters on one beside it.
  function closeMenus() {
    document.getElementById("changelist-filter-close")?.click();
    document.body.click();
    if (pressed && shown(pressed)) pressed.focus();
    pressed = null;
  }

  // The sheet of filters comes after a frame or two; it takes the focus.
  function enter(frames) {
    const first = [...(sheet()?.querySelectorAll(FOCUSABLE) ?? [])].find(shown);
    if (first) first.focus();
    else if (frames) requestAnimationFrame(() => enter(frames - 1));
  }

  function press(element) {
    pressed = element;
    element.click();
    if (element.getAttribute("x-on:click").startsWith("filterOpen")) enter(30);
  }

  document.addEventListener("keydown", (event) => {
    const on = event.target;
    const box = dialog();
    const over = box ?? sheet();
    if (event.key === "Tab" && over) trap(event, over);
    if (event.key === "Escape" && box) returned();
    else if (event.key === "Escape") closeMenus();
    if ((event.key === "Enter" || event.key === " ") && on.matches?.("[role=button]:not(button)")) {
      event.preventDefault();
      press(on);
    }
  });
  document.addEventListener("click", (event) => {
    if (opener && !modal()?.contains(event.target)) return;
    if (opener && event.target.closest("[x-on\\:click*='openModal = false']")) returned();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target?.id === "modal-content") opener = event.detail.elt;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "modal-content") opened(event.detail.target);
    else reachable(event.detail.target ?? document);
  });

  // Whoever pressed a button sees after a second that it goes on.
  let late = null;
  const begin = () => {
    clearTimeout(late);
    late = setTimeout(() => {
      const shown = document.getElementById("wf-busy");
      if (shown) shown.hidden = false;
    }, 1000);
  };
  const end = () => {
    clearTimeout(late);
    const shown = document.getElementById("wf-busy");
    if (shown) shown.hidden = true;
  };
  document.addEventListener("submit", (event) => event.defaultPrevented || begin());
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.requestConfig?.verb === "post") begin();
  });
  // An answer that leads to another page goes on until that page is there.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.xhr?.getResponseHeader("HX-Redirect")) end();
  });
  addEventListener("pageshow", end);

  document.addEventListener("DOMContentLoaded", () => {
    reachable(document);
    // Alpine shows some of it only later.
    new MutationObserver(() => reachable(document)).observe(document.body, {
      childList: true,
      subtree: true,
    });
  });
})();
