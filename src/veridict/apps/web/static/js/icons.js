// Line icons on a 24 grid. A decision has its own shape as well as its own colour.

import { s } from "./dom.js";

const PATHS = {
  live: ["M3 12h4l3-8 4 16 3-8h4"],
  cases: ["M4 7h16v12H4z", "M9 7V4h6v3", "M4 12h16"],
  prediction: ["M5 6h4v4H5z", "M15 14h4v4h-4z", "M9 8h4a4 4 0 0 1 4 4v2"],
  chain: ["M10 14a4 4 0 0 1 0-5.7l2.6-2.6a4 4 0 0 1 5.7 5.7L16.5 13.2", "M14 10a4 4 0 0 1 0 5.7l-2.6 2.6a4 4 0 0 1-5.7-5.7L7.5 10.8"],
  model: ["M12 4 5 8v8l7 4 7-4V8z", "m5 8 7 4 7-4", "M12 12v8"],
  plots: ["M4 20V4", "M4 20h16", "M8 16v-5", "M12.5 16V7", "M17 16v-3"],
  network: ["M4 17c3 0 3-9 6-9s3 5 5 5 2-4 5-4", "M15 13c2 0 3 3 5 3", "M4 20h16"],
  federation: ["M12 3.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z", "M5 15a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z", "M19 15a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z", "m10.5 9-4 6.5M13.5 9l4 6.5M7.5 17.5h9"],
  audit: ["M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14z", "m16.2 16.2 4.3 4.3", "m8 11 2.3 2.3L14.2 9"],
  allow: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z", "m8 12.2 2.8 2.8L16 9.5"],
  review: ["M12 3 21.5 12 12 21 2.5 12z", "M12 8v4.5", "M12 15.7v.1"],
  hold: ["M8 3.5h8l4.5 4.5v8L16 20.5H8L3.5 16V8z", "M9 12h6"],
  copy: ["M9 9h11v11H9z", "M5 15H4V4h11v1"],
  done: ["m5 12.5 4.5 4.5L19 7.5"],
  failed: ["m6 6 12 12", "M18 6 6 18"],
  up: ["m6 14 6-6 6 6"],
  down: ["m6 10 6 6 6-6"],
  left: ["m14 6-6 6 6 6"],
  right: ["m10 6 6 6-6 6"],
  pause: ["M9 5v14", "M15 5v14"],
  play: ["M8 5v14l11-7z"],
  note: ["M5 4h14v11l-5 5H5z", "M14 20v-5h5", "M9 9h6"],
  receipt: ["M12 4v11", "m7 11 5 5 5-5", "M5 20h14"],
  moon: ["M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"],
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z", "M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"],
};

export function icon(name) {
  const strokes = PATHS[name].map((d) => s("path", { d }));
  return s("svg.icon", { viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, strokes);
}
