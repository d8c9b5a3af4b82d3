// Plots: how scores lie, how good the decisions were over time, how fast they came.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { empty, failure, heading, loading, table } from "../parts.js";
import { bars, figure, lines, logBars, niceTop } from "../plot.js";

export default {
  title: "Plots",
  show(root) {
    const body = h("div.plots");
    root.append(heading("Plots", "How scores lie, how good the decisions were, how fast they came."), body);
    load(body);
    const timer = setInterval(() => document.visibilityState === "visible" && load(body, true), 10000);
    return () => clearInterval(timer);
  },
};

async function load(body, quiet = false) {
  if (quiet && body.querySelector("details[open]")) return; // someone reads the numbers
  if (!quiet) fill(body, loading("the plots"));
  try {
    const { scores, quality, throughput } = await get("/api/plots");
    fill(body, scorePlot(scores), qualityPlot(quality), ratePlot(throughput));
  } catch (error) {
    if (!quiet) fill(body, failure(error, () => load(body)));
  }
}

function scorePlot(scores) {
  const series = ["allow", "review", "hold"].map((name) => [name, scores[name]]);
  const sum = series.reduce((all, [, counts]) => all + counts.reduce((a, b) => a + b, 0), 0);
  if (!sum) return nothing("Scores by decision");
  const bins = scores.edges.slice(0, -1).map((edge, bin) => [bin, edge]).filter(([bin]) => series.some(([, counts]) => counts[bin]));
  const numbers = table([["Probability"], ["Allow", "number"], ["Review", "number"], ["Hold", "number"]],
    bins.map(([bin, edge]) => [`${edge.toFixed(2)}–${scores.edges[bin + 1].toFixed(2)}`, ...series.map(([, counts]) => format.count(counts[bin]))]), "Scores by decision");
  return figure("Scores by decision", "Predictions by probability. The height is the logarithm of the count, or the few that matter would not be seen.",
    series.map(([name]) => [name, format.capital(name)]), logBars(`Distribution of ${format.count(sum)} scores by decision`, scores.edges, series), numbers);
}

function qualityPlot(quality) {
  if (!quality.length) return nothing("Precision and recall over time");
  const names = quality.map((point) => point.label);
  const series = [["precision", quality.map((point) => point.precision)], ["recall", quality.map((point) => point.recall)]];
  const numbers = table([["Period"], ["Predictions", "number"], ["Events", "number"], ["Flagged", "number"], ["Precision", "number"], ["Recall", "number"]],
    quality.map((point) => [point.label, format.count(point.predictions), format.count(point.positives), format.count(point.flagged), format.ratio(point.precision), format.ratio(point.recall)]), "Precision and recall");
  return figure("Precision and recall over time", "Precision: how much of what was reviewed or held deserved it. Recall: how much of what deserved it was reviewed or held. From outcomes that arrived later.",
    [["precision", "Precision"], ["recall", "Recall"]], lines("Precision and recall by period", series, 1, names, [0, 0.25, 0.5, 0.75, 1].map((v) => [v, v.toFixed(2)])), numbers);
}

function ratePlot(throughput) {
  if (!throughput.length) return nothing("Throughput");
  const top = niceTop(Math.max(...throughput.map((point) => point.per_s)));
  const names = throughput.map((point) => format.time(point.time_ms));
  const numbers = table([["Time"], ["Decisions a second", "number"]], throughput.map((point) => [format.time(point.time_ms), format.count(Math.round(point.per_s))]), "Throughput");
  return figure("Throughput", "Decisions a second, in the seconds in which there were any.", [], bars("Decisions a second", throughput.map((point) => point.per_s), top, names, [0, 0.25, 0.5, 0.75, 1].map((v) => [v, format.brief(v * top)])), numbers);
}

const nothing = (title) => h("section.panel", {}, h("h2", {}, title), empty("Nothing to draw yet", "It fills as decisions are made."));
