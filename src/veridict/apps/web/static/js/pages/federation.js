// Federation: who trains together, what part each had, who was refused and why, what privacy cost.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { empty, facts, failure, hash, heading, loading, panel, table } from "../parts.js";

export default {
  title: "Federation",
  nav: "Parties",
  show(root) {
    const body = h("div.plots");
    root.append(heading("Federation", "Models that parties train together: every round, who took part, what the rule made of it, and who was refused."), body);
    load(body);
    const timer = setInterval(() => document.visibilityState === "visible" && load(body, true), 4000);
    return () => clearInterval(timer);
  },
};

async function load(body, quiet = false) {
  if (!quiet) fill(body, loading("the rounds"));
  try {
    const found = await get("/api/federation");
    const told = JSON.stringify(found);
    if (quiet && body.dataset.told === told) return;
    body.dataset.told = told;
    fill(body, found.length ? found.map(draw) : panel(null, empty("No federation was joined here", "Run “veridict federate join”, then “veridict federate train”.")));
  } catch (error) {
    if (!quiet) fill(body, failure(error, () => load(body)));
  }
}

const MODES = {
  open: "open: members see each other’s updates",
  masked: "masked: members see a group’s sum only",
  committee: "committee: three measure and add what none of them can read",
};
const percent = (part) => `${(100 * part).toFixed(1)} %`;
const name = (number, own) => (number === own ? `${number} (this one)` : String(number));

function draw(one) {
  const now = one.rounds[0];
  const last = one.rounds.find((each) => each.loss !== null);
  return h("section.federation", {},
    panel(one.name, facts([
      ["Contract", hash(one.contract, "contract")],
      ["Learner", one.learner], ["Mode", MODES[one.mode] ?? one.mode], ["Rule", one.rule],
      ["Now", one.finished ? "finished" : now ? `round ${now.number}: ${now.phase}` : "no round yet"],
      ["Log loss on the root batch", last ? last.loss.toFixed(4) : "not known yet"],
      ["Budget of ε", one.budget ?? "none agreed"],
    ])),
    membersPanel(one), roundsPanel(one));
}

function membersPanel(one) {
  const head = [["Member", "number"], ["Account"], ["Stake", "number"], ["Stands"], ["ε spent", "number"], ["Punished"]];
  const rows = one.members.map((each) => [name(each.number, one.member), hash(each.owner, "account"), `${format.count(Number(BigInt(each.stake) / 10n ** 12n))} µETH`,
    each.stands ? "yes" : "no", each.epsilon ? Number(each.epsilon).toFixed(3) : "–", each.punished.join(", ") || "–"]);
  return panel("Members", table(head, rows, "Members of the federation"));
}

function roundsPanel(one) {
  if (!one.rounds.length) return panel("Rounds", empty("No round yet", "The first member that trains opens one."));
  const head = [["Round", "number"], ["Outcome"], ["Revealed"], ["Part of the step"], ["Refused, and why"], ["Log loss", "number"]];
  const rows = one.rounds.map((each) => [String(each.number), each.outcome === "under way" ? `under way: ${each.phase}` : each.outcome,
    `${each.revealed.length} of ${one.members.length}`, parts(each), refusals(each), each.loss === null ? "–" : each.loss.toFixed(4)]);
  return panel("Rounds", table(head, rows, "Rounds of the federation"));
}

function parts(each) {
  if (!each.parts.length) return "–";
  return h("ul.parts", {}, each.parts.map((part) => h("li", { title: `paid ${part.paid} wei` },
    h("span.who", {}, String(part.member)), h("span.track", { "aria-hidden": "true" }, h("span.bar", { vars: { "--part": part.part } })), h("span.much", {}, percent(part.part)))));
}

function refusals(each) {
  if (!each.refusals.length) return "–";
  return h("ul.notices", {}, each.refusals.map((one) => h("li", { title: one.finding }, `Member ${one.member}: ${one.text}`)));
}
