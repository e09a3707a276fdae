/** The expression as a tree of plain JSON nodes. Nothing here touches the page. */

export const VERSION = 4;
export const OPERATORS = ["AND", "OR", "NOT"];

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
export const isGroup = (node) =>
  isObject(node) && OPERATORS.includes(node.op) && Array.isArray(node.args) && !("fn" in node);
export const isCall = (node) =>
  isObject(node) && typeof node.fn === "string" && isObject(node.args ?? {}) && !("op" in node);

export const emptyGroup = (op = "AND") => ({ op, args: [] });
export const write = (root) => JSON.stringify({ version: VERSION, expr: root }, null, 2);

/** The root node in a text. Throws SyntaxError where it is no JSON or holds no expression. */
export function read(text) {
  const value = JSON.parse(text);
  if (!isObject(value) || !("expr" in value)) throw new SyntaxError('{"version": 4, "expr": ...}');
  return value.expr;
}

/** Every node with its path and its parent, from the root on. */
export function* walk(node, path = "expr", parent = null) {
  yield { node, path, parent };
  if (!isGroup(node)) return;
  for (const [i, arg] of node.args.entries()) yield* walk(arg, `${path}.args[${i}]`, node);
}

export function parentOf(root, wanted) {
  for (const { node, parent } of walk(root)) if (node === wanted) return parent;
  return null;
}

export const holds = (node, wanted) => [...walk(node)].some((each) => each.node === wanted);
export const hasRoom = (group) => group.op !== "NOT" || group.args.length === 0;

/** Puts `fresh` where `old` stood; the new root. */
export function replace(root, old, fresh) {
  const parent = parentOf(root, old);
  if (!parent) return fresh;
  parent.args[parent.args.indexOf(old)] = fresh;
  return root;
}

/** Takes a node out; the new root, an empty group where nothing is left. */
export function remove(root, node) {
  const parent = parentOf(root, node);
  if (!parent) return emptyGroup();
  parent.args.splice(parent.args.indexOf(node), 1);
  return root;
}

/** Moves a node before place `index` of `group`, as places were before the move. False if it cannot. */
export function move(root, node, group, index) {
  const parent = parentOf(root, node);
  if (!parent || holds(node, group) || (parent !== group && !hasRoom(group))) return false;
  const from = parent.args.indexOf(node);
  const to = parent === group && from < index ? index - 1 : index;
  parent.args.splice(from, 1);
  group.args.splice(to, 0, node);
  return true;
}

/** One step by arrow key: up, down among its siblings, left out of its group, right into the next. */
export function step(root, node, direction) {
  const parent = parentOf(root, node);
  if (!parent) return false;
  const i = parent.args.indexOf(node);
  if (direction === "up") return i > 0 && move(root, node, parent, i - 1);
  if (direction === "down") return i < parent.args.length - 1 && move(root, node, parent, i + 2);
  if (direction === "left") {
    const outer = parentOf(root, parent);
    return outer !== null && move(root, node, outer, outer.args.indexOf(parent) + 1);
  }
  const near = [parent.args[i - 1], parent.args[i + 1]].find((each) => isGroup(each) && hasRoom(each));
  return near !== undefined && move(root, node, near, near.args.length);
}

/** The arguments that another predicate keeps when it takes the place of this one. */
export function argumentsFor(predicate, given) {
  const args = {};
  for (const parameter of predicate.parameters) {
    const value = given?.[parameter.name];
    const wantsList = parameter.type === "texts";
    const choices = parameter.choices;
    const fits = value !== undefined && Array.isArray(value) === wantsList &&
      (!choices.length || wantsList || choices.includes(value));
    if (fits) args[parameter.name] = value;
    else if (parameter.required && wantsList) args[parameter.name] = [];
    else if (parameter.required && choices.length) args[parameter.name] = choices[0];
    else if (parameter.required && parameter.type === "days") args[parameter.name] = 90;
    else if (parameter.required) args[parameter.name] = "";
  }
  return args;
}
