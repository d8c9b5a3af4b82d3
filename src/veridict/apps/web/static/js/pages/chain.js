// Log & chain: how far each record has come, and what the chain holds of it.

import { getText } from "../api.js";
import { fill, h, refill } from "../dom.js";
import * as format from "../format.js";
import { copyButton, empty, facts, failure, hash, heading, loading, panel, table } from "../parts.js";
import { listen, store } from "../store.js";

const LEVELS = [
  ["size", "Durable", "written to disk"],
  ["checkpointed", "Checkpointed", "under a signed head"],
  ["anchored", "Anchored", "that head is on chain"],
  ["final", "Final", "its block cannot be undone"],
];

export default {
  title: "Log & chain",
  nav: "Chain",
  show(root) {
    const nest = h("div");
    const places = h("div");
    const anchors = h("div");
    const chain = h("div");
    const head = h("div");
    const draw = () => {
      fill(nest, nested(store.status.log));
      refill(places, placeTable(store.status.log.places));
      refill(anchors, anchorTable(store.status.log.anchors));
      refill(chain, network(store.status.chain));
    };
    root.append(heading("Log & chain", "The log only grows. Its signed heads are stored on chain, where a contract refuses one that does not extend the last."),
      panel("How far the records have come", nest), h("div.halves", {}, panel("Signed head of the log", head), panel("Chain and operator", chain)), panel("Where the log is anchored", places), panel("Anchors", anchors));
    draw();
    checkpoint(head);
    return listen((kind) => {
      if (kind === "status") draw();
    });
  },
};

/** Each state is a part of the one before, so each bar lies inside the one before. */
function nested(log) {
  const all = Math.max(1, log.size);
  const bar = (at) => {
    if (at === LEVELS.length) return null;
    const [key] = LEVELS[at];
    const outer = at === 0 ? all : Math.max(1, log[LEVELS[at - 1][0]]);
    return h(`div.nest.is-${key}`, { vars: { "--part": log[key] / outer } }, bar(at + 1));
  };
  return [
    h("div.nests", { "aria-hidden": "true" }, bar(0)),
    h("ul.levels", {}, LEVELS.map(([key, name, meaning]) => h(`li.key.is-${key}`, {},
      h("span.level-name", {}, name), h("b", {}, format.count(log[key])), h("span.soft", {}, `${format.share(log[key], log.size)} · ${meaning}`)))),
  ];
}

async function checkpoint(box) {
  fill(box, loading("the checkpoint"));
  try {
    const text = await getText("/api/checkpoint");
    const { log } = store.status;
    fill(box, h("pre.note", { tabindex: "0", "aria-label": "Checkpoint" }, text),
      h("p.note-foot", {}, copyButton(text, "checkpoint"), h("span.soft", {}, "C2SP tlog-checkpoint: origin, size, root, signature.")),
      facts([["Origin", h("span.text", {}, log.origin)], ["Root", log.root],
        ...(log.witnessed === null ? [] : [["Witnessed", `${format.count(log.witnessed)} records, by the policy’s quorum`]]),
        ["Verifier key", h("span.hash", {}, h("code", { title: log.verifier_key }, format.middle(log.verifier_key, 22, 8)), copyButton(log.verifier_key, "verifier key"))]]));
  } catch (error) {
    fill(box, failure(error, () => checkpoint(box)));
  }
}

function network(chain) {
  return [
    facts([
      ["Network", `${chain.name}, chain id ${chain.chain_id}`], ["Block", format.count(chain.block_number)],
      ["RPC", chain.rpc_url ?? "served by this node at the address that “veridict up” prints"], ["Operator", chain.operator],
      ["Balance", format.ether(chain.balance_wei)], ["Bond at stake", format.ether(chain.bond_wei)],
    ]),
    h("h3", {}, "Contracts"),
    facts(Object.entries(chain.contracts).map(([name, address]) => [format.capital(name), address])),
  ];
}

/** One row a chain: none waits for another, and each tells its own trouble. */
function placeTable(places) {
  const head = [["Chain"], ["Standing"], ["Anchored", "number"], ["Final", "number"], ["Waiting", "number"], ["Fee of gas"], ["Spent"], ["Saved by waiting"]];
  return table(head, places.map((one) => [
    h("span", { title: one.contract ? `contract ${one.contract}, anchored by ${one.operator}` : "" }, one.chain_id === null ? one.name : `${one.name} (${one.chain_id})`),
    one.problem ? h("span.trouble", { title: one.message }, one.problem) : one.standing,
    format.count(one.anchored), format.count(one.final), format.count(one.waiting),
    fee(one), one.posted ? format.ether(one.spent_wei) : "–", saving(one),
  ]), "Chains on which this log is anchored");
}

function fee(one) {
  if (!one.fee_wei) return "–";
  return one.accepted_wei ? `${format.gwei(one.fee_wei)}, posts at ${format.gwei(one.accepted_wei)}` : format.gwei(one.fee_wei);
}

function saving(one) {
  const atOnce = Number(one.at_once_wei);
  return atOnce > 0 ? format.share(Number(one.saved_wei), atOnce) : "–";
}

function anchorTable(anchors) {
  if (!anchors.length) return empty("Nothing is anchored yet", "The first anchor follows the first checkpoint.");
  const head = [["Chain"], ["Records", "number"], ["State"], ["Root"], ["Time"], ["Block", "number"], ["Transaction"], ["Gas", "number"]];
  return table(head, anchors.map((one) => [
    one.chain, format.count(one.size), one.state, hash(one.root, "root"), h("span.nowrap", {}, format.moment(one.time_s * 1000)),
    format.count(one.block_number), hash(one.tx_hash, "transaction"), format.count(one.gas_used),
  ]), "Anchors of this log");
}
