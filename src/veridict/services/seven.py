"""The seven stages of one prediction, as far as it has come: facts, not promises."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from veridict.core.errors import VeridictError
from veridict.core.nouns import SCORE_ONE, Payload, PredictionRecord, Stage
from veridict.models.image import float_of, unpack
from veridict.proofs.merkle import leaf_hash
from veridict.services.anchoring.telling import chain_states
from veridict.services.feeding.verdicts import alerts_of, verdict_on
from veridict.services.node import Node
from veridict.services.receipt import Receipt
from veridict.services.sayings import Words, read_words
from veridict.services.views import FactView, PredictionRow, StageView

Facts = Iterable[tuple[str, str]]
ERASED = "erased"


def stages(node: Node, index: int, row: PredictionRow) -> tuple[list[StageView], bool]:
    """All seven, and whether a receipt can be handed out."""
    record, payload = node.prediction(index)
    receipt = _receipt(node, index)
    told = [
        _stage(
            Stage.REQUEST, "what was asked", payload is not None, _request(node, index, payload)
        ),
        _stage(
            Stage.FEATURES,
            "what the model was shown",
            True,
            _features(node, index, record, payload),
        ),
        _stage(Stage.SCORE, "what it answered", True, _score(record, row)),
        _stage(Stage.COMMIT, "what was sealed", True, _commit(record)),
        _stage(Stage.LOG, "where it stands", True, _log(node, index, record, receipt)),
        _stage(Stage.ACT, "what was done", *_act(node, index, record, row)),
        _stage(Stage.AUDIT, "how a stranger checks it", receipt is not None, _audit(receipt)),
    ]
    return told, receipt is not None


def gone(node: Node, index: int) -> str:
    """Why record `index` has no payload, in words."""
    record = node.accounts.of(index)
    return "missing" if record is None else f"{ERASED}, accounted for by record #{record}"


def _stage(stage: Stage, title: str, done: bool, facts: Facts) -> StageView:
    return StageView(stage.word, title, done, [FactView(label, value) for label, value in facts])


def _receipt(node: Node, index: int) -> Receipt | None:
    try:
        return node.receipt(index)
    except VeridictError:
        return None  # not anchored yet, or erased: there is none to hand out


def _request(node: Node, index: int, payload: Payload | None) -> Facts:
    if payload is None:
        return [("content", f"{gone(node, index)}: only its commitment is left")]
    request = payload.request
    content = request.content
    text = content.decode() if content[:1] == b"{" else content.hex()
    return [
        ("id", request.id),
        ("subject", request.subject),
        ("time", _time(request.time_s)),
        ("content", text),
    ]


def _features(node: Node, index: int, record: PredictionRecord, payload: Payload | None) -> Facts:
    model = node.model(record.model_id)
    if payload is None:
        return [("inputs", f"{gone(node, index)}: only their commitment is left")]
    if model is None:
        return [("inputs", "their model is not on this node's shelf")]
    names = node.feature_names(record.model_id)
    values = unpack(payload.inputs, model.n_features)[0].tolist()
    return [(name, f"{float_of(value):g}") for name, value in zip(names, values, strict=True)]


def _score(record: PredictionRecord, row: PredictionRow) -> Facts:
    reasons = [
        (f"reason {place}", f"{reason.text} ({reason.contribution:+.2f})")
        for place, reason in enumerate(row.reasons, 1)
    ]
    return [
        ("model", record.model_id.hex()),
        ("raw score", f"{record.score} × 2^-32 = {record.score / SCORE_ONE:.4f}"),
        ("probability", f"{row.probability:.4f}"),
        ("decision", record.decision.word),
        *reasons,
    ]


def _commit(record: PredictionRecord) -> Facts:
    return [
        ("request commitment", record.request.hex()),
        ("inputs commitment", record.inputs.hex()),
        ("record", record.encode().hex()),
        ("leaf hash", leaf_hash(record.encode()).hex()),
    ]


def _log(node: Node, index: int, record: PredictionRecord, receipt: Receipt | None) -> Facts:
    facts = [
        ("index", str(index)),
        ("sequence", str(record.sequence)),
        ("logged at", f"{_time(record.time_ms // 1000)}"),
        ("state", node.state(index).word),
    ]
    states = chain_states(node.fleet, node.log, index, node.final_blocks())
    if len(states) > 1:
        facts += [(f"on chain {name}", state.word) for name, state in states.items()]
    if receipt is not None:
        anchor = receipt.anchor
        facts += [
            ("anchored in", f"block {anchor.block_number} of chain {anchor.chain_id}"),
            ("under root", f"{anchor.root.hex()} of {anchor.size} records"),
            ("transaction", anchor.tx_hash),
            ("checkpoint", receipt.checkpoint),
        ]
    return facts


def _act(
    node: Node, index: int, record: PredictionRecord, row: PredictionRow
) -> tuple[bool, Facts]:
    facts = [(row.decision, node.face.words.get(row.decision, ""))]
    if (found := verdict_on(node.log, index, record)) is not None:
        facts += [(alert.detector, alert.reason) for alert in alerts_of(found[1])]
    payment = node.payment_of(index)
    if payment is not None and node.guard is not None:
        facts.append(("payment on chain", f"{payment} in guard {node.guard.address}"))
        facts.append(("state in the guard", node.payment_state(payment)))
    case = node.board.cases.get(index)
    for at, act in case.acts if case else ():
        words = read_words(node.log.payload(at), Words) or Words(ERASED, "")
        facts.append((act.act, f"by {words.by}: {words.note}" if words.note else f"by {words.by}"))
    return case is None or bool(case.acts), facts


def _audit(receipt: Receipt | None) -> Facts:
    if receipt is None:
        return [("receipt", "after the next anchor")]
    path = [(f"sibling {height}", node.hex()) for height, node in enumerate(receipt.proof)]
    return [
        ("check it", "veridict verify RECEIPT --rpc URL"),
        ("operator", receipt.operator),
        ("anchor contract", receipt.anchor.contract),
        ("log key", receipt.verifier_key),
        ("inclusion path", f"{len(path)} hashes"),
        *path,
    ]


def _time(time_s: int) -> str:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
