/** The fields of a predicate's parameters. Each writes into `args` and calls `changed`. */

import { h, iconButton } from "./dom.js";

let number = 0;

/**
 * One labelled field. `context`: texts, names(kind, text) -> Promise of names, changed(redraw).
 * The element that takes the keyboard has data-part=<parameter's name>.
 */
export function field(parameter, args, context) {
  const id = `wf-field-${++number}`;
  const control = CONTROLS[kindOf(parameter)](parameter, args, context, id);
  const label = h("label", { for: id }, parameter.label);
  return h("div", { class: `wf-field wf-field-${parameter.type}`, "data-name": parameter.name }, label, control);
}

function kindOf(parameter) {
  if (parameter.type === "texts") return parameter.choices.length ? "boxes" : "list";
  if (parameter.type === "flag" || parameter.type === "days") return parameter.type;
  return parameter.choices.length ? "select" : "text";
}

function put(args, parameter, value) {
  if (value === undefined || (value === "" && !parameter.required)) delete args[parameter.name];
  else args[parameter.name] = value;
}

const CONTROLS = {
  select(parameter, args, context, id) {
    const now = args[parameter.name] ?? parameter.default ?? "";
    const known = parameter.choices.includes(now) ? parameter.choices : [now, ...parameter.choices];
    const options = known.map((name) => h("option", { value: name, selected: name === now }, String(name)));
    const onchange = (event) => {
      const value = event.target.value;
      put(args, parameter, value === parameter.default ? undefined : value);
      context.changed(parameter.name === "scope");
    };
    return h("select", { id, "data-part": parameter.name, onchange }, ...options);
  },

  text(parameter, args, context, id) {
    const list = h("datalist", { id: `${id}-names` });
    const offer = offering(parameter, args, context, list);
    const oninput = (event) => {
      put(args, parameter, event.target.value);
      context.changed(false);
      offer(event.target.value);
    };
    const value = args[parameter.name] ?? "";
    const shown = typeof value === "string" ? value : JSON.stringify(value);
    const given = { id, type: "text", value: shown, autocomplete: "off", spellcheck: "false" };
    const completes = parameter.completes ? { list: list.id } : {};
    const placeholder = parameter.required ? null : context.texts.any;
    const onfocus = (event) => offer(event.target.value);
    return h("span", { class: "wf-control" },
      h("input", { ...given, ...completes, placeholder, "data-part": parameter.name, oninput, onfocus }), list);
  },

  days(parameter, args, context, id) {
    const oninput = (event) => {
      const text = event.target.value;
      put(args, parameter, text === "" ? undefined : Number(text));
      context.changed(false);
    };
    const value = args[parameter.name] ?? "";
    return h("input", { id, type: "number", min: 0, step: 1, value, "data-part": parameter.name, oninput });
  },

  flag(parameter, args, context, id) {
    const onchange = (event) => {
      put(args, parameter, event.target.checked === parameter.default ? undefined : event.target.checked);
      context.changed(false);
    };
    const checked = (args[parameter.name] ?? parameter.default) === true;
    return h("input", { id, type: "checkbox", checked, "data-part": parameter.name, onchange });
  },

  boxes(parameter, args, context, id) {
    const chosen = new Set(Array.isArray(args[parameter.name]) ? args[parameter.name] : []);
    const box = (name, i) => {
      const onchange = (event) => {
        chosen[event.target.checked ? "add" : "delete"](name);
        put(args, parameter, [...chosen]);
        context.changed(false);
      };
      const checked = chosen.has(name);
      const part = i === 0 ? parameter.name : null;
      const own = { id: i === 0 ? id : null, type: "checkbox", checked, "data-part": part, onchange };
      return h("label", { class: "wf-box-choice" }, h("input", own), name);
    };
    return h("span", { class: "wf-control", role: "group", "aria-label": parameter.label }, ...parameter.choices.map(box));
  },

  list(parameter, args, context, id) {
    const now = () => (Array.isArray(args[parameter.name]) ? args[parameter.name] : []);
    const list = h("datalist", { id: `${id}-names` });
    const offer = offering(parameter, args, context, list);
    const set = (names) => {
      put(args, parameter, names);
      context.changed(true, parameter.name);
    };
    const add = (input) => {
      const name = input.value.trim();
      if (!name) return;
      input.value = "";
      set([...new Set([...now(), name])]);
    };
    const chip = (name) =>
      h("span", { class: "wf-chip" }, String(name),
        iconButton("close", `${context.texts.remove}: ${name}`, null, () => set(now().filter((one) => one !== name))));
    const onkeydown = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // would send the form
      add(event.target);
    };
    const given = { id, type: "text", list: list.id, autocomplete: "off", spellcheck: "false" };
    const oninput = (event) => {
      // A name chosen from the list comes without a key of its own.
      if (event.inputType === "insertReplacementText" || !event.inputType) add(event.target);
      else offer(event.target.value);
    };
    const onfocus = (event) => offer(event.target.value);
    const onchange = (event) => add(event.target);
    const placeholder = context.texts.addName;
    const own = { placeholder, "data-part": parameter.name, oninput, onkeydown, onfocus, onchange };
    return h("span", { class: "wf-control" }, ...now().map(chip), h("input", { ...given, ...own }), list);
  },
};

/** Fills `list` with names that fit what is typed, a moment after the last key. */
function offering(parameter, args, context, list) {
  let timer;
  return (text) => {
    if (!parameter.completes) return;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const names = await context.names(parameter.completes, text, args);
      list.replaceChildren(...names.map((name) => h("option", { value: name })));
    }, 120);
  };
}
