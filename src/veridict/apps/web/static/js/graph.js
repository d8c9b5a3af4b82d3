// Accounts and payments as a drawing, with the same told in a table below it.

import { h, s } from "./dom.js";
import * as format from "./format.js";
import { table } from "./parts.js";

const WIDE = 640;
const HIGH = 440;
const DOT = 9;
const HEAD = 9;

export function drawGraph(links) {
  const places = new Map(links.nodes.map((node) => [node.account, [node.x * WIDE, node.y * HIGH]]));
  const edges = links.edges.filter((edge) => edge.payer !== edge.payee);
  const said = `${format.plural(links.nodes.length, "account", "accounts")}, ${format.plural(links.edges.length, "payment line", "payment lines")}${links.ring.length ? `, a ring: ${links.ring.join(", ")}` : ""}`;
  const crowded = links.nodes.length > 24;
  return h("div.graph-box", { tabindex: "-1" },
    s("svg.graph", { viewBox: `-70 -14 ${WIDE + 140} ${HIGH + 44}`, role: "img", "aria-label": said },
      edges.map((edge) => line(edge, places)),
      links.nodes.map((node) => dot(node, places.get(node.account), crowded))),
    legend(),
    links.left_out ? h("p.soft", {}, `${format.plural(links.left_out, "case", "cases")} of this group are not drawn.`) : null,
    h("details", {}, h("summary", {}, "The payments as a table"), table(
      [["From"], ["To"], ["Payments", "number"], ["Amount", "number"], ["Standing"]],
      links.edges.map((edge) => [edge.payer, edge.payee, format.count(edge.payments.length), format.money(edge.amount_minor), edge.in_ring ? `${edge.status}, in the ring` : edge.status]),
      "Payments around this case")));
}

function line(edge, places) {
  const [x1, y1] = places.get(edge.payer);
  const [x2, y2] = places.get(edge.payee);
  const length = Math.max(1, Math.hypot(x2 - x1, y2 - y1));
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [ax, ay] = [x1 + dx * DOT, y1 + dy * DOT];
  const [bx, by] = [x2 - dx * (DOT + 3), y2 - dy * (DOT + 3)];
  const head = [[bx, by], [bx - HEAD * (dx - dy / 2), by - HEAD * (dy + dx / 2)], [bx - HEAD * (dx + dy / 2), by - HEAD * (dy - dx / 2)]];
  const kind = `g.edge.is-${edge.status}${edge.in_ring ? ".in-ring" : ""}`;
  return s(kind, {}, s("title", {}, `${edge.payer} → ${edge.payee}: ${format.money(edge.amount_minor)}, ${edge.status}`),
    s("line", { x1: ax, y1: ay, x2: bx, y2: by }), s("polygon", { points: head.map((point) => point.join(",")).join(" ") }));
}

function dot(node, [x, y], crowded) {
  const kind = `g.account${node.named ? ".is-named" : ""}${node.in_ring ? ".in-ring" : ""}`;
  const labelled = !crowded || node.named || node.in_ring;
  return s(kind, {}, s("title", {}, node.account), s("circle", { cx: x, cy: y, r: DOT }),
    labelled ? s("text", { x, y: y + DOT + 15 }, format.middle(node.account, 10, 6)) : null);
}

function legend() {
  return h("ul.legend", {}, [["open", "open case"], ["confirmed", "confirmed"], ["released", "released"], ["suppressed", "stopped"], ["allowed", "allowed"]].map(([kind, text]) =>
    h(`li.key.is-${kind}`, {}, text)));
}
