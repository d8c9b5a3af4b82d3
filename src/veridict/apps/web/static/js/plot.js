// Plots as SVG, drawn for the width they have. Colours come from the style sheet by class.

import { fill, h, s } from "./dom.js";
import * as format from "./format.js";

const HEIGHT = 272;
const PAD = { left: 48, right: 10, top: 12, bottom: 30 };
const LABEL_WIDTH = 92;

/** A figure: legend, drawing, and the same numbers as a table for who cannot see it. */
export function figure(title, lede, legend, drawing, numbers) {
  const keys = legend.map(([name, text]) => h(`li.key.is-${name}`, {}, text));
  return h("figure.panel.plot", {},
    h("figcaption", {}, h("h2", {}, title), h("p", {}, lede)),
    keys.length ? h("ul.legend", {}, keys) : null, drawing,
    h("details", {}, h("summary", {}, "The numbers"), numbers));
}

/** Draws anew whenever the width changes, so that type and strokes keep their size. */
function frame(label, marks) {
  const box = h("div.drawing");
  const draw = () => {
    const width = Math.max(240, box.clientWidth);
    const area = { x: PAD.left, y: PAD.top, width: width - PAD.left - PAD.right, height: HEIGHT - PAD.top - PAD.bottom };
    fill(box, s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label }, marks(area)));
  };
  new ResizeObserver(draw).observe(box);
  return box;
}

/** Horizontal lines with their values; `ticks` are [0..1, text]. */
function grid(area, ticks) {
  return ticks.map(([at, text]) => {
    const y = area.y + (1 - at) * area.height;
    return [
      s("line.grid", { x1: area.x, x2: area.x + area.width, y1: y, y2: y }),
      s("text.tick", { x: area.x - 8, y: y + 4, "text-anchor": "end" }, text),
    ];
  });
}

/** `labels` are [0..1, text] in order; as many are drawn as there is room for. */
function foot(area, labels) {
  const step = Math.max(1, Math.ceil((labels.length * LABEL_WIDTH) / area.width));
  return labels.filter((_, at) => at % step === 0).map(([at, text]) => {
    const anchor = at < 0.04 ? "start" : at > 0.96 ? "end" : "middle";
    return s("text.tick", { x: area.x + at * area.width, y: HEIGHT - 8, "text-anchor": anchor }, text);
  });
}

/**
 * Stacked bars whose height is the logarithm of the bin's total; inside a bar the
 * series share the height in proportion. `series` = [[name, counts]].
 */
export function logBars(label, edges, series) {
  const totals = series[0][1].map((_, bin) => series.reduce((sum, [, counts]) => sum + counts[bin], 0));
  const top = Math.max(1, Math.ceil(Math.log10(Math.max(...totals) + 1)));
  const level = (n) => Math.log10(n + 1) / top;
  const ticks = Array.from({ length: top + 1 }, (_, n) => (n ? [Math.min(1, level(10 ** n)), format.brief(10 ** n)] : [0, "0"]));
  const span = edges.at(-1) - edges[0];
  const feet = [0, 0.25, 0.5, 0.75, 1].map((at) => [at, (edges[0] + at * span).toFixed(2)]);
  return frame(label, (area) => [grid(area, ticks), totals.map((total, bin) => stack(area, total, bin)), foot(area, feet)]);

  function stack(area, total, bin) {
    const [left, right] = [edges[bin], edges[bin + 1]].map((edge) => area.x + ((edge - edges[0]) / span) * area.width);
    let y = area.y + area.height;
    return series.filter(([, counts]) => counts[bin] > 0).map(([name, counts]) => {
      const height = Math.max(2, (counts[bin] / total) * level(total) * area.height);
      y -= height;
      const said = `${edges[bin].toFixed(2)}–${edges[bin + 1].toFixed(2)}: ${format.count(counts[bin])} ${name}`;
      return s(`rect.fill.is-${name}`, { x: left + 1, y, width: Math.max(1, right - left - 2), height, rx: 2 }, s("title", {}, said));
    });
  }
}

/** Lines over equal steps; a null breaks the line. `series` = [[name, values]], `top` the value at 1. */
export function lines(label, series, top, names, ticks) {
  const many = Math.max(1, names.length - 1);
  const feet = names.map((text, at) => [at / many, text]);
  return frame(label, (area) => {
    const x = (at) => area.x + (at / many) * area.width;
    const y = (v) => area.y + (1 - Math.min(1, v / top)) * area.height;
    const drawn = series.map(([name, values]) => [
      runs(values).map((run) => s(`polyline.line.is-${name}`, { points: run.map(([at, v]) => `${x(at)},${y(v)}`).join(" ") })),
      values.map((v, at) => (v === null ? null : s(`circle.dot.is-${name}`, { cx: x(at), cy: y(v), r: values.length > 25 ? 2 : 3.5 },
        s("title", {}, `${names[at]}: ${name} ${+v.toFixed(3)}`)))),
    ]);
    return [grid(area, ticks), drawn, foot(area, feet)];
  });
}

/**
 * What came, then a band that opens: `past` are values up to now, `fan` = [[steps ahead, low, middle, high]].
 * Steps are drawn by their square root, as the spread of a sum of moves grows.
 */
export function fan(label, past, ahead, text) {
  const root = (steps) => Math.sign(steps) * Math.sqrt(Math.abs(steps));
  const [first, last] = [-root(past.length), root(ahead.at(-1)[0])];
  const values = [...past, ...ahead.flatMap(([, low, , high]) => [low, high])];
  const [bottom, top] = [Math.min(...values) * 0.97, Math.max(...values) * 1.03];
  const across = (steps) => (root(steps) - first) / (last - first);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((at) => [at, text(bottom + at * (top - bottom))]);
  const feet = [[0, `${past.length} blocks ago`], ...ahead.map(([steps]) => [across(steps), `+${steps}`])];
  return frame(label, (area) => {
    const at = (steps, v) => `${area.x + across(steps) * area.width},${area.y + (1 - (v - bottom) / (top - bottom)) * area.height}`;
    const band = [...ahead.map(([steps, , , high]) => at(steps, high)), ...[...ahead].reverse().map(([steps, low]) => at(steps, low))];
    return [
      grid(area, ticks),
      s("polygon.under", { points: band.join(" ") }),
      s("polyline.line.is-past", { points: past.map((v, n) => at(n + 1 - past.length, v)).join(" ") }),
      s("polyline.line.is-rate", { points: ahead.map(([steps, , middle]) => at(steps, middle)).join(" ") }),
      foot(area, feet),
    ];
  });
}

/** Points in the unit square beside its diagonal; `series` = [[name, [[x, y]]]]. */
export function square(label, series) {
  const quarters = [0, 0.25, 0.5, 0.75, 1].map((v) => [v, v.toFixed(2)]);
  return frame(label, (area) => {
    const x = (v) => area.x + v * area.width;
    const y = (v) => area.y + (1 - v) * area.height;
    return [
      grid(area, quarters),
      s("line.line.is-ideal", { x1: x(0), y1: y(0), x2: x(1), y2: y(1) }),
      series.map(([name, points]) => points.map(([said, came]) =>
        s("circle.dot.is-rate", { cx: x(said), cy: y(came), r: 4 }, s("title", {}, `${name}: said ${said.toFixed(2)}, came ${came.toFixed(3)}`)))),
      foot(area, quarters),
    ];
  });
}

/** One bar a value, side by side in the order of time. */
export function bars(label, values, top, names, ticks) {
  const feet = names.map((text, at) => [(at + 0.5) / names.length, text]);
  return frame(label, (area) => {
    const slot = area.width / Math.max(values.length, 12);
    const gap = Math.min(2, slot / 4);
    const drawn = values.map((v, at) => {
      const height = Math.max(1, Math.min(1, v / top) * area.height);
      return s("rect.fill.is-rate", { x: area.x + at * slot + gap / 2, y: area.y + area.height - height, width: slot - gap, height, rx: Math.min(2, slot / 4) },
        s("title", {}, `${names[at]}: ${format.count(Math.round(v))}`));
    });
    const wide = { ...area, width: slot * values.length };
    return [grid(area, ticks), drawn, foot(wide, feet)];
  });
}

function runs(values) {
  const found = [[]];
  values.forEach((v, at) => {
    if (v === null) found.push([]);
    else found.at(-1).push([at, v]);
  });
  return found.filter((run) => run.length > 0);
}

/** A rounded number at or above `value`: 1, 2, 4 or 8 times a power of ten, so that quarters are whole. */
export function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 4)));
  return [1, 2, 4, 6, 8, 10].map((n) => n * power).find((n) => n >= value);
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
