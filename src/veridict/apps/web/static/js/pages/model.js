// Model: its card, read as a document, and what the chain says of it.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { empty, facts, failure, heading, loading, panel, table, value } from "../parts.js";
import { store } from "../store.js";

// What the card is known to hold, in reading order; whatever else it holds follows.
const ORDER = ["data", "period", "policy", "metrics", "groups", "agreement", "training", "limits", "notices"];

export default {
  title: "Model",
  show(root) {
    const body = h("div");
    root.append(heading("Model", "One immutable artifact. Its id is the hash of its bytes, which are stored on chain."), body);
    load(body);
    return null;
  },
};

async function load(body) {
  fill(body, loading("the model"));
  try {
    const model = await get("/api/model");
    fill(body, model ? draw(model) : empty("No model is registered yet", "Train and register one with “veridict model”, or run the demo."));
  } catch (error) {
    fill(body, failure(error, () => load(body)));
  }
}

function draw(model) {
  const { card } = model;
  const simple = Object.entries(card).filter(([, content]) => !isGroup(content));
  const groups = Object.entries(card).filter(([, content]) => isGroup(content)).sort(([a], [b]) => place(a) - place(b));
  return [
    h("section.panel.model-head", {},
      h("div.panel-head", {}, h("h2", {}, String(card.title ?? card.name ?? store.status.title)), h(`span.badge.is-${model.active ? "allow" : "hold"}`, {}, model.active ? "Active" : "Deprecated")),
      facts([["Model id (SHA-256)", model.model_id], ["Features", format.count(model.n_features)], ["Size", `${format.count(model.n_bytes)} bytes in ${format.plural(model.chunks, "contract", "contracts")}`], ["Registered", `block ${format.count(model.registered_at_block)}`],
        ...simple.filter(([name]) => name !== "title" && name !== "model_id").map(pair)])),
    store.status.notices.length ? panel("Notices", notices(store.status.notices)) : null,
    h("div.card", {}, groups.map(([name, content]) => section(name, content))),
  ];
}

const place = (name) => {
  const at = ORDER.findIndex((known) => name.includes(known));
  return at < 0 ? ORDER.length : at;
};
const isGroup = (content) => content !== null && typeof content === "object";
const pair = ([name, content]) => [format.capital(format.spaced(name)), plain(content, name)];

function plain(content, name) {
  if (typeof content === "number") return h("span", {}, Number.isSafeInteger(content) && Math.abs(content) >= 10000 ? format.count(content) : String(content));
  if (typeof content === "boolean") return content ? "yes" : "no";
  return value(content === null ? "–" : String(content), format.spaced(name));
}

const notices = (texts) => h("ul.notices", {}, texts.map((text) => h("li", {}, String(text))));

/** A list of texts, a table of alike records, a nest of records, or name: value pairs. */
function section(name, content) {
  const title = format.capital(format.spaced(name));
  const wide = tableOf(content) !== null;
  return h(`section.panel${wide ? ".wide" : ""}`, {}, h("h2", {}, title), inside(title, content));
}

function inside(title, content) {
  if (Array.isArray(content) && content.length === 0) return h("p.soft", {}, "none");
  const rows = tableOf(content);
  if (rows) return grouped(title, rows);
  if (Array.isArray(content)) return content.some(isGroup) ? content.map((one) => inside(title, one)) : list(content);
  const entries = Object.entries(content);
  const flat = entries.filter(([, part]) => !isGroup(part));
  return [
    flat.length ? facts(flat.map(pair)) : null,
    entries.filter(([, part]) => isGroup(part)).map(([name, part]) => [h("h3", {}, format.capital(format.spaced(name))), inside(name, part)]),
  ];
}

/** Short texts (feature names) run as a line of tags; sentences as a list. */
function list(texts) {
  const short = texts.every((text) => String(text).length < 32);
  return short && texts.length > 3 ? h("ul.tags", {}, texts.map((text) => h("li", {}, String(text)))) : notices(texts);
}

/** [{group, …}, …] or {group: {…}, …} → rows of alike records, or null. */
function tableOf(content) {
  const rows = Array.isArray(content) ? content : Object.entries(content).map(([name, part]) => isGroup(part) && !Array.isArray(part) ? { name, ...part } : part);
  if (rows.length < 2 || !rows.every((row) => isGroup(row) && !Array.isArray(row) && !Object.values(row).some(isGroup))) return null;
  const names = Object.keys(rows[0]).join();
  return rows.every((row) => Object.keys(row).join() === names) ? rows : null;
}

function grouped(title, rows) {
  const names = Object.keys(rows[0]);
  const numeric = (name) => rows.every((row) => row[name] === null || (row[name] !== "" && Number.isFinite(Number(row[name]))));
  const head = names.map((name) => [format.capital(format.spaced(name)), numeric(name) ? "number" : null]);
  return table(head, rows.map((row) => names.map((name) => plain(row[name], name))), title);
}
