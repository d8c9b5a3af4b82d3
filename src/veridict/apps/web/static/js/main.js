// The shell: navigation, the line to the node, the theme; one page at a time in the middle.

import { get, token } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { failure } from "./parts.js";
import { listen, store, tell } from "./store.js";
import { connect } from "./stream.js";
import audit from "./pages/audit.js";
import cases from "./pages/cases.js";
import chain from "./pages/chain.js";
import federation from "./pages/federation.js";
import live from "./pages/live.js";
import model from "./pages/model.js";
import network from "./pages/network.js";
import plots from "./pages/plots.js";
import prediction from "./pages/prediction.js";

const PAGES = { live, cases, prediction, chain, model, plots, network, federation, audit };
const content = document.getElementById("content");
let leave = null;

/** #/name/argument → the page. A page's `show(root, argument)` returns how to leave it. */
function route(moved) {
  const [name, argument] = location.hash.replace(/^#\/?/, "").split("/");
  const page = Object.hasOwn(PAGES, name) ? name : "live";
  leave?.();
  fill(content);
  content.dataset.page = page;
  document.title = `${PAGES[page].title} · veridict`;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.dataset.page === page) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  leave = PAGES[page].show(content, argument ?? "");
  if (moved) {
    scrollTo(0, 0);
    content.querySelector("h1")?.focus({ preventScroll: true });
  }
}

function drawNavigation() {
  const links = Object.entries(PAGES).map(([name, page]) =>
    h("li", {}, h("a", { href: `#/${name}`, "data-page": name }, icon(name), h("span.nav-word", {}, page.nav ?? page.title),
      name === "cases" ? h("span.count", { id: "open-cases", hidden: true }) : null)));
  fill(document.getElementById("nav"), h("ul", {}, links));
}

function drawStatus(status) {
  document.getElementById("scenario").textContent = status.title;
  const waiting = document.getElementById("open-cases");
  waiting.hidden = status.open_cases === 0;
  fill(waiting, status.open_cases > 99 ? "99+" : String(status.open_cases), h("span.hidden", {}, " open"));
}

function drawLink(state) {
  const line = document.getElementById("link-state");
  if (line.dataset.state === state) return;
  line.dataset.state = state;
  line.textContent = { live: "Connected", lost: "Reconnecting…" }[state];
}

function setUpTheme() {
  const button = document.getElementById("theme");
  const dark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const draw = () => {
    const label = dark() ? "Use light colours" : "Use dark colours";
    button.setAttribute("aria-label", label);
    button.title = label;
    fill(button, icon(dark() ? "sun" : "moon"));
  };
  button.addEventListener("click", () => {
    const next = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("veridict.theme", next);
    } catch {
      // Not remembered where storage is forbidden.
    }
    draw();
  });
  draw();
}

async function start() {
  token.adopt();
  drawNavigation();
  setUpTheme();
  listen((kind, data) => {
    if (kind === "status") drawStatus(data);
    if (kind === "link") drawLink(data);
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address names the page; it must not become #content
    content.focus();
  });
  addEventListener("hashchange", () => route(true));
  try {
    tell("status", await get("/api/status"));
  } catch (error) {
    fill(content, failure(error, () => location.reload()));
  }
  if (store.status) route(false);
  connect();
}

start();
