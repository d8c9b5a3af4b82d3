// Cases: what waits for a human. The queue on the left, the chosen case on the right.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { badge, choice, empty, failure, heading, loading, scoreBar } from "../parts.js";
import { listen } from "../store.js";
import { drawCase } from "./case.js";
import { drawSuppressions } from "./suppressions.js";

const FILTERS = [["open", "Open"], ["released", "Released"], ["confirmed", "Confirmed"], ["suppressed", "Stopped"], ["", "All"]];
const ORDERS = [["loss", "By expected loss"], ["newest", "Newest first"]];
const KEYS = [["j k", "next and previous case"], ["a", "take it over"], ["n", "write a note"], ["r", "go to release"], ["c", "go to confirm"], ["g", "go to the graph"]];
// Where a key puts the focus: nothing is decided by one key alone.
const STOPS = { a: 'input[name="to"]', n: 'textarea[name="note"]', r: 'button[value="release"]', c: 'button[value="confirm"]', g: ".graph-box" };

export default {
  title: "Cases",
  show(root, argument) {
    const view = { chosen: argument === "" ? null : Number(argument), filter: "open", order: "loss", cases: [], list: h("ul.case-list"), detail: h("section.panel.case", { "aria-label": "The chosen case" }), stopping: h("section.panel.stopping", { "aria-label": "Suppressions", hidden: true }) };
    view.reload = (quiet) => load(view, quiet);
    view.box = h("div.two-panes", {}, h("section.panel", { "aria-label": "Cases" },
      h("div.panel-head", {}, choice("Show cases", FILTERS, view.filter, (key) => {
        view.filter = key;
        load(view);
      }), choice("Order of cases", ORDERS, view.order, (key) => {
        view.order = key;
        load(view);
      })), view.list, hint()), view.detail);
    root.append(heading("Cases", `What the model did not allow waits for a person. Each act is itself a record in the log.`), view.box, view.stopping);
    view.list.addEventListener("keydown", (event) => move(event, view));
    const onKey = (event) => shortcut(event, view);
    addEventListener("keydown", onKey);
    load(view);
    const leave = listen((kind) => {
      if (kind === "case") load(view, true);
    });
    return () => {
      removeEventListener("keydown", onKey);
      leave();
    };
  },
};

function hint() {
  return h("details.hint", {}, h("summary", {}, "Keys"), h("dl.keys", {}, KEYS.map(([key, does]) =>
    h("div", {}, h("dt", {}, key.split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, does)))));
}

async function load(view, quiet = false) {
  if (!quiet) fill(view.list, h("li", {}, loading("cases")));
  const asked = `${view.filter} ${view.order}`;
  drawSuppressions(view.stopping);
  try {
    const status = view.filter ? `&status=${view.filter}` : "";
    const cases = await get(`/api/cases?limit=200&order=${view.order}${status}`);
    if (asked !== `${view.filter} ${view.order}`) return;
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
  h("span.case-top", {}, badge(one.decision), h("span.soft", {}, one.assigned ? `${one.assigned} · ` : "", format.time(row.time_ms))),
  h("span.case-name", {}, format.shortened(row.request_id) || "erased"), h("span.summary", {}, format.about(row)),
  h("span.case-foot", {}, one.status === "open" ? scoreBar({ ...row, decision: one.decision }) : h("span.soft", {}, one.status)),
  h("span.case-ties", {}, one.expected_loss_minor === null ? null : h("span", {}, "at stake ", h("b", {}, format.money(one.expected_loss_minor))),
    one.linked ? h("span", {}, format.plural(one.linked, "linked case", "linked cases")) : null)));
}

function move(event, view) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && go(view, step, document.activeElement)) event.preventDefault();
}

/** The next link of the list, and its case, from `from` on. */
function go(view, step, from) {
  const links = [...view.list.querySelectorAll("a")];
  const next = links[links.indexOf(from) + step];
  if (!next) return false;
  next.focus();
  choose(view, Number(next.dataset.case));
  return true;
}

function shortcut(event, view) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const step = { j: 1, k: -1 }[event.key];
  if (step) go(view, step, view.list.querySelector('a[aria-current="true"]'));
  const stop = Object.hasOwn(STOPS, event.key) ? view.detail.querySelector(STOPS[event.key]) : null;
  if (!step && !stop) return;
  event.preventDefault();
  stop?.focus();
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
  const asked = view.chosen;
  const one = await whole(asked);
  if (asked !== view.chosen) return; // another was chosen meanwhile
  const key = one && `${one.row.index} ${one.status} ${one.last}`;
  if (quiet && view.drawn === key) return; // what is being typed stays
  view.drawn = key;
  if (one) drawCase(view, one);
  else fill(view.detail, empty("No such case", "It may never have needed a human."));
}

/** A case with what is usual beside its reasons, whether the list shows it or not. */
async function whole(index) {
  return get(`/api/cases/${index}`).catch(() => undefined);
}
