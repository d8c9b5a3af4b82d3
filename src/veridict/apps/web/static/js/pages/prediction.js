// Prediction: one prediction through its seven stages, down to its proof.

import { get, getBlob } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { icon } from "../icons.js";
import { badge, copyButton, empty, facts, failure, heading, loading, scoreBar, stageChain, value } from "../parts.js";
import { listen, store } from "../store.js";

const NEAR = 9;

const WHY = {
  features: "Drawn from this request and from what came before it, never from what came after.",
  score: "An integer: every runtime, the contract too, must give the same bits.",
  commit: "Salted commitments: nothing personal enters the log.",
  log: "A leaf under a signed head; a contract refuses a head that does not extend the last.",
};

export default {
  title: "Prediction",
  show(root, argument) {
    const view = { index: argument === "" ? null : Number(argument), body: h("div.prediction"), state: null };
    root.append(heading("Prediction", "One prediction through its seven stages, down to its proof."), finder(argument), view.body);
    load(view);
    // A record moves on (durable → anchored → final) when the log does.
    return listen((kind, status) => {
      if (kind === "status" && view.shown && !view.shown.receipt_ready && status.log.anchored > view.index) load(view, true);
    });
  },
};

function finder(argument) {
  return h("form.finder", { role: "search", onsubmit: (event) => {
    event.preventDefault();
    location.hash = `#/prediction/${Number(new FormData(event.target).get("index"))}`;
  } },
  h("label.field.inline", {}, h("span", {}, "Log index"), h("input", { name: "index", type: "number", min: 0, step: 1, required: true, inputmode: "numeric", value: argument })),
  h("button", { type: "submit" }, "Show"));
}

async function load(view, quiet = false) {
  if (!quiet) fill(view.body, loading("the prediction"));
  try {
    if (view.index === null) {
      const newest = await get("/api/predictions?limit=1");
      if (!newest.length) {
        fill(view.body, empty("No prediction yet", "The newest one is shown here as soon as there is one."));
        return;
      }
      view.index = newest[0].index;
    }
    view.shown = await get(`/api/predictions/${view.index}`);
    draw(view);
  } catch (error) {
    fill(view.body, failure(error, () => load(view)));
  }
}

function draw(view) {
  const { row, stages, receipt_ready: ready } = view.shown;
  const done = Object.fromEntries(stages.map((stage) => [stage.stage, stage.done]));
  const next = stages.find((stage) => !stage.done)?.stage;
  fill(view.body,
    h(`section.panel.verdict.is-${row.decision}`, {},
      h("div.verdict-what", {}, h("h2", { title: row.request_id }, format.shortened(row.request_id) || "erased"), h("p.summary", {}, format.about(row)),
        h("p.soft", {}, `Record ${format.count(row.index)} · sequence ${format.count(row.sequence)} · ${format.moment(row.time_ms)} · ${row.state}`)),
      h("div.verdict-how", {}, badge(row.decision), scoreBar(row))),
    stageChain((word) => (done[word] ? "done" : word === next ? "now" : "todo"), "Stages of this prediction"),
    h("ol.stages", {}, stages.map((stage, at) => card(stage, at, row))),
    receipt(row, ready),
    pager(row.index));
}

/** Links to the predictions beside this one; the log holds other records between them. */
function pager(index) {
  const box = h("nav.pager", { "aria-label": "Neighbours" });
  get(`/api/predictions?before=${index + NEAR}&limit=${NEAR + 1}`).then((rows) => {
    const indices = rows.map((row) => row.index);
    const before = Math.max(...indices.filter((other) => other < index));
    const after = Math.min(...indices.filter((other) => other > index));
    fill(box, Number.isFinite(before) ? h("a", { href: `#/prediction/${before}` }, icon("left"), "Prediction before") : h("span"),
      Number.isFinite(after) ? h("a", { href: `#/prediction/${after}` }, "Prediction after", icon("right")) : h("span"));
  }).catch(() => {}); // a convenience; the page stands without it
  return box;
}

function card(stage, at, row) {
  const drawn = stage.stage === "score" && row.reasons.length > 0; // reasons are drawn as bars instead
  const told = stage.facts.filter((fact) => !(drawn && /^reason \d+$/.test(fact.label)));
  return h(`li.stage.is-${stage.done ? "done" : "todo"}`, {},
    h("span.disc", { "aria-hidden": "true" }, stage.done ? icon("done") : String(at + 1)),
    h("div.stage-body", {},
      h("h3", {}, h("span.stage-word", {}, stage.stage), format.capital(stage.title)),
      h("p.soft", {}, WHY[stage.stage] ?? "", stage.done ? "" : " Not yet."),
      drawn ? weights(row.reasons) : null,
      told.length ? facts(told.map((fact) => [fact.label, format.known(fact.value)])) : null));
}

/** Reasons as bars left (lowers) and right (raises) of a middle line. */
function weights(all) {
  const most = Math.max(...all.map((reason) => Math.abs(reason.contribution)), 1e-9);
  return h("ul.weights", { "aria-label": "Strongest reasons" }, all.map((reason) =>
    h(`li.${reason.contribution < 0 ? "lowers" : "raises"}`, {},
      h("span.weight-text", {}, reason.text, h("small", {}, `${reason.feature} = ${format.known(reason.value)}`),
        reason.usual?.text ? h("small.usual", {}, reason.usual.text) : null),
      h("span.weight-bar", { "aria-hidden": "true" }, h("span", { vars: { "--part": Math.abs(reason.contribution) / most } })),
      h("span.weight-value", {}, format.signed(reason.contribution)))));
}

function receipt(row, ready) {
  const told = h("div", { "aria-live": "polite" });
  const name = `veridict-receipt-${row.index}.json`;
  const url = store.status.chain.rpc_url;
  const command = `veridict verify ${name}${url ? ` --rpc ${url}` : ""}`;
  const button = h("button.primary", { type: "button", disabled: !ready, onclick: () => save(row.index, name, told) }, icon("receipt"), "Download receipt");
  return h("section.panel.receipt", {}, h("h2", {}, "Receipt"),
    h("p", {}, ready ? "One file that proves this record to anyone who can reach the chain, and needs no word of ours." : "It can be had once the record is anchored on chain; until then there is nothing on chain to prove it by."),
    h("div.buttons", {}, button),
    ready ? h("p.command", {}, h("code", {}, command), copyButton(command, "command")) : null, told);
}

async function save(index, name, told) {
  try {
    const url = URL.createObjectURL(await getBlob(`/api/predictions/${index}/receipt`));
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    fill(told, h("p.soft", {}, "Saved as ", value(name, "name"), "."));
  } catch (error) {
    fill(told, failure(error));
  }
}
