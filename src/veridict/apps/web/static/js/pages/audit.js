// Audit: replay everything, and list each check with what it looked at and found.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { icon } from "../icons.js";
import { empty, facts, failure, heading, loading, value } from "../parts.js";

let last = null; // the checks and when they were made; kept while this tab is open

export default {
  title: "Audit",
  show(root) {
    const result = h("div.audit-result", { "aria-live": "polite" });
    const button = h("button.primary", { type: "button", onclick: () => run(button, result) }, icon("audit"), "Run the audit");
    root.append(heading("Audit", "Replays every body, re-runs the model on the logged inputs, and checks proofs, signatures and anchors against the chain."),
      h("section.panel.audit-run", {}, h("p", {}, "It changes nothing and takes some seconds. A stranger can do the same with ", h("code", {}, "veridict audit"), "."), button), result);
    if (last) draw(result, last);
    else fill(result, empty("No audit in this tab yet", "Its numbered checks will stand here."));
    return null;
  },
};

async function run(button, result) {
  button.disabled = true;
  fill(result, loading("the findings: every record is replayed"));
  try {
    last = { checks: await get("/api/audit"), at: Date.now() };
    draw(result, last);
  } catch (error) {
    fill(result, failure(error, () => run(button, result)));
  }
  button.disabled = false;
}

function draw(result, { checks, at }) {
  if (!checks.length) {
    fill(result, failure(new Error("No check ran, so nothing is shown to be right.")));
    return;
  }
  const failed = checks.filter((check) => !check.passed).length;
  fill(result,
    h(`p.outcome.is-${failed ? "hold" : "allow"}`, {}, icon(failed ? "failed" : "done"),
      h("strong", {}, failed ? `${format.plural(failed, "check", "checks")} of ${checks.length} failed` : `All ${checks.length} checks passed`), h("span.soft", {}, format.moment(at))),
    h("ol.checks", {}, checks.map(card)));
}

function card(check) {
  return h(`li.panel.check.is-${check.passed ? "allow" : "hold"}`, {},
    h("span.disc", { "aria-hidden": "true" }, String(check.number)),
    h("div.check-body", {}, h("h2", {}, check.title),
      h("p.soft", {}, `${format.count(check.examined)} examined, `, check.passed ? "nothing wrong" : format.plural(check.findings.length, "finding", "findings")),
      check.findings.length ? findings(check.findings) : null,
      check.notes.length ? h("ul.soft", {}, check.notes.map((note) => h("li", {}, note))) : null),
    h(`span.badge.is-${check.passed ? "allow" : "hold"}`, {}, icon(check.passed ? "done" : "failed"), check.passed ? "Passed" : "Failed"));
}

function findings(found) {
  return h("ul.found", {}, found.map((one) => h("li", {}, h("p", {}, h("code.code", {}, one.code), " at ", value(one.where, "place")),
    facts([["Expected", one.expected], ["Found", one.found]]))));
}
