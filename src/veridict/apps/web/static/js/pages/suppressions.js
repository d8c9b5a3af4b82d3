// What cleared cases stop: shown while it works and after, and taken back by the lead.

import { get, post, token } from "../api.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { failure, table } from "../parts.js";

const HEAD = [["Suppression"], ["Stops"], ["Between"], ["Up to", "number"], ["Until"], ["Stopped", "number"], ["By"], [""]];

export async function drawSuppressions(root) {
  const found = await get("/api/cases/suppressions").catch(() => []);
  root.hidden = !found.length;
  if (!found.length) return;
  const told = h("div", { "aria-live": "assertive" });
  fill(root, h("h2", {}, "What cleared cases stop"),
    table(HEAD, found.map((one) => row(one, root, told)), "Suppressions, newest first"), told);
}

function row(one, root, told) {
  return [
    h("span.inline", {}, h("a", { href: `#/cases/${one.case}` }, `#${one.index}`), h("span.soft", {}, one.state)),
    format.spaced(one.reason), `${one.payer} → ${one.payee}`, one.up_to_minor === null ? "–" : format.money(one.up_to_minor),
    format.moment(one.until_ms).slice(0, 10), `${one.stopped.length} of ${one.most}`, one.by,
    one.state === "active" ? h("button", { type: "button", onclick: () => revoke(one, root, told) }, "Take back") : "",
  ];
}

async function revoke(one, root, told) {
  try {
    await post(`/api/cases/suppressions/${one.index}/revoke`, { by: sessionStorage.getItem("veridict.by") ?? "", note: "" });
    await drawSuppressions(root);
  } catch (error) {
    if (error.status === 401) token.forget();
    fill(told, failure(error));
  }
}
