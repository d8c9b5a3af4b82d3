// Elements from plain values. Text only ever becomes text: nothing here parses HTML.

// Characters that hide or turn text around: a name must not read as another.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

const SVG = "http://www.w3.org/2000/svg";

/** h("a.button", {href, onclick}, "text", child, [children], null) → Element */
export function h(spec, props = {}, ...children) {
  return build((tag) => document.createElement(tag), spec, props, children);
}

/** The same for SVG. */
export function s(spec, props = {}, ...children) {
  return build((tag) => document.createElementNS(SVG, tag), spec, props, children);
}

function build(create, spec, props, children) {
  const [tag, ...classes] = spec.split(".");
  const node = create(tag);
  if (classes.length) node.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(props)) assign(node, name, value);
  node.append(...shown(children));
  return node;
}

function assign(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "vars") for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
  else node.setAttribute(name, value === true ? "" : name === "title" ? plain(String(value)) : String(value));
}

/** Replace what `node` holds. */
export function fill(node, ...children) {
  node.replaceChildren(...shown(children));
  return node;
}

/** The same, for parts that change by themselves: the focus stays on the same place. */
export function refill(node, ...children) {
  const stops = () => [...node.querySelectorAll("a, button, [tabindex]")];
  const at = stops().indexOf(document.activeElement);
  fill(node, ...children);
  if (at >= 0) stops()[at]?.focus({ preventScroll: true });
  return node;
}

/** What children show: nothing for null, and hidden characters by their number. */
function shown(children) {
  return children.flat(4).filter((child) => child !== null && child !== undefined)
    .map((child) => (typeof child === "string" ? plain(child) : child));
}

function plain(text) {
  return text.replace(HIDDEN, (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}
