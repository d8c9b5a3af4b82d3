// Network: what the fee will be, how well that was said before, and whether to post now.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { empty, facts, failure, heading, loading, panel, table } from "../parts.js";
import { fan, figure, square } from "../plot.js";

export default {
  title: "Network",
  show(root) {
    const body = h("div.plots");
    root.append(heading("Network", "What the chain will charge: exact for the next block, a forecast with intervals beyond it."), body);
    load(body);
    const timer = setInterval(() => document.visibilityState === "visible" && load(body, true), 10000);
    return () => clearInterval(timer);
  },
};

async function load(body, quiet = false) {
  if (quiet && body.querySelector("details[open]")) return; // someone reads the numbers
  if (!quiet) fill(body, loading("the forecast"));
  try {
    const outlook = await get("/api/network");
    fill(body, outlook ? draw(outlook) : panel(null, empty("Nothing was forecast yet", "Run “veridict network learn”, then “veridict network forecast”.")));
  } catch (error) {
    if (!quiet) fill(body, failure(error, () => load(body)));
  }
}

const fee = (gwei) => `${gwei.toFixed(gwei < 1 ? 4 : 2)} gwei`;
const percent = (part) => `${(100 * part).toFixed(1)} %`;

function draw(outlook) {
  return [fanPlot(outlook), calibrationPlot(outlook), h("div.beside", {}, planPanel(outlook), noticePanel(outlook))];
}

function fanPlot(outlook) {
  const next = outlook.next_fee_gwei;
  const ahead = [[1, next, next, next], ...outlook.fans.map((one) => [one.horizon, one.low, one.point, one.high])];
  const numbers = table([["Blocks ahead", "number"], ["Low", "number"], ["Forecast", "number"], ["High", "number"], ["Load of target", "number"], ["By"]],
    outlook.fans.map((one) => [format.count(one.horizon), fee(one.low), fee(one.point), fee(one.high), percent(one.load), one.by_model ? "model" : "formula"]), "Forecast fees");
  const day = format.moment(outlook.time_s * 1000);
  return figure("Base fee", `After block ${format.count(outlook.block)} (${day}). The next block charges ${fee(next)}, exactly. The band holds the fee in four cases of five.`,
    [["past", "What was charged"], ["rate", "Forecast"]], fan(`Base fee after block ${outlook.block}`, outlook.recent, ahead, (v) => v.toFixed(v < 10 ? 2 : 0)), numbers);
}

function calibrationPlot(outlook) {
  const series = outlook.fans.map((one) => [`${one.horizon} blocks ahead`, outlook.levels.map((level, at) => [level, one.shares[at]])]);
  const numbers = table([["Blocks ahead", "number"], ["Inside the interval", "number"], ["Error", "number"], ["Formula’s error", "number"]],
    outlook.fans.map((one) => [format.count(one.horizon), percent(one.covered), percent(one.model_error), percent(one.formula_error)]), "Calibration");
  return figure("Said and came", "How often, lately, the fee was at most the quantile that was said. On the line, intervals keep their promise.", [], square("Calibration of the quantiles", series), numbers);
}

function planPanel({ plan, inclusion }) {
  const pairs = plan ? [
    ["Decision", plan.post ? "Post now" : "Wait"], ["Next block", fee(plan.fee_gwei)],
    ["Would pay now", plan.accepted_gwei === null ? "any fee" : fee(plan.accepted_gwei)],
    ["Blocks left", format.count(plan.left_blocks)], ["By", plan.by], ["Why", plan.why],
  ] : [];
  for (const wait of inclusion) {
    pairs.push([`A cap of ${fee(wait.cap_gwei)}`, wait.likely_blocks === null ? "unlikely within the forecast" : `likely in ${wait.likely_blocks} blocks`]);
  }
  return panel("Posting", pairs.length ? facts(pairs) : empty("No plan was asked for", "“veridict network plan” says whether to post now or to wait."));
}

function noticePanel({ trusted, findings, changes }) {
  const lines = [...findings, ...changes];
  return panel("The source", h("p", {}, trusted ? "Its blocks are in order." : "Its blocks are doubted: the formula answers."),
    lines.length ? h("ul.notices", {}, lines.map((line) => h("li", {}, line))) : null);
}
