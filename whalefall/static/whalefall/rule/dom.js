/** Makes an element: h("button", {class: "x", onclick}, "text", child). Empty attributes are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** A small button with an icon of unfold's font; its name is for the tooltip and screen readers. */
export function iconButton(icon, name, part, onclick, more = {}) {
  const image = h("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, icon);
  const given = { type: "button", class: "wf-icon-button", title: name, "aria-label": name };
  return h("button", { ...given, "data-part": part, onclick, ...more }, image);
}
