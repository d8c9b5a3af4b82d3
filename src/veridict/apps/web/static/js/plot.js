// Plots as SVG: bars, lines, a sparkline. Colours come from the style sheet by class.

import { h, s } from "./dom.js";
import * as format from "./format.js";

const BOX = { width: 720, height: 280, left: 52, right: 12, top: 14, bottom: 34 };
const INNER = { width: BOX.width - BOX.left - BOX.right, height: BOX.height - BOX.top - BOX.bottom };

/** A figure: legend, drawing, and the same numbers as a table for who cannot see it. */
export function figure(title, lede, legend, drawing, numbers) {
  const keys = legend.map(([name, text]) => h(`li.key.is-${name}`, {}, text));
  return h("figure.panel.plot", {},
    h("figcaption", {}, h("h2", {}, title), h("p", {}, lede)),
    keys.length ? h("ul.legend", {}, keys) : null, drawing,
    h("details", {}, h("summary", {}, "The numbers"), numbers));
}

function frame(label, marks) {
  return s("svg.drawing", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": label }, marks);
}

/** Horizontal grid lines with their values; `ticks` are [value in 0..1, text]. */
function grid(ticks) {
  return ticks.map(([at, text]) => {
    const y = BOX.top + (1 - at) * INNER.height;
    return [
      s("line.grid", { x1: BOX.left, x2: BOX.width - BOX.right, y1: y, y2: y }),
      s("text.tick", { x: BOX.left - 8, y: y + 4, "text-anchor": "end" }, text),
    ];
  });
}

function foot(labels) {
  return labels.map(([at, text], n) => {
    const anchor = n === 0 ? "start" : n === labels.length - 1 ? "end" : "middle";
    return s("text.tick", { x: BOX.left + at * INNER.width, y: BOX.height - 12, "text-anchor": anchor }, text);
  });
}

/**
 * Stacked bars whose height is the logarithm of the bin's total; inside a bar the
 * series share the height in proportion. `series` = [[name, counts]].
 */
export function logBars(label, edges, series) {
  const totals = series[0][1].map((_, bin) => series.reduce((sum, [, counts]) => sum + counts[bin], 0));
  const top = Math.max(1, Math.ceil(Math.log10(Math.max(1, ...totals) + 1)));
  const height = (n) => (Math.log10(n + 1) / top) * INNER.height;
  const ticks = Array.from({ length: top + 1 }, (_, n) => [Math.log10(10 ** n + (n ? 1 : 0)) / top, n ? format.brief(10 ** n) : "0"]);
  const span = edges.at(-1) - edges[0];
  const x = (edge) => BOX.left + ((edge - edges[0]) / span) * INNER.width;
  const marks = totals.flatMap((total, bin) => bar(total, bin));

  function bar(total, bin) {
    let y = BOX.top + INNER.height;
    return series.filter(([, counts]) => counts[bin] > 0).map(([name, counts]) => {
      const tall = Math.max(2, (counts[bin] / total) * height(total));
      y -= tall;
      const said = `${edges[bin].toFixed(2)}–${edges[bin + 1].toFixed(2)}: ${format.count(counts[bin])} ${name}`;
      return s(`rect.fill.is-${name}`, { x: x(edges[bin]) + 1, y, width: Math.max(1, x(edges[bin + 1]) - x(edges[bin]) - 2), height: tall, rx: 2 }, s("title", {}, said));
    });
  }
  const feet = [0, 0.25, 0.5, 0.75, 1].map((at) => [at, (edges[0] + at * span).toFixed(2)]);
  return frame(label, [grid(ticks.map(([at, text]) => [Math.min(1, at), text])), marks, foot(feet)]);
}

/** Lines over equal steps; a null breaks the line. `series` = [[name, values]], `top` the value at 1. */
export function lines(label, series, top, names, ticks) {
  const many = Math.max(1, names.length - 1);
  const x = (at) => BOX.left + (at / many) * INNER.width;
  const y = (v) => BOX.top + (1 - Math.min(1, v / top)) * INNER.height;
  const marks = series.flatMap(([name, values]) => [
    ...runs(values).map((run) => s(`polyline.line.is-${name}`, { points: run.map(([at, v]) => `${x(at)},${y(v)}`).join(" ") })),
    ...(values.length > 60 ? [] : values.flatMap((v, at) => v === null ? [] : [
      s(`circle.dot.is-${name}`, { cx: x(at), cy: y(v), r: 3.5 }, s("title", {}, `${names[at]}: ${name} ${+v.toFixed(3)}`)),
    ])),
  ]);
  const step = Math.max(1, Math.ceil(names.length / 6));
  const feet = names.map((text, at) => [at / many, text]).filter((_, at) => at % step === 0);
  return frame(label, [grid(ticks), marks, foot(feet)]);
}

function runs(values) {
  const found = [[]];
  values.forEach((v, at) => {
    if (v === null) found.push([]);
    else found.at(-1).push([at, v]);
  });
  return found.filter((run) => run.length > 0);
}

/** A rounded number at or above `value`: 1, 2 or 5 times a power of ten. */
export function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value);
}

export function sparkline(values, label) {
  const width = 200;
  const height = 44;
  const top = Math.max(1, ...values);
  const points = values.map((v, at) => `${(at / Math.max(1, values.length - 1)) * width},${height - 3 - (v / top) * (height - 8)}`);
  const area = `0,${height} ${points.join(" ")} ${width},${height}`;
  return s("svg.sparkline", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    points.length > 1 ? [s("polygon.under", { points: area }), s("polyline.line.is-rate", { points: points.join(" ") })] : []);
}
