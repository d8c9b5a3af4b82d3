// Model: its card, read as a document, and what the chain says of it.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { empty, facts, failure, heading, loading, panel, table, value } from "../parts.js";
import { store } from "../store.js";

const SCORE_ONE = 2 ** 32; // core.nouns.SCORE_ONE
const KNOWN = ["schema", "title", "model_id", "annex", "data", "data_title", "trained_from_s", "trained_to_s", "measured_from_s", "sources", "libraries", "features", "metrics", "limits", "review_at", "hold_at", "chosen"];

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
  const more = Object.entries(card).filter(([name]) => !KNOWN.includes(name));
  return [
    identity(model),
    h("div.card", {},
      panel("Trained on", facts([
        ["Data", card.data_title], ["Digest (SHA-256)", card.data],
        ["From", format.day(card.trained_from_s)], ["To, not included", format.day(card.trained_to_s)],
        card.measured_from_s === undefined ? null : ["Measured from", format.day(card.measured_from_s)],
        ...(card.sources ?? []).map((source) => ["Published as", `${source.name} (${source.licences.join(", ")})`]),
        card.libraries ? ["Made with", card.libraries.map((pinned) => pinned.replace("==", " ")).join(", ")] : null,
      ].filter(Boolean))),
      panel("Policy", facts([
        ["Allow", `below ${threshold(card.review_at)}`],
        ["Review", `from ${threshold(card.review_at)}`],
        ["Hold", `from ${threshold(card.hold_at)}`],
        ["Raw scores", `${card.review_at} and ${card.hold_at}`],
        card.chosen ? ["Chosen by cost", costs(card.chosen)] : null,
      ].filter(Boolean))),
      card.chosen?.bands.length ? segments(card.chosen.bands) : null,
      metrics(card.metrics),
      h("section.panel.wide", {}, h("h2", {}, "Limits and notices"), notices([...new Set([...card.limits, ...store.status.notices])])),
      h("section.panel.wide", {}, h("h2", {}, `Features (${card.features.length})`), h("ul.tags", {}, card.features.map((name) => h("li", {}, name)))),
      more.length ? h("section.panel.wide", {}, h("h2", {}, "More on the card"), facts(more.map(([name, content]) => [format.spaced(name), plain(content)]))) : null),
  ];
}

function identity(model) {
  const { card } = model;
  return h("section.panel.model-head", {},
    h("div.panel-head", {}, h("h2", {}, card.title), h(`span.badge.is-${model.active ? "allow" : "hold"}`, {}, model.active ? "Active" : "Deprecated")),
    facts([
      ["Model id (SHA-256)", model.model_id],
      ["Size", `${format.count(model.n_bytes)} bytes, in ${format.plural(model.chunks, "contract", "contracts")}`],
      ["Registered", `in block ${format.count(model.registered_at_block)}`],
      ["Annex (SHA-256)", card.annex],
    ]));
}

/** What a mistake was taken to cost when the thresholds were chosen, in minor units. */
function costs({ missed, review, held }) {
  const loss = missed === null ? "its amount" : format.count(missed);
  return `a missed event ${loss}, a review ${format.count(review)}, an honest row held ${format.count(held)}`;
}

/** Thresholds of segments; one with too little data has the ones of all. */
function segments(bands) {
  return h("section.panel.wide", {}, h("h2", {}, "Thresholds by segment"), facts(bands.map((band) => [
    band.name,
    `review from ${threshold(band.review_at)}, hold from ${threshold(band.hold_at)}; ${format.plural(band.rows, "row", "rows")}, ${format.plural(band.events, "event", "events")}${band.own ? "" : "; too few for their own"}`,
  ])));
}

/** A raw score as the probability that people think in; the decision is made on the integer. */
function threshold(raw) {
  return `probability ${format.probability(1 / (1 + Math.exp(-Number(raw) / SCORE_ONE)))}`;
}

/** One row a group, one column a measure; the whole comes first. */
function metrics(all) {
  const names = [...new Set(all.map((metric) => metric.name))];
  const groups = [...new Set(all.map((metric) => metric.group))].sort((a, b) => (a === "" ? -1 : b === "" ? 1 : 0));
  const at = new Map(all.map((metric) => [`${metric.group}\n${metric.name}`, metric]));
  const head = [["Group"], ["Rows", "number"], ...names.map((name) => [format.capital(name), "number"])];
  const rows = groups.map((group) => {
    const some = all.find((metric) => metric.group === group);
    return [group === "" ? h("b", {}, "All rows") : group, format.count(some.rows), ...names.map((name) => measure(at.get(`${group}\n${name}`)))];
  });
  return h("section.panel.wide.metrics", {}, h("h2", {}, "Measured on rows after the training period, by group"), table(head, rows, "Measures by group"));
}

const measure = (metric) => (metric ? h("span", { title: metric.value }, Number(metric.value).toFixed(3)) : "–");
const notices = (texts) => h("ul.notices", {}, texts.map((text) => h("li", {}, text)));
const plain = (content) => value(typeof content === "string" ? content : JSON.stringify(content, null, 1), "value");
