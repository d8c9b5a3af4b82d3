// Server-sent events → the store. The browser reconnects by itself, sending the
// last id it saw; only where it gives up (an error answer) do we start again.

import { tell } from "./store.js";

const KINDS = ["prediction", "status", "step", "case", "finding"];
const AGAIN_MS = 5000;

export function connect() {
  const source = new EventSource("/api/events");
  source.onopen = () => tell("link", "live");
  source.onerror = () => {
    tell("link", "lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS);
  };
  for (const kind of KINDS) {
    source.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
  }
}
