// Elements from plain values. Text only ever becomes text: nothing here parses HTML.

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
  node.append(...children.flat(4).filter((child) => child !== null && child !== undefined));
  return node;
}

function assign(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "vars") for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** Replace what `node` holds. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(4).filter((child) => child !== null && child !== undefined));
  return node;
}
