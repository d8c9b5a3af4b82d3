// One case: why it waits, what hangs on it, what was done, and what one can do.

import { get, post, token } from "../api.js";
import { drawGraph } from "../graph.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { icon } from "../icons.js";
import { badge, failure, loading, reasons, scoreBar, tokenField, value } from "../parts.js";
import { store } from "../store.js";

const NAME = "veridict.by";
const DONE = { release: "Released", confirm: "Confirmed", assign: "Given", note: "Noted", export: "Report made" };
const STOP = { days: 30, most: 10 };

export function drawCase(view, one) {
  const { row } = one;
  const linked = h("div.linked");
  fill(view.detail,
    h("a.back", { href: "#/cases" }, icon("left"), "All cases"),
    h("div.panel-head", {}, h("h2", { tabindex: "-1", title: row.request_id }, format.shortened(row.request_id) || "erased"), h(`span.badge.is-${one.status}`, {}, format.capital(one.status))),
    h("dl.facts", {}, facts(one).map(([label, content]) => h("div", {}, h("dt", {}, label), h("dd", {}, content)))),
    h("h3", {}, "Reasons"), reasons(row, 3, true),
    one.alerts.length ? h("ul.alerts", {}, one.alerts.map((alert) => h("li", {}, alert))) : null,
    h("p", {}, h("a", { href: `#/prediction/${row.index}` }, "All seven stages of this prediction")),
    linked, history(one), form(view, one));
  drawLinks(linked, one);
}

function facts(one) {
  const { row } = one;
  return [
    ["Decision", h("span.inline", {}, badge(one.decision), h("span.soft", {}, store.status.words[one.decision] ?? ""))],
    ["Probability", scoreBar({ ...row, decision: one.decision })],
    one.amount_minor === null ? null : ["At stake", `${format.money(one.expected_loss_minor)} expected of ${format.money(one.amount_minor)}`],
    ["Subject", value(row.subject || "–", "subject")],
    row.summary === row.request_id ? null : ["About", value(row.summary, "summary")],
    ["Decided", format.moment(row.time_ms)],
    ["On chain", one.payment_id === null ? "no payment in the guard contract" : `payment ${one.payment_id} in the guard contract`],
    one.assigned ? ["With", one.assigned] : null,
    one.stopped_by === null ? null : ["Stopped", `as an earlier one was cleared: suppression ${format.count(one.stopped_by)}`],
    one.stops === null ? null : ["Stops others", `by suppression ${format.count(one.stops)}`],
  ].filter(Boolean);
}

async function drawLinks(root, one) {
  let links;
  try {
    links = await get(`/api/cases/${one.row.index}/links`);
  } catch (error) {
    fill(root, failure(error));
    return;
  }
  if (links.nodes.length < 2) return;
  const others = links.cases.length - 1;
  const told = [links.ring.length ? `closes a ring of ${links.ring.length} payments` : null, others ? format.plural(others, "linked case", "linked cases") : null];
  fill(root, h("h3", {}, "How it hangs together"), h("p.soft", {}, told.filter(Boolean).join(", ") || "no other case shares an account with it"),
    others || links.ring.length ? [drawGraph(links), ties(links)] : null);
}

function ties(links) {
  if (!links.ties.length) return null;
  return h("ul.ties", {}, links.ties.map((tie) => h("li", {}, `${tie.what} `, value(tie.which, tie.what), ": ",
    tie.cases.filter((at) => at !== links.index).slice(0, 12).map((at, n) => [n ? ", " : "", h("a", { href: `#/cases/${at}` }, `#${at}`)]),
    tie.cases.length > 13 ? ` and ${tie.cases.length - 13} more` : "")));
}

function history(one) {
  const all = [...one.acts.map((act) => ({ ...act, step: act.act })), ...one.steps].sort((a, b) => a.index - b.index);
  return all.length ? [h("h3", {}, "What was done"), h("ul.acts", {}, all.map(line))] : null;
}

function line(act) {
  return h("li", {}, h("b", {}, DONE[act.step] ?? act.step), act.to ? [" to ", h("b", {}, act.to)] : "", " by ", h("span.text", {}, act.by), `, ${format.moment(act.time_ms)}, record ${format.count(act.index)}`,
    act.note ? h("blockquote", {}, act.note) : null);
}

function form(view, one) {
  const pays = one.payment_id !== null;
  const open = one.status === "open" || one.status === "suppressed";
  const me = sessionStorage.getItem(NAME) ?? "";
  const told = h("div", { "aria-live": "assertive" });
  const box = h("form.act-form", { "aria-label": "Work on this case", onsubmit: (event) => {
    event.preventDefault();
    act(view, one, box, event.submitter?.value ?? "note", told);
  } },
  h("h3", {}, open ? "Decide, or hand on" : "Note, or report"), tokenField(),
  h("label.field", {}, h("span", {}, "Your name"), h("input", { name: "by", required: true, maxlength: 80, autocomplete: "name", value: me })),
  h("label.field", {}, h("span", {}, "Note"), h("textarea", { name: "note", rows: 2, maxlength: 500 }), h("small", {}, "Written to the log, sealed; it goes when the subject is erased.")),
  open ? h("label.check-field", {}, h("input", { type: "checkbox", name: "stop" }), h("span", {}, `When released, stop alerts like it for ${STOP.days} days, ${STOP.most} at most`, h("small", {}, "Same reason and parties, no larger amount. Takes the lead."))) : null,
  open ? h("div.buttons", {},
    h("button.primary", { type: "submit", value: "release" }, icon("allow"), pays ? "Release the payment" : "Release"),
    h("button", { type: "submit", value: "confirm" }, icon("hold"), pays ? "Confirm and refuse the payment" : "Confirm the decision")) : null,
  open ? h("label.field.hand-on", {}, h("span", {}, "Hand on to"), h("input", { name: "to", maxlength: 80, placeholder: "yourself", autocomplete: "off" })) : null,
  h("div.buttons", {}, open ? h("button", { type: "submit", value: "assign" }, icon("right"), "Hand on") : null,
    h("button", { type: "submit", value: "note" }, icon("note"), "Only note"),
    h("button", { type: "submit", value: "report" }, icon("receipt"), "Report without names"),
    h("button", { type: "submit", value: "report-full" }, icon("receipt"), "Full report")), told);
  return box;
}

/** What is sent, and where, for each button. */
function request(one, what, { by, note, to, stop }) {
  const seen = one.last;
  if (what === "assign") return ["assign", { by, note, seen, to: to?.trim() || by }];
  if (what === "note") return ["note", { by, note }];
  if (what.startsWith("report")) return ["export", { by, note, redacted: what === "report" }];
  return [what, { by, note, seen, ...(what === "release" && stop ? { stop: STOP } : {}) }];
}

async function act(view, one, box, what, told) {
  const typed = Object.fromEntries(new FormData(box));
  token.set(typed.token);
  sessionStorage.setItem(NAME, typed.by);
  const buttons = [...box.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  fill(told, loading("the answer of log and chain"));
  try {
    const [path, body] = request(one, what, typed);
    const done = await post(`/api/cases/${one.row.index}/${path}`, body);
    if (path === "export") handOut(one.row.index, done);
    await view.reload(true);
    view.detail.querySelector("h2")?.focus();
  } catch (error) {
    if (error.status === 401 || (error.status === 403 && !error.facts?.needed)) token.forget();
    fill(told, failure(error));
    for (const button of buttons) button.disabled = false;
  }
}

function handOut(index, report) {
  save(`veridict-case-${index}.html`, report.page, "text/html");
  save(`veridict-case-${index}.json`, report.json, "application/json");
}

function save(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
