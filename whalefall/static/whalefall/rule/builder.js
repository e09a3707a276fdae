/**
 * The rule builder: groups and rows beside the JSON of the form. The text in the form is what is
 * saved; each side follows the other. What is wrong is said by the server, and shown at its node.
 */

import { h, iconButton } from "./dom.js";
import { field } from "./fields.js";
import * as tree from "./tree.js";

const data = JSON.parse(document.getElementById("wf-builder-data").textContent);
const texts = data.texts;
const source = document.getElementById("id_rule_expression");
const engine = document.getElementById("id_db_type");
const checked = document.getElementById("wf-rule-checked");

let root = tree.emptyGroup();
let faults = [];
let elements = new Map(); // node -> its element
let dragged = null;

const area = h("div", { class: "wf-tree" });
const broken = h("p", { class: "wf-broken", role: "alert", hidden: true });
const status = h("p", { class: "wf-unseen", role: "status" });
const shape = () => data.shapes[engine.value];

// --- Drawing --------------------------------------------------------------------------------------

/** Draws the tree anew; the keyboard stays at `part` of `node`. */
function draw(node = null, part = null) {
  elements = new Map();
  area.replaceChildren(shape() ? drawNode(root) : h("p", { class: "wf-quiet" }, texts.engine));
  showFaults();
  if (node) elements.get(node)?.querySelector(`[data-part="${part}"]`)?.focus();
}

function drawNode(node) {
  const element = tree.isGroup(node) ? drawGroup(node) : tree.isCall(node) ? drawRow(node) : drawRaw(node);
  elements.set(node, element);
  return element;
}

function drawGroup(node) {
  const options = tree.OPERATORS.map((op) =>
    h("option", { value: op, selected: op === node.op }, `${texts[op]} (${op})`));
  const onchange = (event) => changeOperator(node, event.target.value);
  const select = h("select", { "aria-label": texts.op, "data-part": "op", onchange }, ...options);
  const items = node.args.map((arg) => h("li", {}, drawNode(arg)));
  const room = tree.hasRoom(node);
  const buttons = [
    h("button", { type: "button", class: "wf-button", "data-part": "add", disabled: !room, onclick: () => add(node, newCall()) }, `+ ${texts.addCondition}`),
    h("button", { type: "button", class: "wf-button", "data-part": "add-group", disabled: !room, onclick: () => add(node, tree.emptyGroup(node.op === "AND" ? "OR" : "AND")) }, `+ ${texts.addGroup}`),
  ];
  const element = h("div", { class: `wf-node wf-group wf-group-${node.op.toLowerCase()}`, role: "group", "aria-label": `${texts.group}: ${texts[node.op]}` },
    h("div", { class: "wf-node-head" }, select, tools(node, texts.group)), place(), h("ol", { class: "wf-nodes" }, ...items), h("div", { class: "wf-add" }, ...buttons));
  return droppable(element, node);
}

function drawRow(node) {
  node.args ??= {};
  const known = shape().predicates;
  const predicate = known.find((each) => each.name === node.fn);
  const listed = predicate ? known : [{ name: node.fn, help: "", parameters: [] }, ...known];
  const options = listed.map((each) =>
    h("option", { value: each.name, selected: each.name === node.fn, title: each.help }, each.name.replaceAll("_", " ")));
  const onchange = (event) => {
    node.fn = event.target.value;
    node.args = tree.argumentsFor(shape().predicates.find((each) => each.name === node.fn), node.args);
    changed(node, "fn");
  };
  const select = h("select", { "aria-label": texts.fn, "data-part": "fn", title: predicate?.help, onchange }, ...options);
  const context = { texts, names, changed: (redraw, part) => (redraw ? changed(node, part ?? "scope") : written()) };
  const fields = (predicate?.parameters ?? []).map((parameter) => field(parameter, node.args, context));
  const element = h("div", { class: "wf-node wf-row", role: "group", "aria-label": `${texts.condition}: ${node.fn.replaceAll("_", " ")}` },
    h("div", { class: "wf-node-head" }, h("div", { class: "wf-fields" }, select, ...fields), tools(node, node.fn)), place());
  return droppable(element, node);
}

function drawRaw(node) {
  return h("div", { class: "wf-node wf-row", role: "group", "aria-label": texts.raw },
    h("div", { class: "wf-node-head" }, h("code", { class: "wf-mono" }, JSON.stringify(node)), tools(node, "JSON")),
    h("p", { class: "wf-quiet" }, texts.raw), place());
}

const place = () => h("ul", { class: "wf-faults", hidden: true });

/** Move, wrap and remove. The root stays where it is. */
function tools(node, name) {
  const isRoot = node === root;
  const handle = iconButton("drag_indicator", `${name}. ${texts.move}`, "move", null, {
    draggable: "true", onkeydown: (event) => byKey(event, node),
    ondragstart: (event) => { dragged = node; event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", ""); },
    ondragend: () => { dragged = null; },
  });
  return h("span", { class: "wf-tools" }, isRoot ? null : handle,
    iconButton("account_tree", `${texts.wrap}: ${name}`, "wrap", () => wrap(node)),
    iconButton("delete", `${texts.remove}: ${name}`, "remove", () => remove(node)));
}

// --- Changing -------------------------------------------------------------------------------------

const newCall = () => ({ fn: "is_superuser", args: {} });

function add(group, node) {
  group.args.push(node);
  changed(node, tree.isGroup(node) ? "op" : "fn", texts.added);
}

function wrap(node) {
  const parent = tree.parentOf(root, node);
  const group = { op: parent?.op === "AND" ? "OR" : "AND", args: [node] };
  root = tree.replace(root, node, group);
  changed(group, "op", texts.added);
}

function remove(node) {
  const parent = tree.parentOf(root, node);
  root = tree.remove(root, node);
  changed(parent ?? root, "add", texts.removed);
}

/** NOT takes one node: several become one group below it, joined as they were. */
function changeOperator(node, op) {
  if (op === "NOT" && node.args.length > 1) node.args = [{ op: node.op, args: node.args }];
  node.op = op;
  changed(node, "op");
}

const ARROWS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };

function byKey(event, node) {
  const direction = ARROWS[event.key];
  if (!direction) return;
  event.preventDefault();
  if (tree.step(root, node, direction)) moved(node);
}

function moved(node) {
  const siblings = tree.parentOf(root, node).args;
  const said = texts.moved.replace("%(place)s", siblings.indexOf(node) + 1).replace("%(count)s", siblings.length);
  changed(node, "move", said);
}

function droppable(element, node) {
  const inside = (event) => dragged && dragged !== node && event.target.closest(".wf-node") === element;
  element.addEventListener("dragover", (event) => {
    if (!inside(event)) return;
    event.preventDefault();
    element.classList.add("wf-drop");
  });
  element.addEventListener("dragleave", () => element.classList.remove("wf-drop"));
  element.addEventListener("drop", (event) => {
    element.classList.remove("wf-drop");
    if (!inside(event)) return;
    event.preventDefault();
    const node_ = dragged;
    if (drop(node_, node, event, element)) moved(node_);
  });
  return element;
}

/** Onto a group: to its end. Onto a row: before or after it, by the half that was hit. */
function drop(what, onto, event, element) {
  if (tree.isGroup(onto)) return tree.move(root, what, onto, onto.args.length);
  const parent = tree.parentOf(root, onto);
  if (!parent) return false;
  const box = element.getBoundingClientRect();
  const after = event.clientY > box.top + box.height / 2 ? 1 : 0;
  return tree.move(root, what, parent, parent.args.indexOf(onto) + after);
}

// --- Builder and text -----------------------------------------------------------------------------

function changed(node, part, said = "") {
  written();
  draw(node, part);
  status.textContent = said;
}

/** The builder changed: the text follows. */
function written() {
  source.value = tree.write(root);
  source.dispatchEvent(new Event("change", { bubbles: true }));
  soon();
}

/** The text changed: the builder follows, or waits until the text can be read. */
function readSource() {
  if (!source.value.trim()) root = tree.emptyGroup();
  else {
    try {
      root = tree.read(source.value);
    } catch (error) {
      showBroken(error.message);
      return;
    }
  }
  showBroken("");
  draw();
}

function showBroken(reason) {
  broken.hidden = !reason;
  broken.textContent = reason && `${texts.broken} ${reason}`;
  area.toggleAttribute("inert", Boolean(reason));
}

// --- Asking the server ----------------------------------------------------------------------------

const offered = new Map();

async function names(kind, text, args) {
  if (kind === "privilege") {
    const all = shape().privileges;
    return (all[args.scope] ?? [...new Set(Object.values(all).flat())]);
  }
  const query = new URLSearchParams({ db_type: engine.value, kind, q: text });
  const key = query.toString();
  if (!offered.has(key)) {
    const answer = await fetch(`${data.names}?${key}`);
    if (!answer.ok) return [];
    offered.set(key, (await answer.json()).names);
  }
  return offered.get(key);
}

let timer = null;
let asked = null;

function soon() {
  clearTimeout(timer);
  timer = setTimeout(check, 350);
}

/** Reading, preview and faults of what stands in the form; nothing is saved. */
async function check() {
  clearTimeout(timer);
  asked?.abort();
  if (!engine.value || !source.value.trim()) return;
  const mine = (asked = new AbortController());
  const body = new FormData(source.form);
  if (data.rule) body.set("rule", data.rule);
  checked.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(data.check, { method: "POST", body, signal: mine.signal });
    if (!answer.ok) throw new Error(answer.statusText);
    checked.innerHTML = await answer.text();
    faults = JSON.parse(document.getElementById("wf-faults")?.textContent ?? "[]");
    showFaults();
  } catch (error) {
    if (error.name === "AbortError") return;
    checked.textContent = texts.failed;
  }
  checked.removeAttribute("aria-busy");
}

/** Each fault at the field or node that its path leads to, or at the nearest one above. */
function showFaults() {
  for (const list of area.querySelectorAll(".wf-faults")) { list.replaceChildren(); list.hidden = true; }
  for (const each of area.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  const places = new Map([...tree.walk(root)].map(({ node, path }) => [path, elements.get(node)]));
  faults.forEach((fault, i) => {
    const path = nearest(fault.path, places);
    const element = places.get(path);
    if (!element) return;
    const list = element.querySelector(":scope > .wf-faults");
    const id = `wf-fault-${i}`;
    list.hidden = false;
    list.append(h("li", { id }, fault.message, fault.hint ? h("b", {}, ` ${fault.hint}`) : null));
    mark(element, fault.path.slice(path.length), id);
  });
}

function nearest(path, places) {
  let found = path;
  while (found && !places.has(found)) found = found.replace(/(\.[^.[\]]*|\[[^\]]*\])$|^[^.[\]]+$/, "");
  return found;
}

function mark(element, rest, id) {
  const name = /^\.args\.(\w+)/.exec(rest)?.[1];
  const head = element.querySelector(":scope > .wf-node-head");
  const part = name ?? (rest === ".fn" ? "fn" : rest === ".op" ? "op" : null);
  const control = part && head.querySelector(`[data-part="${part}"]`);
  if (!control) return;
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", id);
}

// --- Start ----------------------------------------------------------------------------------------

function start() {
  const panel = h("div", { class: "wf-builder", role: "region", "aria-label": texts.builder }, broken, area, status);
  const pair = h("div", { class: "wf-builder-pair" });
  source.before(pair);
  pair.append(panel, source);
  source.closest("fieldset")?.after(document.getElementById("wf-check-box"));
  // Fields of the builder have no names: they are not sent, and not "unsaved" by themselves.
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
  });
  source.addEventListener("input", () => { readSource(); soon(); });
  engine.addEventListener("change", () => { offered.clear(); draw(); soon(); });
  window.django?.jQuery?.("#id_classification").on("change", soon);
  document.getElementById("wf-check").addEventListener("click", check);
  readSource();
  check();
}

if (source && engine) start();
