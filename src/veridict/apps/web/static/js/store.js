// What the stream of events has told so far, and who wants to know more.

const MAX_ROWS = 200;
const MAX_RATES = 90;
const MAX_FINDINGS = 50;

export const STAGES = ["request", "features", "score", "commit", "log", "act", "audit"];

export const store = { status: null, rows: [], steps: new Map(), current: null, findings: [], rates: [] };

const readers = new Set();

/** Calls `reader(kind, data)` for each event until the returned function is called. */
export function listen(reader) {
  readers.add(reader);
  return () => readers.delete(reader);
}

export function tell(kind, data) {
  keep[kind]?.(data);
  for (const reader of readers) reader(kind, data);
}

const keep = {
  status(status) {
    store.status = status;
    push(store.rates, status.rate_per_s, MAX_RATES);
  },
  prediction(row) {
    addRows([row]);
  },
  step(step) {
    store.current = step.stage ?? 0; // 0: the model is being made, before any prediction
    store.steps.set(store.current, step);
  },
  finding(finding) {
    push(store.findings, finding, MAX_FINDINGS);
  },
};

/** Rows are kept newest first, each index once. */
export function addRows(rows) {
  const byIndex = new Map([...store.rows, ...rows].map((row) => [row.index, row]));
  store.rows = [...byIndex.values()].sort((a, b) => b.index - a.index).slice(0, MAX_ROWS);
}

function push(list, item, limit) {
  list.push(item);
  if (list.length > limit) list.shift();
}
