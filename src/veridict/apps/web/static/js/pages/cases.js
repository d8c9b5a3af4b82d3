// Cases: what waits for a human. A list on the left, the chosen one on the right.

import { get, post, token } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { icon } from "../icons.js";
import { badge, choice, empty, failure, heading, loading, reasons, scoreBar, tokenField, value } from "../parts.js";
import { listen, store } from "../store.js";

const NAME = "veridict.by";
const FILTERS = [["open", "Open"], ["released", "Released"], ["confirmed", "Confirmed"], ["", "All"]];
const ACTS = { release: "released", confirm: "confirmed" };

export default {
  title: "Cases",
  show(root, argument) {
    const view = { chosen: argument === "" ? null : Number(argument), filter: "open", cases: [], list: h("ul.case-list"), detail: h("section.panel.case", { "aria-label": "The chosen case" }) };
    view.box = h("div.two-panes", {}, h("section.panel", { "aria-label": "Cases" },
      h("div.panel-head", {}, choice("Show cases", FILTERS, view.filter, (key) => {
        view.filter = key;
        load(view);
      })), view.list, h("p.hint", {}, "↑ and ↓ move through the list.")), view.detail);
    root.append(heading("Cases", `What the model did not allow waits for a person. Each act is itself a record in the log.`), view.box);
    view.list.addEventListener("keydown", (event) => move(event, view));
    load(view);
    return listen((kind) => {
      if (kind === "case") load(view, true);
    });
  },
};

async function load(view, quiet = false) {
  if (!quiet) fill(view.list, h("li", {}, loading("cases")));
  const asked = view.filter;
  try {
    const cases = await get(`/api/cases?limit=200${asked ? `&status=${asked}` : ""}`);
    if (asked !== view.filter) return;
    view.cases = cases;
    drawList(view);
    await choose(view, view.chosen, quiet);
  } catch (error) {
    fill(view.list, h("li", {}, failure(error, () => load(view))));
  }
}

function drawList(view) {
  const focused = document.activeElement?.dataset?.case;
  if (!view.cases.length) {
    fill(view.list, h("li", {}, empty(view.filter === "open" ? "Nothing waits" : "No such case", "A prediction that is to be reviewed or held appears here.")));
    return;
  }
  fill(view.list, view.cases.map((one) => entry(one, view)));
  if (focused) view.list.querySelector(`[data-case="${CSS.escape(focused)}"]`)?.focus();
}

function entry(one, view) {
  const { row } = one;
  return h("li", {}, h("a", { href: `#/cases/${row.index}`, "data-case": row.index, "aria-current": row.index === view.chosen ? "true" : null, onclick: (event) => {
    event.preventDefault();
    choose(view, row.index);
    view.box.dataset.open = "yes";
    if (matchMedia("(max-width: 60rem)").matches) view.detail.querySelector("h2")?.focus();
  } },
  h("span.case-top", {}, badge(row.decision), h("span.soft", {}, format.time(row.time_ms))),
  h("span.case-name", {}, format.shortened(row.request_id) || "erased"), h("span.summary", {}, format.about(row)),
  h("span.case-foot", {}, one.status === "open" ? scoreBar(row) : h("span.soft", {}, one.status))));
}

function move(event, view) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const links = [...view.list.querySelectorAll("a")];
  const next = links[links.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  choose(view, Number(next.dataset.case));
}

async function choose(view, index, quiet = false) {
  const wide = !matchMedia("(max-width: 60rem)").matches;
  view.chosen = index ?? (wide ? view.cases[0]?.row.index ?? null : null);
  for (const link of view.list.querySelectorAll("a")) {
    if (Number(link.dataset.case) === view.chosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  if (view.chosen === null) {
    delete view.box.dataset.open;
    fill(view.detail, empty("No case chosen", "Choose one from the list."));
    return;
  }
  if (index !== null) view.box.dataset.open = "yes";
  const one = view.cases.find((found) => found.row.index === view.chosen) ?? await elsewhere(view.chosen);
  const key = one && `${one.row.index} ${one.status} ${one.acts.length}`;
  if (quiet && view.drawn === key) return; // what is being typed stays
  view.drawn = key;
  drawDetail(view, one);
}

/** A case that the filter hides: decided a moment ago, or named in the address. */
async function elsewhere(index) {
  const all = await get("/api/cases?limit=500").catch(() => []);
  return all.find((one) => one.row.index === index);
}

function drawDetail(view, one) {
  if (!one) {
    fill(view.detail, empty("No such case", "It may never have needed a human."));
    return;
  }
  const { row } = one;
  fill(view.detail,
    h("a.back", { href: "#/cases" }, icon("left"), "All cases"),
    h("div.panel-head", {}, h("h2", { tabindex: "-1", title: row.request_id }, format.shortened(row.request_id) || "erased"), h(`span.badge.is-${one.status}`, {}, format.capital(one.status))),
    h("dl.facts", {}, [
      ["Decision", h("span.inline", {}, badge(row.decision), h("span.soft", {}, store.status.words[row.decision] ?? ""))], ["Probability", scoreBar(row)],
      ["Subject", value(row.subject || "–", "subject")], row.summary === row.request_id ? null : ["About", value(row.summary, "summary")], ["Decided", format.moment(row.time_ms)],
      ["On chain", one.payment_id === null ? "no payment in the guard contract" : `payment ${one.payment_id} in the guard contract`],
    ].filter(Boolean).map(([label, content]) => h("div", {}, h("dt", {}, label), h("dd", {}, content)))),
    h("h3", {}, "Reasons"), reasons(row, 3, true),
    h("p", {}, h("a", { href: `#/prediction/${row.index}` }, "All seven stages of this prediction")),
    one.acts.length ? [h("h3", {}, "Acts"), h("ul.acts", {}, one.acts.map(actLine))] : null,
    one.status === "open" ? form(view, one) : null);
}

function actLine(act) {
  return h("li", {}, h("b", {}, format.capital(ACTS[act.act] ?? act.act)), " by ", h("span.text", {}, act.by), `, ${format.moment(act.time_ms)}, record ${format.count(act.index)}`,
    act.note ? h("blockquote", {}, act.note) : null);
}

function form(view, one) {
  const pays = one.payment_id !== null;
  const told = h("div", { "aria-live": "assertive" });
  const box = h("form.act-form", { "aria-label": "Decide this case", onsubmit: (event) => {
    event.preventDefault();
    decide(view, one, box, event.submitter?.value ?? "confirm", told);
  } },
  h("h3", {}, "Decide"), tokenField(),
  h("label.field", {}, h("span", {}, "Your name"), h("input", { name: "by", required: true, maxlength: 80, autocomplete: "name", value: sessionStorage.getItem(NAME) ?? "" })),
  h("label.field", {}, h("span", {}, "Note"), h("textarea", { name: "note", rows: 2, maxlength: 500 }), h("small", {}, "Written to the log with the act.")),
  h("div.buttons", {},
    h("button.primary", { type: "submit", name: "act", value: "release" }, icon("allow"), pays ? "Release the payment" : "Release"),
    h("button", { type: "submit", name: "act", value: "confirm" }, icon("hold"), pays ? "Confirm and refuse the payment" : "Confirm the decision")), told);
  return box;
}

async function decide(view, one, box, act, told) {
  const { token: typed, by, note } = Object.fromEntries(new FormData(box));
  token.set(typed);
  sessionStorage.setItem(NAME, by);
  const buttons = [...box.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  fill(told, loading("the answer of log and chain"));
  try {
    await post(`/api/cases/${one.row.index}/${act}`, { by, note });
    await load(view, true);
    view.detail.querySelector("h2")?.focus();
  } catch (error) {
    if (error.status === 401 || error.status === 403) token.forget();
    fill(told, failure(error));
    for (const button of buttons) button.disabled = false;
  }
}
