// Live: the demo's seven stages, what was decided so far, and decisions as they come.

import { get } from "../api.js";
import { fill, h, refill } from "../dom.js";
import * as format from "../format.js";
import { icon } from "../icons.js";
import { badge, choice, empty, failure, heading, loading, reasons, scoreBar, stageChain } from "../parts.js";
import { sparkline } from "../plot.js";
import { STAGES, addRows, listen, store } from "../store.js";

const SHOWN = 30;
const DRAW_MS = 300; // a hand-sized rhythm: twenty changes a second cannot be read

export default {
  title: "Live",
  show(root) {
    const parts = { demo: h("section.panel.demo"), tiles: h("div.tiles"), found: h("div"), list: h("ol.stream"), held: h("p.held", { "aria-live": "polite" }) };
    const view = { parts, filter: "all", paused: false, pointed: false, stale: true };
    root.append(
      heading("Live", "Each decision as it is made, with its reasons, written to a log that nobody can change."),
      parts.demo, parts.tiles, parts.found,
      h("section.panel.stream-panel", {}, streamHead(view), parts.held, parts.list));
    hold(view);
    drawDemo(parts.demo);
    drawTiles(parts.tiles);
    drawFindings(parts.found);
    refresh(view);
    const silence = listen((kind) => changed(kind, view));
    const timer = setInterval(() => {
      if (view.stepped) drawDemo(parts.demo);
      view.stepped = false;
      drawStream(view);
    }, DRAW_MS);
    return () => {
      silence();
      clearInterval(timer);
    };
  },
};

function changed(kind, view) {
  if (kind === "step") view.stepped = true; // steps come by the hundred; the timer draws them
  if (kind === "status") {
    catchUp(view);
    drawTiles(view.parts.tiles);
    view.stepped = true;
  }
  if (kind === "finding") drawFindings(view.parts.found);
  if (kind === "prediction") view.stale = view.heard = true;
}

/** A node may decide faster than it tells: where the count moved and no row came, ask for the newest. */
async function catchUp(view) {
  const { predictions } = store.status;
  const unheard = view.counted !== undefined && predictions !== view.counted && !view.heard;
  view.counted = predictions;
  view.heard = false;
  if (unheard) await refresh(view);
}

function streamHead(view) {
  const pause = h("button.pause", { type: "button", "aria-pressed": "false" }, icon("pause"), h("span", {}, "Pause"));
  pause.addEventListener("click", () => {
    view.paused = !view.paused;
    pause.setAttribute("aria-pressed", String(view.paused));
    fill(pause, icon(view.paused ? "play" : "pause"), h("span", {}, view.paused ? "Resume" : "Pause"));
    view.stale = true;
    drawHeld(view);
  });
  const filter = choice("Show decisions", [["all", "All"], ["allow", "Allow"], ["review", "Review"], ["hold", "Hold"]], "all", (key) => {
    view.filter = key;
    refresh(view);
  });
  return h("div.panel-head", {}, h("h2", {}, "Decisions"), h("div.tools", {}, filter, pause));
}

/** Rows stand still while someone points at one or has the focus in the list. */
function hold(view) {
  const { list } = view.parts;
  const set = (pointed) => () => {
    view.pointed = pointed;
    drawHeld(view);
  };
  list.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && set(true)());
  list.addEventListener("pointerleave", set(false));
  list.addEventListener("focusin", set(true));
  list.addEventListener("focusout", set(false));
}

function drawHeld(view) {
  view.parts.held.textContent = view.paused ? "Paused. New decisions are still recorded." : view.pointed ? "Held while you look." : "";
}

async function refresh(view) {
  const { filter } = view;
  if (!store.rows.length) fill(view.parts.list, h("li", {}, loading("decisions")));
  try {
    addRows(await get(`/api/predictions?limit=${SHOWN}${filter === "all" ? "" : `&decision=${filter}`}`));
    view.stale = true;
    drawStream(view, view.drawn !== filter);
    view.drawn = filter;
  } catch (error) {
    fill(view.parts.list, h("li", {}, failure(error, () => refresh(view))));
    view.stale = false;
  }
}

function drawStream(view, now = false) {
  if (!view.stale || (!now && (view.paused || view.pointed))) return;
  view.stale = false;
  const { list } = view.parts;
  const rows = store.rows.filter((row) => view.filter === "all" || row.decision === view.filter).slice(0, SHOWN);
  if (!rows.length) {
    fill(list, h("li", {}, empty("No decision yet", "They appear here as soon as the node makes one.")));
    return;
  }
  const drawn = new Map([...list.children].map((item) => [item.dataset.index, item]));
  const fresh = drawn.size > 0;
  fill(list, rows.map((row) => drawn.get(String(row.index)) ?? item(row, fresh)));
}

function item(row, fresh) {
  return h(`li.decision.is-${row.decision}${fresh ? ".is-fresh" : ""}`, { "data-index": row.index },
    h("time.when", { datetime: new Date(row.time_ms).toISOString(), title: format.moment(row.time_ms) }, format.time(row.time_ms)),
    badge(row.decision),
    h("div.what", {}, h("a.cover", { href: `#/prediction/${row.index}`, title: row.request_id }, format.shortened(row.request_id) || "erased"),
      h("span.summary", {}, format.about(row))),
    scoreBar(row), reasons(row, row.decision === "allow" ? 1 : 3)); // nobody asks why at length when it was allowed
}

function drawDemo(box) {
  const { demo } = store.status;
  box.hidden = store.steps.size === 0 && (demo === "");
  const over = demo === "done";
  const state = (word, number) => {
    if (over || (store.current && number < store.current)) return "done";
    if (number === store.current) return store.steps.get(number).done >= (store.steps.get(number).total ?? Infinity) ? "done" : "now";
    return "todo";
  };
  fill(box, h("div.panel-head", {}, h("h2", {}, "The demo in seven stages"), h("span.soft", {}, over ? "Finished" : "Under way")),
    stageChain(state, "Stages of the demo"), over ? null : stepLine(store.steps.get(store.current), demo));
}

function stepLine(step, demo) {
  if (!step) return h("div.step", {}, h("p", {}, format.capital(demo)));
  const told = Object.entries(step.facts ?? {}).map(([name, fact]) => `${format.spaced(name)} ${typeof fact === "number" ? +fact.toFixed(4) : fact}`);
  return h("div.step", {},
    h("p", {}, h("strong", {}, `${step.stage ? format.capital(STAGES[step.stage - 1]) : "Before the first prediction"}: `), step.title, step.total ? ` ${format.count(step.done)} of ${format.count(step.total)}` : ""),
    step.total ? h("progress", { value: step.done, max: step.total, "aria-label": step.title }) : null,
    told.length ? h("p.soft", {}, told.join(" · ")) : null);
}

function drawTiles(box) {
  const { status } = store;
  const { counts, log, words } = status;
  const decided = ["allow", "review", "hold"].map((word) => [word, counts[word] ?? 0]);
  const all = Math.max(1, status.predictions);
  refill(box,
    tile("Decisions", format.count(status.predictions), h("div", {},
      h("div.stack", { "aria-hidden": "true" }, decided.map(([word, n]) => h(`span.is-${word}`, { vars: { "--part": n / all } }))),
      h("ul.legend", {}, decided.map(([word, n]) => h(`li.key.is-${word}`, { title: words[word] ?? null }, `${word} `, h("b", {}, format.count(n)))))), "wide"),
    tile("Throughput", [format.brief(status.rate_per_s), h("small", {}, "a second")], sparkline(store.rates, "Decisions a second, lately")),
    tile("Anchored on chain", [format.share(log.anchored, log.size)], h("p.soft", {}, `${format.count(log.anchored)} of ${format.count(log.size)} records`), "", "#/chain"),
    tile("Waiting for a human", format.count(status.open_cases), h("p.soft", {}, "open cases"), "", "#/cases"));
}

function tile(title, figure, below, kind = "", href = null) {
  const name = href ? h("a.cover", { href }, title) : title;
  return h(`section.panel.tile${kind ? `.${kind}` : ""}`, {}, h("h2", {}, name), h("p.figure", {}, figure), below);
}

function drawFindings(box) {
  if (!store.findings.length) return;
  fill(box, h("section.panel.findings", {}, h("h2", {}, `Findings (${store.findings.length})`),
    h("ul", {}, store.findings.slice(-6).reverse().map((found) =>
      h("li", {}, h("code.code", {}, found.code), ` at ${found.where}: expected `, h("span.text", {}, found.expected), ", found ", h("span.text", {}, found.found))))));
}
