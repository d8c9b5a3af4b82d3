// Numbers, times and hashes as people read them. Pure functions.

const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const WEI_DIGITS = 18;

export const count = (n) => whole.format(n);
export const brief = (n) => (Math.abs(n) < 10000 ? whole.format(Math.round(n)) : compact.format(n));
/** Minor units of an amount whose currency nobody told. */
export const money = (minor) => (minor === null ? "–" : (minor / 100).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
export const share = (part, all) => (all > 0 ? `${((100 * part) / all).toFixed(1)} %` : "–");
export const ratio = (x) => (x === null || x === undefined ? "–" : x.toFixed(3));
export const signed = (x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)}`;

/** A probability with as many digits as it takes to tell it from 0 and 1. */
export function probability(p) {
  if (p > 0 && p < 0.001) return "<0.001";
  if (p < 1 && p > 0.999) return ">0.999";
  return p.toFixed(3);
}

export const time = (ms) => new Date(ms).toISOString().slice(11, 19);
export const moment = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** "0x3f0c8a12…91be77" */
export function middle(text, head = 8, tail = 6) {
  if (text.length <= head + tail + 3) return text;
  const start = text.startsWith("0x") ? head + 2 : head;
  return `${text.slice(0, start)}…${text.slice(-tail)}`;
}

const HEX = /((?:0x)?[0-9a-fA-F]{40,})/;

/** A text with each long hash in it shortened. */
export const shortened = (text) => text.split(HEX).map((part, at) => (at % 2 ? middle(part) : part)).join("");

/** [text, hash, text, …]: every second part is a long hash. */
export const partsOf = (text) => text.split(HEX);

/** Who and what a row is about, in a line that repeats neither its name nor its subject. */
export function about(row) {
  const summary = row.summary === row.request_id ? "" : row.summary;
  const parts = summary.includes(row.subject) ? [summary] : [row.subject, summary];
  return parts.filter(Boolean).map(shortened).join(" · ");
}

/** Seconds since 1970 → the day. */
export const day = (s) => new Date(s * 1000).toISOString().slice(0, 10);

export const isHash = (text) => /^(0x)?[0-9a-fA-F]{40,}$/.test(text);

/** Decimal string of wei → "1,234.5678 ETH", exact to four places, cut and not rounded. */
export function ether(wei) {
  const digits = wei.padStart(WEI_DIGITS + 1, "0");
  const units = whole.format(BigInt(digits.slice(0, -WEI_DIGITS)));
  const rest = digits.slice(-WEI_DIGITS, -WEI_DIGITS + 4).replace(/0+$/, "");
  return `${units}${rest ? `.${rest}` : ""} ETH`;
}

/** Wei a unit of gas, as fees are told. */
export const gwei = (wei) => `${Number((Number(wei) / 1e9).toPrecision(3))} gwei`;

/** A feature's value: NaN is how a missing one is kept. */
export const known = (text) => (text === "nan" ? "missing" : text);
export const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const spaced = (text) => text.replace(/[_-]+/g, " ");
