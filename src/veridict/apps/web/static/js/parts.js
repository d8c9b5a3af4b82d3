// The small parts that pages share.

import { ApiError, token } from "./api.js";
import { h } from "./dom.js";
import * as format from "./format.js";
import { icon } from "./icons.js";
import { STAGES, store } from "./store.js";

const MANY = 10;
const LONG = 40;

export function heading(title, lede) {
  return h("header.page-head", {}, h("h1", { tabindex: "-1" }, title), lede ? h("p.lede", {}, lede) : null);
}

export function panel(title, ...children) {
  return h("section.panel", {}, title ? h("h2", {}, title) : null, children);
}

/** allow · review · hold, by shape, colour and word. */
export function badge(decision) {
  const meaning = store.status?.words?.[decision];
  return h(`span.badge.is-${decision}`, { title: meaning ?? null }, icon(decision), format.capital(decision));
}

export function scoreBar(row) {
  const value = format.probability(row.probability);
  return h(`div.score.is-${row.decision}`, { title: `probability ${row.probability}, raw score ${row.score}` },
    h("span.track", { "aria-hidden": "true" }, h("span.bar", { vars: { "--part": row.probability } })),
    h("span.score-value", {}, h("span.hidden", {}, "probability "), value));
}

/** With `usual`, what is usual for the subject and for everybody stands below each reason. */
export function reasons(row, most = 3, usual = false) {
  return h("ul.reasons", {}, row.reasons.slice(0, most).map((reason) =>
    h("li", { title: `${reason.feature} = ${format.known(reason.value)}: ${format.signed(reason.contribution)} log-odds` },
      h(`span.${reason.contribution < 0 ? "lowers" : "raises"}`, {}, icon(reason.contribution < 0 ? "down" : "up"),
        h("span.hidden", {}, reason.contribution < 0 ? "lowers: " : "raises: ")),
      usual && reason.usual?.text ? h("span.told", {}, reason.text, h("small", {}, reason.usual.text)) : reason.text)));
}

/** A long hash, cut in the middle, whole in its title, and a button that copies it. */
export function hash(value, label = "value") {
  return h("span.hash", {}, h("code", { title: value }, format.middle(value)), copyButton(value, label));
}

export function copyButton(value, label) {
  const button = h("button.quiet.copy", { type: "button", "aria-label": `Copy ${label}`, title: `Copy ${label}` }, icon("copy"));
  button.addEventListener("click", async () => {
    const copied = await copy(value);
    button.dataset.copied = copied ? "yes" : "no";
    button.setAttribute("aria-label", copied ? `Copied ${label}` : `Could not copy ${label}`);
    setTimeout(() => {
      delete button.dataset.copied;
      button.setAttribute("aria-label", `Copy ${label}`);
    }, 1500);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Any text of unknown length: hashes shortened, several lines kept, the rest wrapped. */
export function value(text, label) {
  if (text.includes("\n")) return h("pre", { tabindex: "0" }, text);
  if (format.isHash(text)) return hash(text, label);
  return h("span.text", {}, format.partsOf(text).map((part, at) => (at % 2 ? hash(part, label) : part)));
}

/** [[label, text or element], …] as a definition list. */
export function facts(pairs) {
  const long = (content) => typeof content === "string" && content.length > LONG && !format.isHash(content);
  return h(`dl.facts${pairs.length > MANY ? ".is-many" : ""}`, {}, pairs.map(([label, content]) =>
    h(long(content) ? "div.is-long" : "div", {}, h("dt", {}, label), h("dd", {}, typeof content === "string" ? value(content, label) : content))));
}

/** The seven stages as a chain of links; `state(word)` is done, now or todo. */
export function stageChain(state, title) {
  return h("ol.stage-chain", { "aria-label": title }, STAGES.map((word, at) => {
    const is = state(word, at + 1);
    const said = { done: "done", now: "under way", todo: "to come" }[is];
    return h(`li.is-${is}`, { "aria-current": is === "now" ? "step" : null },
      h("span.disc", { "aria-hidden": "true" }, is === "done" ? icon("done") : String(at + 1)),
      h("span.stage-word", {}, word), h("span.hidden", {}, `: ${said}`));
  }));
}

export function table(head, rows, caption) {
  return h("div.table-wrap", { tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption.hidden", {}, caption),
      h("thead", {}, h("tr", {}, head.map(([name, kind]) => h("th", { scope: "col", class: kind ?? null }, name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, at) => h("td", { class: head[at][1] ?? null }, cell)))))));
}

export const loading = (what) => h("p.state.is-loading", { role: "status" }, h("span.spinner", { "aria-hidden": "true" }), `Loading ${what}…`);

export const empty = (title, text) => h("div.state.is-empty", {}, h("p.state-title", {}, title), text ? h("p", {}, text) : null);

export function failure(error, again) {
  return h("div.state.is-error", { role: "alert" },
    h("p.state-title", {}, error.message),
    error instanceof ApiError && error.remedy ? h("p", {}, error.remedy) : null,
    again ? h("button", { type: "button", onclick: again }, "Try again") : null);
}

/** One of several choices, as a row of toggle buttons. */
export function choice(label, options, chosen, onchange) {
  const group = h("div.choice", { role: "group", "aria-label": label });
  for (const [key, text] of options) {
    group.append(h("button", { type: "button", "data-key": key, "aria-pressed": String(key === chosen), onclick: () => {
      for (const other of group.children) other.setAttribute("aria-pressed", String(other.dataset.key === key));
      onchange(key);
    } }, text));
  }
  return group;
}

export function tokenField() {
  return h("label.field", {}, h("span", {}, "Token"),
    h("input", { type: "password", name: "token", autocomplete: "off", value: token.get(), required: true, spellcheck: "false" }),
    h("small", {}, "Printed by “veridict up”. Kept for this tab only."));
}
